package collect

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
)

// entry makes a store.Entry of an accepted report, without its text.
func entry(r *verify.Report, env verify.Envelope) (store.Entry, error) {
	// An accepted report has all of this. If not, it is a fault of ours, and
	// the place to notice is here and not in the store.
	if r.Encryption == nil || len(r.Path.Chain) == 0 || r.Path.Anchor == nil {
		return store.Entry{}, errors.New("collect: an accepted report names no certificate or path")
	}
	author, err := smime.ParseAddress(r.Author)
	if err != nil {
		return store.Entry{}, fmt.Errorf("collect: author of an accepted report: %w", err)
	}
	e := store.Entry{
		Address:      author.Key(),
		Spelling:     r.Spelling,
		Certificate:  r.Encryption.Raw,
		AnchorSource: r.Path.Anchor.Source,
		Private:      !r.Path.Anchor.Public,
		At:           r.At,
		SignedAt:     r.SignedAt,
		Identity:     r.Identity,
		Bound:        r.Bound,
		Chosen:       r.Chosen,
		Capabilities: r.Capabilities,
		Unchecked:    r.Unchecked,
		Withhold:     r.Awaited,
		AskAgain:     askAgain(r),
		Via:          env.Via,
		Reference:    env.ID,
		Evidence:     evidence(r, env),
	}
	for _, c := range r.Path.Chain[1:] {
		e.Chain = append(e.Chain, c.Raw)
	}
	return e, nil
}

// askAgain is when the first of the CAs' answers ends, zero without any.
func askAgain(r *verify.Report) time.Time {
	var first time.Time
	for _, a := range r.Revocations {
		if a.Status == verify.Good && (first.IsZero() || a.NextUpdate.Before(first)) {
			first = a.NextUpdate
		}
	}
	return first
}

// evidence writes down what was seen, so that somebody who comes later can
// prove the acceptance again without us. The store bounds each document.
func evidence(r *verify.Report, env verify.Envelope) []store.Document {
	v := r.Evidence
	var docs []store.Document
	add := func(name string, text []byte) {
		if len(text) > 0 {
			docs = append(docs, store.Document{Name: name, Bytes: text})
		}
	}
	add("header.txt", v.Signed)
	add("dkim-signature.txt", v.DKIMSignature)
	add("dns.txt", []byte(lines(v.TXT)))
	add("digests.txt", digests(v))
	add("policy.txt", []byte(lines([]string{v.Policy})))
	add("clock.txt", []byte("judged "+r.At.Format(time.RFC3339Nano)+" via "+escape(env.Via)+"\n"))
	add("revocation.txt", revocations(r.Revocations))
	for i, a := range r.Revocations {
		if i < maxAnswers {
			add(fmt.Sprintf("ocsp-%d.der", i), a.Answer)
		}
	}
	add(store.CMSDocument, v.CMS)
	return docs
}

// maxAnswers bounds the OCSP responses that are kept as evidence.
const maxAnswers = 8

// revocations writes a line for each answer of a CA.
func revocations(answers []verify.Revocation) []byte {
	var b []byte
	for _, a := range answers {
		b = append(b, a.String()...)
		b = append(b, '\n')
	}
	return b
}

func digests(v verify.Evidence) []byte {
	return fmt.Appendf(nil, "message sha256 %x\ndkim body %x\nsigned content %x\n", v.MessageHash, v.BodyHash, v.ContentDigest)
}

func lines(list []string) string {
	if len(list) == 0 || len(list) == 1 && list[0] == "" {
		return ""
	}
	return strings.Join(list, "\n") + "\n"
}
