package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxAPIAnswer is how much of an answer is read, in bytes: a list of all webhooks
// of an account is the longest.
const maxAPIAnswer = 4 << 20

// masked stands where a secret does.
const masked = "********"

// noRedirects is a client that verifies TLS, goes through the proxy of the
// environment and follows no redirect, since secrets would go along.
func noRedirects(timeout time.Duration) *http.Client {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    15 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}
	return &http.Client{Transport: t, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// A sparkpostAPI asks the API of an account.
type sparkpostAPI struct {
	place   sparkpostPlace
	key     string
	secrets []string // never printed
	client  *http.Client
}

// An apiCall is one request.
type apiCall struct {
	doing  string // in words: "create the inbound domain"
	method string
	path   string // below the base, with a leading slash
	body   any    // nil: none
}

// request makes what is sent, and its body.
func (a *sparkpostAPI) request(ctx context.Context, c apiCall) (*http.Request, []byte, error) {
	var body []byte
	if c.body != nil {
		var err error
		if body, err = plainJSON(c.body); err != nil {
			return nil, nil, fail(exitInternal, err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, c.method, a.place.base+c.path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, fail(exitInternal, err)
	}
	r.Header.Set("Authorization", a.place.scheme+a.key)
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, body, nil
}

// plainJSON encodes without the escapes that HTML would need.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// do sends a call and reads the results of its answer into results, if that is not
// nil. An answer other than 200 is an *apiRefusal, anything else that goes wrong a
// *failure.
func (a *sparkpostAPI) do(ctx context.Context, c apiCall, results any) error {
	r, _, err := a.request(ctx, c)
	if err != nil {
		return err
	}
	res, err := a.client.Do(r)
	if err != nil {
		return &failure{exitTemp, fmt.Errorf("%s: %s", c.doing, a.hide(err.Error())), "is the API reachable from here, and --api right?"}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAPIAnswer+1))
	if err == nil && len(text) > maxAPIAnswer {
		err = fmt.Errorf("the answer is over %d bytes", maxAPIAnswer)
	}
	if err != nil {
		return fail(exitTemp, fmt.Errorf("%s: %s", c.doing, a.hide(err.Error())))
	}
	if res.StatusCode != http.StatusOK {
		return a.refusal(c, res.StatusCode, text)
	}
	if results == nil {
		return nil
	}
	if err := json.Unmarshal(text, &struct{ Results any }{results}); err != nil {
		return &failure{exitNo, fmt.Errorf("%s: the answer is not what the API documents: %s", c.doing, a.hide(err.Error())), "is --api right?"}
	}
	return nil
}

// hide takes the secrets out of a text, makes it safe for a terminal and bounds it.
func (a *sparkpostAPI) hide(s string) string {
	for _, secret := range a.secrets {
		s = strings.ReplaceAll(s, secret, masked)
	}
	return foreign(s)
}

// An apiRefusal is an answer other than 200.
type apiRefusal struct {
	call   apiCall
	status int
	code   string // of the first error, "" if it has none
	text   string // what the API says, without secrets
}

func (e *apiRefusal) Error() string {
	if e.text == "" {
		return fmt.Sprintf("%s: the API answers %d", e.call.doing, e.status)
	}
	return fmt.Sprintf("%s: the API answers %d: %s", e.call.doing, e.status, e.text)
}

// refusal reads the errors of an answer.
func (a *sparkpostAPI) refusal(c apiCall, status int, body []byte) *apiRefusal {
	var answer struct {
		Errors []struct {
			Message, Description, Param string
			Code                        any
		}
	}
	e := &apiRefusal{call: c, status: status}
	if json.Unmarshal(body, &answer) != nil { // a proxy's page, say
		return e
	}
	var said []string
	for i, one := range answer.Errors {
		if i == 0 && one.Code != nil {
			e.code = foreign(fmt.Sprint(one.Code))
		}
		for _, s := range []string{one.Param, one.Message, one.Description} {
			if s != "" {
				said = append(said, s)
			}
		}
	}
	if e.text = a.hide(strings.Join(said, ": ")); e.code != "" {
		e.text += " (code " + e.code + ")"
	}
	return e
}

// failed makes a failure of what do returns, with what to do about it.
func (s *sparkpostSetup) failed(err error) error {
	e, ok := errors.AsType[*apiRefusal](err)
	if !ok {
		return err
	}
	f := fail(exitNo, e)
	switch {
	case e.status == 401:
		f.status, f.hint = exitDenied, "the key is not known there: a key belongs to one region (--api us or eu) or to one workspace (--workspace); is it whole?"
	case e.status == 403:
		f.status, f.hint = exitDenied, `the key needs "Inbound Domains: Read/Write" and "Relay Webhooks: Read/Write", and this machine's address if it has a list of allowed ones`
	case e.status == 420 || e.status == 429:
		f.status, f.hint = exitTemp, "too many requests: wait a minute, and run it again"
	case e.status >= 500:
		f.status, f.hint = exitTemp, "trouble on the side of the API: run it again later; what was done already is found again"
	case e.status/100 == 3:
		f.hint = "a redirect is not followed, the key would go along: is --api right?"
	case e.status == 404:
		f.hint = "is --api right, and --workspace? If the webhook was deleted meanwhile, run it again"
	case e.status == 400 && e.code == "7000":
		f.hint = "SparkPost's support has to authorise " + s.domain + " for your account"
	case e.status == 400 && strings.Contains(e.text, "not a registered inbound domain"):
		f.hint = s.domain + " is not an inbound domain of this account or subaccount: use the key of the one that has it"
	case e.status == 409 && strings.Contains(e.call.path, "inbound-domains"):
		f.hint = s.domain + " is taken: another account or subaccount receives for it, or it is a sending or bounce domain; take a subdomain of its own, like certificates." + s.domain
	case e.status == 409:
		f.hint = "another webhook has " + s.domain + ", perhaps one of a subaccount, and a domain has one webhook: delete that one, or take another subdomain"
	case e.status == 422:
		f.hint = "SparkPost does not take one of the values; the target must be on port 80 or 443; --dry-run shows the request"
	default:
		f.hint = "--dry-run shows the requests"
	}
	return f
}
