package milter

import (
	"strings"
	"testing"

	"github.com/certinbox/certinbox/verify"
)

// TestAnswerIsWhole: a reply of any length carries its codes on every line.
func TestAnswerIsWhole(t *testing.T) {
	for first := 1; first <= 200; first++ {
		for _, second := range []int{1, 60, 120, 200} {
			r := verify.Reply{Code: 550, Enhanced: "5.7.1", Lines: []string{
				strings.Repeat("a", first), strings.Repeat("b", second) + "100%", "(cert-address; ref 4cX9k2)"}}
			data := string(answer(r).Response().Data)
			lines := strings.Split(strings.TrimSuffix(data, "\x00"), "\r\n")
			for i, want := range []string{"550-5.7.1 a", "550-5.7.1 b", "550 5.7.1 (cert-address; ref 4cX9k2)"} {
				if len(lines) != 3 || !strings.HasPrefix(lines[i], want) {
					t.Fatalf("lines of %d and %d characters go out as %q", first, second, data)
				}
			}
		}
	}
	if got := answer(verify.Reply{Code: 250, Enhanced: "2.0.0", Lines: []string{"x"}}).Response().Data; len(got) != 0 {
		t.Errorf("an acceptance as a refusal goes out as %q", got)
	}
}
