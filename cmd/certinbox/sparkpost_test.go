package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	sparkpostKey   = "14ac5499cfdd2bb2859e4476d2e5b1d2bad079bf"
	sparkpostToken = "5ebe2294ecd0e0f08eab7690d2a6ee69"
)

// setUp runs a setup against an account and returns what it prints and warns of.
func (a *fakeAccount) setUp(s sparkpostSetup) (string, string, error) {
	if s.domain == "" {
		s.domain = "inbound.example.com"
	}
	if s.name == "" {
		s.name = "certinbox inbound.example.com"
	}
	place, err := sparkpostPlaceOf(a.server.URL, s.workspace)
	if err != nil {
		a.t.Fatal(err)
	}
	var out, warned bytes.Buffer
	api := &sparkpostAPI{place: place, key: sparkpostKey, secrets: []string{sparkpostKey, sparkpostToken}, client: trusting(a.server)}
	target := &relayTarget{url: s.target, token: s.token, client: trusting(a.server)} // the test servers share a certificate
	err = s.run(a.t.Context(), &out, teller(&warned), api, target)
	for _, secret := range api.secrets {
		text := out.String() + warned.String()
		if f, ok := err.(*failure); ok {
			text += f.Error() + f.hint
		}
		if strings.Contains(text, secret) {
			a.t.Errorf("a secret was printed:\n%s", text)
		}
	}
	return out.String(), warned.String(), err
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("there is no %q in\n%s", p, text)
		}
	}
}

func TestSparkpostSetupFromNothing(t *testing.T) {
	a, target := newFakeAccount(t), fakeTarget(t, nil)
	s := sparkpostSetup{target: target.URL + "/", token: sparkpostToken}
	out, warned, err := a.setUp(s)
	if err != nil || warned != "" {
		t.Fatal(err, warned)
	}
	contains(t, out, "inbound domain inbound.example.com: created\n", "created\n", "the validation ping is answered with 200",
		"an unsigned sample is answered with 200", "SparkPost's validation: its sample was answered with 200", "dig +short MX inbound.example.com")
	want := []string{
		"GET /inbound-domains/inbound.example.com",
		`POST /inbound-domains {"domain":"inbound.example.com"}`,
		"GET /relay-webhooks",
		`POST /relay-webhooks {"auth_token":"` + sparkpostToken + `","match":{"domain":"inbound.example.com","protocol":"SMTP"},"name":"certinbox inbound.example.com","target":"` + target.URL + `/"}`,
		"POST /relay-webhooks/12013026328707070/validate {}",
	}
	if !slices.Equal(a.asked, want) {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(a.asked, "\n"), strings.Join(want, "\n"))
	}

	// Once more: nothing is changed.
	a.asked = nil
	if out, _, err = a.setUp(s); err != nil {
		t.Fatal(err)
	}
	contains(t, out, "inbound domain inbound.example.com: there already\n", "there already, as it should be\n")
	for _, q := range a.asked {
		if !strings.HasPrefix(q, "GET ") && !strings.Contains(q, "/validate") {
			t.Errorf("a second run sends %s", q)
		}
	}
}

func TestSparkpostSetupUpdatesWhatDiffers(t *testing.T) {
	a, target := newFakeAccount(t), fakeTarget(t, nil)
	a.domains = []string{"inbound.example.com"}
	a.webhooks = []map[string]any{
		{"id": "7", "name": "another", "target": "https://other.example/", "match": map[string]any{"domain": "other.example"}},
		{"id": "8", "name": "old name", "target": "https://old.example/", "auth_token": "a token from before", "auth_type": "oauth2",
			"match": map[string]any{"domain": "Inbound.Example.com", "protocol": "SMTP"}},
	}
	out, warned, err := a.setUp(sparkpostSetup{target: target.URL + "/", token: sparkpostToken})
	if err != nil {
		t.Fatal(err)
	}
	contains(t, out, `relay webhook "old name": there already, updated: the target, which was https://old.example/; the token`)
	contains(t, warned, "auth_type oauth2, which is left as it is")
	put := `PUT /relay-webhooks/8 {"auth_token":"` + sparkpostToken + `","target":"` + target.URL + `/"}`
	if !slices.Contains(a.asked, put) {
		t.Errorf("not asked: %s", put)
	}
	if strings.Contains(out, "a token from before") {
		t.Errorf("the old token was printed:\n%s", out)
	}

	// A token that nobody gives stays, a name that is given does not.
	a.asked = nil
	if _, _, err = a.setUp(sparkpostSetup{target: target.URL + "/", name: "new name", named: true}); err == nil {
		t.Error("the target wants a token, and none was presented")
	}
	if put := `PUT /relay-webhooks/8 {"name":"new name"}`; !slices.Contains(a.asked, put) {
		t.Errorf("asked %v, want %s", a.asked, put)
	}
}

