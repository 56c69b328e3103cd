package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// A fakeAccount is SparkPost's API as it is documented, with one account.
type fakeAccount struct {
	t        *testing.T
	server   *httptest.Server
	scheme   string
	domains  []string
	webhooks []map[string]any
	asked    []string                        // METHOD PATH BODY
	answers  map[string]func() (int, string) // by METHOD PATH, instead
	targets  *http.Client
}

func newFakeAccount(t *testing.T) *fakeAccount {
	a := &fakeAccount{t: t, answers: map[string]func() (int, string){}}
	a.server = httptest.NewTLSServer(a)
	t.Cleanup(a.server.Close)
	a.targets = trusting(a.server)
	return a
}

// trusting is our own client, with the CA of a test server.
func trusting(s *httptest.Server) *http.Client {
	c := noRedirects(30 * time.Second)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	c.Transport.(*http.Transport).TLSClientConfig.RootCAs = pool
	return c
}

func (a *fakeAccount) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Error(err)
	}
	path, found := strings.CutPrefix(r.URL.Path, "/api/v1")
	what := r.Method + " " + path
	a.asked = append(a.asked, strings.TrimSpace(what+" "+string(body)))
	status, text := 404, `{"errors":[{"message":"Resource could not be found"}]}`
	switch {
	case a.answers[what] != nil:
		status, text = a.answers[what]()
	case r.Header.Get("Authorization") != a.scheme+sparkpostKey:
		status, text = 401, `{"errors":[{"message":"Unauthorized."}]}`
	case found:
		status, text = a.answer(r.Method, path, body)
	}
	w.Header().Set("Content-Type", "application/json")
	if status/100 == 3 {
		w.Header().Set("Location", text)
	}
	w.WriteHeader(status)
	fmt.Fprint(w, text)
}

func (a *fakeAccount) answer(method, path string, body []byte) (int, string) {
	var sent map[string]any
	if len(body) > 0 {
		if err := json.Unmarshal(body, &sent); err != nil {
			return 400, `{"errors":[{"message":"Invalid JSON"}]}`
		}
	}
	one := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch {
	case method == "GET" && one[0] == "inbound-domains" && slices.Contains(a.domains, one[1]):
		return 200, `{"results":{"domain":"` + one[1] + `"}}`
	case method == "POST" && path == "/inbound-domains":
		a.domains = append(a.domains, sent["domain"].(string))
		return 200, `{}`
	case method == "GET" && path == "/relay-webhooks":
		return 200, results(a.webhooks)
	case method == "POST" && path == "/relay-webhooks":
		sent["id"] = fmt.Sprintf("1201302632870707%d", len(a.webhooks))
		a.webhooks = append(a.webhooks, sent)
		return 200, results(map[string]any{"id": sent["id"]})
	case len(one) > 1 && one[0] == "relay-webhooks":
		for _, w := range a.webhooks {
			if w["id"] == one[1] && method == "PUT" {
				for k, v := range sent {
					w[k] = v
				}
				return 200, results(map[string]any{"id": w["id"]})
			}
			if w["id"] == one[1] && method == "POST" && len(one) == 3 && one[2] == "validate" {
				return a.validate(w)
			}
		}
	}
	return 404, `{"errors":[{"message":"resource not found","code":"1600"}]}`
}

func (a *fakeAccount) validate(w map[string]any) (int, string) {
	token, _ := w["auth_token"].(string)
	status, body, err := (&relayTarget{url: w["target"].(string), client: a.targets}).post(a.t.Context(), []byte(`[{"msys":{"relay_message":{}}}]`), token)
	if err != nil {
		return 400, `{"errors":[{"message":"no connection to the target"}]}`
	}
	return 200, results(map[string]any{"msg": "Test POST to endpoint", "response": map[string]any{"status": status, "body": string(body)}})
}

func results(v any) string {
	b, err := json.Marshal(map[string]any{"results": v})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// fakeTarget answers like a webhook that wants the token.
func fakeTarget(t *testing.T, answer func(r *http.Request) (int, string)) *httptest.Server {
	if answer == nil {
		answer = func(r *http.Request) (int, string) {
			if r.Header.Get(tokenHeader) != sparkpostToken {
				return 401, `{"message":"unauthorised"}`
			}
			return 200, `{"events":[],"ignored":1}`
		}
	}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, text := answer(r)
		if status/100 == 3 {
			w.Header().Set("Location", text)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	}))
	t.Cleanup(s.Close)
	return s
}
