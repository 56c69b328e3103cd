package trust

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxOpinions is how many trust objects may speak of one certificate. NSS has one.
const maxOpinions = 16

// builtins joins certificates with what is said about them.
type builtins struct {
	bundle   Bundle
	problems []Problem
	name     string // of the file
	forms    map[string]trustForm
	trusts   map[string][]*builtin // by issuer and serial number, and by hash
	used     map[*builtin]bool     // trust objects that a certificate was found for
	place    map[string]int        // of a root in bundle, by DER
}

// mailRoots takes the roots with the e-mail trust bit from the objects of a
// certdata.txt. A certificate is one if a trust object with its issuer, serial
// number and hash makes it an anchor for mail, and none, found by any of them,
// says otherwise. The order of objects and their labels do not matter.
func mailRoots(name, version string, objects []builtin) (Bundle, []Problem) {
	b := &builtins{bundle: Bundle{Version: version}, name: name, forms: trustForms(),
		trusts: map[string][]*builtin{}, used: map[*builtin]bool{}, place: map[string]int{}}
	for i := range objects {
		o := &objects[i]
		if _, ok := b.forms[o.class]; ok {
			for _, key := range []string{o.name(), hashKey(o.hash())} {
				b.trusts[key] = append(b.trusts[key], o)
			}
		}
	}
	for i := range objects {
		switch o := &objects[i]; {
		case o.class == "CKO_CERTIFICATE":
			b.certificate(o)
		case b.forms[o.class].mail == nil && o.class != "CKO_NSS_BUILTIN_ROOT_LIST" && o.class != "CKO_NETSCAPE_BUILTIN_ROOT_LIST":
			b.report(o, true, "an object of class "+printable(o.class)+" is not used")
		}
	}
	for i := range objects {
		if o := &objects[i]; b.forms[o.class].mail != nil && !b.used[o] && b.anchors(o) {
			b.report(o, false, "no certificate stands in the file for the trust in "+o.called())
		}
	}
	return b.bundle, b.problems
}

func (b *builtins) report(o *builtin, warning bool, text string) {
	b.problems = append(b.problems, Problem{File: b.name, Index: o.index, Text: text, Warning: warning})
}

// certificate takes a root that is trusted for mail; one whose trust or limits
// are in doubt is reported and not taken.
func (b *builtins) certificate(o *builtin) {
	about := b.about(o)
	mail := false
	for _, t := range about {
		b.used[t] = true
		mail = mail || b.anchors(t)
	}
	if !mail {
		return
	}
	root, err := b.root(o, about)
	if err != nil {
		b.report(o, false, o.called()+" is not used: "+err.Error())
		return
	}
	if text, warning := unusable(root.Certificate); text != "" {
		b.report(o, warning, text)
		return
	}
	if i, twice := b.place[string(root.Certificate.Raw)]; twice {
		first := &b.bundle.Roots[i]
		first.DistrustAfter = earlier(first.DistrustAfter, root.DistrustAfter)
		b.report(o, true, o.called()+" stands in the file twice")
		return
	}
	b.place[string(root.Certificate.Raw)] = len(b.bundle.Roots)
	b.bundle.Roots = append(b.bundle.Roots, root)
}

// about returns the trust objects that speak of a certificate in any way, of
// too many one more than allowed.
func (b *builtins) about(o *builtin) []*builtin {
	der := o.octets("CKA_VALUE")
	h1, h256 := sha1.Sum(der), sha256.Sum256(der)
	var all []*builtin
	for _, key := range []string{o.name(), hashKey(h1[:]), hashKey(h256[:])} {
		for _, t := range b.trusts[key] {
			if !slices.Contains(all, t) && len(all) <= maxOpinions {
				all = append(all, t)
			}
		}
	}
	return all
}

// root checks everything that is said about a certificate.
func (b *builtins) root(o *builtin, about []*builtin) (Root, error) {
	if len(about) > maxOpinions {
		return Root{}, fmt.Errorf("over %d trust objects speak of it", maxOpinions)
	}
	for _, t := range about {
		form := b.forms[t.class]
		if unknown := t.unknown(plainAttributes(), form.mail, form.other); unknown != "" {
			return Root{}, fmt.Errorf("its trust object has an attribute that is not understood, %s", printable(unknown))
		}
		if !b.anchors(t) {
			return Root{}, errors.New("one trust object makes a CA for mail of it, another does not")
		}
		if t.name() != o.name() || !bytes.Equal(t.hash(), t.hashOf(o.octets("CKA_VALUE"))) {
			return Root{}, errors.New("its trust object has another hash, or another issuer and serial number")
		}
	}
	if unknown := o.unknown(plainAttributes()); unknown != "" {
		return Root{}, fmt.Errorf("it has an attribute that is not understood, %s: it may be limited", printable(unknown))
	}
	if kind := o.attributes["CKA_CERTIFICATE_TYPE"].text; kind != "CKC_X_509" {
		return Root{}, errors.New("it is no X.509 certificate")
	}
	c, text, _ := object{der: o.octets("CKA_VALUE"), text: "the certificate is missing"}.certificate()
	if c == nil {
		return Root{}, errors.New(text)
	}
	if o.name() != nameOf(c) {
		return Root{}, errors.New("issuer and serial number beside the certificate are not those in it")
	}
	var after time.Time
	for _, said := range append([]*builtin{o}, about...) { // NSS has it in the certificate's object
		date, err := said.distrustAfter()
		if err != nil {
			return Root{}, err
		}
		after = earlier(after, date)
	}
	return Root{Certificate: c, Label: o.label(c), DistrustAfter: after}, nil
}

// anchors says whether a trust object makes a CA for mail of a certificate.
func (b *builtins) anchors(t *builtin) bool {
	form, found := b.forms[t.class], false
	for _, name := range form.mail {
		a, ok := t.attributes[name]
		if ok && (a.kind != "CK_TRUST" || !slices.Contains(form.anchor, a.text)) {
			return false
		}
		found = found || ok
	}
	return found
}

// earlier returns the earlier of two dates of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