func TestSparkpostWorkspace(t *testing.T) {
	for _, c := range []struct{ api, workspace, base, scheme, mx string }{
		{"us", "", "https://api.sparkpost.com/api/v1", "", "rx1.sparkpostmail.com"},
		{"eu", "", "https://api.eu.sparkpost.com/api/v1", "", "rx1.eu.sparkpostmail.com"},
		{"https://example.api.e.sparkpost.com/", "", "https://example.api.e.sparkpost.com/api/v1", "", ""},
		{"us", "a6-1", "https://email.us-west-1.api.bird.com/workspaces/a6-1/reach", "AccessKey ", "rx1.sparkpostmail.com"},
		{"eu", "a6-1", "https://email.eu-west-1.api.bird.com/workspaces/a6-1/reach", "AccessKey ", "rx1.eu.sparkpostmail.com"},
	} {
		p, err := sparkpostPlaceOf(c.api, c.workspace)
		if err != nil || p.base != c.base || p.scheme != c.scheme || c.mx != "" && p.mx[0] != c.mx || c.mx == "" && p.mx != nil {
			t.Errorf("%v: %+v, %v", c, p, err)
		}
	}
	for _, c := range [][2]string{{"mars", ""}, {"http://api.example.com", ""}, {"https://user@api.example.com", ""}, {"https://api.example.com/v1", ""}, {"us", "../x"}} {
		if _, err := sparkpostPlaceOf(c[0], c[1]); err == nil {
			t.Errorf("%v was taken", c)
		}
	}
}

func TestSparkpostRefusalsSayWhatToDo(t *testing.T) {
	const domain, list, create = "POST /inbound-domains", "GET /relay-webhooks", "POST /relay-webhooks"
	for _, c := range []struct {
		call   string
		status int
		text   string
		exit   int
		says   []string
	}{
		{domain, 400, `{"errors":[{"message":"Restricted domain","description":"Please contact us","code":"7000"}]}`, exitNo, []string{"create the inbound domain: the API answers 400: Restricted domain", "support has to authorise inbound.example.com"}},
		{domain, 409, `{"errors":[{"message":"resource conflict","code":"1602"}]}`, exitNo, []string{"code 1602", "take a subdomain of its own"}},
		{list, 401, `{"errors":[{"message":"Unauthorized."}]}`, exitDenied, []string{"a key belongs to one region"}},
		{list, 403, `{"errors":[{"message":"Forbidden."}]}`, exitDenied, []string{"Relay Webhooks: Read/Write"}},
		{create, 400, `{"errors":[{"message":"Domain 'x' is not a registered inbound domain"}]}`, exitNo, []string{"is not an inbound domain of this account"}},
		{create, 409, `{"errors":[{"message":"Domain 'x' is already in use"}]}`, exitNo, []string{"a domain has one webhook"}},
		{create, 422, `{"errors":[{"param":"target","message":"invalid port"}]}`, exitNo, []string{"target: invalid port", "port 80 or 443"}},
		{create, 422, `{"errors":[{"message":"key ` + sparkpostKey + ` token ` + sparkpostToken + ` \u001b[31m"}]}`, exitNo, []string{"key ******** token ******** ?[31m"}},
		{create, 429, `{}`, exitTemp, []string{"wait a minute"}},
		{create, 503, `<html>Busy</html>`, exitTemp, []string{"the API answers 503", "run it again later"}},
		{list, 404, `not JSON`, exitNo, []string{"--api right"}},
		{list, 302, `https://elsewhere.invalid/`, exitNo, []string{"a redirect is not followed"}},
		{list, 200, `<html>`, exitNo, []string{"not what the API documents"}},
		{list, 200, `{"results":{"id":1}}`, exitNo, []string{"not what the API documents"}},
		{list, 200, strings.Repeat(" ", maxAPIAnswer+1), exitTemp, []string{"the answer is over"}},
		{create, 200, `{"results":{}}`, exitNo, []string{"no id"}},
		{create, 200, `{"results":{"id":"../../x"}}`, exitNo, []string{"no id"}},
	} {
		a, target := newFakeAccount(t), fakeTarget(t, nil)
		a.answers[c.call] = func() (int, string) { return c.status, c.text }
		_, _, err := a.setUp(sparkpostSetup{target: target.URL + "/", token: sparkpostToken})
		f, ok := err.(*failure)
		if !ok || f.status != c.exit {
			t.Errorf("%s %d: %#v, want exit status %d", c.call, c.status, err, c.exit)
			continue
		}
		contains(t, f.Error()+"\n"+f.hint, c.says...)
	}
}

