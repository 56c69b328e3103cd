package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/milter/miltertest"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
)

// A played case is what the demonstration shows of it.
type played struct {
	number int
	name   string
	readme string
	sent   string
	reply  string
	kept   string
	wrong  string // what differs from what is expected, "" for nothing
}

// play hands one message to the filter as an MTA does, and compares.
func (s *stage) play(number int, c cases.Case) (played, error) {
	if err := s.scene(c, c.DNS); err != nil {
		return played{}, fmt.Errorf("demo: %s: %w", c.Name, err)
	}
	s.keeper.last.Store(nil)
	mta, err := miltertest.Dial("tcp", s.listener.Addr().String(), miltertest.Options{})
	if err != nil {
		return played{}, fmt.Errorf("demo: %s: %w", c.Name, err)
	}
	defer mta.Quit()
	m := miltertest.Message{ID: fmt.Sprintf("DEMO%02d", number), To: c.Envelope.Recipients, Data: c.Message}
	if c.Envelope.Client != "" {
		m.Client = c.Envelope.Client + ":25"
	}
	if c.Envelope.Sender != nil {
		m.From = *c.Envelope.Sender
	}
	res, err := mta.Send(m)
	if err != nil {
		return played{}, fmt.Errorf("demo: %s: %w", c.Name, err)
	}
	change := s.keeper.last.Load()
	p := played{
		number: number, name: strings.ReplaceAll(c.Name[len("demo-00-"):], "-", " "), readme: c.Readme,
		sent:  fmt.Sprintf("<%s> to <%s>, %d bytes", m.From, strings.Join(m.To, ">, <"), len(m.Data)),
		reply: res.Text, kept: "nothing",
	}
	if change != nil && change.Reason == "" {
		p.kept = string(change.Kind) + " for " + author(c)
		if change.Kind == store.Additional {
			p.kept += ", beside the preferred one"
		}
	}
	if !res.Seen {
		p.kept += "; the filter saw neither header nor body"
	}
	p.wrong = s.differs(c, res, change)
	return p, nil
}

// author is the address that an accepted case is about.
func author(c cases.Case) string {
	if c.Envelope.Sender != nil {
		return *c.Envelope.Sender
	}
	return "its author"
}

// differs says what is not as the case expects it.
func (s *stage) differs(c cases.Case, res miltertest.Result, change *store.Change) string {
	kept := change != nil && change.Reason == ""
	ours := false
	for _, r := range c.Envelope.Recipients {
		ours = ours || s.collector.Wants(r)
	}
	wantClass, wantKept := 2, c.Verdict == verify.Accept
	switch {
	case !ours:
		wantKept = false
	case c.Verdict == verify.Reject:
		wantClass = 5
	case c.Verdict == verify.Defer:
		wantClass = 4
	}
	switch {
	case res.Code/100 != wantClass:
		return fmt.Sprintf("expected a reply of class %d", wantClass)
	case kept != wantKept:
		return fmt.Sprintf("kept: %v, expected %v", kept, wantKept)
	case ours != res.Seen:
		return fmt.Sprintf("the filter saw the message: %v, expected %v", res.Seen, ours)
	case wantClass != 2 && !strings.Contains(res.Text, "("+c.Reason+"; ref "):
		return "expected the reason " + c.Reason
	case wantClass == 2 && !res.Accepted:
		return "the message was not taken"
	}
	return ""
}

func (p played) print(w io.Writer) {
	fmt.Fprintf(w, "\n%2d  %s\n", p.number, p.name)
	fmt.Fprintf(w, "    %s\n", p.readme)
	fmt.Fprintf(w, "    sent   %s\n", p.sent)
	for i, l := range strings.Split(p.reply, "\n") {
		label := "reads"
		if i > 0 {
			label = "     "
		}
		fmt.Fprintf(w, "    %s  %s\n", label, strings.TrimRight(l, " ")) // blanks pad the reply on the wire
	}
	fmt.Fprintf(w, "    kept   %s\n", p.kept)
	if p.wrong != "" {
		fmt.Fprintf(w, "    WRONG  %s\n", p.wrong)
	}
}
