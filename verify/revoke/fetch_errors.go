package revoke

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

// A refusedURL is a URL or address that the rules forbid.
type refusedURL struct{ text string }

func (e *refusedURL) Error() string { return e.text }

// A fetchError is a fetch that failed for the moment. Its text is our own words:
// what the other side said is not repeated.
type fetchError struct {
	text  string
	cause error
}

func (e *fetchError) Error() string { return e.text }
func (e *fetchError) Unwrap() error { return e.cause }

// What a source can do wrong, beside what the network does.
var (
	errOthers    = errors.New("none of the addresses that may be tried answers")
	errSlow      = errors.New("the time for a fetch is over")
	errSilent    = errors.New("the time for an answer is over")
	errLongHead  = errors.New("the head of the response is too long")
	errInterims  = errors.New("too many interim responses")
	errCoding    = errors.New("the response is compressed or otherwise coded")
	errRedirects = errors.New("too many redirects")
	errRedirect  = errors.New("a redirect that is not followed")
)

// tooLong is the error of a body of more than limit bytes.
func tooLong(limit int64) error { return &fetchError{text: fmt.Sprintf("more than %d bytes", limit)} }

// A statusError is a response of another status than 200.
type statusError int

func (e statusError) Error() string { return "status " + strconv.Itoa(int(e)) }

// refusesQuestion says whether a status is about what was asked, not about who
// asked when: other questions may be answered (RFC 9110 section 15.5).
func refusesQuestion(err error) bool {
	var status statusError
	return errors.As(err, &status) && status >= 400 && status < 500 &&
		status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
}

// failed returns the error of a fetch from host: a refusedURL as it is, others
// as a fetchError that says in which step what happened.
func failed(host, step string, err error) error {
	var refused *refusedURL
	if errors.As(err, &refused) {
		return refused
	}
	return &fetchError{text: shown(host) + ": " + step + words(err), cause: err}
}

// ended says why ctx, which has ended, did: errSlow if the fetch took too long,
// else the caller's reason.
func ended(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errSlow) {
		return errSlow
	}
	return ctx.Err()
}

// words says what an error of the network, TLS or HTTP means.
func words(err error) string {
	var ours *fetchError
	var name *net.DNSError
	var untrusted *tls.CertificateVerificationError
	var timeout net.Error
	var status statusError
	switch {
	case errors.As(err, &ours):
		return ours.text
	case errors.As(err, &status):
		return status.Error()
	case is(err, errOthers, errInterfaces, errSlow, errSilent, errLongHead, errInterims, errCoding, errRedirects, errRedirect, errNoPlace, errPace):
		return err.Error()
	case errors.Is(err, context.Canceled):
		return "given up"
	case errors.As(err, &name) && name.IsNotFound:
		return "the name does not exist"
	case errors.As(err, &name):
		return "the name servers gave no answer"
	case errors.As(err, &untrusted):
		return "the server's certificate does not verify"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused by the other side"
	case is(err, syscall.ECONNRESET, syscall.EPIPE):
		return "reset by the other side"
	case is(err, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EADDRNOTAVAIL):
		return "no way there"
	case is(err, context.DeadlineExceeded, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	case is(err, io.EOF, io.ErrUnexpectedEOF):
		return "ended too early"
	default:
		return "not as the protocol wants it"
	}
}

// is says whether err is one of those given.
func is(err error, those ...error) bool {
	for _, e := range those {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
