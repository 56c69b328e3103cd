package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/verify/trust"
)

// An addition is what trust add was told.
type addition struct {
	domains        []string
	exclusive      bool
	intermediate   bool
	anchor         bool
	missingEKU     bool
	subjectAddress bool
}

func trustAddCommand() *cobra.Command {
	var a addition
	cmd := &cobra.Command{
		Use:   "add FILE --domains DOMAIN,...|any",
		Short: "trust a company's CA, for its domains",
		Long: `Keep the CA certificates of FILE (DER, PEM or PKCS #7) in store.path/trust as anchors that
may vouch for addresses in the given domains: example.com, .example.com for those below
it, or the word any, which lets them vouch for any address in the world. A CA that is
added again gets the new limits.

Self-signed CAs become anchors. A CA that one of these signed and that stands in the same
file becomes an intermediate: it helps to find a path and is not trusted by itself. Any
other CA needs a choice: --intermediate, if its root is trusted already, or --anchor, which
trusts it without its root.

Nothing is added if FILE holds a private key, the certificate of a holder, or a CA that may
not issue for mail. Expired CAs are left out. Root becomes the user that owns the store
first.

Exit status: 0 done; 64 wrong usage, or FILE holds what cannot be trusted; 66 no such
file; 74 it failed; 77 not permitted; 78 configuration.`,
		Example: `  certinbox trust add company-root.cer --domains example.com,.example.com --exclusive
  certinbox trust add company-issuing-ca.cer --intermediate
  certinbox trust add company-ca.p7b --domains .example.com && systemctl reload certinbox`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.run(cmd, args[0])
		},
	}
	cmd.Flags().StringSliceVar(&a.domains, "domains", nil, "`domains` of the addresses for which they may vouch, or any; required for anchors")
	cmd.Flags().BoolVar(&a.exclusive, "exclusive", false, "no other CA may vouch for these domains, public ones included")
	cmd.Flags().BoolVar(&a.intermediate, "intermediate", false, "they help to find a path and are not trusted by themselves")
	cmd.Flags().BoolVar(&a.anchor, "anchor", false, "trust CAs that are not self-signed, too")
	cmd.Flags().BoolVar(&a.missingEKU, "allow-missing-eku", false, "take certificates without, or with any, extended key usage")
	cmd.Flags().BoolVar(&a.subjectAddress, "allow-subject-address", false, "let the subject's address count where the subjectAltName names none")
	return cmd
}

func (a *addition) run(cmd *cobra.Command, file string) error {
	if err := a.check(); err != nil {
		return err
	}
	c, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	now := time.Now()
	objects, problems, err := objectsOf(file, now)
	if err != nil {
		return err
	}
	tell := teller(cmd.ErrOrStderr())
	cas, err := usableCAs(file, objects, problems, tell)
	if err != nil {
		return err
	}
	anchors, between, err := a.sort(cas)
	if err != nil {
		return err
	}
	return changeTrust(c, func(f *trust.Folder) error {
		for _, ca := range between {
			if err := f.AddIntermediate(ca, file, now); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "intermediate %s %s\n", trust.Fingerprint(ca), subjectOf(ca))
		}
		for _, ca := range anchors {
			if err := f.AddAnchor(ca, a.source(file), now); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "anchor %s %s, for %s\n", trust.Fingerprint(ca), subjectOf(ca), strings.Join(a.domains, " "))
		}
		a.look(cmd.ErrOrStderr(), c, now, f)
		reloadNext(cmd.OutOrStdout())
		return nil
	})
}

// check says what is wrong with the flags.
func (a *addition) check() error {
	switch {
	case a.intermediate && (a.anchor || a.exclusive || a.missingEKU || a.subjectAddress || len(a.domains) > 0):
		return fail(exitUsage, errors.New("--intermediate stands alone: an intermediate is bound by the limits of its root"))
	case a.intermediate:
		return nil
	case len(a.domains) == 0:
		return &failure{exitUsage, errors.New("--domains is missing: a company's CA that may vouch for any address in the world is a decision to be taken in writing"),
			"--domains example.com,.example.com, or --domains any"}
	case slices.Contains(a.domains, config.AnyDomain) && len(a.domains) > 1:
		return fail(exitUsage, errors.New("--domains any stands alone"))
	case a.anyDomain() && a.exclusive:
		return fail(exitUsage, errors.New("--exclusive needs domains: any would leave nothing to the other CAs"))
	case a.anyDomain():
		return nil
	}
	if _, err := trust.DomainList(a.domains); err != nil {
		return fail(exitUsage, fmt.Errorf("--domains: %w", err))
	}
	return nil
}

