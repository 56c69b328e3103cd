package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/milter"
	"github.com/certinbox/certinbox/milter/miltertest"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
)

// uncarried says of which cases the bytes do not reach a milter as they were
// sent: the MTA reads them in its own way first. What it shows us is what it
// delivers, so judging that is right; but it is another message.
func uncarried() map[string]string {
	const (
		ends  = "the MTA ends the header there and takes the rest as body"
		drops = "the MTA takes NUL out and reads a CR without LF as a blank or a line end"
		lf    = "the MTA takes LF by itself as a line end"
		blank = "the MTA takes the blank before the colon out"
	)
	return map[string]string{
		"message-bare-cr-in-body":    drops,
		"message-bare-cr-in-header":  drops,
		"message-bare-lf-in-header":  lf,
		"message-blank-before-colon": blank,
		"message-blank-in-name":      blank,
		"message-byte-order-mark":    ends,
		"message-eight-bit-name":     ends,
		"message-empty-name":         ends,
		"message-leading-blank":      ends,
		"message-line-without-colon": ends,
		"message-nul-in-header":      drops,
	}
}

// memory takes entries and reports, and forgets nothing.
type memory struct {
	put    []store.Entry
	record []byte
}

func (m *memory) Put(_ context.Context, e store.Entry) (store.Change, error) {
	m.put = append(m.put, e)
	return store.Change{Kind: store.Added}, nil
}

// ring is the side of a memory that takes reports.
type ring struct{ *memory }

func (r ring) Put(_ string, record []byte, _ string) error {
	r.record = record
	return nil
}

// One pipeline is a claim. Every case goes through the real milter server and
// gives the JSON Report that it gives by itself, and the reply that follows
// from it.
func TestParity(t *testing.T) {
	all, err := cases.All()
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) {
			v, err := c.Verifier()
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(c.Envelope.Recipients, v.Policy.Collects) {
				return // never judged: TestScripts/serve says so
			}
			judged++
			parity(t, c, v)
		})
	}
	if judged < 100 {
		t.Errorf("only %d cases were compared", judged)
	}
}

func parity(t *testing.T, c cases.Case, v *verify.Verifier) {
	kept, log := &memory{}, &bytes.Buffer{}
	s := collect.Settings{Verifier: v, Keeper: kept, Reports: ring{kept}, Log: collect.NewLog(log, "human", "info"),
		Refuse: collect.RefuseAll, Judged: 16, InFlight: 1 << 30}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := milter.New(milter.Config{Collector: collect.New(s)})
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	defer func() {
		if err := errors.Join(server.Close(), <-ended); err != nil {
			t.Error(err)
		}
	}()
	res, err := deliver(ln.Addr().String(), c)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Report json.RawMessage }
	if err := json.Unmarshal(kept.record, &got); err != nil {
		t.Fatalf("record %q: %v", kept.record, err)
	}
	r := c.Report(t.Context(), v)
	want, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Report, want) {
		if why, ok := uncarried()[c.Name]; ok {
			t.Logf("differs, as it must: %s", why)
			return
		}
		t.Errorf("the reports differ\nmilter  %s\ninspect %s", got.Report, want)
		return
	}
	if why, ok := uncarried()[c.Name]; ok {
		t.Errorf("is the same, although it is listed as uncarried: %s", why)
	}
	if (len(kept.put) > 0) != (r.Verdict() == verify.Accept) {
		t.Errorf("verdict %s, %d kept", r.Verdict(), len(kept.put))
	}
	if reply := r.Reply("4bParity", ""); r.Verdict() != verify.Accept &&
		(res.Code != reply.Code || !strings.HasSuffix(res.Text, "("+r.Decisive().Reason+"; ref 4bParity)")) {
		t.Errorf("the client reads\n%s\nwant\n%s", res.Text, reply)
	}
}

// deliver hands a case over as an MTA does.
func deliver(addr string, c cases.Case) (miltertest.Result, error) {
	mta, err := miltertest.Dial("tcp", addr, miltertest.Options{})
	if err != nil {
		return miltertest.Result{}, err
	}
	defer mta.Quit()
	m := miltertest.Message{ID: "4bParity", To: c.Envelope.Recipients, Data: c.Message}
	if c.Envelope.Client != "" {
		m.Client = c.Envelope.Client + ":25"
	}
	if c.Envelope.Sender != nil {
		m.From = strings.Trim(*c.Envelope.Sender, "<>")
	}
	if c.Envelope.Authenticated {
		m.Auth = "login"
	}
	return mta.Send(m)
}
