package verify

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"time"
)

type rowJSON struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
	Props  []Prop `json:"props,omitempty"`
}

type certificateJSON struct {
	SHA256    string    `json:"sha256"`
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
}

type seenJSON struct {
	certificateJSON
	Mailboxes []string `json:"mailboxes,omitempty"`
	Error     string   `json:"error,omitempty"`
}

type pathJSON struct {
	Chain  []string `json:"chain"` // SHA-256, leaf first, anchor last
	Anchor string   `json:"anchor"`
	Source string   `json:"source"`
}

// nearestJSON is the path that came nearest to acceptance.
type nearestJSON struct {
	Chain      []string `json:"chain,omitempty"` // SHA-256, leaf first
	Where      int      `json:"where"`           // index in it of the certificate that is refused
	Detail     string   `json:"detail"`
	Constraint string   `json:"constraint,omitempty"`
}

type answerJSON struct {
	SHA256     string    `json:"sha256"` // of the certificate asked about
	Serial     string    `json:"serial"`
	Status     string    `json:"status"`
	Method     string    `json:"method,omitempty"`
	Source     string    `json:"source,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	Revoked    time.Time `json:"revoked,omitzero"`
	Produced   time.Time `json:"produced,omitzero"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	Detail     string    `json:"detail,omitempty"`
}

type reportJSON struct {
	At           time.Time        `json:"at"`
	Verdict      Verdict          `json:"verdict"`
	Check        string           `json:"check,omitempty"`
	Reason       string           `json:"reason,omitempty"`
	Author       string           `json:"author,omitempty"`
	MessageID    string           `json:"message_id,omitempty"`
	Results      []rowJSON        `json:"results"`
	Seen         []seenJSON       `json:"certificates_seen,omitempty"`
	Signer       *certificateJSON `json:"signer,omitempty"`
	Encryption   *certificateJSON `json:"encryption,omitempty"`
	Chosen       string           `json:"chosen,omitempty"`
	Bound        string           `json:"bound,omitempty"`
	Path         *pathJSON        `json:"path,omitempty"`
	Nearest      *nearestJSON     `json:"nearest,omitempty"`
	SignedAt     *time.Time       `json:"signed_at,omitempty"`
	Identity     string           `json:"identity,omitempty"`
	Capabilities []string         `json:"capabilities,omitempty"`
	Unchecked    bool             `json:"unchecked,omitempty"`
	Awaited      bool             `json:"awaited,omitempty"`
	Revocations  []answerJSON     `json:"revocations,omitempty"`
}

// MarshalJSON prints the Report as one object. The same message judged at the
// same instant gives the same bytes through every transport. Evidence is not
// part of it: the store keeps that beside the certificate.
func (r *Report) MarshalJSON() ([]byte, error) {
	out := reportJSON{
		At: r.At, Verdict: r.Verdict(), Author: r.Author, MessageID: r.MessageID,
		Signer: certificate(r.Signer),
		Chosen: r.Chosen, Bound: r.Bound, Path: r.path(), Nearest: r.nearest(), Capabilities: r.Capabilities,
		Unchecked: r.Unchecked, Awaited: r.Awaited,
	}
	if out.Encryption = out.Signer; r.Encryption != r.Signer { // most sign with the one they want to be written to
		out.Encryption = certificate(r.Encryption)
	}
	if d := r.Decisive(); d != nil {
		out.Check, out.Reason = d.Check, d.Reason
	}
	for _, row := range r.Results {
		out.Results = append(out.Results, rowJSON{row.Check, row.Status, row.Reason, row.Detail, row.Props})
	}
	for _, s := range r.Seen {
		out.Seen = append(out.Seen, seenJSON{
			certificateJSON{s.SHA256, s.Subject, s.Issuer, s.Serial, s.NotBefore, s.NotAfter}, s.Mailboxes, s.Err})
	}
	for _, a := range r.Revocations {
		out.Revocations = append(out.Revocations, answerJSON{a.SHA256, display(a.Serial), a.Status, a.Method, display(a.Source), display(a.Reason),
			a.Revoked, a.Produced, a.NextUpdate, display(a.Detail)})
	}
	if !r.SignedAt.IsZero() {
		out.SignedAt = &r.SignedAt
	}
	if r.Identity != [32]byte{} {
		out.Identity = hex.EncodeToString(r.Identity[:])
	}
	return json.Marshal(out)
}

func (r *Report) path() *pathJSON {
	if r.Path.Anchor == nil {
		return nil
	}
	p := &pathJSON{Anchor: distinguished(r.Path.Anchor.Certificate.RawSubject), Source: r.Path.Anchor.Source}
	for _, c := range r.Path.Chain {
		p.Chain = append(p.Chain, fingerprint(c))
	}
	return p
}

func (r *Report) nearest() *nearestJSON {
	if r.Refusal == nil {
		return nil
	}
	n := &nearestJSON{Where: r.Refusal.Where, Detail: r.Refusal.Detail, Constraint: display(r.Refusal.Constraint)}
	for _, c := range r.Refusal.Chain {
		n.Chain = append(n.Chain, fingerprint(c))
	}
	return n
}

func certificate(c *x509.Certificate) *certificateJSON {
	if c == nil {
		return nil
	}
	return &certificateJSON{fingerprint(c), distinguished(c.RawSubject), distinguished(c.RawIssuer),
		serial(c), c.NotBefore.UTC(), c.NotAfter.UTC()}
}

// fingerprint is the SHA-256 of the certificate in lower-case hexadecimal.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// LogValue groups what a log line needs: verdict, author, the deciding check,
// and each row's status.
func (r *Report) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("verdict", string(r.Verdict())), slog.String("from", r.Author)}
	if d := r.Decisive(); d != nil {
		attrs = append(attrs, slog.String("check", d.Check), slog.String("reason", d.Reason), slog.String("detail", d.Detail))
		if d.Err != nil {
			attrs = append(attrs, slog.String("err", d.Err.Error()))
		}
	}
	var rows []any
	for _, row := range r.Results {
		rows = append(rows, slog.String(row.Check, string(row.Status)))
	}
	if r.Encryption != nil {
		attrs = append(attrs, slog.String("cert", fingerprint(r.Encryption)))
	}
	return slog.GroupValue(append(attrs, slog.Group("status", rows...))...)
}
