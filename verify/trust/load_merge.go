package trust

import (
	"fmt"
	"slices"
)

// add takes an anchor, or merges it with the same one from elsewhere.
func (l *loader) add(file string, index int, a *Anchor) error {
	switch {
	case a.Public: // takeBundle says so once for all
	case a.Certificate.NotAfter.Before(l.now):
		l.report(file, index, true, "the CA "+named(a.Certificate)+" expired on "+
			a.Certificate.NotAfter.UTC().Format("2 January 2006")+": certificates under it are refused")
	case a.Certificate.NotBefore.After(l.now):
		l.report(file, index, true, "the CA "+named(a.Certificate)+" is not valid yet: certificates under it are refused")
	}
	// The same CA may stand among the public roots, with none of the operator's
	// settings, and beside them as his own, with his: either may vouch.
	key := fmt.Sprint(a.Public, string(a.Certificate.Raw))
	if old := l.merged[key]; old != nil {
		if old.Exclusive != a.Exclusive || a.Exclusive && !slices.Equal(old.Domains, a.Domains) {
			return fmt.Errorf("the CA %s stands in %s too, and is to have domains for itself there or here: name it once",
				named(a.Certificate), old.Source)
		}
		l.report(file, index, true, old.narrow(a))
		return nil
	}
	if other := l.merged[fmt.Sprint(!a.Public, string(a.Certificate.Raw))]; other != nil {
		text := "the CA " + named(a.Certificate) + " stands in " + other.Source + " too: it vouches for any address as a public root"
		if d := other.DistrustAfter; other.Public && !d.IsZero() && (a.DistrustAfter.IsZero() || a.DistrustAfter.After(d)) {
			text += ", but for certificates issued after " + d.UTC().Format("2 January 2006") + ", for which it is trusted here alone"
		}
		l.report(file, index, true, text)
	}
	if len(l.anchors) == maxAnchors {
		return fmt.Errorf("over %d CA certificates in all", maxAnchors)
	}
	l.merged[key] = a
	l.anchors = append(l.anchors, a)
	return nil
}

// narrow takes over what is narrower in b, the same certificate from another
// source, and says what became of it.
func (a *Anchor) narrow(b *Anchor) string {
	text := "the CA " + named(a.Certificate) + " stands in " + a.Source + " too"
	same := slices.Equal(a.Domains, b.Domains) && (a.Domains == nil) == (b.Domains == nil) &&
		a.AllowMissingEKU == b.AllowMissingEKU && a.AllowSubjectAddress == b.AllowSubjectAddress &&
		a.DistrustAfter.Equal(b.DistrustAfter)
	a.DistrustAfter = earlier(a.DistrustAfter, b.DistrustAfter)
	if a.Label == "" {
		a.Label = b.Label
	}
	if same {
		return text
	}
	switch {
	case a.Domains == nil:
		a.Domains = b.Domains
	case b.Domains != nil:
		a.Domains = slices.DeleteFunc(slices.Clone(a.Domains), func(d string) bool { return !slices.Contains(b.Domains, d) })
	}
	a.AllowMissingEKU = a.AllowMissingEKU && b.AllowMissingEKU
	a.AllowSubjectAddress = a.AllowSubjectAddress && b.AllowSubjectAddress
	if a.Domains != nil && len(a.Domains) == 0 {
		return text + ", for other domains: no domain stands in both, so it may vouch for none; name it once"
	}
	return text + ", with other settings: the narrower hold; name it once"
}
