package verify

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
)

// A relation says how a signing domain lies to the author's domain, the
// nearest first. It is a matter of names only.
type relation int

const (
	equal   relation = iota
	above            // a parent of the author's domain, no public suffix
	below            // under the author's domain, of the same organisation
	beside           // elsewhere in the same organisation
	foreign          // anything else
)

// relate compares two domains of lower-case A-labels.
func relate(signing, author string) relation {
	org := organisation(author)
	switch {
	case signing == author:
		return equal
	case strings.HasSuffix(author, "."+signing):
		if publicSuffix(signing) != signing {
			return above
		}
	case org == "" || organisation(signing) != org:
	case strings.HasSuffix(signing, "."+author):
		return below
	default:
		return beside
	}
	return foreign
}

// allowed says whether a relation is near enough for the policy's alignment.
// An unknown word is strict.
func (r relation) allowed(alignment string) bool {
	switch alignment {
	case Organisation:
		return r <= beside
	case Relaxed:
		return r <= below
	default:
		return r == equal
	}
}

// checkAlignment asks whether a signature that holds is the author's domain's.
func checkAlignment(ctx context.Context, f *facts) Result {
	if f.author == nil || f.tooBig {
		return notReached()
	}
	row := f.align(ctx)
	if row.Status != Pass && f.ownUser() {
		return pass("author and authenticated client are of our own domain "+Quote(f.author.Domain)+"; no DKIM was asked for",
			Prop{"policy.own-domain", f.author.Domain})
	}
	return row
}

// align finds the aligned signature among those that hold.
func (f *facts) align(ctx context.Context) Result {
	var holding []*dkimSignature
	for i := range f.signatures {
		if f.signatures[i].status == Pass {
			holding = append(holding, &f.signatures[i])
		}
	}
	slices.SortStableFunc(holding, func(a, b *dkimSignature) int { return int(a.relation) - int(b.relation) })
	row := refuse(Fail, "dkim-unaligned", "no DKIM signature that holds is by "+Quote(f.author.Domain))
	if len(holding) == 0 && !f.report.Result("dkim").Status.holds() {
		return notReached()
	}
	dmarc := &dmarcAnswers{f: f, known: make(map[string]dmarcAnswer)}
	var trouble *Result
	for i, s := range holding {
		why, err := f.unaligned(ctx, s, dmarc)
		switch {
		case errors.Is(err, errDNSQueries):
			row = refuse(PolicyNo, "dkim-unacceptable", "the DKIM signature needs too many DNS questions")
			row.Plain, row.Err = row.Detail, err
			return row
		case err != nil: // another one may be aligned without this answer
			r := refuse(TempError, "dkim-temperror", "the DMARC record of "+Quote(f.author.Domain)+" cannot be had at the moment")
			r.Err, trouble = err, &r
		case why == "":
			return f.alignedBy(s)
		case i == 0:
			row.Detail = "DKIM signs for " + Quote(s.domain) + ", From is in " + Quote(f.author.Domain) + why
		}
	}
	if trouble != nil {
		return *trouble
	}
	if s := f.undecided(ctx, dmarc); s != nil {
		// It would be aligned: the answer may be another one later.
		row = refuse(TempError, "dkim-temperror", "the DKIM key of "+Quote(s.domain)+" cannot be had at the moment")
		row.Err = s.err
	}
	return row
}

// undecided returns a signature that the author's domain may have made and for
// which DNS did not answer, nil if there is none. It is asked where others
// hold but turned out not to be aligned.
func (f *facts) undecided(ctx context.Context, dmarc *dmarcAnswers) *dkimSignature {
	for i := range f.signatures {
		s := &f.signatures[i]
		if s.status != TempError || !s.relation.allowed(f.v.Policy.Alignment) {
			continue
		}
		if why, err := f.unaligned(ctx, s, dmarc); why == "" && !errors.Is(err, errDNSQueries) {
			return s
		}
	}
	return nil
}

// maxBetween bounds the names between two domains that are asked about.
const maxBetween = 8

// unaligned says why a signature is not the author's domain's, "" if it is.
// Names alone decide for equal domains; otherwise the DMARC record of the
// author's domain may want it strict, and a domain in between may say that
// strangers have names below it.
func (f *facts) unaligned(ctx context.Context, s *dkimSignature, dmarc *dmarcAnswers) (string, error) {
	author := f.author.Domain
	switch {
	case s.relation == equal:
		return "", nil
	case s.relation == foreign:
		return ", which is another organisation", nil
	case !s.relation.allowed(f.v.Policy.Alignment):
		return ", which is not near enough here", nil
	}
	policy, err := dmarc.policy(ctx, author)
	if err != nil {
		return "", err
	}
	if policy.strict {
		return ", whose DMARC record asks for strict alignment", nil
	}
	between := suffixesBetween(s.domain, author, s.relation)
	if len(between) > maxBetween {
		return ", too many names away", nil
	}
	for _, name := range between {
		record, err := dmarc.of(ctx, name)
		if err != nil {
			return "", err
		}
		if record.suffix {
			return ", and " + Quote(name) + " is a public suffix", nil
		}
	}
	return "", nil
}

// suffixesBetween returns the names that must not be public suffixes if
// signing is to speak for author: the parent that signs; or all above a
// signer up to where the two meet.
func suffixesBetween(signing, author string, r relation) []string {
	if r == above {
		return []string{signing}
	}
	meet := author
	if r == beside {
		meet = organisation(author)
	}
	var names []string
	for _, start := range []string{signing, author} {
		for name := start; name != meet && name != ""; {
			name = parent(name)
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// alignedBy publishes what the aligned signature proves.
func (f *facts) alignedBy(s *dkimSignature) Result {
	f.aligned = s
	e := &f.report.Evidence
	e.DKIMSignature = bytes.Clone(s.raw)
	e.BodyHash = s.bodyHash
	e.Signed = f.signedFields(s)
	e.TXT = append([]string{s.txt}, e.TXT...)
	words := map[relation]string{equal: " is the author's domain", above: " is above the author's domain",
		below: " is below the author's domain", beside: " is of the author's organisation"}
	return pass(Quote(s.domain)+words[s.relation], Prop{"header.d", s.domain})
}
