package verify

import (
	"context"
	"strings"
)

// A dmarcRecord is what alignment needs of a DMARC record (RFC 9989). p= and
// the rest say what to do with mail that fails; here such mail is refused
// whatever they say.
type dmarcRecord struct {
	found  bool
	strict bool   // adkim=s
	suffix bool   // psd=y: others have names below this one
	text   string // as answered
}

// readDMARC picks the record out of the TXT records of _dmarc.DOMAIN. Of two,
// none counts.
func readDMARC(records []string) dmarcRecord {
	var r dmarcRecord
	for _, text := range records {
		if !isDMARC(text) {
			continue
		}
		if r.found {
			return dmarcRecord{}
		}
		r = parseDMARC(text)
	}
	return r
}

// isDMARC says whether a record begins with v=DMARC1, which it must, in just
// this spelling.
func isDMARC(text string) bool {
	first, _, _ := strings.Cut(text, ";")
	name, value, ok := strings.Cut(first, "=")
	return ok && strings.EqualFold(strings.Trim(name, fws), "v") && strings.Trim(value, fws) == "DMARC1"
}

// parseDMARC reads the two tags. Whatever else the record holds, broken or
// repeated, does not take them away: both only ever narrow what is aligned.
func parseDMARC(text string) dmarcRecord {
	r := dmarcRecord{found: true, text: text}
	for spec := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(spec, "=")
		value = strings.Trim(value, fws)
		switch strings.ToLower(strings.Trim(name, fws)) {
		case "adkim":
			r.strict = r.strict || strings.EqualFold(value, "s")
		case "psd":
			r.suffix = r.suffix || strings.EqualFold(value, "y")
		}
	}
	return r
}

// dmarcAnswers asks for DMARC records, each name once.
type dmarcAnswers struct {
	f     *facts
	known map[string]dmarcAnswer
}

type dmarcAnswer struct {
	record dmarcRecord
	err    error
}

// of returns the record of domain; what f.txt says about errors holds.
func (a *dmarcAnswers) of(ctx context.Context, domain string) (dmarcRecord, error) {
	if k, ok := a.known[domain]; ok {
		return k.record, k.err
	}
	name := "_dmarc." + domain
	records, err := a.f.txt(ctx, name)
	if err != nil {
		a.known[domain] = dmarcAnswer{err: err}
		return dmarcRecord{}, err
	}
	r := readDMARC(records)
	if r.found {
		a.f.report.Evidence.TXT = append(a.f.report.Evidence.TXT, txtLine(name, r.text))
	}
	a.known[domain] = dmarcAnswer{record: r}
	return r, nil
}

// policy returns the record that speaks for an author's domain: its own, else
// that of its organisational domain.
func (a *dmarcAnswers) policy(ctx context.Context, author string) (dmarcRecord, error) {
	r, err := a.of(ctx, author)
	org := organisation(author)
	if err != nil || r.found || org == "" || org == author {
		return r, err
	}
	return a.of(ctx, org)
}
