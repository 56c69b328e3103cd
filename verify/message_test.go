package verify_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/verify"
)

// answered judges a message, written with LF line ends, that nobody signed.
func answered(env verify.Envelope, message string, change func(v *verify.Verifier)) *verify.Report {
	return answeredBytes(env, strings.ReplaceAll(message, "\n", "\r\n"), change)
}

func answeredBytes(env verify.Envelope, message string, change func(v *verify.Verifier)) *verify.Report {
	v := &verify.Verifier{Policy: verify.DefaultPolicy(), Now: func() time.Time { return time.Unix(1_700_000_000, 0) }}
	if change != nil {
		change(v)
	}
	x := v.Begin(env)
	for len(message) > 0 { // in pieces, as a transport brings it
		n := min(len(message), 1000)
		_, _ = x.Write([]byte(message[:n])) // never fails
		message = message[n:]
	}
	return x.Report(context.Background())
}

const honest = "From: Ann Lee <Ann@Example.ORG>\nTo: c@example.com\nSubject: x\nDate: Mon, 2 Mar 2026 12:00:00 +0000\nMessage-ID: <1@example.org>\n"

func TestMessageHolds(t *testing.T) {
	null, sender := "", "ann@example.org"
	for name, c := range map[string]struct {
		env     verify.Envelope
		message string
	}{
		"ordinary":             {verify.Envelope{Sender: &sender}, honest + "\nHello.\n"},
		"sender unknown":       {verify.Envelope{}, honest + "\nHello.\n"},
		"headers only":         {verify.Envelope{}, honest},
		"no line end at last":  {verify.Envelope{}, honest + "\nHello."},
		"no date, no id":       {verify.Envelope{}, "From: ann@example.org\n\nHello.\n"},
		"MIME-Version twice":   {verify.Envelope{}, honest + "MIME-Version: 1.0\nMime-Version:  1.0\n\nx\n"},
		"Received many times":  {verify.Envelope{}, strings.Repeat("Received: x\n", 50) + honest + "\nx\n"},
		"human Auto-Submitted": {verify.Envelope{}, honest + "Auto-Submitted: no\n\nx\n"},
		"human X-Autoreply":    {verify.Envelope{}, honest + "X-Autoreply: no\n\nx\n"},
		"ordinary precedence":  {verify.Envelope{}, honest + "Precedence: first-class\n\nx\n"},
		"List-Unsubscribe":     {verify.Envelope{}, honest + "List-Unsubscribe: <mailto:x@example.org>\n\nx\n"},
		"suppressed replies":   {verify.Envelope{}, honest + "X-Auto-Response-Suppress: All\n\nx\n"},
		"report inside":        {verify.Envelope{}, honest + "Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: multipart/report\n\nx\n--B--\n"},
	} {
		r := answered(c.env, c.message, nil)
		if row := r.Result("message"); row.Status != verify.Pass || row.Reason != "" {
			t.Errorf("%s: %+v", name, row)
		}
		if r.Author != "ann@example.org" {
			t.Errorf("%s: author %q", name, r.Author)
		}
	}
	r := answered(verify.Envelope{Sender: &null}, honest, nil)
	if r.Author != "ann@example.org" || r.MessageID != "1@example.org" {
		t.Errorf("a refused message is not named: %q %q", r.Author, r.MessageID)
	}
}

