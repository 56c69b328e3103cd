package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/certinbox/certinbox/internal/collect"
	"github.com/certinbox/certinbox/verify"
)

// exitNoUser is what an MTA knows as an unknown recipient: EX_NOUSER.
const exitNoUser = 67

// exitCrash is how the Go runtime ends a program with a fault that nothing catches.
const exitCrash = 2

// notCollected is the reason for a message that goes to no collection address.
const notCollected = "not-collected"

// exits are the statuses by which a pipe tells the MTA what became of a message.
type exits struct {
	accept, reject, deferred int
	nobody                   int // not a collection address
}

// parseExits reads the list of --map: words accept, reject and defer, each at
// most once, each with = and a decimal number from 0 to 255, separated by
// commas. "" leaves those of sysexits.h.
func parseExits(list string) (exits, error) {
	e := exits{accept: exitOK, reject: exitDenied, deferred: exitTemp, nobody: exitNoUser}
	if list == "" {
		return e, nil
	}
	const words = 3
	seen := map[string]bool{}
	for part := range strings.SplitSeq(list, ",") {
		word, number, ok := strings.Cut(part, "=")
		n, err := strconv.ParseUint(number, 10, 8)
		if !ok || err != nil || strconv.FormatUint(n, 10) != number {
			return exits{}, fmt.Errorf("--map: %.40q is not WORD=N with N from 0 to 255", part)
		}
		if len(seen) == words || seen[word] {
			return exits{}, fmt.Errorf("--map: %.40q: each word stands once", part)
		}
		seen[word] = true
		switch word {
		case "accept":
			e.accept = int(n)
		case "reject":
			e.reject, e.nobody = int(n), int(n)
		case "defer":
			e.deferred = int(n)
		default:
			return exits{}, fmt.Errorf("--map: %.40q: the words are accept, reject and defer", part)
		}
	}
	switch e.accept {
	case e.reject, e.deferred, e.nobody, exitUsage, exitCrash:
		return exits{}, fmt.Errorf("--map: %d for what is taken is the status of something else, too", e.accept)
	}
	return e, nil
}

// say tells the MTA what became of a message: text for the sender on standard
// output, and the failure that leads to the status.
func (e exits) say(stdout io.Writer, o collect.Outcome) error {
	status := e.deferred
	switch {
	case o.Action == collect.Keep || o.Action == collect.Pass || o.Action == collect.Swallow:
		return leave(e.accept) // without a word: for some MTAs any output is a failure
	case o.Action == collect.Reject && o.Reason == notCollected:
		status = e.nobody
	case o.Action == collect.Reject:
		status = e.reject
	}
	sayReply(stdout, o.Reply)
	return leave(status)
}

// leave is the end with a status, when all is said.
func leave(status int) error {
	if status == exitOK {
		return nil
	}
	return &ended{status}
}

// An ended says that the MTA has been told.
type ended struct{ status int }

// Error implements error.
func (e *ended) Error() string { return "" }

// trouble makes whatever went wrong on this host a reason to try again, but
// flags that are wrong: their status is the same each time.
func (e exits) trouble(stdout io.Writer, err error) error {
	if err == nil {
		return nil
	}
	if done, ok := errors.AsType[*ended](err); ok {
		return fail(done.status, nil)
	}
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = fail(exitInternal, err)
	}
	if f.status == exitUsage {
		return f
	}
	out := &failure{e.deferred, oneLine(f), f.hint}
	if f.status == exitDenied {
		out.hint = "the MTA has to run certinbox pipe as the owner of store.path, with Postfix user=certinbox in master.cf"
	}
	sayReply(stdout, verify.ReplyFor("internal", "", "", ""))
	return out
}

// sayReply prints a reply as MTAs expect it of a program: the enhanced status
// code at the very beginning (Postfix pipe(8), RFC 3463), then the lines.
// Whether anybody reads it changes nothing.
func sayReply(w io.Writer, r verify.Reply) {
	fmt.Fprintf(w, "%s %s\n", r.Enhanced, strings.Join(r.Lines, "\n"))
}

// oneLine makes what several lines say fit into the line of an MTA's log.
func oneLine(err error) error {
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	return errors.New(strings.Join(lines, "; "))
}

// missing says whether err is that there is no store yet.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
