package trust

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of what is remembered of refused issuers.
const (
	maxIssuers      = 1000
	issuersFor      = 30 * 24 * time.Hour
	maxIssuersBytes = 2 << 20
	maxDomainBytes  = 253
	maxKeyIDBytes   = 64
)

// Issuers counts the issuers for whose want certificates were refused lately,
// so that the postmaster sees which CA to consider: at most 1000, each for 30
// days since the last time; the oldest make room. The zero value has none. It is
// safe for concurrent use.
type Issuers struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]*RefusedIssuer
	dirty bool // differs from what was saved last
}

// A RefusedIssuer is one name with one key, as the refused certificates say:
// nobody has checked that it issued them.
type RefusedIssuer struct {
	ID     string    `json:"id"`               // hexadecimal, of name and key
	Name   string    `json:"name"`             // sanitised
	KeyID  string    `json:"key_id,omitempty"` // authority key identifier, hexadecimal
	Reason string    `json:"reason"`           // of the last refusal
	Domain string    `json:"domain,omitempty"` // of the last author
	Count  int       `json:"count"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
}

// counted says whether an issuer is counted for a reason: its CA is not known,
// not at hand or not trusted any more.
func counted(reason string) bool {
	return reason == "cert-untrusted" || reason == "cert-incomplete" || reason == "cert-distrusted"
}

// Note counts the issuer of c, a certificate that was refused for reason in a
// mail of an author in domain. Other reasons than cert-untrusted,
// cert-incomplete and cert-distrusted are not counted.
func (i *Issuers) Note(c *x509.Certificate, reason, domain string, at time.Time) {
	if i == nil || c == nil || !counted(reason) {
		return
	}
	keyID := c.AuthorityKeyId[:min(len(c.AuthorityKeyId), maxKeyIDBytes)]
	id := sha256.Sum256(slices.Concat(c.RawIssuer, []byte{0}, keyID))
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known == nil {
		i.known = map[[sha256.Size]byte]*RefusedIssuer{}
	}
	r := i.known[id]
	if r == nil {
		i.makeRoom(at)
		r = &RefusedIssuer{ID: hex.EncodeToString(id[:]), Name: issuerName(c), KeyID: hex.EncodeToString(keyID), First: at.UTC()}
		i.known[id] = r
	}
	r.Count++
	r.Last, r.Reason, r.Domain = at.UTC(), reason, domainText(domain)
	i.dirty = true
}

// makeRoom forgets the rarest, of equal ones the oldest, where one more would be too
// many: invented names, once each, do not displace those that many people have.
func (i *Issuers) makeRoom(at time.Time) {
	if len(i.known) < maxIssuers {
		return
	}
	var least [sha256.Size]byte
	var rarest *RefusedIssuer
	for id, r := range i.known {
		if at.Sub(r.Last) > issuersFor {
			delete(i.known, id)
		} else if rarest == nil || r.Count < rarest.Count || r.Count == rarest.Count && r.Last.Before(rarest.Last) {
			least, rarest = id, r
		}
	}
	if len(i.known) >= maxIssuers {
		delete(i.known, least)
	}
}

// issuerName is the name of the issuer of c for a line: its common name and organisation.
func issuerName(c *x509.Certificate) string {
	names := called(c.Issuer)
	for _, o := range c.Issuer.Organization {
		if o != "" && !slices.Contains(names, o) {
			names = append(names, o)
		}
	}
	if len(names) == 0 {
		return "without a name"
	}
	return strings.Trim(printable(strings.Join(names[:min(len(names), 2)], ", ")), `"`)
}

// domainText keeps the characters of a domain in A-labels.
func domainText(s string) string {
	s = s[:min(len(s), maxDomainBytes)]
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return '?'
	}, s)
}

// List returns what is remembered at a time, the most frequent first, then the
// newest.
func (i *Issuers) List(at time.Time) []RefusedIssuer {
	i.mu.Lock()
	defer i.mu.Unlock()
	var out []RefusedIssuer
	for _, r := range i.known {
		if at.Sub(r.Last) <= issuersFor {
			out = append(out, *r)
		}
	}
	slices.SortFunc(out, func(a, b RefusedIssuer) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Save writes the issuers to the folder, if they changed since they were saved.
func (i *Issuers) Save(f *Folder, at time.Time) error {
	i.mu.Lock()
	dirty := i.dirty
	i.dirty = false
	i.mu.Unlock()
	if !dirty {
		return nil
	}
	var b bytes.Buffer
	for _, r := range i.List(at) {
		line, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("trust: %w", err)
		}
		b.Write(append(line, '\n'))
	}
	err := f.change(func() error { return f.write(f.path(refusedFile), b.Bytes(), false) })
	if err != nil {
		i.mu.Lock()
		i.dirty = true
		i.mu.Unlock()
	}
	return err
}

// ReadIssuers reads what was saved in the folder; without the file there are
// none. A damaged file is an error: it is of no further use and may be removed.
func ReadIssuers(f *Folder) (*Issuers, error) {
	path := f.path(refusedFile)
	data, err := readPrivate(path, maxIssuersBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return &Issuers{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	i, err := parseIssuers(data)
	if err != nil {
		return nil, fmt.Errorf("trust: %s: %w; remove it: it holds nothing but counts", path, err)
	}
	return i, nil
}

func parseIssuers(data []byte) (*Issuers, error) {
	i := &Issuers{known: map[[sha256.Size]byte]*RefusedIssuer{}}
	number := 0
	for line := range bytes.Lines(data) {
		if number++; number > maxIssuers {
			return nil, fmt.Errorf("over %d lines", maxIssuers)
		}
		var r RefusedIssuer
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if !isFingerprint(r.ID) || !counted(r.Reason) || r.Count < 1 || r.Last.Before(r.First) ||
			r.Domain != domainText(r.Domain) || r.Name != strings.Trim(printable(r.Name), `"`) || !isKeyID(r.KeyID) {
			return nil, fmt.Errorf("line %d is damaged", number)
		}
		var id [sha256.Size]byte
		hex.Decode(id[:], []byte(r.ID)) // isFingerprint holds
		i.known[id] = &r
	}
	return i, nil
}

func isKeyID(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) <= maxKeyIDBytes
}
