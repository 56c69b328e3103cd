package verify

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/certinbox/certinbox/verify/trust"
)

// A Verifier is a Policy and what it needs from the world. It reads no file,
// no environment and no clock of its own. It is safe for concurrent use.
type Verifier struct {
	Policy  Policy
	Anchors *trust.Anchors
	// TXT returns the records of a name: nil, nil when there is none; any error is temporary.
	TXT func(ctx context.Context, name string) ([]string, error)
	// Revoked asks the CAs of a path, until ctx ends at most. It is not called
	// when Policy.Revocation is off. Nil: nobody is asked, so no answer is there.
	Revoked func(ctx context.Context, path trust.Path, at time.Time) ([]Revocation, error)
	Now     func() time.Time
	All     bool // ask every row even where the daemon would stop asking

	force string // tests only: the check that is made to pass
}

// A check is a row of the table.
type check struct {
	name   string
	method string // of Authentication-Results (RFC 8601 section 2.7), "" for none
	ask    func(ctx context.Context, x *facts) Result
}

// table returns the checks in the order in which they are asked and decide.
// The order is a security rule: nothing that the sender names is fetched
// before the thing that names it has been authenticated.
func table() []check {
	return []check{
		{"message", "", checkMessage},
		{"structure", "", checkStructure},
		{"dkim", "dkim", checkDKIM},
		{"alignment", "", checkAlignment},
		{"signature", "smime", checkSignature},
		{"chain", "smime", checkChain},
		{"usage", "smime", checkUsage},
		{"address", "smime", checkAddress},
		{"freshness", "", checkFreshness},
		{"revocation", "smime", checkRevocation},
	}
}

// Checks returns the names of all checks in order.
func Checks() []string {
	var names []string
	for _, c := range table() {
		names = append(names, c.name)
	}
	return names
}

// Begin starts the examination of one message.
func (v *Verifier) Begin(env Envelope) *Examination {
	return &Examination{v: v, env: env}
}

// An Examination takes the bytes of one message and then judges them.
type Examination struct {
	v      *Verifier
	env    Envelope
	pieces [][]byte // the message so far; all but the last are full
	size   int
	tooBig bool
}

// The lengths of pieces, unless more comes at once. One that grew as a whole
// would leave several times its length to the garbage collector, for every
// message under way at the same time.
const (
	firstPiece = 8 << 10
	maxPiece   = 64 << 10
)

// Expect makes room for a message of n bytes in one piece, so that it need not be
// copied into one before it is judged. More or fewer may come.
func (x *Examination) Expect(n int) {
	if len(x.pieces) == 0 && 0 < n && n <= x.v.Policy.Limits.Message {
		x.pieces = [][]byte{make([]byte, 0, n)}
	}
}

// Write takes bytes as received, with CRLF line ends. It never fails: a
// message beyond the limit is remembered as too big and dropped.
func (x *Examination) Write(p []byte) (int, error) {
	if x.tooBig || x.size+len(p) > x.v.Policy.Limits.Message {
		x.tooBig, x.pieces = true, nil
		return len(p), nil
	}
	for rest := p; len(rest) > 0; {
		last := len(x.pieces) - 1
		if last < 0 || len(x.pieces[last]) == cap(x.pieces[last]) {
			length := max(len(rest), min(max(x.size, firstPiece), maxPiece))
			x.pieces = append(x.pieces, make([]byte, 0, length))
			last++
		}
		n := min(len(rest), cap(x.pieces[last])-len(x.pieces[last]))
		x.pieces[last] = append(x.pieces[last], rest[:n]...)
		x.size += n
		rest = rest[n:]
	}
	return len(p), nil
}

// message returns what was written, in one piece.
func (x *Examination) message() []byte {
	if len(x.pieces) > 1 {
		whole := make([]byte, 0, x.size)
		for i, p := range x.pieces {
			whole = append(whole, p...)
			x.pieces[i] = nil // for the garbage collector, while others are judged
		}
		x.pieces = [][]byte{whole}
	}
	if len(x.pieces) == 0 {
		return nil
	}
	return x.pieces[0]
}

// Report judges what was written. It never fails: whatever is wrong is in the
// Report. Its work is bounded by Policy.Limits and ctx.
func (x *Examination) Report(ctx context.Context) *Report {
	ctx, cancel := context.WithTimeout(ctx, x.v.Policy.Limits.Time)
	defer cancel()
	f := newFacts(x)
	for _, c := range table() {
		r := notReached()
		if f.asks(c.name) {
			r = c.ask(ctx, f)
		}
		if c.name == x.v.force {
			r = pass("forced")
		}
		r.Check = c.name
		if r.Plain == "" && !r.Status.holds() {
			r.Plain = plain(r.Reason)
		}
		f.report.Results = append(f.report.Results, r)
	}
	if f.report.Verdict() == Accept {
		sum := sha256.Sum256(f.raw)
		f.report.Evidence.MessageHash = sum[:]
		f.report.Evidence.Policy = x.v.Policy.String()
	}
	return f.report
}
