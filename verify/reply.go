package verify

import (
	"fmt"
	"strings"
)

// A Reply is what the MTA says to the sending server. Its text is ASCII
// without control characters, at most three lines of at most maxLine bytes.
type Reply struct {
	Code     int    // SMTP reply code (RFC 5321 section 4.2), 250 for acceptance
	Enhanced string // enhanced status code (RFC 3463, RFC 7372)
	Lines    []string
}

// maxLine is the longest reply line we say, without codes and CRLF.
const maxLine = 200

// String returns the lines as they stand on the wire, joined by newlines and
// without the final one.
func (r Reply) String() string {
	var b strings.Builder
	for i, l := range r.Lines {
		sep := byte('-')
		if i == len(r.Lines)-1 {
			sep = ' '
		}
		fmt.Fprintf(&b, "%d%c%s %s", r.Code, sep, r.Enhanced, l)
		if sep == '-' {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// answer is what is said for a reason: the codes, what is wrong in our own
// words, and what the sender can do.
type answer struct {
	code     int
	enhanced string
	wrong    string
	advice   string
}

// answers is the table of reasons. Its keys are stable: they stand in
// replies, logs, metrics and JSON.
func answers(reason string) (answer, bool) {
	switch reason {
	case "":
		return answer{250, "2.0.0", "Accepted.", ""}, true
	case "message-malformed":
		return answer{550, "5.6.0", "The header of this message is damaged.", "Your mail program or a relay produced a damaged header; try another program."}, true
	case "from-invalid":
		return answer{550, "5.7.1", "The From field does not name exactly one usable address.", "Send from exactly one address."}, true
	case "header-duplicate":
		return answer{550, "5.6.0", "A header field that may stand only once is repeated.", "A relay added a second copy of a header; send directly."}, true
	case "auto-submitted":
		return answer{550, "5.7.1", "This is an automatic message, a bounce or list mail.", "Send a personal mail."}, true
	case "too-big":
		return answer{552, "5.3.4", "The message is too large.", "Send a short mail without attachments."}, true
	case "smime-none":
		return answer{550, "5.6.1", "The message is not signed with S/MIME.", "Turn on \"Sign\" / \"Digitally sign\" in your mail program and send again."}, true
	case "smime-pgp":
		return answer{550, "5.6.1", "The message is signed or encrypted with OpenPGP.", "This address collects S/MIME certificates, not OpenPGP keys."}, true
	case "smime-encrypted":
		return answer{550, "5.6.1", "The message is encrypted, which hides its signature.", "Send it signed only, not encrypted."}, true
	case "smime-nested":
		return answer{550, "5.6.1", "The S/MIME signature does not cover the whole message.", "A disclaimer, list or forward wrapped the signed mail; send it directly."}, true
	case "smime-certificate":
		return answer{550, "5.6.1", "A certificate is attached, but the message is not signed.", "Sign the mail instead of attaching the certificate."}, true
	case "private-key":
		return answer{550, "5.7.1", "A private key is attached. Nothing of it was kept.", "Never mail your private key; get a new certificate and only sign the mail."}, true
	case "dkim-none":
		return answer{550, "5.7.20", "The message has no DKIM signature.", "Your domain does not sign mail with DKIM; ask your mail administrator to turn it on."}, true
	case "dkim-fail":
		return answer{550, "5.7.20", "The DKIM signature does not hold.", "The mail was changed after DKIM signing (list, footer, forwarding, a gateway); send it directly or tell your administrator."}, true
	case "dkim-key":
		return answer{550, "5.7.20", "The DKIM key of the sending domain is missing or unusable in DNS.", "Tell your mail administrator: the record at SELECTOR._domainkey.DOMAIN needs repair."}, true
	case "dkim-unacceptable":
		return answer{550, "5.7.21", "The DKIM signature uses a setting that is not accepted here.", "Ask your mail administrator to change the named DKIM setting."}, true
	case "dkim-unaligned":
		return answer{550, "5.7.22", "DKIM signs for another domain than that of the From address.", "Ask your mail administrator to enable DKIM for the domain of your From address."}, true
	case "dkim-temperror":
		return answer{451, "4.4.3", "The DNS of the sending domain did not answer.", "This is temporary; your server will try again."}, true
	case "cms-malformed":
		return answer{550, "5.6.0", "The S/MIME signature cannot be read.", "Try \"clear-signed\" sending in your mail program."}, true
	case "cms-algorithm":
		return answer{550, "5.7.6", "The S/MIME signature uses an algorithm that is not accepted.", "Set the hash algorithm of your mail program to SHA-256."}, true
	case "cms-integrity":
		return answer{550, "5.7.7", "The content is not what was signed.", "The content changed after signing (banner, antivirus, gateway); send it directly."}, true
	case "cms-signers":
		return answer{550, "5.7.1", "The message is signed by several identities.", "Sign with one certificate, your own."}, true
	case "cms-no-certificate":
		return answer{550, "5.7.5", "The signer's certificate is not in the message.", "Enable \"include my certificate with signed messages\"."}, true
	case "cert-malformed":
		return answer{550, "5.7.5", "Your certificate cannot be read.", "Ask your CA for a new certificate."}, true
	case "cert-untrusted":
		return answer{550, "5.7.5", "The issuer of your certificate is not trusted here.", "Use a certificate of a public mail CA or ask the postmaster to add yours."}, true
	case "cert-incomplete":
		return answer{550, "5.7.5", "An intermediate certificate of your CA is missing.", "Re-import your certificate with its full chain."}, true
	case "cert-expired":
		return answer{550, "5.7.5", "Your certificate has expired.", "Renew it and sign with the new one."}, true
	case "cert-not-yet-valid":
		return answer{550, "5.7.5", "Your certificate is not valid yet.", "Check the clock, or wait until it is valid."}, true
	case "cert-distrusted":
		return answer{550, "5.7.5", "Your CA is no longer trusted for certificates as new as yours.", "Get a certificate from another CA."}, true
	case "cert-constraint":
		return answer{550, "5.7.5", "The issuer of your certificate may not issue it.", "Your issuer may not issue for your domain; tell your administrator."}, true
	case "cert-usage":
		return answer{550, "5.7.1", "Your certificate is not made for encrypting mail.", "Choose or include your encryption certificate; ask your CA for its \"secure email\" profile."}, true
	case "cert-key":
		return answer{550, "5.7.6", "The key of your certificate cannot be used for encryption here.", "Ask your CA for an RSA 2048 or P-256 certificate."}, true
	case "cert-weak":
		return answer{550, "5.7.6", "Your certificate is too weak (RSA below 2048 bits, or SHA-1).", "Ask your CA for RSA 2048 or P-256 with SHA-256."}, true
	case "cert-address":
		return answer{550, "5.7.1", "Your certificate is for another address than that in From.", "Send from the address in your certificate."}, true
	case "cert-no-address":
		return answer{550, "5.7.1", "Your certificate names no usable mail address.", "Get a certificate for this address."}, true
	case "cert-revoked":
		return answer{550, "5.7.5", "Your certificate has been revoked.", "Get a new certificate."}, true
	case "cert-hold":
		return answer{550, "5.7.5", "Your CA has suspended your certificate.", "Ask your CA."}, true
	case "cert-revocation-unknown":
		return answer{451, "4.7.5", "Your CA did not say whether your certificate still stands.", "This is temporary; your server will try again."}, true
	case "cert-revocation-none":
		return answer{550, "5.7.5", "Your certificate names no way to ask whether it still stands.", "Ask your CA for a certificate with a CRL address."}, true
	case "stale":
		return answer{550, "5.7.1", "The message or its signature is too old, or dated ahead.", "Write a new mail; check the clock of your computer."}, true
	case "not-for-us":
		return answer{550, "5.7.1", "Nothing signed says that this message is meant for this address.", "Put this address in To (not Bcc), write the agreed word in the subject, or use the address from our invitation."}, true
	case "cert-blocked":
		return answer{550, "5.7.1", "This certificate or address is not accepted here.", "Contact the postmaster."}, true
	case "token-required":
		return answer{550, "5.7.1", "This address needs an invitation.", "Use the address from our invitation."}, true
	case "tls-required":
		return answer{550, "5.7.0", "Mail from your domain must come over TLS.", "Ask your administrator to enable TLS."}, true
	case "rate-limited":
		return answer{451, "4.7.1", "Too many messages.", "This is temporary; your server will try again."}, true
	case "recipients-split":
		return answer{452, "4.5.3", "This address takes mail in a transaction of its own.", "Your server will repeat it by itself."}, true
	case "recipient-syntax":
		return answer{550, "5.1.3", "This recipient is written in a way that mail servers read differently.", "Write it as a plain address: name@domain."}, true
	case "busy":
		return answer{451, "4.3.2", "Too many messages are being judged.", "This is temporary; your server will try again."}, true
	case "store-full":
		return answer{452, "4.3.1", "No room to keep the certificate.", "This is temporary; your server will try again."}, true
	case "clock", "internal":
		return answer{451, "4.3.0", "Something is wrong here, not with your message.", "This is temporary; your server will try again."}, true
	}
	return answer{}, false
}

// plain is what is wrong, in our own words, for a reason.
func plain(reason string) string {
	a, ok := answers(reason)
	if !ok {
		return ""
	}
	return a.wrong
}

// ReplyFor builds the reply for a reason, also for those that are no rows of a
// Report. detail replaces the general words about what is wrong; ref is what a
// sender quotes on the phone, help a URL, both may be "". An unknown reason is
// answered as our own trouble, 451 4.3.0: nothing fails open.
func ReplyFor(reason, detail, ref, help string) Reply {
	a, ok := answers(reason)
	if !ok {
		a, _ = answers("internal")
		reason, detail = "internal", ""
	}
	r := Reply{Code: a.code, Enhanced: a.enhanced}
	wrong := a.wrong
	if detail != "" {
		wrong = sentence(detail)
	}
	r.Lines = append(r.Lines, line(wrong))
	if a.advice != "" {
		r.Lines = append(r.Lines, line(a.advice))
	}
	if last := reference(reason, ref, help); last != "" {
		r.Lines = append(r.Lines, last)
	}
	return r
}

// maxRef bounds the reference in a reply.
const maxRef = 64

// reference is the last line: what a sender quotes on the phone. A help URL
// that does not fit is left out, never cut.
func reference(reason, ref, help string) string {
	ref, help = line(ref), line(help)
	if len(ref) > maxRef {
		ref = ref[:maxRef]
	}
	var parts []string
	if reason != "" {
		parts = append(parts, reason)
	}
	if ref != "" {
		parts = append(parts, "ref "+ref)
	}
	if len(parts) == 0 {
		return ""
	}
	last := "(" + strings.Join(parts, "; ") + ")"
	if help != "" && len(help)+1+len(last) <= maxLine {
		last = help + " " + last
	}
	return last
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	s = strings.TrimRight(strings.TrimSpace(s), ".") + "."
	return strings.ToUpper(s[:1]) + s[1:]
}

// line makes s one printable ASCII line of at most maxLine bytes.
func line(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s) && len(b) < maxLine; i++ {
		if c := s[i]; c >= ' ' && c <= '~' {
			b = append(b, c)
		} else {
			b = append(b, '?')
		}
	}
	return string(b)
}