func TestMessageRefuses(t *testing.T) {
	null, angle := "", "<>"
	for name, c := range map[string]struct {
		env     verify.Envelope
		message string
		reason  string
	}{
		"NUL in the header":        {verify.Envelope{}, "X: \x00\n" + honest + "\nx\n", "message-malformed"},
		"NUL in the body":          {verify.Envelope{}, honest + "\na\x00b\n", "message-malformed"},
		"bare CR in the header":    {verify.Envelope{}, "X: a\rFrom: b@example.org\n" + honest + "\nx\n", "message-malformed"},
		"bare CR in the body":      {verify.Envelope{}, honest + "\na\rb\n", "message-malformed"},
		"CR at the end":            {verify.Envelope{}, honest + "\na\r", "message-malformed"},
		"CR CR LF in the body":     {verify.Envelope{}, honest + "\na\r\n", "message-malformed"},
		"leading blank":            {verify.Envelope{}, " x\n" + honest + "\nx\n", "message-malformed"},
		"blank before the colon":   {verify.Envelope{}, "From : ann@example.org\n\nx\n", "message-malformed"},
		"garbage line":             {verify.Envelope{}, honest + "garbage\n\nx\n", "message-malformed"},
		"too many fields":          {verify.Envelope{}, honest + strings.Repeat("X:\n", 1000) + "\nx\n", "message-malformed"},
		"header too large":         {verify.Envelope{}, honest + strings.Repeat("X: "+strings.Repeat("a", 60_000)+"\n", 5) + "\nx\n", "message-malformed"},
		"folded too often":         {verify.Envelope{}, honest + "X: a\n" + strings.Repeat(" b\n", 500) + "\nx\n", "message-malformed"},
		"no From":                  {verify.Envelope{}, "Sender: a@example.org\nReply-To: a@example.org\n\nx\n", "from-invalid"},
		"nothing":                  {verify.Envelope{}, "", "from-invalid"},
		"no header":                {verify.Envelope{}, "\nFrom: a@example.org\n", "from-invalid"},
		"empty From":               {verify.Envelope{}, "From:\n\nx\n", "from-invalid"},
		"two From":                 {verify.Envelope{}, "From: evil@example.net\n" + honest + "\nx\n", "from-invalid"},
		"two equal From":           {verify.Envelope{}, "FROM: Ann Lee <Ann@Example.ORG>\n" + honest + "\nx\n", "from-invalid"},
		"two mailboxes":            {verify.Envelope{}, "From: a@example.org, b@example.org\n\nx\n", "from-invalid"},
		"group":                    {verify.Envelope{}, "From: x:a@example.org;\n\nx\n", "from-invalid"},
		"address as name":          {verify.Envelope{}, "From: evil@example.net <a@example.org>\n\nx\n", "from-invalid"},
		"quoted local part":        {verify.Envelope{}, "From: \"a b\"@example.org\n\nx\n", "from-invalid"},
		"two Subject":              {verify.Envelope{}, "subject: y\n" + honest + "\nx\n", "header-duplicate"},
		"two equal Subject":        {verify.Envelope{}, "Subject: x\n" + honest + "\nx\n", "header-duplicate"},
		"two To":                   {verify.Envelope{}, "To: x@example.org\n" + honest + "\nx\n", "header-duplicate"},
		"two Cc":                   {verify.Envelope{}, "Cc: x@example.org\nCC: x@example.org\n" + honest + "\nx\n", "header-duplicate"},
		"two Date":                 {verify.Envelope{}, "Date: x\n" + honest + "\nx\n", "header-duplicate"},
		"two Message-ID":           {verify.Envelope{}, "Message-Id: <2@example.org>\n" + honest + "\nx\n", "header-duplicate"},
		"two Sender":               {verify.Envelope{}, "Sender: x@example.org\nSender: y@example.org\n" + honest + "\nx\n", "header-duplicate"},
		"two Reply-To":             {verify.Envelope{}, "Reply-To: x@example.org\nReply-To: y@example.org\n" + honest + "\nx\n", "header-duplicate"},
		"two Content-Type":         {verify.Envelope{}, "Content-Type: text/plain\nContent-Type: text/html\n" + honest + "\nx\n", "header-duplicate"},
		"two encodings":            {verify.Envelope{}, "Content-Transfer-Encoding: 7bit\ncontent-transfer-encoding: 8bit\n" + honest + "\nx\n", "header-duplicate"},
		"two MIME-Version":         {verify.Envelope{}, "MIME-Version: 1.0\nMIME-Version: 2.0\n" + honest + "\nx\n", "header-duplicate"},
		"null sender":              {verify.Envelope{Sender: &null}, honest + "\nx\n", "auto-submitted"},
		"null sender in brackets":  {verify.Envelope{Sender: &angle}, honest + "\nx\n", "auto-submitted"},
		"auto-replied":             {verify.Envelope{}, honest + "Auto-Submitted: Auto-Replied (vacation)\n\nx\n", "auto-submitted"},
		"auto-notified":            {verify.Envelope{}, honest + "Auto-Submitted: auto-notified; owner-email=\"x\"\n\nx\n", "auto-submitted"},
		"auto-generated":           {verify.Envelope{}, honest + "auto-submitted:auto-generated\n\nx\n", "auto-submitted"},
		"second Auto-Submitted":    {verify.Envelope{}, honest + "Auto-Submitted: no\nAuto-Submitted: auto-replied\n\nx\n", "auto-submitted"},
		"X-Autoreply":              {verify.Envelope{}, honest + "X-Autoreply: yes\n\nx\n", "auto-submitted"},
		"precedence bulk":          {verify.Envelope{}, honest + "Precedence: Bulk\n\nx\n", "auto-submitted"},
		"precedence list":          {verify.Envelope{}, honest + "Precedence: list\n\nx\n", "auto-submitted"},
		"precedence junk":          {verify.Envelope{}, honest + "Precedence: junk\n\nx\n", "auto-submitted"},
		"precedence auto_reply":    {verify.Envelope{}, honest + "Precedence: auto_reply\n\nx\n", "auto-submitted"},
		"List-Id":                  {verify.Envelope{}, honest + "List-Id: <l.example.org>\n\nx\n", "auto-submitted"},
		"List-Post":                {verify.Envelope{}, honest + "LIST-POST: NO\n\nx\n", "auto-submitted"},
		"report":                   {verify.Envelope{}, honest + "Content-Type: Multipart/Report; report-type=delivery-status; boundary=B\n\nx\n", "auto-submitted"},
		"report, odd parameters":   {verify.Envelope{}, honest + "Content-Type: multipart/report; boundary=B; boundary=C\n\nx\n", "auto-submitted"},
		"malformed before invalid": {verify.Envelope{}, "From: x\n\na\x00\n", "message-malformed"},
	} {
		r := answered(c.env, c.message, nil)
		row := r.Result("message")
		if row.Reason != c.reason || row.Status == verify.Pass || r.Verdict() != verify.Reject {
			t.Errorf("%s: %s %s, want %s", name, row.Status, row.Reason, c.reason)
		}
		if row.Detail == "" || row.Plain == "" || strings.ContainsAny(row.Plain+row.Detail, "\r\n\x00") {
			t.Errorf("%s: detail %q, plain %q", name, row.Detail, row.Plain)
		}
		if c.reason == "message-malformed" && (r.Author != "" || r.MessageID != "") {
			t.Errorf("%s: author %q and id %q of a message that cannot be read", name, r.Author, r.MessageID)
		}
	}
}

