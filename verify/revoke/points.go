package revoke

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds of what is read of the sources that a certificate names. Certificates
// name one or two.
const (
	maxPoints     = 8 // distribution points
	maxListURLs   = 4 // URLs of lists that are tried, of all points
	maxResponders = 2 // OCSP responders that are tried
)

// A listPoint is one URL of a distribution point.
type listPoint struct {
	url  string
	same []string // every URL of the distribution point, this one among them: they lead to one list
}

// listPoints returns where the revocation lists of c lie (RFC 5280 section
// 4.2.1.13): http and https only, at most maxListURLs. A point for some reasons
// only, or whose list somebody else than the issuer of c signs, is left out: it
// cannot say that c stands. So is everything of an extension that is damaged.
func listPoints(c *x509.Certificate) []listPoint {
	var der cryptobyte.String
	for _, e := range c.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 31}) {
			der = e.Value
		}
	}
	var points cryptobyte.String
	if !der.ReadASN1(&points, tag.SEQUENCE) || !der.Empty() {
		return nil
	}
	var out []listPoint
	for n := 0; !points.Empty() && n < maxPoints; n++ {
		var point cryptobyte.String
		if !points.ReadASN1(&point, tag.SEQUENCE) {
			return nil
		}
		urls, ok := pointURLs(point)
		if !ok {
			return nil
		}
		for _, u := range urls {
			if len(out) < maxListURLs && fetchable(u) &&
				!slices.ContainsFunc(out, func(p listPoint) bool { return p.url == u }) {
				out = append(out, listPoint{u, urls})
			}
		}
	}
	return out
}

// pointURLs reads the inside of a DistributionPoint. It returns no URL where
// the point is not used, and false where it is damaged.
func pointURLs(point cryptobyte.String) ([]string, bool) {
	var name, full, reasons, issuer cryptobyte.String
	var named, byFullName, someReasons, otherIssuer bool
	constructed := func(n uint8) tag.Tag { return tag.Tag(n).ContextSpecific().Constructed() }
	if !point.ReadOptionalASN1(&name, &named, constructed(0)) ||
		!point.ReadOptionalASN1(&reasons, &someReasons, tag.Tag(1).ContextSpecific()) ||
		!point.ReadOptionalASN1(&issuer, &otherIssuer, constructed(2)) || !point.Empty() {
		return nil, false
	}
	if !named || someReasons || otherIssuer {
		return nil, true
	}
	// The other choice, a name relative to the issuer, is no URL.
	if !name.ReadOptionalASN1(&full, &byFullName, constructed(0)) {
		return nil, false
	}
	var urls []string
	for byFullName && !full.Empty() {
		var value cryptobyte.String
		var form tag.Tag
		if !full.ReadAnyASN1(&value, &form) {
			return nil, false
		}
		if form == tag.Tag(6).ContextSpecific() && len(value) <= maxURL && len(urls) < 2*maxListURLs {
			urls = append(urls, string(value))
		}
	}
	return urls, true
}

// responders returns the URLs of the OCSP responders of c (RFC 5280 section
// 4.2.2.1): http and https only, at most maxResponders.
func responders(c *x509.Certificate) []string {
	var out []string
	for _, u := range c.OCSPServer {
		if len(out) < maxResponders && len(u) <= maxURL && fetchable(u) && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out
}

// fetchable says whether u has a scheme that can be asked at all. LDAP and
// others are as if they were not there; a URL that the rules about hosts forbid
// is not: it stays as a source that does not answer.
func fetchable(u string) bool {
	scheme, rest, found := strings.Cut(u, "://")
	return found && rest != "" && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}
