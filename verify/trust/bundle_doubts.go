package trust

import (
	"strings"
	"time"
)

// maxBundleAge is how old the data of a bundle may be before it is said: roots
// are added and distrusted several times a year.
const maxBundleAge = 180 * 24 * time.Hour

// Old says whether the data is older than 180 days. Data without a date is not:
// the caller who knows the file sets its date first.
func (b Bundle) Old(now time.Time) bool {
	return !b.Date.IsZero() && now.Sub(b.Date) > maxBundleAge
}

// minTLSRoots is below the smallest TLS bundle of a system in years (NSS 3.132:
// 118 roots) and above what an operator collects by hand.
const minTLSRoots = 40

// LooksLikeTLS says whether the roots are hardly meant for mail: there are 40 or
// more, and over half of them are not among the embedded e-mail roots. With
// those of NSS 3.132 embedded, that is so for 62 of 100 in the TLS bundles of
// 2023 to 67 of 100 in those of 2026, and for 38 of 100 in the e-mail roots of
// 2023 to 23 of 100 in those of 2025.
func LooksLikeTLS(b Bundle) bool {
	if len(b.Roots) < minTLSRoots {
		return false
	}
	mail := embeddedSums()
	strange := 0
	for _, r := range b.Roots {
		if !mail[Fingerprint(r.Certificate)] {
			strange++
		}
	}
	return 2*strange > len(b.Roots)
}

// embeddedSums returns the hashes of the embedded roots in hexadecimal.
func embeddedSums() map[string]bool {
	sums := map[string]bool{}
	for line := range strings.Lines(embedded) {
		if sum, ok := strings.CutPrefix(line, "# sha256="); ok {
			sums[strings.TrimSpace(sum)] = true
		}
	}
	return sums
}
