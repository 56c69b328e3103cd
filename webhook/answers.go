package webhook

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strconv"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
)

// deferRetry is after how many seconds a message that was put off is worth to be
// brought again.
const deferRetry = 300

// ignored stands for what becomes of mail that is not for a collection address.
const ignored = "ignored"

// An answer is what is said about one message. Its keys are stable.
type answer struct {
	Index     *int     `json:"index,omitempty"` // of a post: from 0, pings counted, too
	Recipient *string  `json:"recipient,omitempty"`
	Verdict   string   `json:"verdict"` // accept, reject, defer; or ignored: not for us, not judged
	Action    string   `json:"action"`  // of collect; or ignored
	Reason    string   `json:"reason"`
	Code      int      `json:"code"` // SMTP reply, for who is still in the dialogue with the sender
	Enhanced  string   `json:"enhanced"`
	Text      []string `json:"text"`
	Deliver   *bool    `json:"deliver,omitempty"` // of a check: the collection mailbox is to get the message
	Reference string   `json:"reference"`

	judged *collect.Outcome // whose report comes last, as report; nil: none
}

// encode is an answer as JSON. A report that cannot be written is left out and logged:
// what was decided stays so, and others of the same post are to be judged.
func (x *exchange) encode(a *answer) []byte {
	b, _ := json.Marshal(a) // strings, numbers and booleans always can be written
	if a.judged == nil {
		return b
	}
	whole, err := a.judged.WithReport(b)
	if err != nil {
		x.settings.Log.Error("webhook: a report cannot be written; the answer goes without it", "reference", a.Reference, "err", err.Error())
		a.judged = nil
		return b
	}
	return whole
}

// answerOf says what an outcome is.
func answerOf(out collect.Outcome, reference string) answer {
	a := answer{Action: string(out.Action), Reason: out.Reason, Reference: reference, judged: &out}
	a.reply(out.Reply)
	switch {
	case out.Action == collect.Defer:
		a.Verdict = string(verify.Defer)
	case out.Action == collect.Reject, out.Action == collect.Swallow:
		a.Verdict = string(verify.Reject) // also where the last try was not to be put off again
	case out.Report != nil:
		a.Verdict = string(out.Report.Verdict())
	default: // observed, and not judged for trouble of ours
		a.Verdict = string(verify.Defer)
	}
	return a
}

func (a *answer) reply(r verify.Reply) {
	a.Code, a.Enhanced, a.Text = r.Code, r.Enhanced, r.Lines
}

// notOurs is the answer for mail that is not for a collection address.
func notOurs(action string) answer {
	a := answer{Verdict: ignored, Action: action}
	a.reply(verify.ReplyFor("", "Not for a collection address", "", ""))
	return a
}

// misspelt is the answer for a recipient that may be ours and that MTAs read
// differently.
func misspelt(action collect.Action, r verify.Reply) answer {
	a := answer{Verdict: string(verify.Reject), Action: string(action), Reason: "recipient-syntax"}
	a.reply(r)
	return a
}

// retry says after how many seconds it is worth to come again.
func (x *exchange) retry(seconds int) {
	x.w.Header().Set("Retry-After", strconv.Itoa(seconds))
}

// fail answers a request that was not taken.
func (x *exchange) fail(status int, message string) {
	x.trouble = message
	b, err := json.Marshal(struct {
		Message string `json:"message"`
	}{message})
	if err != nil {
		b = []byte("{}") // strings always can be written
	}
	x.send(status, b)
}

// failBody answers a body that could not be read, or not to its end.
func (x *exchange) failBody(err error) {
	status, message, retry := bodyTrouble(err)
	if retry > 0 {
		x.retry(retry)
	}
	x.fail(status, message)
}

// bodyTrouble says how an error in reading a body is answered; retry is in
// seconds, 0 for none.
func bodyTrouble(err error) (status int, message string, retry int) {
	if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge, "the body is larger than the " + strconv.FormatInt(tooBig.Limit, 10) + " bytes that are taken", 0
	}
	if tooBig, ok := errors.AsType[*tooBigError](err); ok {
		return http.StatusRequestEntityTooLarge, tooBig.Error(), 0
	}
	if form, ok := errors.AsType[*formError](err); ok {
		return http.StatusBadRequest, form.Error(), 0
	}
	switch {
	case errors.Is(err, errBusy):
		return http.StatusServiceUnavailable, "too many bytes are held at the moment", busyRetry
	case errors.Is(err, errTooLong):
		return http.StatusServiceUnavailable, "it took too long to judge what came before: send fewer messages in one post", busyRetry
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout, "the body came too slowly", 0
	}
	return http.StatusBadRequest, "the body did not come to its end", 0
}

// send answers with a JSON text.
func (x *exchange) send(status int, body []byte) {
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	h.Set("Cache-Control", "no-store")
	x.status = status
	x.w.WriteHeader(status)
	_, _ = x.w.Write(append(body, '\n')) // a client that is gone is told nothing
}
