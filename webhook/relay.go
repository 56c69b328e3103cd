package webhook

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
)

// batchField names a post, if it is there.
const batchField = "X-MessageSystems-Batch-ID"

// maxBatch bounds a name of a post that names messages: the number of the event
// is to stay behind it in a reference.
const maxBatch = 48

// maxReports bounds the reports in one answer, in bytes. Those beyond it are left
// out; they are found by their reference.
const maxReports = 1 << 20

// maxAnswer bounds the answers in which recipients are repeated, in bytes: 10,000
// of 4 KiB that JSON writes six times as long would fill the memory. Those beyond
// it are told apart by their index.
const maxAnswer = 4 << 20

// maxPost is how long a post may take before an event of it is begun. Events that
// each wait for somebody's DNS would else hold a place for days; real posts have
// one event.
const maxPost = 10 * time.Minute

// A batch is the events of one relay post, on their way.
type batch struct {
	*exchange
	name    string   // "": it has none
	answers [][]byte // JSON of each event that was no ping
	reports int      // bytes of the answers with reports
	said    int      // bytes of all answers
	unknown string   // the first recipient that was ignored
	damaged error    // what is wrong with the first event that cannot be read
}

// relay judges the events of a post, each by itself. It answers 200 if all are
// decided, whatever the verdicts: the relay must not come again. 503: one at least
// is put off; it is safe to judge the others again. 400: the body is no relay post,
// or an event cannot be read. 413: it is over a limit. What could be read was judged.
func (x *exchange) relay() {
	b := &batch{exchange: x, name: x.r.Header.Get(batchField)}
	if len(b.name) > maxBatch {
		b.name = ""
	}
	held := x.server.memory.reserve(x.settings.InFlight)
	defer held.end()
	limits := decodeLimits{message: x.settings.Body, hold: held.hold, release: held.release}
	s := x.server.borrow()
	err := s.decode(x.body, limits, b.take)
	x.server.scratches.Put(s)
	b.answer(err)
}

// take judges one event.
func (b *batch) take(e *event) error {
	if e.Ping {
		b.tally.pings++
		return nil
	}
	if time.Since(b.began) > maxPost {
		return errTooLong
	}
	b.tally.events++
	a, err := b.judge(e)
	if form, ok := errors.AsType[*formError](err); ok {
		b.tally.broken++
		b.settings.count("broken", "")
		if b.damaged == nil {
			b.damaged = form
		}
		return nil // the others can do nothing for it
	}
	if err != nil {
		return err
	}
	a.Index, a.Recipient = &e.index, &e.Recipient
	b.add(a)
	return nil
}

// judge sorts an event and has it judged if it is for us. A *formError says that it
// cannot be read.
func (b *batch) judge(e *event) (answer, error) {
	if e.damage != nil { // nobody knows whom it is for
		return answer{}, e.damage
	}
	to := b.settings.sort(e.Recipient)
	switch {
	case to.refused != nil:
		// The relay has accepted it already, so that nobody would hear of a refusal.
		b.tally.refused++
		b.settings.count(string(collect.Swallow), "recipient-syntax")
		b.settings.Log.Warn("webhook: swallowed, not judged: its recipient is written in a way that mail servers read differently", "recipient", clip(e.Recipient))
		return misspelt(collect.Swallow, verify.ReplyFor("", "", "", "")), nil
	case !to.ours:
		if b.tally.ignored++; b.unknown == "" {
			b.unknown = clip(e.Recipient)
		}
		b.settings.count(ignored, "")
		return notOurs(ignored), nil
	}
	m := message{env: verify.Envelope{
		Via: "webhook", ID: b.reference(e.index),
		Sender: e.Sender, Recipients: []string{to.address}, AfterQueue: true,
	}, event: e, remember: true}
	a, out, err := b.examine(m)
	if err == nil {
		b.tally.count(out.Action)
	}
	return a, err
}

// reference names an event after its batch; "" if that has no name.
func (b *batch) reference(index int) string {
	if b.name == "" || index == 0 {
		return b.name
	}
	return b.name + "-" + strconv.Itoa(index)
}

// add writes an answer down, so that its report need not be held.
func (b *batch) add(a answer) {
	text := b.encode(&a)
	if a.judged != nil && a.judged.Report != nil {
		if b.reports += len(text); b.reports > maxReports {
			a.judged = nil
			text = b.encode(&a)
		}
	}
	if b.said+len(text) > maxAnswer {
		a.Recipient = nil
		text = b.encode(&a)
	}
	b.said += len(text)
	b.answers = append(b.answers, text)
}

// answer answers the post. err is why it was not read to its end.
func (b *batch) answer(err error) {
	if b.unknown != "" {
		b.settings.Log.Info("webhook: mail for other people is ignored", "messages", b.tally.ignored, "first", b.unknown)
	}
	status, message, retry := http.StatusOK, "", 0
	switch {
	case err != nil:
		status, message, retry = bodyTrouble(err)
	case b.damaged != nil:
		status = http.StatusBadRequest
	}
	if b.tally.deferred > 0 && retry == 0 { // one that is put off must come again, whatever is wrong beside it
		status, retry = http.StatusServiceUnavailable, deferRetry
	}
	if message == "" && b.damaged != nil {
		message = b.damaged.Error()
	}
	if retry > 0 {
		b.retry(retry)
	}
	b.trouble = message
	b.send(status, b.text(message))
}

// text is the answer to all events, with what was wrong, if anything was. There is
// room for a line end behind it.
func (b *batch) text(message string) []byte {
	head := []byte(`{"events":[`)
	if message != "" {
		m, _ := json.Marshal(message) // a string always can be written
		head = slices.Concat([]byte(`{"message":`), m, []byte(`,"events":[`))
	}
	tail := `],"ignored":` + strconv.Itoa(b.tally.ignored) + `}`
	t := make([]byte, 0, len(head)+b.said+len(b.answers)+len(tail)+1)
	t = append(t, head...)
	for i, a := range b.answers {
		if i > 0 {
			t = append(t, ',')
		}
		t = append(t, a...)
	}
	return append(t, tail...)
}
