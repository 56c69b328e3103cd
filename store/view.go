package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// A Published is what certs/ADDRESS.json says, for programs that encrypt.
type Published struct {
	Address      string    `json:"address"`
	Spelling     string    `json:"spelling"`
	File         string    `json:"file"`       // the certificate, beside this file
	ChainFile    string    `json:"chain_file"` // the certificates above it, beside this file
	Fingerprint  string    `json:"sha256"`
	Subject      string    `json:"subject"`
	Issuer       string    `json:"issuer"`
	Serial       string    `json:"serial"`
	NotBefore    time.Time `json:"not_before"`
	NotAfter     time.Time `json:"not_after"`
	Since        time.Time `json:"since"`
	SignedAt     time.Time `json:"signed_at"`
	Bound        string    `json:"bound"`
	Unbound      bool      `json:"unbound"`
	Chosen       string    `json:"chosen"`
	AnchorSource string    `json:"anchor_source"`
	Private      bool      `json:"private"`
	Unchecked    bool      `json:"unchecked"`
	Checked      time.Time `json:"checked,omitzero"` // its CA's first word that it stands; asked daily since
	Capabilities []string  `json:"capabilities"`
}

// endings of the files of an address below certs/, in the order in which they
// are written: the certificate, which others look for, comes last.
func endings() []string { return []string{".chain.pem", ".json", ".crt"} }

// view returns what certs/ has to hold for an address, in the order of
// endings; nil contents mean that the file must not exist. It depends on nothing
// that a later mail under the same certificate, or the daily answer of its CA,
// changes: only on what shown tells apart.
func (d *Directory) view(name string, h *History) ([][]byte, error) {
	r := h.Preferred()
	if r == nil {
		return make([][]byte, 3), nil
	}
	certificate, err := readBounded(d.entry(name, r.Fingerprint, certificateFile), 2*MaxCertificate)
	if err != nil {
		return nil, err
	}
	chain, err := readBounded(d.entry(name, r.Fingerprint, chainFile), 2*MaxChain*MaxCertificate)
	if err != nil {
		return nil, err
	}
	sidecar, err := json.MarshalIndent(Published{
		Address: h.Address, Spelling: r.Spelling, File: name + ".crt", ChainFile: name + ".chain.pem",
		Fingerprint: r.Fingerprint, Subject: r.Subject, Issuer: r.Issuer, Serial: r.Serial,
		NotBefore: r.NotBefore, NotAfter: r.NotAfter, Since: r.Since, SignedAt: r.FirstSigned,
		Bound: r.Bound, Unbound: !bound(r.Bound), Chosen: r.Chosen, AnchorSource: r.AnchorSource,
		Private: r.Private, Unchecked: r.Unchecked, Checked: r.CheckedSince, Capabilities: append([]string{}, r.Capabilities...),
	}, "", " ")
	if err != nil {
		return nil, err
	}
	return [][]byte{chain, append(sidecar, '\n'), append(comment(h.Address, r), certificate...)}, nil
}

// comment is what people read above the certificate.
func comment(address string, r *Record) []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) {
		fmt.Fprintf(&b, "# %s\n", words(fmt.Sprintf(format, args...)))
	}
	line("S/MIME certificate of %s", address)
	line("kept since %s, valid until %s", stamp(r.Since), stamp(r.NotAfter))
	line("proven by an aligned DKIM signature and by the S/MIME signature of %s in message %s", stamp(r.FirstSigned), orNone(r.Reference))
	line("bound to this collection by: %s", orNone(r.Bound))
	line("issuer: %s", r.Issuer)
	line("trusted through: %s", orNone(r.AnchorSource))
	switch {
	case r.Unchecked:
		line("revocation: unchecked, no CA said whether it stands")
	case !r.CheckedSince.IsZero():
		line("revocation: checked with its CA at %s, and asked about daily since", stamp(r.CheckedSince))
	}
	line("SHA-256: %s", r.Fingerprint)
	return b.Bytes()
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// shown tells apart what certs/ may say of an address: which certificate, and
// since when its CA lets it stand. "" is nothing.
func shown(h *History) string {
	r := h.Preferred()
	if r == nil {
		return ""
	}
	return fmt.Sprint(r.Fingerprint, r.Unchecked, r.CheckedSince.UnixNano())
}

// publish makes certs/ say what the history says and returns the paths it
// wrote. old is what shown said before; when it still does there is nothing to
// do, unless all is to be compared: after a crash and to rebuild.
func (d *Directory) publish(name string, h *History, old string, compare bool) ([]string, error) {
	if !compare && shown(h) == old {
		return nil, nil
	}
	want, err := d.view(name, h)
	if err != nil {
		return nil, err
	}
	var drafts []draft
	removed := false
	for i, ending := range endings() {
		path := d.path("certs", name+ending)
		temp := d.path("certs", "."+name+ending)
		if want[i] == nil {
			if _, err := os.Lstat(path); err == nil {
				removed = true
			}
			if err := errors.Join(d.disk.remove(temp), d.disk.remove(path)); err != nil {
				return nil, err
			}
			continue
		}
		if have, err := readBounded(path, int64(len(want[i]))); err == nil && bytes.Equal(have, want[i]) {
			// Right, but perhaps not durable: its writer may have died before.
			if err := errors.Join(d.disk.remove(temp), d.disk.syncFile(path)); err != nil {
				return nil, err
			}
			continue
		}
		drafts = append(drafts, draft{temp, path, want[i]})
	}
	if err := replace(d.disk, 0o640, d.o.Group, drafts...); err != nil {
		return nil, err
	}
	var written []string
	for _, draft := range drafts {
		written = append(written, draft.path)
	}
	if len(written) > 0 || removed || compare {
		if err := d.disk.syncDir(d.path("certs")); err != nil {
			return nil, err
		}
	}
	return written, nil
}

// endingOf splits a file name of certs/ into the name of the address and the
// ending; ok is false for what is none of ours.
func endingOf(file string) (name string, ok bool) {
	for _, ending := range endings() {
		if name, ok := strings.CutSuffix(file, ending); ok && name != "" {
			return name, true
		}
	}
	return "", false
}