func (a *addition) anyDomain() bool { return slices.Equal(a.domains, []string{config.AnyDomain}) }

func (a *addition) source(file string) trust.Source {
	s := trust.Source{File: file, Domains: a.domains, Exclusive: a.exclusive, AllowMissingEKU: a.missingEKU, AllowSubjectAddress: a.subjectAddress}
	if a.anyDomain() {
		s.Domains = nil
	}
	return s
}

// usableCAs returns the CAs of a file, or says what stands in it that nobody
// should trust. It is all or nothing, but for what has expired.
func usableCAs(file string, objects []trust.Object, problems []trust.Problem, tell func(string)) ([]*x509.Certificate, error) {
	var cas []*x509.Certificate
	var errs []error
	for _, p := range problems {
		if !p.Warning {
			errs = append(errs, errors.New(p.String()))
		}
	}
	for _, o := range objects {
		at := fmt.Sprintf("%s, object %d", file, o.Index)
		switch {
		case o.Kind == trust.PrivateKey:
			return nil, &failure{exitUsage, fmt.Errorf("%s: %s", file, o.Problem), "export the CA certificate alone, and keep the key where it was made"}
		case o.Kind == trust.Leaf:
			errs = append(errs, fmt.Errorf("%s: %s is the certificate of a holder, not of a CA", at, subjectOf(o.Certificate)))
		case o.Certificate == nil && o.Warning:
			tell(at + ": " + o.Problem)
		case o.Problem != "":
			errs = append(errs, fmt.Errorf("%s: %s", at, o.Problem))
		case o.Expired:
			tell(fmt.Sprintf("%s: %s expired on %s and is left out", at, subjectOf(o.Certificate), day(o.Certificate.NotAfter)))
		case !o.Distrust.IsZero():
			errs = append(errs, fmt.Errorf("%s: %s vouches only for what it issued until %s, and no such date is kept here; name the file under trust.anchors, where it counts",
				at, subjectOf(o.Certificate), day(o.Distrust)))
		default:
			cas = append(cas, o.Certificate)
		}
	}
	if len(errs) > 0 {
		return nil, &failure{exitUsage, errors.Join(errs...), "nothing was added; certinbox trust list " + file + " shows what the file holds"}
	}
	if len(cas) == 0 {
		return nil, fail(exitUsage, fmt.Errorf("%s holds no CA certificate that can be added", file))
	}
	return cas, nil
}

// sort says which CAs become anchors and which help only.
func (a *addition) sort(cas []*x509.Certificate) (anchors, between []*x509.Certificate, err error) {
	var others []*x509.Certificate
	for _, c := range cas {
		switch {
		case trust.SelfSigned(c) && a.intermediate:
			return nil, nil, fail(exitUsage, fmt.Errorf("%s is self-signed: it is the beginning of a path or of no use; add it with --domains", subjectOf(c)))
		case trust.SelfSigned(c) || a.anchor:
			anchors = append(anchors, c)
		case a.intermediate:
			between = append(between, c)
		default:
			others = append(others, c)
		}
	}
	for more := true; more; {
		more = false
		others = slices.DeleteFunc(others, func(c *x509.Certificate) bool {
			if !slices.ContainsFunc(slices.Concat(anchors, between), func(p *x509.Certificate) bool { return trust.IssuedBy(c, p) }) {
				return false
			}
			between, more = append(between, c), true
			return true
		})
	}
	if len(others) == 0 {
		return anchors, between, nil
	}
	var errs []error
	for _, c := range others {
		errs = append(errs, fmt.Errorf("%s is not self-signed: it was issued by %s, which is not in the file", subjectOf(c), issuerOf(c)))
	}
	return nil, nil, &failure{exitUsage, errors.Join(errs...),
		"nothing was added; add the root with --domains and this one with --intermediate, or trust it without its root with --anchor"}
}

// look puts together what the daemon will, and says what it will say.
func (a *addition) look(stderr io.Writer, c *config.Config, now time.Time, f *trust.Folder) {
	tell := teller(stderr)
	_, err := (&world{}).trusted(c, now, func(problem string) {
		if strings.Contains(problem, f.Path()) {
			tell(problem)
		}
	})
	if err != nil {
		tell("the daemon will not take it yet: " + err.Error())
	}
}
