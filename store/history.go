package store

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// A History is all that is remembered of one address.
type History struct {
	Version  int       `json:"version"`
	Address  string    `json:"address"`
	Records  []Record  `json:"certificates"`
	Messages []Message `json:"messages,omitempty"`
}

const (
	historyVersion = 1
	maxHistory     = 4 << 20 // bytes of a state file; full ones are well below
)

// Preferred returns the record of the published certificate, nil without one.
func (h *History) Preferred() *Record {
	for i := range h.Records {
		if r := &h.Records[i]; r.Preferred {
			return r
		}
	}
	return nil
}

// parseHistory reads a state file. It fails closed: what it cannot vouch for
// is an error, never an empty history.
func parseHistory(b []byte) (*History, error) {
	h := new(History)
	if err := json.Unmarshal(b, h); err != nil {
		return nil, err
	}
	if h.Version != historyVersion {
		return nil, fmt.Errorf("version %d, this program knows %d", h.Version, historyVersion)
	}
	if h.Address == "" || len(h.Address) > MaxAddress {
		return nil, errors.New("address: missing or too long")
	}
	if len(h.Records) > maxRecords {
		return nil, fmt.Errorf("certificates: %d, at most %d", len(h.Records), maxRecords)
	}
	if len(h.Messages) > maxMessages {
		return nil, fmt.Errorf("messages: %d, at most %d", len(h.Messages), maxMessages)
	}
	known, active, preferred := map[string]bool{}, 0, 0
	for i := range h.Records {
		r := &h.Records[i]
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("certificates[%d]: %w", i, err)
		}
		if known[r.Fingerprint] {
			return nil, fmt.Errorf("certificates[%d]: sha256: twice", i)
		}
		known[r.Fingerprint] = true
		if r.State == Active {
			active++
		}
		if r.Preferred {
			preferred++
		}
	}
	if preferred > 1 || active > 0 && preferred == 0 {
		return nil, fmt.Errorf("certificates: %d active, %d preferred", active, preferred)
	}
	return h, nil
}

func (r *Record) check() error {
	if !isHex256(r.Fingerprint) {
		return errors.New("sha256: not 64 hexadecimal digits")
	}
	if !isHex256(r.Key) {
		return errors.New("key_sha256: not 64 hexadecimal digits")
	}
	if !r.State.known() {
		return fmt.Errorf("state: %q is unknown", words(string(r.State)))
	}
	if r.Preferred && r.State != Active {
		return errors.New("preferred, but not active")
	}
	if r.OnHold && (r.State != Revoked || !r.HeldFrom.known() || r.HeldFrom == Revoked) {
		return fmt.Errorf("on_hold: of a certificate that is %s and was %q", r.State, words(string(r.HeldFrom)))
	}
	for _, e := range []*Evidence{r.First, r.Newest} {
		if e != nil && !safeName(e.File) {
			return errors.New("evidence: file: unsafe name")
		}
	}
	if len(r.Journal) > maxNotes {
		return fmt.Errorf("journal: %d lines, at most %d", len(r.Journal), maxNotes)
	}
	return nil
}

// isHex256 is strict, as a fingerprint is used as a file name.
func isHex256(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

// readHistory reads the history kept under a name; an absent one is empty.
func readHistory(path, name string) (*History, error) {
	b, err := readBounded(path, maxHistory)
	if errors.Is(err, os.ErrNotExist) {
		return &History{Version: historyVersion}, nil
	}
	if err != nil {
		return nil, err
	}
	h, err := parseHistory(b)
	if err == nil && Name(h.Address) != name {
		err = errors.New("address: belongs to another folder")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: restore it from a backup, or delete the address", path, err)
	}
	return h, nil
}

func (h *History) marshal() ([]byte, error) {
	b, err := json.MarshalIndent(h, "", " ")
	if err != nil {
		return nil, err
	}
	if len(b) > maxHistory {
		return nil, fmt.Errorf("history of %d bytes, at most %d", len(b), maxHistory)
	}
	return append(b, '\n'), nil
}

// remember adds an acceptance and forgets those that cannot be repeated any more.
func (h *History) remember(e Entry, kind Kind, rules Rules) {
	kept := h.Messages[:0:0]
	for _, m := range h.Messages {
		if e.At.Sub(m.At) <= rules.FreshFor {
			kept = append(kept, m)
		}
	}
	kept = append(kept, Message{Identity: hex.EncodeToString(e.Identity[:]), At: e.At.UTC(), Kind: kind, Reference: words(e.Reference)})
	if len(kept) > maxMessages {
		kept = kept[len(kept)-maxMessages:]
	}
	h.Messages = kept
}

// references returns the queue ids that are known of an address.
func (h *History) references() []string {
	var refs []string
	add := func(s string) {
		if s != "" {
			refs = append(refs, s)
		}
	}
	for _, r := range h.Records {
		add(r.Reference)
		for _, n := range r.Journal {
			add(n.Reference)
		}
	}
	for _, m := range h.Messages {
		add(m.Reference)
	}
	return refs
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