func TestSparkpostNobodyThere(t *testing.T) {
	a, target := newFakeAccount(t), fakeTarget(t, nil)
	s := sparkpostSetup{target: target.URL + "/", token: sparkpostToken}
	target.Close()
	out, warned, err := a.setUp(s)
	if f, ok := err.(*failure); !ok || f.status != exitNo {
		t.Errorf("%v, want a failure", err)
	}
	contains(t, warned, "the target cannot be tried from here")
	contains(t, out, "SparkPost's validation: FAILED: no connection to the target", "and not before")

	// Out of reach from here, but not for SparkPost: that is the operator's network.
	a.answers["POST /relay-webhooks/12013026328707070/validate"] = func() (int, string) {
		return 200, `{"results":{"msg":"Test POST to endpoint succeeded","response":{"status":200,"headers":{},"body":"OK"}}}`
	}
	if out, _, err = a.setUp(s); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	place, err := sparkpostPlaceOf(a.server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	a.server.Close()
	api := &sparkpostAPI{place: place, client: trusting(a.server)}
	err = (&sparkpostSetup{domain: "inbound.example.com"}).run(t.Context(), io.Discard, func(string) {}, api, &relayTarget{})
	if f, ok := err.(*failure); !ok || f.status != exitTemp {
		t.Errorf("%v, want a failure that can be tried again", err)
	}
}

func TestSparkpostTargets(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(r *http.Request) (int, string)
		works  bool
		says   string // printed or warned of
	}{
		{"wants another token", func(*http.Request) (int, string) { return 401, "" }, false, "webhook.auth"},
		{"other path", func(*http.Request) (int, string) { return 404, "" }, false, "webhook.paths"},
		{"redirects", func(r *http.Request) (int, string) { return 301, "https://" + r.Host + "/other" }, false, "it redirects"},
		{"other success", func(*http.Request) (int, string) { return 204, "" }, false, "answered with 204, which must be 200"},
		{"short bodies", func(*http.Request) (int, string) { return 413, "" }, false, "client_max_body_size"},
		{"front alone", func(*http.Request) (int, string) { return 502, "" }, false, "is certinbox serve running"},
		{"open", func(*http.Request) (int, string) { return 200, `{"events":[]}` }, true, "takes posts without the token too"},
		{"something else", func(r *http.Request) (int, string) {
			if r.Header.Get(tokenHeader) == "" {
				return 401, ""
			}
			return 200, "OK"
		}, true, "does not look like certinbox serve"},
	} {
		a := newFakeAccount(t)
		out, warned, err := a.setUp(sparkpostSetup{target: fakeTarget(t, c.answer).URL + "/", token: sparkpostToken})
		if (err == nil) != c.works {
			t.Errorf("%s: %v", c.name, err)
		}
		contains(t, out+warned, c.says)
	}
}

