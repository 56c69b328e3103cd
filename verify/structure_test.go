package verify_test

import (
	"strings"
	"testing"

	"github.com/certinbox/certinbox/verify"
)

const (
	signedType = "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=BB\n\n"
	signedBody = "--BB\n\nHello.\n--BB\nContent-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\nAQID\n--BB--\n"
)

func TestStructure(t *testing.T) {
	mixed := func(part string) string {
		return "Content-Type: multipart/mixed; boundary=MM\n\n--MM\n" + part + "\n--MM--\n"
	}
	for name, c := range map[string]struct {
		entity string
		status verify.Status
		reason string
	}{
		"detached":             {signedType + signedBody, verify.Pass, ""},
		"opaque":               {"Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nx\n", verify.Pass, ""},
		"plain":                {"\nHello.\n", verify.Fail, "smime-none"},
		"no body":              {"", verify.Fail, "smime-none"},
		"text named p7s":       {mixed("Content-Type: text/plain; name=smime.p7s\n\nx"), verify.Fail, "smime-none"},
		"OpenPGP":              {strings.ReplaceAll(signedType+signedBody, "pkcs7", "pgp"), verify.Fail, "smime-pgp"},
		"inline OpenPGP":       {"\n-----BEGIN PGP SIGNED MESSAGE-----\n", verify.Fail, "smime-pgp"},
		"encrypted":            {"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx\n", verify.Fail, "smime-encrypted"},
		"nested":               {mixed(signedType + signedBody), verify.Fail, "smime-nested"},
		"third part":           {signedType + strings.Replace(signedBody, "--BB--", "--BB\n\nfooter\n--BB--", 1), verify.Fail, "smime-nested"},
		"certificate":          {mixed("Content-Type: application/pkix-cert\n\nx"), verify.Fail, "smime-certificate"},
		"certs-only":           {"Content-Type: application/pkcs7-mime; smime-type=certs-only\n\nx\n", verify.Fail, "smime-certificate"},
		"private key":          {mixed("Content-Type: application/x-pkcs12\n\nx"), verify.PolicyNo, "private-key"},
		"boundary twice":       {strings.Replace(signedType, "boundary=BB", "boundary=BB; boundary=BB", 1) + signedBody, verify.PermError, "message-malformed"},
		"base64 junk":          {signedType + strings.Replace(signedBody, "AQID", "AQ?D", 1), verify.PermError, "cms-malformed"},
		"signature cut off":    {signedType + "--BB\n\nHello.\n", verify.PermError, "cms-malformed"},
		"blob over the limit":  {signedType + strings.Replace(signedBody, "AQID", strings.Repeat("AAAA", 400_000), 1), verify.PermError, "cms-malformed"},
		"large blob is in one": {"Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n" + strings.Repeat("AAAA", 400_000) + "\n", verify.Pass, ""},
	} {
		r := answered(verify.Envelope{}, honest+c.entity, nil)
		row := r.Result("structure")
		if row.Status != c.status || row.Reason != c.reason {
			t.Errorf("%s: %s %s, want %s %s", name, row.Status, row.Reason, c.status, c.reason)
		}
		if d := r.Decisive(); c.reason != "" && (d == nil || d.Check != "structure") {
			t.Errorf("%s: decided by %+v", name, d)
		}
		if row.Status != verify.Pass && (row.Plain == "" || row.Detail == "") {
			t.Errorf("%s: nothing to say: %+v", name, row)
		}
	}
}

// Where the header cannot be read there is no structure to speak of, in every
// transport alike.
func TestStructureIsNotReachedWithoutHeader(t *testing.T) {
	for _, all := range []bool{false, true} {
		r := answered(verify.Envelope{}, " "+honest+signedType+signedBody, func(v *verify.Verifier) { v.All = all })
		for _, row := range r.Results[1:] {
			if row.Status != verify.None || row.Reason != "" {
				t.Errorf("all %v: %+v", all, row)
			}
		}
	}
}

// Whoever mails a private key must not find it in our log or reply.
func TestStructureKeepsNoPrivateKey(t *testing.T) {
	const secret = "c2VjcmV0c2VjcmV0"
	r := answered(verify.Envelope{}, honest+"\n-----BEGIN PRIVATE KEY-----\n"+secret+"\n-----END PRIVATE KEY-----\n", func(v *verify.Verifier) { v.All = true })
	if row := r.Result("structure"); row.Reason != "private-key" {
		t.Fatalf("%+v", row)
	}
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	json, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	all := b.String() + string(json) + r.Reply("ref", "").String() + r.AuthResults("mx.example.org") + r.LogValue().String()
	if strings.Contains(all, secret) {
		t.Error("the key is in a printer's output")
	}
}
