package trust

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// What an Object is.
const (
	MailCA     = "CA for mail"
	OtherCA    = "CA, not for mail"
	Leaf       = "leaf"
	PrivateKey = "private key"
	Other      = "no certificate"
)

// An Object is one thing that stands in a file, whatever it is good for.
type Object struct {
	Index       int // from 1
	Kind        string
	Certificate *x509.Certificate // nil: none, or one that cannot be read
	Expired     bool
	Problem     string // why it cannot be an anchor; "" if it can
	Warning     bool   // nothing is wrong with the file for it
	Label       string // of a Root in a bundle, sanitised
	Distrust    time.Time
}

// Objects reads every object of a file of the kinds that Load and ReadBundle
// take. name is the file's, for messages. Of a bundle that is damaged the
// certificates are returned without labels and dates, with a Problem that is no
// warning. The error is about the file as a whole.
func Objects(name string, data []byte, now time.Time) ([]Object, []Problem, error) {
	if len(data) > maxFileBytes {
		return nil, nil, fmt.Errorf("over %d bytes", maxFileBytes)
	}
	if holdsPrivateKey(data) {
		return []Object{{Index: 1, Kind: PrivateKey, Problem: "the file is a private key or holds one; it does not belong there"}}, nil, nil
	}
	bundle, problems, bundleErr := ReadBundle(name, data)
	found, err := read(data)
	if err != nil {
		if bundleErr != nil {
			return nil, nil, err
		}
		return rootObjects(bundle, now), problems, nil
	}
	if bundleErr != nil { // a bundle that is damaged: its certificates without their dates
		problems = []Problem{{File: name, Text: bundleErr.Error()}}
	} else {
		problems = nil // each is said of its object below
	}
	var out []Object
	for i, o := range found {
		x := describe(o, now)
		x.Index = i + 1
		if x.Certificate != nil && bundleErr == nil {
			for _, r := range bundle.Roots {
				if r.Certificate.Equal(x.Certificate) {
					x.Label, x.Distrust = r.Label, r.DistrustAfter
				}
			}
		}
		out = append(out, x)
	}
	return out, problems, nil
}

// rootObjects are those of a file that only ReadBundle reads, certdata.txt.
func rootObjects(b Bundle, now time.Time) []Object {
	var out []Object
	for i, r := range b.Roots {
		x := describeCertificate(r.Certificate, now)
		x.Index, x.Label, x.Distrust = i+1, r.Label, r.DistrustAfter
		out = append(out, x)
	}
	return out
}

func describe(o object, now time.Time) Object {
	c, text, warning := o.certificate()
	if text != "" {
		kind := Other
		if strings.Contains(text, "private key") {
			kind = PrivateKey
		}
		return Object{Kind: kind, Problem: text, Warning: warning}
	}
	return describeCertificate(c, now)
}

func describeCertificate(c *x509.Certificate, now time.Time) Object {
	x := Object{Kind: MailCA, Certificate: c, Expired: now.After(c.NotAfter)}
	x.Problem, x.Warning = unusable(c)
	switch {
	case !isCA(c):
		x.Kind = Leaf
	case !issuesForMail(c):
		x.Kind = OtherCA
	}
	return x
}

// SelfSigned says whether c bears its own name and its own signature.
func SelfSigned(c *x509.Certificate) bool { return selfIssued(c) && IssuedBy(c, c) }

// IssuedBy says whether parent has the name that c gives for its issuer, and
// its key made the signature. Keys of more than 8192 bits are not tried.
func IssuedBy(c, parent *x509.Certificate) bool {
	if !bytes.Equal(c.RawIssuer, parent.RawSubject) || oversize(parent, maxAnchorRSABits) || parent.PublicKey == nil {
		return false
	}
	left := 1
	s := &signatures{left: &left, known: map[edge]bool{}}
	return s.holds(c, parent)
}

// holdsPrivateKey recognises DER that people take for a certificate: a private
// key (RFC 5208, RFC 5915, PKCS#1), plain or encrypted, and PKCS#12 (RFC 7292).
// PEM blocks are told by their label elsewhere.
func holdsPrivateKey(data []byte) bool {
	s := cryptobyte.String(data)
	var list cryptobyte.String
	if !s.ReadASN1(&list, tag.SEQUENCE) {
		return false
	}
	if list.PeekASN1Tag(tag.INTEGER) { // a version: neither certificate nor PKCS#7 begins with one
		return true
	}
	var algorithm cryptobyte.String
	var id asn1.ObjectIdentifier
	return list.ReadASN1(&algorithm, tag.SEQUENCE) && algorithm.ReadASN1ObjectIdentifier(&id) &&
		list.PeekASN1Tag(tag.OCTET_STRING) // EncryptedPrivateKeyInfo
}
