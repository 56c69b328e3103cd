package main

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/verify/trust"
)

func trustVerifyCommand() *cobra.Command {
	var w world
	var untrusted string
	cmd := &cobra.Command{
		Use:   "verify CERT",
		Short: "explain whether a certificate leads to a trusted CA",
		Long: `Look for a path from a holder's certificate to a trusted CA, as for a mail, and explain the
one that is found, or the nearest one and why it fails. CERT is a file in PEM, DER or PKCS #7;
the CAs in it, and those of --untrusted, help to find the path, as the certificates in a
mail do, beside the intermediates that are kept.

Whether the CA revoked the certificate is not asked, nor whose mail it is: "certinbox
inspect" judges whole messages. Whoever may not read store.path/trust is warned, and what
"certinbox trust add" and "block" put there does not count: root may.

Exit status: 0 a path is found; 1 there is none; 64 wrong usage; 66 no such file; 78
configuration.`,
		Example: `  certinbox trust verify alice.crt
  certinbox trust verify --untrusted company-ca.p7b --at 2026-03-02T12:00:00Z alice.crt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			now, err := w.clock()
			if err != nil {
				return err
			}
			leaf, bag, err := leafAndBag(args[0], untrusted, now())
			if err != nil {
				return err
			}
			if c, err = asDaemon(cmd, c); err != nil {
				return err
			}
			t, err := w.trusted(c, now(), teller(cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			return explain(cmd.OutOrStdout(), c, t, leaf, bag, now())
		},
	}
	cmd.Flags().StringVar(&w.at, "at", "", "judge as if it were this `time` (RFC 3339, 2026-03-02T12:00:00Z)")
	cmd.Flags().StringVar(&w.anchors, "anchors", "", "trust the CA certificates in this `file` or folder, for any domain, and no others")
	cmd.Flags().StringVar(&untrusted, "untrusted", "", "certificates in this `file` help to find a path")
	return cmd
}

// maxVerifyBag bounds the certificates that help; trust looks at fewer.
const maxVerifyBag = 1000

// leafAndBag returns the certificate of a holder in a file, the first if there
// are several, and everything beside it.
func leafAndBag(file, untrusted string, now time.Time) (leaf *x509.Certificate, bag []*x509.Certificate, err error) {
	objects, _, err := objectsOf(file, now)
	if err != nil {
		return nil, nil, err
	}
	for _, o := range objects {
		if o.Certificate != nil && (leaf == nil && o.Kind == trust.Leaf || len(objects) == 1) {
			leaf = o.Certificate
		} else if o.Certificate != nil {
			bag = append(bag, o.Certificate)
		}
	}
	if leaf == nil {
		return nil, nil, &failure{exitUsage, fmt.Errorf("%s holds no certificate of a holder", file), "certinbox trust list " + file + " shows what it holds"}
	}
	if untrusted != "" {
		more, _, err := objectsOf(untrusted, now)
		if err != nil {
			return nil, nil, err
		}
		for _, o := range more {
			if o.Certificate != nil {
				bag = append(bag, o.Certificate)
			}
		}
	}
	return leaf, bag[:min(len(bag), maxVerifyBag)], nil
}

func explain(out io.Writer, c *config.Config, t trusted, leaf *x509.Certificate, bag []*x509.Certificate, now time.Time) error {
	l := c.Policy().Limits
	path, refusal := t.anchors.Path(leaf, bag, trust.Options{At: now, MaxChain: l.Chain, MaxSANs: l.SANs, RSABits: l.RSABits})
	var b bytes.Buffer
	if refusal == nil {
		writeChain(&b, path.Chain, t, bag, path.Anchor)
		fmt.Fprintf(&b, "usage: %s\n", usageText(leaf))
		fmt.Fprintf(&b, "trusted: the path leads to %s\nrevocation is not asked here\n", foreign(path.Anchor.Source))
	} else {
		if len(refusal.Chain) > 0 {
			fmt.Fprintln(&b, "the nearest path:")
			writeChain(&b, refusal.Chain, t, bag, nil)
			if refusal.Where < len(refusal.Chain) {
				fmt.Fprintf(&b, "fails at: %d %s\n", refusal.Where, subjectOf(refusal.Chain[refusal.Where]))
			}
		} else {
			writeChain(&b, []*x509.Certificate{leaf}, t, bag, nil)
		}
		if refusal.Constraint != "" {
			fmt.Fprintf(&b, "limit: %s\n", foreign(refusal.Constraint))
		}
		fmt.Fprintf(&b, "usage: %s\nnot trusted: %s (%s)%s\n", usageText(leaf), refusal.Detail, refusal.Reason, quotedNames(refusal.Names))
	}
	if _, err := out.Write(b.Bytes()); err != nil {
		return fail(exitIO, err)
	}
	if refusal != nil {
		return fail(exitNo, nil)
	}
	return nil
}

func quotedNames(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf(": %q", foreign(strings.Join(names, ", ")))
}

// writeChain prints each certificate of a path and where it comes from.
func writeChain(out io.Writer, chain []*x509.Certificate, t trusted, bag []*x509.Certificate, end *trust.Anchor) {
	for i, c := range chain {
		fmt.Fprintf(out, "%d %s\n", i, subjectOf(c))
		fmt.Fprintf(out, "  valid   %s to %s\n  key     %s\n  sha256  %s\n  from    %s\n", day(c.NotBefore), day(c.NotAfter), keyText(c.PublicKey), trust.Fingerprint(c), origin(i, c, t, bag))
		a := anchorOf(t, c)
		if end != nil && end.Certificate.Equal(c) {
			a = end
		}
		if i > 0 && a != nil {
			d := describeAnchor(a)
			fmt.Fprintf(out, "  anchor  %s\n  limits  %s\n", foreign(a.Source), d.limits())
		} else if text := strings.Join(trust.Limits(c), "; "); i > 0 && text != "" {
			fmt.Fprintf(out, "  limits  %s\n", text)
		}
	}
}

// origin says where a certificate of a path comes from.
func origin(i int, c *x509.Certificate, t trusted, bag []*x509.Certificate) string {
	if i == 0 {
		return "the file"
	}
	if anchorOf(t, c) != nil {
		return "the anchors"
	}
	for _, o := range bag {
		if o.Equal(c) {
			return "the file or --untrusted"
		}
	}
	return "the intermediates that are kept"
}

func anchorOf(t trusted, c *x509.Certificate) *trust.Anchor {
	for _, a := range t.anchors.List() {
		if a.Certificate.Equal(c) {
			return a
		}
	}
	return nil
}

// usageText says what a leaf is made for, as its extensions put it.
func usageText(c *x509.Certificate) string {
	var extended []string
	mail := false
	for _, u := range c.ExtKeyUsage {
		name := map[x509.ExtKeyUsage]string{x509.ExtKeyUsageAny: "any", x509.ExtKeyUsageEmailProtection: "emailProtection",
			x509.ExtKeyUsageClientAuth: "clientAuth", x509.ExtKeyUsageServerAuth: "serverAuth", x509.ExtKeyUsageCodeSigning: "codeSigning"}[u]
		if name == "" {
			name = "other"
		}
		mail = mail || u == x509.ExtKeyUsageEmailProtection
		extended = append(extended, name)
	}
	for _, id := range c.UnknownExtKeyUsage {
		extended = append(extended, id.String())
	}
	text := "extended: " + orNone(extended)
	if !mail {
		text += " (not made for mail: taken only where the anchor allows it)"
	}
	var keys []string
	for i, name := range []string{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign"} {
		if c.KeyUsage&(1<<i) != 0 {
			keys = append(keys, name)
		}
	}
	return text + "; key: " + orNone(keys)
}

func orNone(words []string) string {
	if len(words) == 0 {
		return "none named"
	}
	return strings.Join(words, ", ")
}