// TestSparkpostTLSIsVerified: neither the key nor a token goes to a server with a
// certificate of nobody.
func TestSparkpostTLSIsVerified(t *testing.T) {
	a := newFakeAccount(t)
	place, err := sparkpostPlaceOf(a.server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	api := &sparkpostAPI{place: place, key: sparkpostKey, client: noRedirects(30 * time.Second)}
	if err := api.do(t.Context(), listWebhooks(), nil); err == nil || len(a.asked) > 0 {
		t.Errorf("%v, and the server was asked %v", err, a.asked)
	}
}

// TestSparkpostDryRun: what is printed is what an account without anything is asked.
func TestSparkpostDryRun(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(sparkpostToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, target := newFakeAccount(t), fakeTarget(t, nil)
	if _, _, err := a.setUp(sparkpostSetup{target: target.URL + "/", token: sparkpostToken}); err != nil {
		t.Fatal(err)
	}
	asked := a.asked
	a.asked = nil
	t.Setenv("SPARKPOST_API_KEY", sparkpostKey)
	var out, errs bytes.Buffer
	status := run([]string{"sparkpost", "setup", "--dry-run", "--api", a.server.URL, "--domain", "Inbound.example.com.", "--target", target.URL, "--token-file", token}, nil, &out, &errs)
	if status != exitOK || len(a.asked) > 0 {
		t.Fatalf("exit %d, asked %v\n%s", status, a.asked, errs.String())
	}
	text := out.String()
	for _, secret := range []string{sparkpostToken, sparkpostKey} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret is printed:\n%s", text)
		}
	}
	for _, q := range asked {
		method, rest, _ := strings.Cut(q, " ")
		path, body, _ := strings.Cut(rest, " ")
		path = strings.Replace(path, "12013026328707070", "ID", 1)
		contains(t, text, method+" "+a.server.URL+"/api/v1"+path+"\nAuthorization: ********\n", strings.ReplaceAll(body, sparkpostToken, masked))
	}
	contains(t, text, "POST "+target.URL+"/\nContent-Type: application/json\nX-MessageSystems-Webhook-Token: ********\n\n[{\"msys\":{}}]\n", "Nothing was sent")
	contains(t, errs.String(), "443 for https only")
}

func TestSparkpostUsage(t *testing.T) {
	short := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(short, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SPARKPOST_API_KEY", "")
	good := []string{"--domain", "inbound.example.com", "--target", "https://hooks.example.com/"}
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{nil, exitUsage, "--domain"},
		{[]string{"--domain", "localhost", "--target", "https://hooks.example.com/"}, exitUsage, "is not a domain"},
		{[]string{"--domain", "a/../b.example", "--target", "https://hooks.example.com/"}, exitUsage, "is not a domain"},
		{[]string{"--domain", "inbound.example.com", "--target", "hooks.example.com"}, exitUsage, "--target"},
		{[]string{"--domain", "inbound.example.com", "--target", "https://user:secret@hooks.example.com/"}, exitUsage, "--target"},
		{append([]string{"--token-file", short}, good...), exitUsage, "has 5 characters"},
		{append([]string{"--token-file", short + ".none"}, good...), exitNoInput, "no such file"},
		{append([]string{"--name", "a\nb"}, good...), exitUsage, "--name"},
		{good, exitUsage, "there is no API key"},
		{append([]string{"--dry-run"}, good...), exitOK, "without --token-file"},
		{[]string{"--dry-run", "--domain", "example.com", "--target", "http://127.0.0.1:8855"}, exitOK, "use a subdomain"},
	} {
		var errs bytes.Buffer
		if status := run(append([]string{"sparkpost", "setup"}, c.args...), nil, io.Discard, &errs); status != c.status {
			t.Errorf("%v: exit %d, want %d", c.args, status, c.status)
		}
		contains(t, errs.String(), c.says)
	}
}
