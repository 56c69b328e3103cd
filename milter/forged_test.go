package milter

import (
	"strings"
	"testing"
	"time"
)

func TestForged(t *testing.T) {
	const id = "mx.example.net"
	for value, want := range map[string]bool{
		" mx.example.net; dkim=pass":                        true,
		"mx.example.net;none":                               true,
		"mx.example.net":                                    true,
		" MX.Example.NET 1; dkim=pass":                      true,
		"\n\tmx.example.net\n ; dkim=pass":                  true,
		" (hi) mx.example.net; dkim=pass":                   true,
		" (a (nested \\) one)) mx.example.net(x); spf=none": true,
		" \"mx.example.net\"; dkim=pass":                    true,
		" \"mx\\.example.net\" 1; dkim=pass":                true,
		" mx.example.net.; dkim=pass":                       true,
		" (never closed mx.example.net; dkim=pass":          true,
		" \"never closed mx.example.net; dkim=pass":         true,
		" ; mx.example.net; dkim=pass":                      true,
		" mx.example.net\"; dkim=pass":                      true,

		" other.example.net; dkim=pass":                           false,
		" mx.example.net.evil.example; dkim=pass":                 false,
		" xmx.example.net; dkim=pass":                             false,
		" mx.example.network; dkim=pass":                          false,
		" mx.example.net-2; dkim=pass":                            false,
		" (mx.example.net) other.example; dkim=pass":              false,
		" other.example; dkim=pass header.d=mx.example.net":       false,
		" \"other.example\"; dkim=pass reason=\"mx.example.net\"": false,
		"":              false,
		" ":             false,
		" (no end":      false,
		" (mx) ":        false,
		" ; dkim=pass":  false,
		"mx.example.ne": false,
	} {
		if got := forged(value, id); got != want {
			t.Errorf("forged(%q) = %v, want %v", value, got, want)
		}
	}
	if forged(" ; x", "") {
		t.Error("without a name of ours nothing claims it")
	}
}

// FuzzForgedAR: a field that begins with our name is always found, whatever
// follows; and the reading ends.
func FuzzForgedAR(f *testing.F) {
	for _, s := range []string{"; dkim=pass", " 1;", "(c);", "", "\n\t;x", "(", "\"", "\\"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		began := time.Now()
		const id = "mx.example.net"
		forged(before+id+after, id)
		comment := "(" + strings.NewReplacer("(", "", ")", "", "\\", "").Replace(before) + ")"
		if !forged(comment+" Mx.example.net;"+after, id) || !forged("\"mx.example.net\" "+after, id) {
			t.Fatalf("not found with %q before and %q behind", comment, after)
		}
		if strings.Contains(strings.ToLower(before), id) {
			return
		}
		if got, ok := authserv(before); ok && strings.Contains(got, "\n") && !strings.Contains(before, "\"") {
			t.Fatalf("name %q from %q", got, before)
		}
		if d := time.Since(began); d > time.Second {
			t.Fatalf("%d bytes took %v", len(before)+len(after), d)
		}
	})
}
