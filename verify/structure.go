package verify

import (
	"context"

	"github.com/certinbox/certinbox/internal/smime"
)

// checkStructure asks whether the outermost entity is an S/MIME signature. It
// looks at headers and boundaries only: a stranger's CMS blob is not opened
// before DKIM has said who it comes from. It writes the fact entity.
func checkStructure(ctx context.Context, f *facts) Result {
	if f.header.Fields == nil {
		return notReached()
	}
	e := smime.Open(f.header, f.body, f.v.Policy.Limits.MIME)
	f.entity = &e
	switch e.Problem {
	case "":
		if e.Form == smime.Opaque {
			return pass("the message is signed, opaque")
		}
		return pass("the message is signed, detached")
	case smime.NotSigned:
		return structural(Fail, "smime-none", e)
	case smime.OpenPGP:
		return structural(Fail, "smime-pgp", e)
	case smime.Encrypted:
		return structural(Fail, "smime-encrypted", e)
	case smime.Nested:
		return structural(Fail, "smime-nested", e)
	case smime.CertificateOnly:
		return structural(Fail, "smime-certificate", e)
	case smime.PrivateKey:
		return structural(PolicyNo, "private-key", e)
	case smime.BadEncoding, smime.TooLarge:
		return structural(PermError, "cms-malformed", e)
	}
	return structural(PermError, "message-malformed", e) // BadHeader and what is not known here
}

// structural says what smime found, in its words, which are ours. The reply
// keeps the general words of the reason where they say more to a sender.
func structural(status Status, reason string, e smime.Entity) Result {
	r := refuse(status, reason, e.Detail)
	switch e.Problem {
	case smime.BadHeader, smime.BadEncoding, smime.TooLarge:
		return said(r)
	}
	return r
}
