package verify

import (
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
)

// TestLongNamesAreNotWritten: a name can be as long as a certificate, and writing
// it takes time that grows with the square of its length.
func TestLongNamesAreNotWritten(t *testing.T) {
	keys := testmail.NewKeys()
	long := keys.Root(testmail.Profile{Name: strings.Repeat("x", 5000), Kind: "p256"})
	if s := Subject(long.Cert); !strings.Contains(s, "too long to be written") || len(s) > 100 {
		t.Errorf("%q", s)
	}
	if s := Subject(keys.Root(testmail.Profile{Name: "Alice", Kind: "p256"}).Cert); s != "CN=Alice" {
		t.Errorf("%q", s)
	}
}