// A line that ends with LF alone is refused wherever it stands: nothing is
// repaired.
func TestMessageRefusesBareLF(t *testing.T) {
	whole := strings.ReplaceAll(honest+"\nHello.\n", "\n", "\r\n")
	for i := range len(whole) {
		if whole[i] != '\r' {
			continue
		}
		r := answeredBytes(verify.Envelope{}, whole[:i]+whole[i+1:], nil)
		if row := r.Result("message"); row.Reason != "message-malformed" {
			t.Errorf("without the CR at %d: %s %s", i, row.Status, row.Reason)
		}
	}
}

// Two wrongs that add up are still two wrongs.
func TestMessageRefusesBareCRBesideBareLF(t *testing.T) {
	whole := strings.ReplaceAll(honest+"\nHello.\n", "\n", "\r\n")
	for _, body := range []string{"a\rb\nc\r\n", "a\nb\rc\r\n", "\n\r"} {
		r := answeredBytes(verify.Envelope{}, whole+body, nil)
		if row := r.Result("message"); row.Reason != "message-malformed" {
			t.Errorf("%q: %s %s", body, row.Status, row.Reason)
		}
	}
}

func TestMessageTooBig(t *testing.T) {
	const limit = 5000
	small := func(v *verify.Verifier) { v.Policy.Limits.Message = limit }
	message := strings.ReplaceAll(honest+"\n", "\n", "\r\n")
	message += strings.Repeat("x", limit-len(message))
	if row := answeredBytes(verify.Envelope{}, message, small).Result("message"); row.Status != verify.Pass {
		t.Errorf("at the limit: %+v", row)
	}
	for _, all := range []bool{false, true} {
		r := answeredBytes(verify.Envelope{}, message+"x", func(v *verify.Verifier) { small(v); v.All = all })
		if row := r.Result("message"); row.Reason != "too-big" || r.Author != "" {
			t.Errorf("over the limit: %+v, author %q", row, r.Author)
		}
		for _, row := range r.Results[1:] {
			if row.Status != verify.None {
				t.Errorf("%s judged a message that is not all there: %+v", row.Check, row)
			}
		}
	}
}

// What stands in a Report about the message is safe to print anywhere.
func TestMessageIDIsSafe(t *testing.T) {
	for in, want := range map[string]string{
		"<1@example.org>":               "1@example.org",
		"1@example.org":                 "1@example.org",
		"<a_b+c=d@example.org>":         "a_b+c=d@example.org",
		"<\x1b[31m\"x\"\\@example.org>": "?[31m?x??@example.org",
		"<a\n b@example.org>":           "a?b@example.org",
		"<ü@example.org>":               "??@example.org",
		strings.Repeat("a", 500):        strings.Repeat("a", 128),
	} {
		r := answered(verify.Envelope{}, "From: a@example.org\nMessage-ID: "+in+"\n\nx\n", nil)
		if r.MessageID != want {
			t.Errorf("%q: %q, want %q", in, r.MessageID, want)
		}
	}
}
