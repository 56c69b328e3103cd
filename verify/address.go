package verify

import (
	"context"
	"crypto/x509"
	"errors"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/verify/trust"
)

// checkAddress asks whether the author's address stands in the certificate to
// keep, and in the signer's where that is another one: in the subjectAltName,
// as rfc822Name or SmtpUTF8Mailbox (RFC 5280 section 4.2.1.6, RFC 9598). The
// subject's emailAddress counts where the anchor allows it and the SAN names no
// mailbox; a common name never does.
func checkAddress(_ context.Context, f *facts) Result {
	keep := f.report.Encryption
	switch {
	case !f.hasSigner() || keep == nil:
		return noSigner()
	case f.author == nil:
		return Result{Status: None, Detail: "no usable author"}
	}
	signer := f.verified.Certificate
	row := f.addressOf(signer, f.signerPath.Anchor)
	if !row.Status.holds() || keep.Equal(signer) {
		return row
	}
	if other := f.addressOf(keep, f.report.Path.Anchor); !other.Status.holds() {
		other.Detail, other.Plain = preferred+other.Detail, preferred+other.Plain
		return other
	}
	return row
}

// addressOf looks for the author in one certificate.
func (f *facts) addressOf(c *x509.Certificate, anchor *trust.Anchor) Result {
	max := f.v.Policy.Limits.SANs
	boxes, err := trust.Mailboxes(c, max)
	where := "the certificate"
	if err == nil && len(boxes) == 0 && anchor != nil && anchor.AllowSubjectAddress {
		boxes, err = trust.SubjectMailboxes(c, max)
		where = "the subject of the certificate"
	}
	var refusal *trust.Refusal
	if errors.As(err, &refusal) {
		return refused(PermError, refusal)
	}
	if err != nil || len(boxes) == 0 {
		return Result{Status: PermError, Reason: "cert-no-address", Err: err,
			Detail: "the certificate names no mail address", Plain: "the certificate names no mail address"}
	}
	return matchAddress(*f.author, boxes, where)
}

// matchAddress prefers a mailbox that is the same to the letter.
func matchAddress(author smime.Address, boxes []smime.Address, where string) Result {
	var folded *smime.Address
	for i, b := range boxes {
		same, fold := smime.Same(b, author)
		if same && !fold {
			return pass("the author stands in "+where, identifier(b))
		}
		if same {
			folded = &boxes[i]
		}
	}
	if folded != nil {
		return pass("the author stands in "+where+", in another case of letters", identifier(*folded))
	}
	const wrong = "the certificate is for another address"
	detail := wrong + ": " + Quote(boxes[0].String())
	if len(boxes) > 1 {
		detail += " and others"
	}
	return Result{Status: Fail, Reason: "cert-address", Detail: detail, Plain: wrong}
}

// identifier publishes the mailbox of a certificate (RFC 7281 section 3.2.2).
func identifier(a smime.Address) Prop { return Prop{"body.smime-identifier", display(a.String())} }
