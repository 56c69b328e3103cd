package verify

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify/trust"
)

func TestUsage(t *testing.T) {
	p := newPKI()
	const (
		sign     = x509.KeyUsageDigitalSignature
		commit   = x509.KeyUsageContentCommitment
		encipher = x509.KeyUsageKeyEncipherment
		data     = x509.KeyUsageDataEncipherment
		agree    = x509.KeyUsageKeyAgreement
	)
	oids := func(o ...asn1.ObjectIdentifier) []asn1.ObjectIdentifier { return o }
	mail, any, server := testmail.EmailProtection(), testmail.AnyUsage(), testmail.ServerAuth()
	unknown := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 2}
	for title, c := range map[string]struct {
		profile           testmail.Profile
		strict, lenient   string // reason without and with AllowMissingEKU
		signing, encrypts string // what the key and its usage are fit for
	}{
		"mail":                        {testmail.Profile{}, "", "", "", ""},
		"mail and others":             {testmail.Profile{EKU: oids(server, unknown, mail)}, "", "", "", ""},
		"mail and any":                {testmail.Profile{EKU: oids(any, mail)}, "", "", "", ""},
		"absent":                      {testmail.Profile{NoEKU: true}, "cert-usage", "", "", ""},
		"any":                         {testmail.Profile{EKU: oids(any)}, "cert-usage", "", "", ""},
		"TLS":                         {testmail.Profile{EKU: oids(server)}, "cert-usage", "cert-usage", "", ""},
		"unknown":                     {testmail.Profile{EKU: oids(unknown)}, "cert-usage", "cert-usage", "", ""},
		"a CA":                        {testmail.Profile{CA: true, EKU: oids(mail), Usage: sign | agree | x509.KeyUsageCertSign}, "cert-usage", "cert-usage", "", ""},
		"EC, no key usage":            {testmail.Profile{NoUsage: true}, "", "", "", ""},
		"EC, sign":                    {testmail.Profile{Usage: sign}, "", "", "", "cert-usage"},
		"EC, commitment":              {testmail.Profile{Usage: commit}, "", "", "", "cert-usage"},
		"EC, agree":                   {testmail.Profile{Usage: agree}, "", "", "cert-usage", ""},
		"EC, encipher":                {testmail.Profile{Usage: encipher}, "", "", "cert-usage", "cert-usage"},
		"EC, commit and agree":        {testmail.Profile{Usage: commit | agree}, "", "", "", ""},
		"RSA, no key usage":           {testmail.Profile{Kind: "rsa2048", NoUsage: true}, "", "", "", ""},
		"RSA, encipher":               {testmail.Profile{Kind: "rsa2048", Usage: encipher}, "", "", "cert-usage", ""},
		"RSA, data only":              {testmail.Profile{Kind: "rsa2048", Usage: data}, "", "", "cert-usage", "cert-usage"},
		"RSA, sign and agree":         {testmail.Profile{Kind: "rsa2048", Usage: sign | agree}, "", "", "", "cert-usage"},
		"RSA, sign and encipher":      {testmail.Profile{Kind: "rsa2048", Usage: sign | encipher}, "", "", "", ""},
		"RSA 2046":                    {testmail.Profile{Kind: "rsa2046"}, "", "", "cert-weak", "cert-weak"},
		"RSA 1024":                    {testmail.Profile{Kind: "rsa1024"}, "", "", "cert-weak", "cert-weak"},
		"P-224":                       {testmail.Profile{Kind: "p224"}, "", "", "", "cert-key"},
		"P-384":                       {testmail.Profile{Kind: "p384"}, "", "", "", ""},
		"P-521":                       {testmail.Profile{Kind: "p521"}, "", "", "", ""},
		"Ed25519":                     {testmail.Profile{Kind: "ed25519"}, "", "", "", "cert-key"},
		"Ed25519, usage for anything": {testmail.Profile{Kind: "ed25519", Usage: sign | agree}, "", "", "", "cert-key"},
	} {
		t.Run(title, func(t *testing.T) {
			if c.profile.Kind == "" {
				c.profile.Kind = "p256"
			}
			c.profile.Name = "Bob"
			cert := p.ca.Issue(c.profile).Cert
			for name, got := range map[string]struct {
				row  *Result
				want string
			}{
				"without an anchor":  {unfitForMail(cert, nil), c.strict},
				"with a strict one":  {unfitForMail(cert, &trust.Anchor{AllowSubjectAddress: true}), c.strict},
				"with a lenient one": {unfitForMail(cert, &trust.Anchor{AllowMissingEKU: true}), c.lenient},
				"to sign with":       {unfitToSign(cert, 8192), c.signing},
				"to encrypt to":      {unfitToEncrypt(cert, 8192), c.encrypts},
			} {
				reason := ""
				if got.row != nil {
					reason = got.row.Reason
				}
				if reason != got.want {
					t.Errorf("%s: %q, want %q", name, reason, got.want)
				}
				if got.row != nil && (got.row.Status != PolicyNo || got.row.Detail == "" || got.row.Plain == "") {
					t.Errorf("%s: %+v", name, got.row)
				}
			}
		})
	}
}

func TestOddRSAKeys(t *testing.T) {
	modulus := func(bits uint) *big.Int {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		return n.SetBit(n, 0, 1)
	}
	for _, c := range []struct {
		bits   uint
		e      int
		reason string
	}{
		{2047, 65537, "cert-weak"}, {2048, 65537, ""}, {2048, 3, ""}, {2048, 1, "cert-key"}, {2048, 2, "cert-key"},
		{2048, 65536, "cert-key"}, {8192, 65537, ""}, {8193, 65537, "cert-key"}, {65536, 65537, "cert-key"},
	} {
		cert := &x509.Certificate{PublicKey: &rsa.PublicKey{N: modulus(c.bits), E: c.e}}
		reason := ""
		if r := unfitToEncrypt(cert, 8192); r != nil {
			reason = r.Reason
		}
		if reason != c.reason {
			t.Errorf("%d bits, exponent %d: %q, want %q", c.bits, c.e, reason, c.reason)
		}
	}
	// keys that crypto/x509 leaves out: id-RSASSA-PSS, Ed448, ML-KEM
	if r := unfitToEncrypt(&x509.Certificate{}, 8192); r == nil || r.Reason != "cert-key" {
		t.Errorf("no key: %+v", r)
	}
}
