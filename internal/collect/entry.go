package collect

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/certinbox/certinbox/internal/smime"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
)

// entry makes a store.Entry of an accepted report.
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
	text, err := json.Marshal(r)
	if err != nil {
		return store.Entry{}, fmt.Errorf("collect: report: %w", err)
	}
	e := store.Entry{
		Address:      author.Key(),
		Spelling:     r.Spelling,
		Certificate:  r.Encryption.Raw,
		AnchorSource: r.Path.Anchor.Source,
		Private:      true, // every anchor is of the operator's own choice: there is no public bundle yet
		At:           r.At,
		SignedAt:     r.SignedAt,
		Identity:     r.Identity,
		Bound:        r.Bound,
		Chosen:       r.Chosen,
		Capabilities: r.Capabilities,
		Unchecked:    r.Unchecked,
		Via:          env.Via,
		Reference:    env.ID,
		Evidence:     evidence(r, env),
		Report:       text,
	}
	for _, c := range r.Path.Chain[1:] {
		e.Chain = append(e.Chain, c.Raw)
	}
	return e, nil
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
	add(store.CMSDocument, v.CMS)
	return docs
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
