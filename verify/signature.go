package verify

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"mime"
	"strings"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/internal/smime/cms"
	"github.com/certinbox/certinbox/verify/trust"
)

// checkSignature asks whether every CMS signer holds over the exact bytes
// received (RFC 5652 section 5.6, RFC 8551 section 3.5), and whether what is
// signed agrees with the author.
func checkSignature(_ context.Context, f *facts) Result {
	if f.entity == nil || f.entity.Form == smime.Unsigned {
		return notReached()
	}
	signed, err := cms.Parse(f.entity.CMS, f.v.Policy.Limits.CMS)
	if err != nil {
		return cmsRefusal(err)
	}
	f.report.Seen = seen(signed.Certificates, f.v.Policy.Limits.SANs)
	switch detached := f.entity.Form == smime.Detached; {
	case detached && !signed.Detached:
		return refuse(PermError, "cms-malformed", "the CMS blob of a multipart/signed holds content of its own")
	case !detached && signed.Detached:
		return refuse(PermError, "cms-malformed", "the CMS blob holds no content to sign")
	}
	f.signed = signed
	for _, c := range signed.Certificates {
		if c.X509 != nil {
			f.bag = append(f.bag, c.X509)
		}
	}
	digests, err := f.digests(signed)
	if err != nil {
		return cmsRefusal(err)
	}
	verified, err := f.verifySigners(signed, digests)
	if err != nil {
		return cmsRefusal(err)
	}
	if refusal := f.chooseSigner(verified); refusal != nil {
		return *refusal
	}
	digest := digests[f.signer.Hash]
	f.report.Signer = f.verified.Certificate
	f.report.Capabilities = f.signer.Capabilities
	f.report.Identity = identity(f.signer.Signature, digest, f.report.Author)
	f.report.Evidence.ContentDigest = digest
	if f.report.Evidence.CMS, err = signed.WithoutContent(); err != nil {
		return Result{Status: PermError, Reason: "cms-malformed", Detail: plain("cms-malformed"), Err: err}
	}
	if refusal := f.innerFrom(); refusal != nil {
		return *refusal
	}
	return pass(fmt.Sprintf("%s, %s, %s, %s", f.entity.Form, plural(len(verified), "signer"),
		f.verified.DigestAlgorithm, f.verified.SignatureAlgorithm))
}

// digests hashes the signed content once for each algorithm that a signer names.
func (f *facts) digests(signed *cms.SignedData) (map[crypto.Hash][]byte, error) {
	sums := map[crypto.Hash][]byte{}
	for _, h := range signed.Hashes() {
		if !h.Available() {
			return nil, &cms.Error{Reason: "cms-algorithm", Detail: "a digest algorithm is not supported"}
		}
		w := h.New()
		f.writeContent(w, signed)
		sums[h] = w.Sum(nil)
	}
	return sums, nil
}

func (f *facts) writeContent(w hash.Hash, signed *cms.SignedData) {
	if signed.Detached {
		w.Write(f.entity.Content)
		return
	}
	for _, chunk := range signed.Content {
		w.Write(chunk)
	}
}

// verifySigners verifies all signers in order; one that fails fails the message.
func (f *facts) verifySigners(signed *cms.SignedData, digests map[crypto.Hash][]byte) ([]cms.Verified, error) {
	var out []cms.Verified
	for i := range signed.Signers {
		v, err := signed.Verify(i, digests[signed.Signers[i].Hash], &f.ops)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		return nil, &cms.Error{Reason: "smime-certificate", Detail: "the CMS blob holds no signer"}
	}
	return out, nil
}

// chooseSigner takes the only signer. Of several, all of which must be the
// author's, it takes the one whose certificate is fit to encrypt to and newest.
func (f *facts) chooseSigner(verified []cms.Verified) *Result {
	best := -1
	for i := range verified {
		c := verified[i].Certificate
		if len(verified) > 1 && !f.names(c) {
			r := refuse(PermError, "cms-signers", "the message is signed by several identities")
			return &r
		}
		if best < 0 || better(c, verified[best].Certificate) {
			best = i
		}
	}
	f.signer, f.verified = &f.signed.Signers[best], &verified[best]
	return nil
}

// names says whether the certificate's SAN names the author.
func (f *facts) names(c *x509.Certificate) bool {
	if f.author == nil {
		return false
	}
	boxes, err := trust.Mailboxes(c, f.v.Policy.Limits.SANs)
	if err != nil {
		return false
	}
	for _, b := range boxes {
		if same, _ := smime.Same(b, *f.author); same {
			return true
		}
	}
	return false
}

// better says whether a is preferred to b: fit to encrypt to, then newer.
func better(a, b *x509.Certificate) bool {
	fitA, fitB := encryptable(a), encryptable(b)
	if fitA != fitB {
		return fitA
	}
	return a.NotBefore.After(b.NotBefore)
}

