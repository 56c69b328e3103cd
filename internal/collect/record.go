package collect

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/certinbox/certinbox/verify"
)

// A record is what is remembered of one message: in the log, and by reference
// in the ring of reports.
type record struct {
	env  verify.Envelope
	out  Outcome
	err  error // cause of trouble of ours
	took time.Duration
	now  time.Time

	forPeople string // what text returns, made once; a record is for one goroutine
}

// record logs an outcome and puts it into the ring. Whatever goes wrong here
// changes nothing for the sender.
func (i *Intake) record(out Outcome, err error, took time.Duration) {
	s := i.settings
	defer func() {
		if p := recover(); p != nil {
			s.Log.Logger().Error("cannot log a message", "id", i.env.ID, "err", fmt.Sprint(p))
		}
	}()
	r := &record{env: i.env, out: out, err: err, took: took, now: time.Now().UTC()}
	s.Log.message(r)
	i.count(out)
	if s.Reports == nil || out.Report == nil {
		return
	}
	b, err := r.JSON()
	if err == nil {
		err = s.Reports.Put(i.env.ID, b, r.text())
	}
	if err != nil {
		s.Log.Logger().Error("cannot remember a report", "id", i.env.ID, "err", err.Error())
	}
}

func (i *Intake) count(out Outcome) {
	c := i.settings.Counter
	if c == nil {
		return
	}
	c.Message(string(out.Action), out.Reason)
	if out.Report != nil {
		for _, a := range out.Report.Revocations {
			c.Answer(a.Method, a.Status)
		}
	}
}

func (r *record) level() slog.Level {
	if r.err != nil {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// A recordJSON is a record for machines. Its keys are stable. The last of them,
// report, is put behind these.
type recordJSON struct {
	Time       time.Time      `json:"time"`
	Level      string         `json:"level"`
	Msg        string         `json:"msg"`
	ID         string         `json:"id"`
	Via        string         `json:"via"`
	Client     string         `json:"client,omitempty"`
	TLS        string         `json:"tls,omitempty"`
	Sender     *string        `json:"sender,omitempty"`
	Recipients []string       `json:"recipients,omitempty"`
	From       string         `json:"from,omitempty"`
	Verdict    verify.Verdict `json:"verdict,omitempty"`
	Action     Action         `json:"action"`
	Deliver    bool           `json:"deliver"`
	Reason     string         `json:"reason,omitempty"`
	Reply      string         `json:"reply"`
	Change     string         `json:"change,omitempty"`
	Detail     string         `json:"detail,omitempty"` // of the change
	Files      []string       `json:"files,omitempty"`
	Events     []string       `json:"events,omitempty"`
	Took       string         `json:"took"`
	Err        string         `json:"err,omitempty"`
	Stack      string         `json:"stack,omitempty"`
}

// JSON returns the record as one object without line breaks.
func (r *record) JSON() ([]byte, error) {
	o := recordJSON{
		Time: r.now, Level: r.level().String(), Msg: "message",
		ID: r.env.ID, Via: r.env.Via, Client: r.env.Client, TLS: r.env.TLS.Version, Sender: r.env.Sender, Recipients: r.env.Recipients,
		Action: r.out.Action, Deliver: r.out.Deliver, Reason: r.out.Reason, Reply: r.out.Reply.String(),
		Change: string(r.out.Change.Kind), Detail: r.out.Change.Detail, Files: r.out.Change.Files, Events: r.out.Change.Events,
		Took: r.took.Round(time.Microsecond).String(),
	}
	if r.out.Report != nil {
		o.From, o.Verdict = r.out.Report.Author, r.out.Report.Verdict()
	}
	if r.err != nil {
		o.Err = r.err.Error()
	}
	if p, ok := errors.AsType[*panicError](r.err); ok {
		o.Stack = string(p.stack)
	}
	b, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	return r.out.WithReport(b)
}

// text returns the record for people: lines that each begin with the queue id.
func (r *record) text() string {
	if r.forPeople == "" {
		r.forPeople = r.lines()
	}
	return r.forPeople
}

func (r *record) lines() string {
	h := human{id: escape(r.env.ID) + ": "}
	h.line("%s", r.headline())
	if r.out.Report != nil {
		h.report(r.out.Report)
	}
	for _, f := range r.out.Change.Files {
		h.line("  written file %s", escape(f))
	}
	for _, e := range r.out.Change.Events {
		h.line("  event: %s", escape(e))
	}
	if r.err != nil {
		h.line("  error: %s", escape(r.err.Error()))
	}
	if p, ok := errors.AsType[*panicError](r.err); ok {
		for l := range strings.Lines(string(p.stack)) {
			h.line("  stack: %s", escape(strings.TrimRight(l, "\n")))
		}
	}
	return h.String()
}

// why says why what passed was not kept.
func why(env verify.Envelope) string {
	if env.Trial {
		return "a trial"
	}
	return "mode: observe"
}

// headline says the decision, whom it is about, its reason and where it came from.
func (r *record) headline() string {
	var b strings.Builder
	b.WriteString(map[Action]string{Keep: "kept", Pass: "passed", Reject: "rejected", Defer: "deferred", Swallow: "swallowed"}[r.out.Action])
	rep := r.out.Report
	if rep != nil && rep.Author != "" {
		b.WriteString(" from=" + escape(rep.Author))
	}
	if r.out.Change.Kind != "" {
		fmt.Fprintf(&b, " (%s)", r.out.Change.Kind)
	}
	if r.out.Reason != "" {
		b.WriteString(": " + r.out.Reason)
	}
	if rep != nil {
		if d := rep.Decisive(); d != nil && d.Reason != r.out.Reason {
			b.WriteString(", " + d.Reason)
		}
		if r.out.Action == Pass && rep.Verdict() == verify.Accept {
			b.WriteString(": nothing to object, not kept (" + why(r.env) + ")")
		}
	}
	if r.out.Action == Reject || r.out.Action == Defer {
		fmt.Fprintf(&b, ": %d %s", r.out.Reply.Code, r.out.Reply.Enhanced)
	}
	if r.out.Change.Detail != "" {
		b.WriteString(" " + escape(r.out.Change.Detail))
	}
	fmt.Fprintf(&b, " via=%s", escape(r.env.Via))
	if r.env.Client != "" {
		b.WriteString(" client=" + escape(r.env.Client))
	}
	if r.env.TLS.Version != "" {
		b.WriteString(" tls=" + escape(r.env.TLS.Version))
	}
	if r.env.Sender != nil {
		b.WriteString(" sender=<" + escape(*r.env.Sender) + ">")
	}
	fmt.Fprintf(&b, " took=%s", r.took.Round(100*time.Microsecond))
	return b.String()
}
