package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// tokenHeader carries the secret of a relay webhook.
const tokenHeader = "X-MessageSystems-Webhook-Token"

// relayPing is what SparkPost posts to see whether a webhook is there.
const relayPing = `[{"msys":{}}]`

// maxTargetAnswer is how much of the target's answer is read, in bytes.
const maxTargetAnswer = 64 << 10

// A relayTarget is the webhook as SparkPost meets it.
type relayTarget struct {
	url    string
	token  string // "": none
	client *http.Client
}

// request makes a relay post.
func (t *relayTarget) request(ctx context.Context, body []byte, token string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(body))
	if err != nil {
		return nil, fail(exitInternal, err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set(tokenHeader, token)
	}
	return r, nil
}

// setupSample is an unsigned mail to an address that nobody collects: it must be
// answered with 200 like any other.
func setupSample(domain string) ([]byte, error) {
	return relayPost{
		message: []byte("From: certinbox setup <setup@" + domain + ">\r\n" +
			"To: certinbox-setup@" + domain + "\r\n" +
			"Subject: Is the webhook there?\r\n" +
			"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
			"This unsigned mail was posted by certinbox sparkpost setup.\r\n"),
		sender: "setup@" + domain, recipient: "certinbox-setup@" + domain,
	}.encode()
}

// try posts what SparkPost posts, prints how each is answered, and says whether
// all is well. What cannot be reached from here may be within SparkPost's reach: that
// is told, and no failure.
func (t *relayTarget) try(ctx context.Context, out io.Writer, tell func(string), domain string) (bool, error) {
	sample, err := setupSample(domain)
	if err != nil {
		return false, fail(exitInternal, err)
	}
	works := true
	for _, probe := range []struct {
		what string
		body []byte
	}{{"the validation ping", []byte(relayPing)}, {"an unsigned sample", sample}} {
		status, answer, err := t.post(ctx, probe.body, t.token)
		switch {
		case err != nil:
			tell("the target cannot be tried from here: " + foreign(err.Error()))
			return works, nil // the others would say the same
		case status != http.StatusOK:
			fmt.Fprintf(out, "target: %s: FAILED: answered with %d, which must be 200: %s\n", probe.what, status, targetAdvice(status))
			works = false
		default:
			fmt.Fprintf(out, "target: %s is answered with 200\n", probe.what)
			if !bytes.Contains(answer, []byte(`"events"`)) || !json.Valid(answer) {
				tell("what answers at the target does not look like certinbox serve")
			}
		}
	}
	if works && t.token != "" {
		if status, _, err := t.post(ctx, []byte(relayPing), ""); err == nil && status == http.StatusOK {
			tell("the target takes posts without the token too: set webhook.auth in config.yaml, or anybody can post mail")
		}
	}
	return works, nil
}

// post returns the status and the beginning of the answer.
func (t *relayTarget) post(ctx context.Context, body []byte, token string) (int, []byte, error) {
	r, err := t.request(ctx, body, token)
	if err != nil {
		return 0, nil, err
	}
	res, err := t.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxTargetAnswer))
	return res.StatusCode, answer, err
}

// targetAdvice says what a status of the target hints at.
func targetAdvice(status int) string {
	switch {
	case status == 401 || status == 403:
		return "is the secret of --token-file in webhook.auth too?"
	case status == 404 || status == 405:
		return "is the path of the target in webhook.paths, and does the front pass it on?"
	case status/100 == 3:
		return "it redirects; name the URL that it redirects to as the target"
	case status == 413:
		return "the front takes only short bodies: client_max_body_size of nginx"
	case status >= 500:
		return "is certinbox serve running behind it? Its log says more"
	}
	return "the log of certinbox serve says more"
}

// plan prints what try would post.
func (t *relayTarget) plan(out io.Writer, domain string) error {
	sample, err := setupSample(domain)
	if err != nil {
		return err
	}
	for i, body := range [][]byte{[]byte(relayPing), sample} {
		r, err := t.request(context.Background(), body, t.token)
		if err != nil {
			return err
		}
		note := ""
		if i == 0 {
			note = "Does the target answer from here? It must answer 200 to both; the ping is then posted without the token too."
		}
		printRequest(out, note, r, body)
	}
	return nil
}
