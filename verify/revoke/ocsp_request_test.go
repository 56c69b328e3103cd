package revoke

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestOCSPGet(t *testing.T) {
	w := newOCSPWorld()
	request, err := ocspRequest(w.leaf.Cert, w.ca.Cert)
	if err != nil {
		t.Fatal(err)
	}
	encoded := url.QueryEscape(base64.StdEncoding.EncodeToString(request))
	for base, want := range map[string]string{
		"http://ocsp.example.org":                             "http://ocsp.example.org/" + encoded,
		"http://ocsp.example.org/":                            "http://ocsp.example.org/" + encoded,
		"http://ocsp.example.org/ca/1":                        "http://ocsp.example.org/ca/1/" + encoded,
		"http://ocsp.example.org/ca/1/":                       "http://ocsp.example.org/ca/1/" + encoded,
		"http://ocsp.example.org/?ca=1":                       "",
		"http://ocsp.example.org/#ca":                         "",
		"http://ocsp.example.org/" + strings.Repeat("a", 255): "",
	} {
		got, ok := ocspGET(base, request)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%s: %s, %v", base, got, ok)
		}
	}
	// 254 bytes and 255
	if _, ok := ocspGET("http://a.example/"+strings.Repeat("a", 254-17-1-len(encoded)), request); !ok {
		t.Error("254 bytes are too many")
	}
	if _, ok := ocspGET("http://a.example/"+strings.Repeat("a", 255-17-1-len(encoded)), request); ok {
		t.Error("255 bytes are not too many")
	}
}

// TestOCSPGetSurvivesEscaping: all that base64 writes and URLs mean otherwise.
func TestOCSPGetSurvivesEscaping(t *testing.T) {
	request := []byte{0xfb, 0xff, 0xfe, 0x3e, 0x3f}
	got, ok := ocspGET("http://a.example", request)
	r, err := http.NewRequest(http.MethodGet, got, nil)
	if !ok || err != nil || strings.ContainsAny(strings.TrimPrefix(got, "http://a.example/"), "+/=") {
		t.Fatalf("%s, %v, %v", got, ok, err)
	}
	back, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil || string(back) != string(request) {
		t.Errorf("%s is %x, %v", got, back, err)
	}
}
