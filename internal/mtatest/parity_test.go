package mtatest

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/internal/testmail/cases"
	"github.com/certinbox/certinbox/milter"
	"github.com/certinbox/certinbox/milter/miltertest"
	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
	"github.com/certinbox/certinbox/verify/trust"
)

const parityID = "4bParity"

// uncarried lists the cases whose bytes no milter gets to see: the MTA reads
// them its own way, and shows and delivers what it made of them. The Report is
// then about another message. Everything else has to be the same.
func uncarried() map[string]string {
	return map[string]string{
		"message-bare-cr-in-body":    "the MTA makes a CR without LF a blank",
		"message-bare-cr-in-header":  "the MTA makes a CR without LF a blank",
		"message-bare-lf-in-header":  "the MTA makes a LF without CR a line end",
		"message-blank-before-colon": "a header event has a name and a value: blanks before the colon have no place",
		"message-blank-in-name":      "the MTA ends the header at a line that is no field; the rest is body",
		"message-byte-order-mark":    "the MTA ends the header at a line that is no field; the rest is body",
		"message-eight-bit-name":     "the MTA ends the header at a line that is no field; the rest is body",
		"message-empty-name":         "the MTA ends the header at a line that is no field; the rest is body",
		"message-leading-blank":      "the MTA ends the header at a line that is no field; the rest is body",
		"message-line-without-colon": "the MTA ends the header at a line that is no field; the rest is body",
		"message-nul-in-header":      "strings of the protocol end at NUL, and so does the value that the MTA keeps",
	}
}

// unjudged lists the cases that no milter judges and inspect does: it is told
// to judge whatever it is given.
func unjudged() map[string]string {
	return map[string]string{
		"demo-12-mail-for-other-people": "no recipient is a collection address: let go at DATA",
	}
}

// How inspect is told of the world around a case.
const (
	byFlags  = "flags"      // --at, --dns, --anchors, --rcpt, --sender
	byConfig = "config"     // and a configuration file for the policy
	inside   = "in process" // no flag and no key can say it: the function behind the command
)

// TestParity: one pipeline is a claim. Every case of the corpus goes through
// the real milter server, through the handler of relay posts in each dialect and of
// checks, and through the real `certinbox inspect --as-served` and `certinbox pipe`, at
// one clock, and what comes out is the same to the byte: the JSON Report, and the reply
// that the sender reads, but for its reference.
func TestParity(t *testing.T) {
	all, err := cases.All()
	must(t, err)
	p := &parity{bin: Build(t), count: map[string]int{}}
	lists := []map[string]string{uncarried(), unjudged(), unposted(), unpiped()}
	for _, c := range all {
		for _, l := range lists {
			delete(l, c.Name)
		}
		t.Run(c.Name, func(t *testing.T) { p.compare(t, c) })
	}
	for _, l := range lists {
		for name, why := range l {
			t.Errorf("%s is listed (%s), but there is no such case", name, why)
		}
	}
	t.Logf("%d cases: %v", len(all), p.count)
	stubs := 0 // what the CAs say in a case, no command can be told
	for _, c := range all {
		if c.Revocation != "" {
			stubs++
		}
	}
	if p.count[byFlags] < 350 || p.count[byConfig] < 20 || p.count[inside]-stubs > 5 || p.count["same by pipe"] < 400 || p.count["same by check"] < 400 {
		t.Errorf("too few of them through the real command: %v", p.count)
	}
}

type parity struct {
	bin   string
	count map[string]int
}

// A judgement is what one way of judging says.
type judgement struct {
	report  []byte // JSON
	reply   string // without the reference
	verdict verify.Verdict
}

func (p *parity) compare(t *testing.T, c cases.Case) {
	v, err := c.Verifier()
	must(t, err)
	how, config := told(c)
	p.count[how]++
	dir := tempDir(t, "parity")
	var want judgement
	if how == inside {
		want = judgedInside(t, c, v)
	} else {
		v.Anchors = load(t, dir, c)
		if name := policyOf(c, "blocked_ca"); name != "" {
			block(t, dir, c, v, name)
		}
		want = p.inspected(t, dir, c, config)
		p.piped(t, dir, c, config, want)
	}
	p.overHTTP(t, c, v, want)
	got, seen := served(t, c, v)
	if why, ok := unjudged()[c.Name]; ok {
		p.count["never judged by a milter"]++
		if seen {
			t.Errorf("the milter judged it, although: %s", why)
		}
		return
	}
	if !seen {
		t.Fatal("the milter has not judged it")
	}
	same := bytes.Equal(got.report, want.report) && got.reply == want.reply && got.verdict == want.verdict
	why, listed := uncarried()[c.Name]
	switch {
	case same && listed:
		t.Errorf("nothing differs, although: %s", why)
	case same:
		p.count["same"]++
	case listed:
		p.count["other bytes"]++
	default:
		t.Errorf("told by %s:\nmilter  %s\n%s\ninspect %s\n%s", how, got.report, got.reply, want.report, want.reply)
	}
}

