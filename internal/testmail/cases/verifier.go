package cases

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/certinbox/certinbox/internal/dns"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

// Verifier returns the judge that the case describes, as the daemon would have
// it: it stops asking where the daemon stops.
func (c Case) Verifier() (*verify.Verifier, error) {
	zone, err := dns.ReadZone(bytes.NewReader(c.DNS), c.Name)
	if err != nil {
		return nil, fmt.Errorf("cases: %s: %w", c.Name, err)
	}
	v := &verify.Verifier{Policy: verify.DefaultPolicy(), TXT: zone.TXT, Now: func() time.Time { return c.At }}
	v.Policy.Collect = []string{"secureme@example.com"}
	var anchor trust.Anchor
	blocked := "" // common name of a CA on the block list
	err = eachLine(c.Policy, func(key, value string) error {
		if key == "blocked_ca" {
			blocked = value
			return nil
		}
		return applyPolicy(&v.Policy, &anchor, key, value)
	})
	if err != nil {
		return nil, fmt.Errorf("cases: %s: policy: %w", c.Name, err)
	}
	anchors, err := c.anchors(anchor)
	if err != nil {
		return nil, fmt.Errorf("cases: %s: anchors: %w", c.Name, err)
	}
	v.Anchors = trust.New(anchors...)
	if blocked != "" {
		v.Anchors = v.Anchors.With(nil, func(ca *x509.Certificate) bool { return ca.Subject.CommonName == blocked })
	}
	if c.Revocation != "" {
		v.Revoked = stub(c.Revocation)
	}
	return v, nil
}

// Report judges the message of the case.
func (c Case) Report(ctx context.Context, v *verify.Verifier) *verify.Report {
	x := v.Begin(c.Envelope)
	_, _ = x.Write(c.Message) // never fails
	return x.Report(ctx)
}

// anchors reads the PEM blocks; settings holds for each.
func (c Case) anchors(settings trust.Anchor) ([]*trust.Anchor, error) {
	var out []*trust.Anchor
	for rest := c.Anchors; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return out, nil
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		a := settings
		a.Certificate, a.Source = cert, "anchors of the case"
		out = append(out, &a)
	}
}

// applyPolicy sets one key of the file policy; keys that begin with anchor_
// belong to every anchor of the case.
func applyPolicy(p *verify.Policy, a *trust.Anchor, key, value string) (err error) {
	switch key {
	case "collect":
		p.Collect = strings.Fields(value)
	case "recipient_delimiter":
		p.RecipientDelimiter = value
	case "alignment":
		p.Alignment = value
	case "min_rsa_bits":
		p.MinRSABits, err = strconv.Atoi(value)
	case "max_age":
		p.MaxAge, err = time.ParseDuration(value)
	case "max_ahead":
		p.MaxAhead, err = time.ParseDuration(value)
	case "recipient_binding":
		p.RecipientBinding = value
	case "binding_word":
		p.BindingWord = value
	case "own_domains":
		p.OwnDomains = strings.Fields(value)
	case "limit_message":
		p.Limits.Message, err = strconv.Atoi(value)
	case "limit_cms_bytes":
		p.Limits.MIME.CMSBytes, err = strconv.Atoi(value)
	case "limit_chain":
		p.Limits.Chain, err = strconv.Atoi(value)
	case "limit_public_key_operations":
		p.Limits.PublicKeyOps, err = strconv.Atoi(value)
	case "revocation":
		p.Revocation = value
	case "anchor_domains":
		a.Domains = strings.Fields(value)
	case "anchor_allow_missing_eku":
		a.AllowMissingEKU = value == "yes"
	case "anchor_allow_subject_address":
		a.AllowSubjectAddress = value == "yes"
	case "anchor_distrust_after":
		a.DistrustAfter, err = time.Parse(time.RFC3339, value)
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	return err
}

// stub answers in the place of the CAs. Each line is "INDEX: STATUS" for a
// certificate of the path, 0 the leaf; certificates without a line get no
// answer. "error: TEXT" fails the question as a whole.
func stub(text string) func(context.Context, trust.Path, time.Time) ([]verify.Revocation, error) {
	return func(_ context.Context, path trust.Path, at time.Time) ([]verify.Revocation, error) {
		var out []verify.Revocation
		err := eachLine(text, func(key, status string) error {
			if key == "error" {
				return errors.New(status)
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(path.Chain) {
				return fmt.Errorf("cases: no certificate %q in the path", key)
			}
			sum := sha256.Sum256(path.Chain[i].Raw)
			a := verify.Revocation{SHA256: hex.EncodeToString(sum[:]), Serial: path.Chain[i].SerialNumber.Text(16), Status: status}
			if status != verify.NoSource {
				a.Method, a.Source = "crl", "http://crl.example/ca.crl"
				a.Produced, a.NextUpdate = at.Add(-time.Hour), at.Add(time.Hour)
			}
			out = append(out, a)
			return nil
		})
		return out, err
	}
}
