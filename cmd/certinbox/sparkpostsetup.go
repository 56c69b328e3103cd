package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A relayWebhook is what the API says of one.
type relayWebhook struct {
	ID       json.RawMessage `json:"id"` // a string, or a number
	Name     string          `json:"name"`
	Target   string          `json:"target"`
	Token    string          `json:"auth_token"`
	AuthType string          `json:"auth_type"`
	Match    struct {
		Domain string `json:"domain"`
	} `json:"match"`
}

// run makes what is not there, changes what differs, and tries it.
func (s *sparkpostSetup) run(ctx context.Context, out io.Writer, tell func(string), api *sparkpostAPI, target *relayTarget) error {
	if err := s.ensureDomain(ctx, out, api); err != nil {
		return s.failed(err)
	}
	id, err := s.ensureWebhook(ctx, out, tell, api)
	if err != nil {
		return s.failed(err)
	}
	works, err := target.try(ctx, out, tell, s.domain)
	if err != nil {
		return err
	}
	valid, err := s.validate(ctx, out, api, id)
	if err != nil {
		return s.failed(err)
	}
	s.printMX(out, api.place.mx, works && valid)
	if !works || !valid {
		return &failure{exitNo, errors.New("the target does not answer as SparkPost needs it"), "the domain and the webhook are there; mend the target, and run it again"}
	}
	return nil
}

// The calls, one function each, so that --dry-run prints what run sends.

func (s *sparkpostSetup) lookForDomain() apiCall {
	return apiCall{"look for the inbound domain", http.MethodGet, "/inbound-domains/" + s.domain, nil}
}

func (s *sparkpostSetup) createDomain() apiCall {
	return apiCall{"create the inbound domain", http.MethodPost, "/inbound-domains", map[string]any{"domain": s.domain}}
}

func listWebhooks() apiCall {
	return apiCall{"list the relay webhooks", http.MethodGet, "/relay-webhooks", nil}
}

func (s *sparkpostSetup) createWebhook() apiCall {
	body := map[string]any{"name": s.name, "target": s.target, "match": map[string]any{"protocol": "SMTP", "domain": s.domain}}
	if s.token != "" {
		body["auth_token"] = s.token
	}
	return apiCall{"create the relay webhook", http.MethodPost, "/relay-webhooks", body}
}

func updateWebhook(id string, changed map[string]any) apiCall {
	return apiCall{"update the relay webhook", http.MethodPut, "/relay-webhooks/" + id, changed}
}

func validateWebhook(id string) apiCall {
	return apiCall{"validate the relay webhook", http.MethodPost, "/relay-webhooks/" + id + "/validate", map[string]any{}}
}

func (s *sparkpostSetup) ensureDomain(ctx context.Context, out io.Writer, api *sparkpostAPI) error {
	err := api.do(ctx, s.lookForDomain(), nil)
	if err == nil {
		fmt.Fprintf(out, "inbound domain %s: there already\n", s.domain)
		return nil
	}
	if e, ok := errors.AsType[*apiRefusal](err); !ok || e.status != http.StatusNotFound {
		return err
	}
	if err := api.do(ctx, s.createDomain(), nil); err != nil {
		return err
	}
	fmt.Fprintf(out, "inbound domain %s: created\n", s.domain)
	return nil
}

// ensureWebhook returns the id of the webhook, escaped for a path.
func (s *sparkpostSetup) ensureWebhook(ctx context.Context, out io.Writer, tell func(string), api *sparkpostAPI) (string, error) {
	var all []relayWebhook
	if err := api.do(ctx, listWebhooks(), &all); err != nil {
		return "", err
	}
	i := slices.IndexFunc(all, func(w relayWebhook) bool { return strings.EqualFold(w.Match.Domain, s.domain) })
	if i < 0 {
		var made relayWebhook
		if err := api.do(ctx, s.createWebhook(), &made); err != nil {
			return "", err
		}
		fmt.Fprintf(out, "relay webhook %q for %s: created\n", s.name, s.target)
		return made.pathID()
	}
	w := all[i]
	id, err := w.pathID()
	if err != nil {
		return "", err
	}
	if w.AuthType != "" && w.AuthType != "none" {
		tell("the webhook also has auth_type " + foreign(w.AuthType) + ", which is left as it is")
	}
	changed, words := s.differs(w)
	if len(changed) == 0 {
		fmt.Fprintf(out, "relay webhook %q for %s: there already, as it should be\n", foreign(w.Name), s.target)
		return id, nil
	}
	if err := api.do(ctx, updateWebhook(id, changed), nil); err != nil {
		return "", err
	}
	fmt.Fprintf(out, "relay webhook %q: there already, updated: %s\n", foreign(w.Name), api.hide(strings.Join(words, "; ")))
	return id, nil
}