// told says how inspect can be told of a case, and the lines of the
// configuration that takes.
func told(c cases.Case) (how string, config []string) {
	if c.Revocation != "" || c.Envelope.Authenticated || c.Envelope.Client != "192.0.2.1" {
		return inside, nil
	}
	if c.Policy == "" {
		return byFlags, nil
	}
	anchor := "trust: {roots: off, anchors: [{file: ANCHORS"
	domains := "any"
	for line := range strings.Lines(c.Policy) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "alignment", "min_rsa_bits":
			config = append(config, "dkim: {"+key+": "+value+"}")
		case "max_age", "max_ahead":
			config = append(config, "freshness: {"+key+": "+value+"}")
		case "recipient_binding", "binding_word":
			config = append(config, key+": "+value)
		case "own_domains":
			config = append(config, key+": ["+strings.Join(strings.Fields(value), ", ")+"]")
		case "anchor_domains":
			domains = "[" + strings.Join(strings.Fields(value), ", ") + "]"
		case "anchor_allow_missing_eku", "anchor_allow_subject_address":
			anchor += ", " + strings.TrimPrefix(key, "anchor_") + ": true"
		case "anchor_distrust_after":
			return byConfig, []string{"trust: {roots: ANCHORS}", "collect: secureme@example.com"}
		case "blocked_ca":
			config = append(config, "store: {path: STORE}")
		default: // limits below what an operator may choose
			return inside, nil
		}
	}
	return byConfig, append(config, anchor+", domains: "+domains+"}]}", "collect: secureme@example.com")
}

// anchors writes the anchors of a case where both sides read them.
func anchors(dir string) string { return filepath.Join(dir, "anchors.pem") }

// load reads the anchors as the command does.
func load(t *testing.T, dir string, c cases.Case) *trust.Anchors {
	s := trust.Source{File: anchors(dir)}
	content := c.Anchors
	if date := policyOf(c, "anchor_distrust_after"); date != "" {
		s.Public, content = true, bundle(t, c, date)
	}
	must(t, os.WriteFile(anchors(dir), content, 0o644))
	for line := range strings.Lines(c.Policy) {
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), ": "); key {
		case "anchor_domains":
			s.Domains = strings.Fields(value)
		case "anchor_allow_missing_eku":
			s.AllowMissingEKU = true
		case "anchor_allow_subject_address":
			s.AllowSubjectAddress = true
		}
	}
	loaded, _, err := trust.Load([]trust.Source{s}, c.At)
	must(t, err)
	return loaded
}

// policyOf is the value of a key of the policy, "" without it.
func policyOf(c cases.Case, key string) string {
	for line := range strings.Lines(c.Policy) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), key+": "); ok {
			return value
		}
	}
	return ""
}

// bundle writes the anchors of a case as public roots with a distrust date.
func bundle(t *testing.T, c cases.Case, date string) []byte {
	at, err := time.Parse(time.RFC3339, date)
	must(t, err)
	b, _, err := trust.ReadBundle("anchors", c.Anchors)
	must(t, err)
	b.Date = c.At
	for i := range b.Roots {
		b.Roots[i].DistrustAfter = at
	}
	var out bytes.Buffer
	must(t, trust.WriteBundle(&out, b))
	return out.Bytes()
}

// block puts the CA of that common name on the block list of a store for the
// command, and out of the paths of v.
func block(t *testing.T, dir string, c cases.Case, v *verify.Verifier, name string) {
	listed := ""
	for _, a := range v.Anchors.List() {
		if a.Certificate.Subject.CommonName == name {
			listed = trust.Fingerprint(a.Certificate)
		}
	}
	for _, seen := range c.Report(t.Context(), v).Seen {
		if strings.HasPrefix(seen.Subject, "CN="+name+",") {
			listed = seen.SHA256
		}
	}
	if listed == "" { // nobody of the mail
		listed = strings.Repeat("0", 64)
	}
	must(t, os.MkdirAll(filepath.Join(dir, "store", "certs"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "store", "blocked"), []byte("certificate "+listed+"\n"), 0o600))
	v.Anchors = v.Anchors.With(nil, func(ca *x509.Certificate) bool { return trust.Fingerprint(ca) == listed })
}

