package collect

import (
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"

	"github.com/certinbox/certinbox/verify"
)

// recipients knows the collection addresses. It is asked for every recipient
// of all mail of the host, so the usual answer, no, comes after one look at
// the domain.
type recipients struct {
	byDomain  map[string][]string // A-label domain → folded local parts
	delimiter string
}

func newRecipients(p verify.Policy) recipients {
	r := recipients{byDomain: map[string][]string{}, delimiter: p.RecipientDelimiter}
	for _, a := range p.Collect {
		local, domain, ok := cutAddress(a)
		if !ok {
			continue
		}
		domain = asciiDomain(domain)
		r.byDomain[domain] = append(r.byDomain[domain], fold(local))
	}
	return r
}

func (r *recipients) match(rcpt string) bool {
	address := path(rcpt) // of any length: Postfix delivers secureme+2000characters too
	local, domain, ok := cutAddress(address)
	if !ok || strings.HasPrefix(domain, "[") {
		// RCPT TO:<local>: the MTA appends a domain of its own, and local@[IP] is
		// one, too. That may be ours, and then the mail must not come in without
		// being judged.
		return r.bare(fold(unquote(local))) || r.routed(address)
	}
	locals := r.at(domain)
	return locals != nil && r.among(locals, fold(unquote(local))) || r.routed(address)
}

// at returns the local parts of the collection addresses in a domain, as the MTA
// takes it: Postfix folds a domain like a local part, where sharp s is ss and IDNA
// has it as a letter of its own, and both MTAs may complete one without a dot.
func (r *recipients) at(domain string) []string {
	name := asciiDomain(domain)
	locals := r.byDomain[name]
	if folded := asciiDomain(fold(domain)); folded != name {
		locals = append(slices.Clip(locals), r.byDomain[folded]...)
	}
	if name != "" && !strings.Contains(name, ".") {
		for d, l := range r.byDomain {
			if strings.HasPrefix(d, name+".") {
				locals = append(slices.Clip(locals), l...)
			}
		}
	}
	return locals
}

// routing are the signs that make an address a route to another one, or a list:
// local%domain@host, domain!local, "local@domain"@host, group:local@domain;.
// MTAs still follow and forgive them, each in its own way.
const routing = "%!:,;<>@"

// routed says whether a collection address is somewhere on a route. Which way it
// goes is not asked: nobody else's address is written like that.
func (r *recipients) routed(address string) bool {
	at := strings.LastIndexByte(address, '@')
	if !strings.ContainsAny(address[:max(at, 0)], routing) && !strings.ContainsAny(address[at+1:], routing) && at != len(address)-1 {
		return false
	}
	places := strings.FieldsFunc(address, func(c rune) bool { return strings.ContainsRune(routing+"\"\\ \t", c) })
	for _, domain := range places {
		locals := r.at(domain)
		if locals == nil {
			continue
		}
		for _, local := range places {
			if r.among(locals, fold(local)) {
				return true
			}
		}
	}
	return false
}

// mentions says whether a piece of s is the local part of a collection address,
// whatever stands around it.
func (r *recipients) mentions(s string) bool {
	pieces := strings.FieldsFunc(s, func(c rune) bool {
		return c <= ' ' || c == 0x7f || strings.ContainsRune(routing+specials, c)
	})
	for _, local := range pieces {
		if r.bare(fold(local)) {
			return true
		}
	}
	return false
}

func (r *recipients) bare(local string) bool {
	for _, locals := range r.byDomain {
		if r.among(locals, local) {
			return true
		}
	}
	return false
}

func (r *recipients) among(locals []string, local string) bool {
	base := local
	if r.delimiter != "" {
		if i := strings.Index(local, r.delimiter); i > 0 {
			base = local[:i]
		}
	}
	for _, l := range locals {
		if l == local || l == base {
			return true
		}
	}
	return false
}

// specials stand in a path outside of quotes only where an MTA forgives more than
// RFC 5321 section 4.1.2 allows.
const specials = `<>()[]:;,\"`

// Plain says whether a path without brackets and source route is one that MTAs read
// alike: local part or quoted string, then perhaps a domain or address literal. What
// Postfix makes of comments, lists and brackets in it, nobody can foretell.
func Plain(path string) bool {
	if strings.HasPrefix(path, `"`) {
		end := closing(path)
		if end < 0 || end+1 < len(path) && path[end+1] != '@' {
			return false
		}
		path = path[end+1:]
	}
	local, domain, found := strings.Cut(path, "@")
	if n := len(domain); n > 2 && domain[0] == '[' && domain[n-1] == ']' {
		domain = strings.ReplaceAll(domain[1:n-1], ":", "")
	}
	return tidy(local) && tidy(domain) && !(found && domain == "")
}

// tidy says whether s has no special, @, blank or control character.
func tidy(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f || c == '@' || strings.IndexByte(specials, c) >= 0 {
			return false
		}
	}
	return true
}

// closing returns where the quoted string at the beginning of s ends, -1 if it does not.
func closing(s string) int {
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i
		case c == '\\':
			i++
		case c < ' ' || c == 0x7f:
			return -1
		}
	}
	return -1
}

// path takes an address out of its angle brackets and its source route
// (RFC 5321 section 4.1.2): <@relay,@relay:local@domain>.
func path(rcpt string) string {
	s := strings.TrimSpace(rcpt)
	if strings.HasPrefix(s, "<") {
		s = strings.TrimSuffix(s[1:], ">")
	}
	if strings.HasPrefix(s, "@") {
		if _, after, ok := strings.Cut(s, ":"); ok {
			s = after
		}
	}
	return s
}

// fold makes local parts comparable without regard to case as MTAs do: Postfix
// folds UTF-8 by Unicode's full rules, to which the long s is an s and the ligature
// of f and i is two letters.
func fold(local string) string {
	for i := range len(local) {
		if local[i] >= 0x80 {
			return cases.Fold().String(local)
		}
	}
	return strings.ToLower(local)
}

func cutAddress(s string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// unquote returns the local part that a quoted string spells: to the MTA,
// "a"@example.com and a@example.com are one mailbox.
func unquote(local string) string {
	if len(local) < 2 || local[0] != '"' || local[len(local)-1] != '"' {
		return local
	}
	var b strings.Builder
	for i := 1; i < len(local)-1; i++ {
		if local[i] == '\\' && i+1 < len(local)-1 {
			i++
		}
		b.WriteByte(local[i])
	}
	return b.String()
}

// asciiDomain returns the domain in lower-case A-labels, as far as it can.
func asciiDomain(domain string) string {
	domain = strings.TrimSuffix(domain, ".")
	for i := range len(domain) {
		if domain[i] >= 0x80 {
			if a, err := idna.Lookup.ToASCII(domain); err == nil {
				return a
			}
			break
		}
	}
	return strings.ToLower(domain)
}
