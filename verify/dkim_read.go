package verify

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/certinbox/certinbox/internal/smime"
)

// maxSkew is how far in our future a DKIM signature may say it was made.
const maxSkew = time.Hour

// readSignatures reads the DKIM-Signature fields, from the top, at most
// Limits.DKIMLooked. A signature whose settings are not accepted is refused
// already here, without a question to anybody.
func (f *facts) readSignatures() {
	for i, field := range f.header.Fields {
		if len(f.signatures) == f.v.Policy.Limits.DKIMLooked {
			return
		}
		if !strings.EqualFold(field.Name, "DKIM-Signature") {
			continue
		}
		s := dkimSignature{field: i, raw: field.Raw, relation: foreign}
		s.read(f)
		f.signatures = append(f.signatures, s)
	}
}

// read fills s from its field and judges the settings.
func (s *dkimSignature) read(f *facts) {
	_, value, _ := bytes.Cut(s.raw, []byte(":"))
	tags, err := parseTags(string(value))
	if err != nil {
		s.malformed(err.Error())
		return
	}
	if tags["v"] != "1" {
		s.unacceptable("is of a version other than 1 (v=)")
		return
	}
	for _, name := range []string{"a", "b", "bh", "d", "h", "s"} {
		if _, ok := tags[name]; !ok {
			s.malformed("the tag " + name + "= is missing")
			return
		}
	}
	// Who signed comes first: it decides whether the rest is of interest.
	if !s.readNames(tags) {
		return
	}
	s.relation = relate(s.domain, f.author.Domain)
	_ = s.readMethods(tags) && s.readCovered(tags, f.header, f.v.Policy.Limits.DKIMHeaderNames) &&
		s.readTimes(tags, f.at) && s.readValues(tags)
}

// readNames reads d=, s= and i=. Like the others of its kind it says whether
// all is well, and has refused the signature if not.
func (s *dkimSignature) readNames(tags map[string]string) bool {
	var ok bool
	// What has an underscore is no host: such names are often in the hands of
	// others, who prove the ownership of a domain or keep one of its keys.
	if s.domain, ok = signingDomain(tags["d"]); !ok || strings.Contains(s.domain, "_") {
		return s.unacceptable("has a d= that is not a host name")
	}
	selector := strings.ToLower(tags["s"])
	if !dnsLabels(selector) || len(selector)+len("._domainkey.")+len(s.domain) > 253 {
		return s.unacceptable("has an s= that is not a host name")
	}
	s.selector, s.identity = selector, "@"+s.domain
	i, given := tags["i"]
	if !given {
		return true
	}
	at := strings.LastIndexByte(i, '@')
	if at < 0 {
		return s.unacceptable("has an i= that is not an address")
	}
	domain, ok := signingDomain(i[at+1:])
	if !ok {
		return s.unacceptable("has an i= that is not an address")
	}
	if domain != s.domain && !strings.HasSuffix(domain, "."+s.domain) {
		return s.unacceptable("has an i= outside of its d=")
	}
	s.identity = printable(i[:min(at, 254)]) + "@" + domain
	return true
}

// printable makes foreign text safe to keep: what is no printable ASCII
// becomes a question mark.
func printable(s string) string {
	out := []byte(s)
	for i, c := range out {
		if c <= ' ' || c > '~' {
			out[i] = '?'
		}
	}
	return string(out)
}

// signingDomain returns a domain as lower-case A-labels. U-labels occur in
// internationalised mail (RFC 8616 section 4).
func signingDomain(s string) (string, bool) {
	if len(s) > 1000 {
		return "", false
	}
	for i := range len(s) {
		if s[i] >= 0x80 {
			ascii, err := idna.Lookup.ToASCII(s)
			if err != nil {
				return "", false
			}
			s = ascii
			break
		}
	}
	s = strings.ToLower(s)
	if !dnsLabels(s) || !strings.Contains(s, ".") || len(s) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label[0] == '-' || label[len(label)-1] == '-' {
			return "", false
		}
	}
	return s, true
}

// dnsLabels says whether s is made of labels of lower-case letters, digits,
// hyphens and underscores, without a final dot.
func dnsLabels(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return true
}