// inspected judges a case by the real command, once for machines and once for
// people.
func (p *parity) inspected(t *testing.T, dir string, c cases.Case, config []string) judgement {
	zone, message := filepath.Join(dir, "zone"), filepath.Join(dir, "message.eml")
	must(t, os.WriteFile(zone, c.DNS, 0o644))
	must(t, os.WriteFile(message, c.Message, 0o644))
	args := []string{"inspect", "--as-served", "--at", c.At.Format(time.RFC3339), "--dns", zone}
	if config == nil {
		args = append(args, "--anchors", anchors(dir))
	} else {
		text := strings.NewReplacer("ANCHORS", anchors(dir), "STORE", filepath.Join(dir, "store")).Replace(strings.Join(config, "\n")) + "\n"
		must(t, os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(text), 0o644))
		args = append(args, "--config", filepath.Join(dir, "config.yaml"))
	}
	for _, r := range c.Envelope.Recipients {
		args = append(args, "--rcpt", r)
	}
	if c.Envelope.Sender != nil {
		args = append(args, "--sender", *c.Envelope.Sender)
	}
	people, code := p.run(t, append(args, message)...)
	machines, again := p.run(t, append(args, "--json", message)...)
	if code != again {
		t.Errorf("exit status %d, and %d with --json", code, again)
	}
	_, reply, _ := strings.Cut(string(people), "\nthe sender reads:\n")
	j := judgement{report: bytes.TrimSuffix(machines, []byte("\n")), reply: strings.TrimSuffix(reply, "\n")}
	j.verdict = map[int]verify.Verdict{0: verify.Accept, 1: verify.Reject, 75: verify.Defer}[code]
	return j
}

// run runs the command, which may say of a message whatever it likes, but has
// to be able to judge it.
func (p *parity) run(t *testing.T, args ...string) (stdout []byte, code int) {
	cmd := exec.Command(p.bin, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	code = cmd.ProcessState.ExitCode()
	if !slices.Contains([]int{0, 1, 75}, code) {
		t.Fatalf("certinbox %v: exit status %d\n%s", args, code, stderr.String())
	}
	return stdout, code
}

// judgedInside judges a case by the function behind the command.
func judgedInside(t *testing.T, c cases.Case, v *verify.Verifier) judgement {
	r := c.Report(t.Context(), v)
	j := judgement{verdict: r.Verdict()}
	var err error
	j.report, err = json.Marshal(r)
	must(t, err)
	if j.verdict != verify.Accept {
		j.reply = r.Reply("", "").String()
	}
	return j
}

// A notebook is a Keeper that keeps nothing, and remembers the last report.
type notebook struct {
	kept   int
	record []byte
}

func (n *notebook) Put(context.Context, store.Entry) (store.Change, error) {
	n.kept++
	return store.Change{Kind: store.Added}, nil
}

// pages is the side of a notebook that takes reports.
type pages struct{ *notebook }

func (p pages) Put(_ string, record []byte, _ string) error {
	p.record = record
	return nil
}

// served judges a case by the milter server, as an MTA hands it over. seen is
// false when the content was not asked for.
func served(t *testing.T, c cases.Case, v *verify.Verifier) (j judgement, seen bool) {
	var n notebook
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := milter.New(milter.Config{Collector: collect.New(collect.Settings{Verifier: v, Keeper: &n, Reports: pages{&n},
		Log: collect.NewLog(&bytes.Buffer{}, "human", "info"), Refuse: collect.RefuseAll, Judged: 16, InFlight: 1 << 30})})
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	res := send(t, ln.Addr().String(), c)
	must(t, errors.Join(server.Close(), <-ended))
	if !res.Seen {
		return judgement{}, false
	}
	var record struct {
		Report  json.RawMessage
		Verdict verify.Verdict
	}
	must(t, json.Unmarshal(n.record, &record))
	j = judgement{report: record.Report, verdict: record.Verdict}
	if j.verdict != verify.Accept {
		j.reply = asSaid(res.Text)
	}
	want := map[verify.Verdict]int{verify.Accept: 2, verify.Reject: 5, verify.Defer: 4}[j.verdict]
	if res.Code/100 != want || (n.kept == 1) != (j.verdict == verify.Accept) {
		t.Errorf("verdict %s, the client reads %d, %d kept", j.verdict, res.Code, n.kept)
	}
	return j, true
}

// asSaid takes off a reply what a milter adds: the reference, which inspect has
// none of, and the blanks behind the first line that keep the library from
// cutting the codes of the next (see answer in milter/finish.go).
func asSaid(reply string) string {
	first, rest, _ := strings.Cut(reply, "\n")
	return strings.TrimRight(first, " ") + "\n" + strings.Replace(rest, "; ref "+parityID+")", ")", 1)
}

func send(t *testing.T, addr string, c cases.Case) miltertest.Result {
	mta, err := miltertest.Dial("tcp", addr, miltertest.Options{})
	must(t, err)
	m := miltertest.Message{ID: parityID, Client: c.Envelope.Client + ":25", To: c.Envelope.Recipients, Data: c.Message}
	if c.Envelope.Sender != nil {
		m.From = *c.Envelope.Sender
	}
	if c.Envelope.Authenticated {
		m.Auth = "login"
	}
	res, err := mta.Send(m)
	must(t, errors.Join(err, mta.Quit()))
	return res
}
