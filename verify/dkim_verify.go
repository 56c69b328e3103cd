package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// candidates returns the signatures to verify, the best first: of those that
// the author's domain could have made by their name, at most
// Limits.DKIMVerified. Only if there is none at all, a single one of another
// domain, to say who signed.
func (f *facts) candidates() []*dkimSignature {
	var named, others []*dkimSignature
	none := true
	for i := range f.signatures {
		s := &f.signatures[i]
		byName := s.relation.allowed(f.v.Policy.Alignment)
		none = none && !byName
		switch {
		case s.status != "": // its settings are refused
		case byName:
			named = append(named, s)
		default:
			others = append(others, s)
		}
	}
	if none {
		return others[:min(len(others), 1)]
	}
	slices.SortStableFunc(named, func(a, b *dkimSignature) int { return int(a.relation) - int(b.relation) })
	return named[:min(len(named), f.v.Policy.Limits.DKIMVerified)]
}

// verifySignatures verifies the candidates up to the first that settles the
// question. One of exactly the author's domain does; about others DMARC may
// have a word to say, so that a second is of use.
func (f *facts) verifySignatures(ctx context.Context) {
	for _, s := range f.candidates() {
		if f.verifySignature(ctx, s); s.status == Pass && s.relation == equal {
			return
		}
	}
}

// verifySignature asks for the key of s, judges it and verifies.
func (f *facts) verifySignature(ctx context.Context, s *dkimSignature) {
	records, err := f.txt(ctx, s.keyName())
	switch {
	case errors.Is(err, errDNSQueries):
		s.unacceptable("needs too many DNS questions")
		s.err = err
		return
	case err != nil:
		s.refuse(TempError, "dkim-temperror", plain("dkim-temperror"))
		s.err = err
		return
	}
	key, err := readKey(records)
	if err != nil {
		s.badKey(err.Error())
		return
	}
	s.txt, s.bits = txtLine(s.keyName(), key.record), key.bits
	if !s.fitsKey(key, f.v.Policy.MinRSABits, f.v.Policy.Limits.RSABits) {
		return
	}
	if f.ops.Left <= 0 {
		s.unacceptable("is one of too many")
		return
	}
	f.ops.Left--
	s.conclude(f.compute(s, key))
}

// fitsKey judges the key record against the signature.
func (s *dkimSignature) fitsKey(key *dkimKey, minRSA, maxRSA int) bool {
	kind, hash, _ := strings.Cut(s.algorithm, "-")
	_, identity, _ := strings.Cut(s.identity[strings.LastIndexByte(s.identity, '@'):], "@")
	switch {
	case key.testing:
		return s.unacceptable("has a key in testing mode: remove t=y from its record in DNS")
	case !key.mail:
		return s.unacceptable("has a key that is not for mail: add email to the s= of its record in DNS")
	case key.exact && identity != s.domain:
		return s.unacceptable("has an i= below its d=, which the t=s of its key forbids")
	case key.kind != kind:
		return s.badKey("the key is of another kind than the signature")
	case key.hashes != nil && !slices.Contains(key.hashes, hash):
		return s.badKey("the key record does not allow SHA-256 (h=)")
	case key.kind == "rsa" && key.bits < minRSA:
		return s.unacceptable(fmt.Sprintf("has an RSA key of fewer than %d bits", minRSA))
	case key.kind == "rsa" && key.bits > maxRSA:
		return s.unacceptable(fmt.Sprintf("has an RSA key of more than %d bits", maxRSA))
	}
	return true
}

// errLibrary says that the library did not do its work: our trouble.
var errLibrary = errors.New("verify: dkim: the library gave no answer")

// inPieces hides that a reader can write all at once: the library makes two copies of
// whatever it gets in one piece. For a short body a buffer costs more than they do.
type inPieces struct{ io.Reader }

// longBody is more bytes than a short body has.
const longBody = 128 << 10

// compute verifies the hashes and the signature, nothing else: the library
// gets the one signature, the fields that it names, and the bare key.
func (f *facts) compute(s *dkimSignature, key *dkimKey) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: panic: %v\n%s", errLibrary, p, debug.Stack())
		}
	}()
	var body io.Reader = bytes.NewReader(f.body)
	if len(f.body) > longBody {
		body = inPieces{body}
	}
	message := io.MultiReader(bytes.NewReader(f.signedHeader(s)), strings.NewReader("\r\n"), body)
	verifications, err := dkim.VerifyWithOptions(message, &dkim.VerifyOptions{
		LookupTXT:        func(string) ([]string, error) { return []string{key.plainRecord()}, nil },
		MaxVerifications: 1,
	})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return fmt.Errorf("%w: %w", errLibrary, err)
	}
	if len(verifications) != 1 {
		return fmt.Errorf("%w: %d results for one signature", errLibrary, len(verifications))
	}
	return verifications[0].Err
}

// signedHeader returns the header that s is computed over: its own field
// first, so that it is the one that is verified, then every field that it
// names. Fields it does not name play no part, and the library's work grows
// with their number and folds.
func (f *facts) signedHeader(s *dkimSignature) []byte {
	out := bytes.Clone(s.raw)
	for i, field := range f.header.Fields {
		if i != s.field && s.named[strings.ToLower(field.Name)] > 0 {
			out = append(out, field.Raw...)
		}
	}
	return out
}

// conclude takes the library's word. All that it could call permanent has been
// asked before, but for the one thing that it judges by a clock of its own.
func (s *dkimSignature) conclude(err error) {
	switch {
	case err == nil:
		s.status = Pass
		return
	case errors.Is(err, errLibrary) || dkim.IsTempFail(err):
		s.refuse(TempError, "internal", plain("internal"))
	case dkim.IsPermFail(err) && s.expires && err.Error() == "dkim: signature has expired":
		s.unacceptable(expired)
	case dkim.IsPermFail(err):
		s.malformed("it cannot be computed")
	case err.Error() == "dkim: body hash did not verify":
		s.refuse(Fail, "dkim-fail", "the body is not what was signed with DKIM")
	default:
		s.refuse(Fail, "dkim-fail", "the DKIM signature does not hold over the header")
	}
	s.err = err
}