// differs says what has to be changed of a webhook that is there. A token that
// nobody gave stays, and so does a name.
func (s *sparkpostSetup) differs(w relayWebhook) (changed map[string]any, words []string) {
	changed = map[string]any{}
	if w.Target != s.target {
		changed["target"] = s.target
		words = append(words, fmt.Sprintf("the target, which was %s", w.Target))
	}
	if s.token != "" && w.Token != s.token {
		changed["auth_token"] = s.token
		words = append(words, "the token")
	}
	if s.named && w.Name != s.name {
		changed["name"] = s.name
		words = append(words, fmt.Sprintf("the name, now %s", s.name))
	}
	return changed, words
}

// pathID is the id as it stands in a path. At most 64 characters are taken.
func (w relayWebhook) pathID() (string, error) {
	id := strings.Trim(string(w.ID), `"`)
	if id == "" || id == "null" || len(id) > 64 || strings.ContainsFunc(id, func(r rune) bool { return r != '-' && r != '_' && !letterOrDigit(r) }) {
		return "", fail(exitNo, errors.New("the API gives the webhook no id"))
	}
	return url.PathEscape(id), nil
}

// validate lets SparkPost post its sample to the target.
func (s *sparkpostSetup) validate(ctx context.Context, out io.Writer, api *sparkpostAPI, id string) (bool, error) {
	var said struct {
		Msg      string
		Response struct {
			Status int
			Body   any
		}
	}
	err := api.do(ctx, validateWebhook(id), &said)
	if e, ok := errors.AsType[*apiRefusal](err); ok && (e.status == 400 || e.status == 422) {
		fmt.Fprintf(out, "SparkPost's validation: FAILED: %s\n", e.text)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if said.Response.Status != http.StatusOK {
		fmt.Fprintf(out, "SparkPost's validation: FAILED: %s; the target answered %d: %s\n",
			api.hide(said.Msg), said.Response.Status, api.hide(fmt.Sprint(said.Response.Body)))
		return false, nil
	}
	fmt.Fprintln(out, "SparkPost's validation: its sample was answered with 200")
	return true, nil
}

// plan prints what run would send to an account that has nothing yet, with masks
// in the place of the secrets.
func (s *sparkpostSetup) plan(out io.Writer, api *sparkpostAPI, target *relayTarget) error {
	api.key = masked
	if s.token != "" {
		s.token, target.token = masked, masked
	}
	show := func(note string, c apiCall) error {
		r, body, err := api.request(context.Background(), c)
		if err == nil {
			printRequest(out, note, r, body)
		}
		return err
	}
	err := errors.Join(
		show("Is the inbound domain there? If not (404), the next one creates it.", s.lookForDomain()),
		show("", s.createDomain()),
		show("Is there a webhook for the domain? If so, what differs is sent by PUT to /relay-webhooks/ID; else:", listWebhooks()),
		show("", s.createWebhook()),
		target.plan(out, s.domain),
		show("With the id of the webhook; SparkPost posts its own sample to the target.", validateWebhook("ID")))
	if err != nil {
		return err
	}
	s.printMX(out, api.place.mx, false)
	fmt.Fprintln(out, "\nNothing was sent (--dry-run).")
	return nil
}

// printRequest prints a request as it goes out.
func printRequest(out io.Writer, note string, r *http.Request, body []byte) {
	if note != "" {
		fmt.Fprintf(out, "# %s\n\n", note)
	}
	fmt.Fprintf(out, "%s %s\n", r.Method, r.URL)
	for _, name := range []string{"Authorization", "Accept", "Content-Type", tokenHeader} {
		if v := r.Header.Get(name); v != "" {
			fmt.Fprintf(out, "%s: %s\n", name, v)
		}
	}
	if body != nil {
		fmt.Fprintf(out, "\n%s\n", body)
	}
	fmt.Fprintln(out)
}
