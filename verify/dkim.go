package verify

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
)

// checkDKIM asks whether a DKIM signature (RFC 6376) holds over the whole body
// and From, with settings that we accept. Whose it is, is the next question;
// this row only prefers those that the author's domain could have made.
func checkDKIM(ctx context.Context, f *facts) Result {
	if f.author == nil || f.tooBig {
		return notReached()
	}
	f.readSignatures()
	f.verifySignatures(ctx)
	row := f.dkimRow()
	if !row.Status.holds() && f.ownUser() {
		return Result{Status: Neutral, Err: row.Err, Props: row.Props,
			Detail: "own user, whose mail is signed after us; " + row.Detail}
	}
	return row
}

// ownUser says whether the message comes from an authenticated client with an
// author of one of our own domains: the MTA then vouches for what DKIM would.
func (f *facts) ownUser() bool {
	return f.env.Authenticated && f.author != nil &&
		slices.ContainsFunc(f.v.Policy.OwnDomains, func(own string) bool { return strings.EqualFold(own, f.author.Domain) })
}

// A dkimSignature is one DKIM-Signature field and what became of it.
type dkimSignature struct {
	field     int    // index in the header
	raw       []byte // the field as received
	domain    string // d=, lower-case A-labels
	selector  string // s=, lower-case
	identity  string // i=, its domain as d=
	algorithm string // a=
	value     string // b= without white space
	signed    []byte // and what it says
	bodyHash  []byte // bh=: what the body hashes to, once the signature holds
	relation  relation

	relaxedHeader, relaxedBody bool // c=; else simple

	covered map[string]bool // of the fields named in h= that exist, lower-case: whether each of that name is covered
	picked  []int           // indices of the covered fields, in the order of h=

	txt  string // the key record that was used, as a line of a zone file
	bits int    // of the key

	status Status // "": not verified
	reason string
	plain  string // what is wrong, in our own words
	err    error
}

// covers says whether the signature covers every field of this name, and that
// there is one: a name in h= without a field covers no value.
func (s *dkimSignature) covers(name string) bool {
	return s != nil && s.covered[strings.ToLower(name)]
}

// keyName is where the key record stands (RFC 6376 section 3.6.2.1).
func (s *dkimSignature) keyName() string { return s.selector + "._domainkey." + s.domain }

// refuse notes why a signature does not count. It returns false, for chains of
// questions that end at the first no.
func (s *dkimSignature) refuse(status Status, reason, plain string) bool {
	s.status, s.reason, s.plain = status, reason, plain
	return false
}

// unacceptable refuses a setting: what completes "the DKIM signature …".
func (s *dkimSignature) unacceptable(what string) bool {
	return s.refuse(PolicyNo, "dkim-unacceptable", "the DKIM signature "+what)
}

func (s *dkimSignature) malformed(what string) bool {
	return s.refuse(PermError, "dkim-unacceptable", "the DKIM signature is malformed: "+what)
}

func (s *dkimSignature) badKey(what string) bool {
	return s.refuse(PermError, "dkim-key", what)
}

// dkimRow makes the row out of the signatures.
func (f *facts) dkimRow() Result {
	if len(f.signatures) == 0 {
		r := refuse(None, "dkim-none", "there is no DKIM signature")
		if f.env.Authenticated {
			r.Plain = "the message has no DKIM signature (own users: send through the submission service that signs)"
		}
		return r
	}
	s, byName := f.speaker()
	r := Result{Status: s.status, Reason: s.reason, Plain: s.plain, Props: s.props(), Err: s.err}
	switch {
	case s.status == Pass:
		return pass(s.describe(), r.Props...)
	case s.reason == "dkim-temperror" && !byName:
		// A stranger's DNS cannot defer the mail: it would not be aligned anyway.
		r.Status, r.Reason, r.Plain = Neutral, "", ""
		r.Detail = "could not be verified, and is not by the author's domain: " + s.describe()
	case s.reason == "dkim-key":
		r.Detail = s.plain + ": " + Quote(s.selector) + "._domainkey." + Quote(s.domain)
		r.Plain = plain("dkim-key")
	default:
		r.Detail = strings.TrimSuffix(s.plain, ".") + ": " + s.describe()
	}
	return r
}

// speaker returns the signature that the row speaks of: the one that holds and
// is nearest to the author's domain; else, among those that the author's
// domain could have made, or among all if there is none such, the one whose
// trouble weighs most. byName says whether it is one such.
func (f *facts) speaker() (s *dkimSignature, byName bool) {
	weight := func(s *dkimSignature) int {
		switch {
		case s.status == Pass:
			return int(s.relation)
		case s.status == "": // one too many
			return 1000
		}
		w := 100 + slices.Index([]string{"dkim-temperror", "dkim-fail", "dkim-key", "dkim-unacceptable"}, s.reason)
		if !s.relation.allowed(f.v.Policy.Alignment) {
			w += 100
		}
		return w
	}
	for i := range f.signatures {
		if t := &f.signatures[i]; s == nil || weight(t) < weight(s) {
			s = t
		}
	}
	return s, s.relation.allowed(f.v.Policy.Alignment)
}

// weakRSA is the size below which an RSA key is accepted with a remark.
const weakRSA = 2048

// describe says what a signature is. Foreign text in it has been quoted.
func (s *dkimSignature) describe() string {
	if s.domain == "" {
		return "a signature without a usable domain"
	}
	text := fmt.Sprintf("d=%s s=%s", Quote(s.domain), Quote(s.selector))
	if s.algorithm != "" {
		text += ", " + s.algorithm
	}
	if s.bits > 0 {
		text += fmt.Sprintf(" %d bits", s.bits)
	}
	if s.weak() {
		text += fmt.Sprintf(" (weak: fewer than %d)", weakRSA)
	}
	var names []string
	for name, all := range s.covered {
		if all {
			names = append(names, name)
		}
	}
	if slices.Sort(names); len(names) > 0 {
		text += ", covers " + Quote(strings.Join(names, " "))
	}
	return text
}

func (s *dkimSignature) weak() bool {
	return strings.HasPrefix(s.algorithm, "rsa-") && s.bits > 0 && s.bits < weakRSA
}

// props are the properties of RFC 8601 section 2.7.1.
func (s *dkimSignature) props() []Prop {
	var props []Prop
	for _, p := range []Prop{{"header.d", s.domain}, {"header.s", s.selector}, {"header.i", s.identity},
		{"header.a", s.algorithm}, {"header.b", s.value[:min(len(s.value), 8)]}} {
		if p.Value != "" {
			props = append(props, p)
		}
	}
	if s.bits > 0 {
		props = append(props, Prop{"policy.key-bits", fmt.Sprint(s.bits)})
	}
	if s.weak() {
		props = append(props, Prop{"policy.key-weak", fmt.Sprintf("below %d", weakRSA)})
	}
	return props
}

// signedFields returns the covered fields as received, in the order of the header.
func (f *facts) signedFields(s *dkimSignature) []byte {
	var b bytes.Buffer
	for _, i := range slices.Sorted(slices.Values(s.picked)) {
		b.Write(f.header.Fields[i].Raw)
	}
	return b.Bytes()
}
