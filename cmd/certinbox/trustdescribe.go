package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/certinbox/certinbox/verify/trust"
)

// A described is one line of trust list --json, and a paragraph for people.
// Names in it are foreign text.
type described struct {
	Kind        string     `json:"kind"` // anchor, intermediate, block, or what an object of a file is
	What        string     `json:"what,omitempty"`
	Index       int        `json:"index,omitempty"`
	Label       string     `json:"label,omitempty"`
	Subject     string     `json:"subject,omitempty"`
	Issuer      string     `json:"issuer,omitempty"`
	Key         string     `json:"key,omitempty"`
	KeySHA256   string     `json:"key_sha256,omitempty"`
	NotBefore   *time.Time `json:"not_before,omitempty"`
	NotAfter    *time.Time `json:"not_after,omitempty"`
	Expired     bool       `json:"expired,omitempty"`
	Blocked     bool       `json:"blocked,omitempty"`     // a CA through which no path leads
	NotAtHand   bool       `json:"not_at_hand,omitempty"` // a block, of which no certificate is known
	SHA256      string     `json:"sha256,omitempty"`
	Source      string     `json:"source,omitempty"`
	Domains     []string   `json:"domains,omitempty"` // "any" for no limit
	Exclusive   bool       `json:"exclusive,omitempty"`
	MissingEKU  bool       `json:"allow_missing_eku,omitempty"`
	SubjectMail bool       `json:"allow_subject_address,omitempty"`
	Distrust    *time.Time `json:"distrust_after,omitempty"`
	Constraints []string   `json:"name_constraints,omitempty"`
	PathLength  *int       `json:"path_length,omitempty"`
	Problem     string     `json:"problem,omitempty"`
}

func describe(kind string, c *x509.Certificate) described {
	d := described{Kind: kind, Subject: subjectOf(c), Issuer: issuerOf(c),
		Key: keyText(c.PublicKey), KeySHA256: keyHash(c), SHA256: trust.Fingerprint(c),
		NotBefore: &c.NotBefore, NotAfter: &c.NotAfter, Expired: time.Now().After(c.NotAfter), Constraints: trust.Limits(c)}
	if c.BasicConstraintsValid && c.IsCA && c.MaxPathLen >= 0 {
		d.PathLength = &c.MaxPathLen
	}
	return d
}

func (d described) from(source string) described {
	d.Source = source
	return d
}

func describeAnchor(a *trust.Anchor) described {
	d := describe("anchor", a.Certificate).from(a.Source)
	d.Label, d.Domains, d.Exclusive, d.MissingEKU, d.SubjectMail = a.Label, a.Domains, a.Exclusive, a.AllowMissingEKU, a.AllowSubjectAddress
	if a.Domains == nil {
		d.Domains = []string{"any"}
	} else if len(a.Domains) == 0 {
		d.Domains = []string{"none"}
	}
	if !a.DistrustAfter.IsZero() {
		d.Distrust = &a.DistrustAfter
	}
	return d
}

func describeObject(file string, o trust.Object) described {
	d := described{Kind: o.Kind}
	if o.Certificate != nil {
		d = describe(o.Kind, o.Certificate)
	}
	d.Source, d.Index, d.Label, d.Problem = file, o.Index, o.Label, o.Problem
	if !o.Distrust.IsZero() {
		d.Distrust = &o.Distrust
	}
	return d
}

// write prints a paragraph.
func (d described) write(out io.Writer) error {
	var b strings.Builder
	head := d.Kind
	if d.Index > 0 {
		head = fmt.Sprintf("%d %s", d.Index, d.Kind)
	}
	if d.Expired {
		head += ", expired"
	}
	if d.Blocked {
		head += ", blocked"
	}
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-11s %s\n", name, value)
		}
	}
	fmt.Fprintf(&b, "%s\n", strings.TrimSpace(head+" "+d.What))
	row("label", d.Label)
	row("subject", d.Subject)
	if d.NotAtHand {
		row("subject", "not at hand")
	}
	if d.Issuer == d.Subject && d.Subject != "" {
		row("issuer", "itself")
	} else {
		row("issuer", d.Issuer)
	}
	row("key", d.Key)
	row("key_sha256", d.KeySHA256)
	if d.NotBefore != nil {
		row("valid", day(*d.NotBefore)+" to "+day(*d.NotAfter))
	}
	row("sha256", d.SHA256)
	row("source", d.Source)
	row("limits", d.limits())
	row("problem", d.Problem)
	_, err := io.WriteString(out, b.String())
	return err
}

// limits says what a CA may vouch for.
func (d described) limits() string {
	var parts []string
	if d.Domains != nil {
		text := "domains " + strings.Join(d.Domains, " ")
		if d.Exclusive {
			text += " (exclusive: no other CA may vouch for these)"
		}
		parts = append(parts, text)
	}
	if d.MissingEKU {
		parts = append(parts, "leaves without extended key usage are taken")
	}
	if d.SubjectMail {
		parts = append(parts, "addresses in the subject are taken")
	}
	if d.Distrust != nil {
		parts = append(parts, "no certificate issued after "+day(*d.Distrust))
	}
	if d.PathLength != nil {
		parts = append(parts, fmt.Sprintf("pathlen:%d", *d.PathLength))
	}
	return strings.Join(append(parts, d.Constraints...), "; ")
}

func keyText(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "of a kind that is not known"
}

// keyHash is the SHA-256 of the SubjectPublicKeyInfo, by which keys are blocked.
func keyHash(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// maxName bounds a name that is written, in bytes of DER: crypto/x509 takes time
// that grows with its square. Real ones have a few hundred.
const maxName = 4 << 10

func subjectOf(c *x509.Certificate) string { return nameText(c.Subject, c.RawSubject) }

func issuerOf(c *x509.Certificate) string { return nameText(c.Issuer, c.RawIssuer) }

// nameText writes a name of a certificate, safe for a terminal and bounded.
func nameText(name pkix.Name, der []byte) string {
	if len(der) > maxName {
		return fmt.Sprintf("a name of %d bytes, too long to be written", len(der))
	}
	return foreign(name.String())
}

// foreign makes text out of a certificate safe for a terminal and bounds it.
func foreign(s string) string {
	const most = 256
	r := []rune(strings.ToValidUTF8(s, "?"))
	if len(r) > most {
		r = append(r[:most], '…')
	}
	for i, c := range r {
		if !unicode.IsPrint(c) {
			r[i] = '?'
		}
	}
	return string(r)
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
