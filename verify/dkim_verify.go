package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// What is wrong with a signature that was computed.
var (
	errBodyHash = errors.New("verify: dkim: the body has another hash")
	errHeader   = errors.New("verify: dkim: the signature does not hold over the header")
)

// compute verifies the body hash and the signature (RFC 6376 section 6.1.3), and
// nothing else: settings and key have been judged.
func (f *facts) compute(s *dkimSignature, key *dkimKey) error {
	if !bytes.Equal(f.bodyHash(s.relaxedBody), s.bodyHash) {
		return errBodyHash
	}
	sum := sha256.Sum256(f.signedHeader(s))
	switch public := key.public.(type) {
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], s.signed); err != nil {
			return fmt.Errorf("%w: %w", errHeader, err)
		}
		return nil
	case ed25519.PublicKey: // over the hash, RFC 8463 section 3
		if ed25519.Verify(public, sum[:], s.signed) {
			return nil
		}
	}
	return errHeader
}

// bodyHash returns the hash of the body in one of its forms. Each is computed once,
// however many signatures there are.
func (f *facts) bodyHash(relaxed bool) []byte {
	sum, known := f.bodyHashes[relaxed]
	if !known {
		hash := sha256.New()
		canonicalBody(hash, f.body, relaxed)
		sum = hash.Sum(nil)
		f.bodyHashes[relaxed] = sum
	}
	return sum
}

// signedHeader returns what s is computed over (RFC 6376 section 3.7): the fields
// in the order of its h=, then its own.
func (f *facts) signedHeader(s *dkimSignature) []byte {
	var out []byte
	for _, i := range s.picked {
		out = appendField(out, f.header.Fields[i].Raw, s.relaxedHeader)
	}
	out = appendField(out, withoutValue(s.raw), s.relaxedHeader)
	return bytes.TrimSuffix(out, []byte(crlf))
}

// conclude notes what came of computing.
func (s *dkimSignature) conclude(err error) {
	switch {
	case err == nil:
		s.status = Pass
		return
	case errors.Is(err, errBodyHash):
		s.refuse(Fail, "dkim-fail", "the body is not what was signed with DKIM")
	default:
		s.refuse(Fail, "dkim-fail", "the DKIM signature does not hold over the header")
	}
	s.err = err
}
