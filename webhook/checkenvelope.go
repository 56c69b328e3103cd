package webhook

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/certinbox/certinbox/verify"
)

// Bounds of an envelope.
const (
	maxRecipients = 1000 // in the request
	maxRemembered = 100  // recipients that the judgement gets to see, of ours and of others
	maxValue      = 1024 // bytes of a value; RFC 5321 section 4.5.3.1.3 knows paths of 256
)

// fieldPrefix stands before a key where it is a header field: X-Certinbox-Tls-Version.
const fieldPrefix = "X-Certinbox-"

// envelopeKeys are what can be said of a message.
func envelopeKeys() []string {
	return []string{"sender", "rcpt", "client", "id", "tls_version", "tls_cipher", "authenticated", "keep", "after_queue"}
}

// A checkEnvelope is what a check is told, beside the message.
type checkEnvelope struct {
	env   verify.Envelope // without recipients
	rcpts []string
}

// readEnvelope reads the query and the X-Certinbox- fields of a request. An error
// names the key and says what to write.
func readEnvelope(r *http.Request) (checkEnvelope, error) {
	said, err := envelopeValues(r)
	if err != nil {
		return checkEnvelope{}, err
	}
	e := checkEnvelope{env: verify.Envelope{Via: "check"}, rcpts: said["rcpt"]}
	one := func(key string) string {
		if v := said[key]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	if v := said["sender"]; len(v) > 0 {
		sender := strings.TrimSuffix(strings.TrimPrefix(v[0], "<"), ">")
		e.env.Sender = &sender
	}
	if e.env.Client = one("client"); e.env.Client != "" {
		a, err := netip.ParseAddr(e.env.Client)
		if err != nil {
			return checkEnvelope{}, fmt.Errorf("client %q is not an IP address", e.env.Client)
		}
		if a.Zone() != "" {
			e.env.Client = a.WithZone("").String() // a zone may be any text
		}
	}
	e.env.ID = one("id")
	e.env.TLS = verify.TLSInfo{Version: one("tls_version"), Cipher: one("tls_cipher")}
	keep := true
	for key, to := range map[string]*bool{"authenticated": &e.env.Authenticated, "keep": &keep, "after_queue": &e.env.AfterQueue} {
		if err := readFlag(said, key, to); err != nil {
			return checkEnvelope{}, err
		}
	}
	e.env.Trial = !keep
	if len(e.rcpts) == 0 || slices.Contains(e.rcpts, "") {
		return checkEnvelope{}, fmt.Errorf("rcpt is missing or empty: name each recipient of the message, as rcpt=ADDRESS or %sRcpt: ADDRESS", fieldPrefix)
	}
	return e, nil
}

// readFlag reads 0 or 1; without the key, to stays as it is.
func readFlag(said map[string][]string, key string, to *bool) error {
	v := said[key]
	if len(v) == 0 {
		return nil
	}
	if v[0] != "0" && v[0] != "1" {
		return fmt.Errorf("%s is to be 0 or 1", key)
	}
	*to = v[0] == "1"
	return nil
}

// envelopeValues collects what is said of each key. A key is said in one place,
// and once unless it is rcpt.
func envelopeValues(r *http.Request) (map[string][]string, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("the query cannot be read: write & between keys and %%XX for what is special")
	}
	said := map[string][]string{}
	for key, values := range query {
		if !slices.Contains(envelopeKeys(), key) {
			return nil, fmt.Errorf("unknown key %q: the keys are %s", clip(key), strings.Join(envelopeKeys(), ", "))
		}
		said[key] = values
	}
	for name, values := range r.Header {
		rest, ours := strings.CutPrefix(name, fieldPrefix) // net/http has made the names canonical
		if !ours {
			continue
		}
		key := strings.ReplaceAll(strings.ToLower(rest), "-", "_")
		if !slices.Contains(envelopeKeys(), key) {
			return nil, fmt.Errorf("unknown field %s: it is one of the keys %s, with %s before it and - for _", clip(name), strings.Join(envelopeKeys(), ", "), fieldPrefix)
		}
		if said[key] != nil {
			return nil, fmt.Errorf("%s is said in the query and in a field: say it once", key)
		}
		said[key] = values
	}
	return said, bounded(said)
}

func bounded(said map[string][]string) error {
	for key, values := range said {
		limit := 1
		if key == "rcpt" {
			limit = maxRecipients
		}
		if len(values) > limit {
			return fmt.Errorf("%s is there %d times, at most %d", key, len(values), limit)
		}
		for _, v := range values {
			if len(v) > maxValue {
				return fmt.Errorf("%s has %d bytes, at most %d", key, len(v), maxValue)
			}
		}
	}
	return nil
}
