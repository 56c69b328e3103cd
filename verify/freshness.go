package verify

import (
	"context"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/certinbox/certinbox/internal/smime"
)

// maxApart is how far a covered Date and signingTime may lie apart.
const maxApart = 72 * time.Hour

// checkFreshness asks whether the message was signed now and is meant for us.
// Only times that somebody vouches for count: the signer for signingTime, the
// author domain for a Date that its DKIM signature covers.
func checkFreshness(_ context.Context, f *facts) Result {
	if f.signer == nil {
		return notReached()
	}
	at, refusal := f.signedAt()
	if refusal != nil {
		return *refusal
	}
	f.report.SignedAt = at
	if at.After(f.at) {
		f.report.SignedAt = f.at
	}
	bound, refusal := f.bound()
	if refusal != nil {
		return *refusal
	}
	f.report.Bound = bound
	if bound == BoundNone && f.v.Policy.RecipientBinding == BindingRequire {
		return refuse(PolicyNo, "not-for-us", "nothing signed says that this message is meant for this address")
	}
	return pass(fmt.Sprintf("signed %s, bound by %s", at.Format(time.RFC3339), bound))
}

// signedAt returns the time that stands for the signature.
func (f *facts) signedAt() (time.Time, *Result) {
	date, covered, refusal := f.coveredDate()
	if refusal != nil {
		return time.Time{}, refusal
	}
	switch signing := f.signer.SigningTime; {
	case signing == nil && !covered:
		return time.Time{}, stale("the signature carries no time and DKIM covers no Date")
	case signing == nil:
		return date, nil
	case !f.within(*signing):
		return time.Time{}, stale("the signing time " + signing.UTC().Format(time.RFC3339) + " is outside the accepted window")
	case covered && (signing.Sub(date) > maxApart || date.Sub(*signing) > maxApart):
		return time.Time{}, stale("Date and signing time lie more than 72 hours apart")
	default:
		return signing.UTC(), nil
	}
}

// coveredDate returns the Date field if the aligned DKIM signature covers it.
func (f *facts) coveredDate() (time.Time, bool, *Result) {
	fields := f.header.All("Date")
	if len(fields) != 1 || f.aligned == nil || !f.aligned.covers("Date") {
		return time.Time{}, false, nil
	}
	date, err := mail.ParseDate(strings.TrimSpace(fields[0].Value()))
	if err != nil {
		return time.Time{}, false, stale("the Date field cannot be read")
	}
	if !f.within(date) {
		return time.Time{}, false, stale("the Date " + date.UTC().Format(time.RFC3339) + " is outside the accepted window")
	}
	return date.UTC(), true, nil
}

func (f *facts) within(t time.Time) bool {
	return !t.Before(f.at.Add(-f.v.Policy.MaxAge)) && !t.After(f.at.Add(f.v.Policy.MaxAhead))
}

func stale(detail string) *Result {
	r := refuse(Fail, "stale", detail)
	return &r
}

// Levels of recipient binding, strongest first.
const (
	BoundToken  = "token"
	BoundPerson = "person"
	BoundDomain = "domain"
	BoundNone   = "none"
)

// bound says what ties the message to us: recipients that the person signed
// (RFC 9788), or that the domain's DKIM signature covers. Signed recipients
// that name only others refuse in every mode.
func (f *facts) bound() (string, *Result) {
	if h := f.inner(); h != nil {
		ours, others := f.named(append(h.All("To"), h.All("Cc")...))
		switch {
		case ours:
			return BoundPerson, nil
		case others: // a list that names nobody, as for Bcc, names no others either
			r := refuse(Fail, "not-for-us", "the signed recipients name only others")
			return "", &r
		}
	}
	if f.aligned == nil {
		return BoundNone, nil
	}
	for _, name := range []string{"To", "Cc"} {
		if ours, _ := f.named(f.header.All(name)); ours && f.aligned.covers(name) {
			return BoundDomain, nil
		}
	}
	if word := f.v.Policy.BindingWord; word != "" && f.aligned.covers("Subject") {
		for _, s := range f.header.All("Subject") {
			if strings.Contains(strings.ToLower(decodeWords(s.Value())), strings.ToLower(word)) {
				return BoundDomain, nil
			}
		}
	}
	return BoundNone, nil
}

// named says whether address lists name a collection address, and whether they
// name anybody else; one that cannot be read does.
func (f *facts) named(fields []smime.Field) (ours, others bool) {
	for _, field := range fields {
		list, err := mail.ParseAddressList(field.Value())
		others = others || err != nil
		for _, a := range list {
			if f.v.Policy.Collects(a.Address) {
				ours = true
			} else {
				others = true
			}
		}
	}
	return ours, others
}
