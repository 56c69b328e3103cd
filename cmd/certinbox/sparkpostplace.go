package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strings"
)

// A sparkpostPlace is where an account lives.
type sparkpostPlace struct {
	base   string // of the API, without a slash at the end
	scheme string // what stands before the key in Authorization
	mx     []string
}

// sparkpostPlaceOf finds the API of a region or host, as documented by SparkPost
// (Relay Webhooks, Inbound Domains) and by Bird (Reach Email API). Of an
// enterprise host the MX is not known.
func sparkpostPlaceOf(api, workspace string) (sparkpostPlace, error) {
	var p sparkpostPlace
	host, bird := "", ""
	switch api {
	case "us":
		host, bird = "https://api.sparkpost.com", "https://email.us-west-1.api.bird.com"
		p.mx = []string{"rx1.sparkpostmail.com", "rx2.sparkpostmail.com", "rx3.sparkpostmail.com"}
	case "eu":
		host, bird = "https://api.eu.sparkpost.com", "https://email.eu-west-1.api.bird.com"
		p.mx = []string{"rx1.eu.sparkpostmail.com", "rx2.eu.sparkpostmail.com", "rx3.eu.sparkpostmail.com"}
	default:
		u, err := url.Parse(api)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return p, &failure{exitUsage, fmt.Errorf("--api %q is neither us, eu nor https://HOST", api), "the key goes there: HTTPS, and nothing behind the host"}
		}
		host = "https://" + u.Host
		bird = host
	}
	if workspace == "" {
		p.base = host + "/api/v1"
		return p, nil
	}
	if len(workspace) > 64 || strings.ContainsFunc(workspace, func(r rune) bool { return r != '-' && !letterOrDigit(r) }) {
		return p, &failure{exitUsage, fmt.Errorf("--workspace %q is not the id of a workspace", workspace), "it stands in the address of Bird's dashboard: letters, digits and hyphens"}
	}
	p.base, p.scheme = bird+"/workspaces/"+workspace+"/reach", "AccessKey "
	return p, nil
}

func letterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// check looks at the domain and the target, and fills in the name. What is only
// doubtful is told.
func (s *sparkpostSetup) check(tell func(string)) error {
	s.domain = strings.ToLower(strings.TrimSuffix(s.domain, "."))
	if err := checkHostname(s.domain); err != nil {
		return &failure{exitUsage, fmt.Errorf("--domain %q %w", s.domain, err), "like inbound.example.com; international names in their xn-- form"}
	}
	if strings.Count(s.domain, ".") == 1 {
		tell("the webhook takes all mail of " + s.domain + ", not only that of the collection address: use a subdomain, like inbound." + s.domain)
	}
	if s.name == "" {
		s.name = "certinbox " + s.domain
	}
	if len(s.name) > 64 || foreign(s.name) != s.name {
		return fail(exitUsage, errors.New("--name needs at most 64 printable characters"))
	}
	return s.checkTarget(tell)
}

// checkHostname takes a domain name of at least two labels (RFC 1035 section
// 2.3.1, and digits first).
func checkHostname(name string) error {
	labels := strings.Split(name, ".")
	if len(labels) < 2 || len(name) > 253 {
		return errors.New("is not a domain")
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' ||
			strings.ContainsFunc(l, func(r rune) bool { return r != '-' && !letterOrDigit(r) }) {
			return errors.New("is not a domain")
		}
	}
	return nil
}

func (s *sparkpostSetup) checkTarget(tell func(string)) error {
	u, err := url.Parse(s.target)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return &failure{exitUsage, errors.New("--target is not the URL of a webhook"), "like https://hooks.example.com/; without user, password or #"}
	}
	if u.Path == "" {
		u.Path = "/"
		s.target = u.String()
	}
	standard := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if p := u.Port(); p != "" && p != standard {
		tell("SparkPost posts to port 80 for http and 443 for https only: it will not take port " + p + "; put a front before it, see contrib/nginx")
	}
	if u.Scheme == "http" {
		tell("over http the mail and the token can be read and changed on the way: use https")
	}
	a, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() == "localhost" || err == nil && (a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()) {
		tell("SparkPost cannot reach " + u.Hostname() + " from where it is")
	}
	return nil
}

// printMX prints the records to set, and what to look at afterwards.
func (s *sparkpostSetup) printMX(w io.Writer, mx []string, works bool) {
	if works {
		fmt.Fprintf(w, "\nSet these MX records of %s, and no others:\n\n", s.domain)
	} else {
		fmt.Fprintf(w, "\nOnce the target answers as it should, and not before, set these MX records of %s, and no others:\n\n", s.domain)
	}
	for _, host := range mx {
		fmt.Fprintf(w, "    %s. IN MX 10 %s.\n", s.domain, host)
	}
	if len(mx) == 0 {
		fmt.Fprintf(w, "    %s. IN MX 10 inbound.MAIN-BOUNCE-DOMAIN.   (or TENANT.mx.e.sparkpost.com.)\n\nThat is how those of enterprise accounts look: take the one of your other domains there, or ask your account manager.\n", s.domain)
	}
	fmt.Fprintf(w, `
Then check that

  - dig +short MX %[1]s gives these and no others;
  - collect in config.yaml names the address at %[1]s: what goes to others there is answered 200 and dropped;
  - webhook.auth there has the secret of --token-file;
  - a signed mail to that address appears in the log of certinbox serve, which ends in "written file".
`, s.domain)
}
