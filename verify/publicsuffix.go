package verify

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// multiTenant says whether strangers get names directly below domain from a
// provider who is missing in the public suffix list: one tenant must not
// vouch for another, nor the provider's shared signature for a tenant.
func multiTenant(domain string) bool {
	switch domain {
	case "onmicrosoft.com", "mail.onmicrosoft.com", "onmicrosoft.us", "onmicrosoft.de",
		"partner.onmschina.cn", "partner.mail.onmschina.cn",
		"gappssmtp.com", "mailgun.org", "sendgrid.net", "zendesk.com", "freshdesk.com",
		"myfreshworks.com", "service-now.com", "atlassian.net", "sharepoint.com",
		"salesforce.com", "my.salesforce.com", "odoo.com", "zohodesk.com":
		return true
	}
	// example-org.20230601.gappssmtp.com: the tenant stands below a date.
	return parent(domain) == "gappssmtp.com"
}

// parent returns domain without its first label, "" if there is but one.
func parent(domain string) string {
	_, above, _ := strings.Cut(domain, ".")
	return above
}

// publicSuffix returns the longest public suffix of domain, which may be all
// of it: by the list that is compiled in, or by multiTenant. Both want
// lower-case A-labels. A top-level domain that the list lacks is a suffix.
func publicSuffix(domain string) string {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	for d := domain; len(d) > len(suffix); d = parent(d) {
		if multiTenant(d) {
			return d
		}
	}
	return suffix
}

// organisation returns the organisational domain of domain: its public suffix
// and one label more. It is "" if domain is itself a public suffix.
func organisation(domain string) string {
	suffix := publicSuffix(domain)
	if domain == suffix || suffix == "" {
		return ""
	}
	below := strings.TrimSuffix(domain, "."+suffix)
	return below[strings.LastIndexByte(below, '.')+1:] + "." + suffix
}