// encryptable says whether the key and its usage allow encrypting to it; the
// row usage says why not.
func encryptable(c *x509.Certificate) bool {
	switch c.PublicKeyAlgorithm {
	case x509.RSA:
		return c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageKeyEncipherment != 0
	case x509.ECDSA:
		return c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageKeyAgreement != 0
	}
	return false
}

// identity is what "the very same message" means to the store.
func identity(signature, digest []byte, author string) [32]byte {
	h := sha256.New()
	for _, part := range [][]byte{signature, digest, []byte(author)} {
		sum := sha256.Sum256(part)
		h.Write(sum[:])
	}
	return [32]byte(h.Sum(nil))
}

func cmsRefusal(err error) Result {
	var e *cms.Error
	if !errors.As(err, &e) {
		return Result{Status: PermError, Reason: "cms-malformed", Detail: "the CMS blob cannot be read", Err: err}
	}
	status := PermError
	switch e.Reason {
	case "cms-integrity":
		status = Fail
	case "cms-algorithm", "cert-key", "cert-weak", "smime-encrypted", "smime-certificate":
		status = PolicyNo
	}
	r := Result{Status: status, Reason: e.Reason, Detail: e.Detail, Err: e.Err}
	if r.Detail == "" {
		r.Detail = plain(e.Reason)
	}
	return r
}

// seen describes every certificate of the bag for the log.
func seen(bag []cms.Certificate, maxSANs int) []CertificateSeen {
	var out []CertificateSeen
	for _, c := range bag {
		sum := sha256.Sum256(c.Raw)
		s := CertificateSeen{SHA256: hex.EncodeToString(sum[:])}
		if c.X509 == nil {
			s.Err = "it cannot be parsed"
			if c.Err != nil {
				s.Err = display(c.Err.Error())
			}
			out = append(out, s)
			continue
		}
		s.Subject, s.Issuer = distinguished(c.X509.RawSubject), distinguished(c.X509.RawIssuer)
		s.Serial = serial(c.X509)
		s.NotBefore, s.NotAfter = c.X509.NotBefore.UTC(), c.X509.NotAfter.UTC()
		if boxes, err := trust.Mailboxes(c.X509, maxSANs); err == nil {
			for _, b := range boxes[:min(len(boxes), maxSeenMailboxes)] {
				s.Mailboxes = append(s.Mailboxes, display(b.String()))
			}
			if more := len(boxes) - maxSeenMailboxes; more > 0 {
				s.Mailboxes = append(s.Mailboxes, fmt.Sprintf("and %d more", more))
			}
		}
		out = append(out, s)
	}
	return out
}

// Bounds of what is said about one certificate: a stranger's may be all names,
// or have a serial number that would be a whole log, or header, by itself.
const (
	maxSeenMailboxes = 8
	maxSerial        = 32 // bytes shown; RFC 5280 section 4.1.2.2 allows 20
)

// serial writes a serial number in hexadecimal, the beginning of one that is too long.
func serial(c *x509.Certificate) string {
	b := c.SerialNumber.Bytes()
	if len(b) > maxSerial {
		return hex.EncodeToString(b[:maxSerial]) + "..."
	}
	return hex.EncodeToString(b)
}

func plural(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// inner returns the header of the signed part if it claims header protection
// by RFC 9788 (hp= on its Content-Type), nil otherwise.
func (f *facts) inner() *smime.Header {
	h := f.entity.Inner
	if f.entity.Form == smime.Opaque {
		h = smime.InnerHeader(joined(f.signed.Content, f.v.Policy.Limits.Header.Bytes))
	}
	types := h.All("Content-Type")
	if len(types) != 1 || !protects(types[0].Value()) {
		return nil
	}
	return &h
}

// joined returns at most max bytes of the chunks.
func joined(chunks [][]byte, max int) []byte {
	var out []byte
	for _, c := range chunks {
		if len(out)+len(c) > max {
			return append(out, c[:max-len(out)]...)
		}
		out = append(out, c...)
	}
	return out
}

// protects says whether a Content-Type carries hp="clear" or hp="cipher"
// (RFC 9788 section 2.1.1).
func protects(contentType string) bool {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	hp := strings.ToLower(params["hp"])
	return hp == "clear" || hp == "cipher"
}

// innerFrom refuses a signed From that differs from the outer one (RFC 9788).
func (f *facts) innerFrom() *Result {
	h := f.inner()
	if h == nil || f.author == nil {
		return nil
	}
	fields := h.All("From")
	if len(fields) == 0 {
		return nil
	}
	if len(fields) == 1 {
		if a, err := smime.ParseFrom(fields[0].Value()); err == nil {
			if same, _ := smime.Same(a, *f.author); same {
				return nil
			}
		}
	}
	r := refuse(Fail, "from-invalid", "the signed From differs from the outer one")
	return &r
}