// readMethods reads a=, c=, q= and l=.
func (s *dkimSignature) readMethods(tags map[string]string) bool {
	s.algorithm = stripFWS(tags["a"])
	switch s.algorithm {
	case "rsa-sha256", "ed25519-sha256":
	case "rsa-sha1":
		return s.unacceptable("uses SHA-1 (a=rsa-sha1)")
	default:
		s.algorithm = ""
		return s.unacceptable("uses an algorithm other than rsa-sha256 and ed25519-sha256 (a=)")
	}
	if _, ok := tags["l"]; ok {
		return s.unacceptable("uses l=, which leaves a part of the body unsigned")
	}
	if !s.readForms(stripFWS(tags["c"])) {
		return s.unacceptable("uses an unknown canonicalisation (c=)")
	}
	if q, ok := tags["q"]; ok && !slices.Contains(tagList(q), "dns/txt") {
		return s.unacceptable("keeps its key elsewhere than in DNS (q=)")
	}
	return true
}

// readForms reads c=, the canonicalisation of the header and that of the body:
// each simple if it is not named (RFC 6376 section 3.5).
func (s *dkimSignature) readForms(c string) bool {
	header, body, _ := strings.Cut(c, "/")
	s.relaxedHeader, s.relaxedBody = header == "relaxed", body == "relaxed"
	return slices.Contains([]string{"", "simple", "relaxed",
		"simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"}, c)
}

// readCovered reads h= and finds the fields that it covers: of each name the
// lowest not yet taken, as often as it is named (RFC 6376 section 5.4.2).
func (s *dkimSignature) readCovered(tags map[string]string, header smime.Header, max int) bool {
	if strings.Count(tags["h"], ":") >= max {
		return s.unacceptable("names more than " + strconv.Itoa(max) + " fields in h=")
	}
	names := tagList(tags["h"])
	left := make(map[string][]int) // of each name the fields that are not yet taken, the lowest first
	for i, name := range names {
		if !fieldName(name) {
			return s.malformed("a name in h= is none")
		}
		names[i] = strings.ToLower(name)
		left[names[i]] = nil
	}
	if _, ok := left["from"]; !ok {
		return s.unacceptable("does not cover From (h=)")
	}
	for i := len(header.Fields) - 1; i >= 0; i-- {
		name := strings.ToLower(header.Fields[i].Name)
		if fields, named := left[name]; named && i != s.field {
			left[name] = append(fields, i)
		}
	}
	s.covered = make(map[string]bool)
	for _, name := range names {
		if fields := left[name]; len(fields) > 0 {
			s.picked = append(s.picked, fields[0])
			left[name] = fields[1:]
			s.covered[name] = len(fields) == 1
		}
	}
	return true
}

// fieldName says whether s could be a field's name (RFC 5322 section 2.2);
// the empty name occurs in h= and covers nothing.
func fieldName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// readTimes reads t= and x= (RFC 6376 section 3.5).
func (s *dkimSignature) readTimes(tags map[string]string, at time.Time) bool {
	signed, ok := tagTime(tags, "t")
	if !ok {
		return s.malformed("its t= is not a time")
	}
	expires, ok := tagTime(tags, "x")
	if !ok {
		return s.malformed("its x= is not a time")
	}
	switch {
	case !signed.IsZero() && signed.After(at.Add(maxSkew)):
		return s.unacceptable("was made in the future (t=)")
	case !signed.IsZero() && !expires.IsZero() && !expires.After(signed):
		return s.unacceptable("expires before it is made (x= and t=)")
	case !expires.IsZero() && at.After(expires):
		return s.unacceptable("has expired (x=)")
	}
	return true
}

// tagTime reads a time in seconds since 1970, at most twelve digits. The time
// is zero if the tag is absent.
func tagTime(tags map[string]string, name string) (time.Time, bool) {
	v, given := tags[name]
	if !given {
		return time.Time{}, true
	}
	n, err := strconv.ParseUint(v, 10, 63)
	if err != nil || len(v) > 12 {
		return time.Time{}, false
	}
	return time.Unix(int64(n), 0), true
}

// readValues reads b= and bh=.
func (s *dkimSignature) readValues(tags map[string]string) bool {
	var err error
	if s.signed, err = tagBytes(tags["b"]); err != nil || len(s.signed) == 0 {
		return s.malformed("its b= is not base64")
	}
	s.value = stripFWS(tags["b"])
	if s.bodyHash, err = tagBytes(tags["bh"]); err != nil || len(s.bodyHash) != 32 {
		return s.malformed("its bh= is not a SHA-256 hash in base64")
	}
	return true
}
