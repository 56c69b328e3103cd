package webhook

import (
	"errors"
	"io"
	"net/http"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
)

// check judges one raw message for an MTA that asks. It answers 200 for every
// verdict, also where the message is put off: the MTA reads the code in the answer.
// Any other status means that the message was not judged and is to be put off.
//
// A message of which no recipient is a collection address is not judged: verdict
// ignored, action pass. One with others beside ours is judged, and refused by
// swallow: the MTA is to drop our recipient and deliver the rest.
func (x *exchange) check() {
	said, err := readEnvelope(x.r)
	if err != nil {
		x.fail(http.StatusBadRequest, err.Error())
		return
	}
	held := x.server.memory.reserve(x.settings.InFlight)
	defer held.end()
	s := x.server.borrow()
	e := s.event(0, decodeLimits{message: x.settings.Body, hold: held.hold, release: held.release})
	a, err := x.read(said, e, s.body[:])
	x.server.scratches.Put(s)
	switch {
	case errors.Is(err, errEmpty):
		x.fail(http.StatusBadRequest, "the body is empty: it is to be the message")
		return
	case err != nil:
		x.failBody(err)
		return
	}
	x.send(http.StatusOK, x.encode(&a))
}

// errEmpty: there is no message.
var errEmpty = errors.New("webhook: the body is empty")

// read reads the body into e by way of buf, and has it judged.
func (x *exchange) read(said checkEnvelope, e *event, buf []byte) (answer, error) {
	if err := readMessage(x.body, e, buf); err != nil {
		return answer{}, err
	}
	if e.Size() == 0 {
		return answer{}, errEmpty
	}
	x.tally.events++
	return x.judgeOne(said, e)
}

// readMessage reads the body into the pieces of e, as much as buf holds at once.
func readMessage(body io.Reader, e *event, buf []byte) error {
	for {
		n, err := body.Read(buf)
		if addErr := e.message.add(buf[:n]); addErr != nil {
			return addErr
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// judgeOne sorts the recipients and has the message judged if one of them is ours.
func (x *exchange) judgeOne(said checkEnvelope, e *event) (answer, error) {
	var mine, others int
	for _, rcpt := range said.rcpts {
		to := x.settings.sort(rcpt)
		switch {
		case to.refused != nil:
			return x.refuseMisspelt(said.env, *to.refused), nil
		case to.ours:
			mine++
		default:
			others++
		}
		if to.ours && mine <= maxRemembered || !to.ours && others <= maxRemembered {
			said.env.Recipients = append(said.env.Recipients, to.address)
		}
	}
	if mine == 0 {
		x.tally.ignored++
		x.settings.count(ignored, "")
		a := notOurs(string(collect.Pass))
		deliver := true
		a.Deliver = &deliver
		return a, nil
	}
	said.env.Mixed = others > 0
	a, out, err := x.examine(message{env: said.env, event: e})
	if err != nil {
		return answer{}, err
	}
	x.tally.count(out.Action)
	a.Deliver = &out.Deliver
	return a, nil
}

// refuseMisspelt refuses a message for a recipient that mail servers read differently.
func (x *exchange) refuseMisspelt(env verify.Envelope, r verify.Reply) answer {
	action := collect.Reject
	if env.AfterQueue {
		action, r = collect.Swallow, verify.ReplyFor("", "", "", "")
	}
	x.tally.refused++
	x.settings.count(string(action), "recipient-syntax")
	a := misspelt(action, r)
	a.Deliver = new(bool)
	return a
}
