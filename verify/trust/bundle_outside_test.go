package trust_test

import (
	"strings"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

// TestRootsOutsideTheirDates: one line for all of a bundle, whatever the time.
func TestRootsOutsideTheirDates(t *testing.T) {
	for _, c := range []struct {
		years int
		says  string
	}{{0, ""}, {-7, "roots are outside their dates, certificates under them are refused: \"GlobalSign Secure Mail Root R45\", "}, {40, "88 of 88 roots are outside their dates"}} {
		now := testmail.Instant().AddDate(c.years, 0, 0)
		set, problems, err := trust.Load([]trust.Source{{File: "mozilla", Public: true, Contents: trust.Embedded()}}, now)
		if err != nil || set.Len() != 88 {
			t.Fatal(err)
		}
		var said []string
		for _, p := range problems {
			if strings.Contains(p.Text, "are refused") {
				said = append(said, p.Text)
			}
		}
		if c.says == "" && len(said) > 0 || c.says != "" && (len(said) != 1 || !strings.Contains(said[0], c.says)) {
			t.Errorf("%d years: %q", c.years, said)
		}
	}
}
