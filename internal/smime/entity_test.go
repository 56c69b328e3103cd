package smime

import (
	"encoding/base64"
	"strings"
	"testing"
)

// open scans and opens a message written with LF line ends.
func open(t *testing.T, message string) Entity {
	t.Helper()
	return openBytes(t, []byte(strings.ReplaceAll(message, "\n", "\r\n")), DefaultLimits())
}

func openBytes(t *testing.T, message []byte, lim Limits) Entity {
	t.Helper()
	h, body, err := ScanHeader(message, DefaultHeaderLimits())
	if err != nil {
		t.Fatal(err)
	}
	return Open(h, body, lim)
}

const (
	inner     = "Content-Type: text/plain\n\nHello.\n"
	signature = "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\nContent-Transfer-Encoding: base64\n\nAQID\n"
)

// signedAs makes a multipart/signed with two parts and a Content-Type of choice.
func signedAs(contentType string) string {
	return "Content-Type: " + contentType + "\n\n--BB\n" + inner + "\n--BB\n" + signature + "\n--BB--\n"
}

func signedWith(body string) string {
	return "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=BB\n\n" + body
}

// Every way in which a client may write a detached signature, to the byte.
func TestOpenDetached(t *testing.T) {
	for name, message := range map[string]string{
		"plain":               signedAs(`multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="BB"`),
		"x- protocol":         signedAs(`multipart/signed; protocol="application/x-pkcs7-signature"; boundary="BB"`),
		"any case":            signedAs(`Multipart/SIGNED; PROTOCOL="Application/PKCS7-Signature"; Boundary="BB"`),
		"no protocol":         signedAs(`multipart/signed; boundary="BB"`),
		"unquoted":            signedAs(`multipart/signed; protocol=application/pkcs7-signature; boundary=BB`),
		"folded":              signedAs("multipart/signed;\n\tprotocol=\"application/pkcs7-signature\";\n boundary=\"BB\""),
		"semicolon at end":    signedAs(`multipart/signed; boundary="BB";`),
		"blanks":              signedAs(`multipart/signed ; boundary = "BB" ; protocol = "application/pkcs7-signature"`),
		"wrong micalg":        signedAs(`multipart/signed; micalg="sha1, md5"; boundary="BB"`),
		"MIME-Version absent": signedAs(`multipart/signed; boundary=BB`),
		"8bit multipart":      "Content-Transfer-Encoding: 8BIT\n" + signedAs(`multipart/signed; boundary=BB`),
		"x- part":             signedWith("--BB\n" + inner + "\n--BB\n" + strings.Replace(signature, "pkcs7", "x-pkcs7", 1) + "\n--BB--\n"),
		"octets named .p7s": signedWith("--BB\n" + inner + "\n--BB\nContent-Type: application/octet-stream; name=SMIME.P7S\n" +
			"Content-Transfer-Encoding: BASE64\n\nAQID\n\n--BB--\n"),
		"octets without name": signedWith("--BB\n" + inner + "\n--BB\nContent-Type: application/octet-stream\n" +
			"Content-Transfer-Encoding: base64\n\nAQID\n\n--BB--\n"),
		"pkcs7-mime as part": signedWith("--BB\n" + inner + "\n--BB\nContent-Type: application/pkcs7-mime\n" +
			"Content-Transfer-Encoding: base64\n\nAQID\n\n--BB--\n"),
		"preamble":              signedWith("This is signed.\n--B\n\n--BB\n" + inner + "\n--BB\n" + signature + "\n--BB--\n"),
		"epilogue":              signedWith("--BB\n" + inner + "\n--BB\n" + signature + "\n--BB--\nThe end.\n--B\n"),
		"no closing delimiter":  signedWith("--BB\n" + inner + "\n--BB\n" + signature),
		"cut after closing":     signedWith("--BB\n" + inner + "\n--BB\n" + signature + "\n--BB--"),
		"blanks at delimiters":  signedWith("--BB \t\n" + inner + "\n--BB  \n" + signature + "\n--BB-- \t\n"),
		"base64 over lines":     signedWith("--BB\n" + inner + "\n--BB\n" + strings.Replace(signature, "AQID", " A\n\tQ\nI D\n\n", 1) + "\n--BB--\n"),
		"quoted-printable blob": signedWith("--BB\n" + inner + "\n--BB\nContent-Type: application/pkcs7-signature\nContent-Transfer-Encoding: quoted-printable\n\n=01=02=\n=03\n--BB--\n"),
		"binary blob":           signedWith("--BB\n" + inner + "\n--BB\nContent-Type: application/pkcs7-signature\nContent-Transfer-Encoding: binary\n\n\x01\x02\x03\n--BB--\n"),
		"blob without encoding": signedWith("--BB\n" + inner + "\n--BB\nContent-Type: application/pkcs7-signature\n\n\x01\x02\x03\n--BB--\n"),
	} {
		e := open(t, message)
		if e.Form != Detached || e.Problem != "" {
			t.Errorf("%s: form %q, %s: %s", name, e.Form, e.Problem, e.Detail)
			continue
		}
		if want := strings.ReplaceAll(inner, "\n", "\r\n"); string(e.Content) != want {
			t.Errorf("%s: content %q, want %q", name, e.Content, want)
		}
		if string(e.CMS) != "\x01\x02\x03" {
			t.Errorf("%s: blob %q", name, e.CMS)
		}
		if f, ok := e.Inner.First("Content-Type"); !ok || f.Value() != "text/plain" {
			t.Errorf("%s: inner header %v", name, e.Inner.Fields)
		}
	}
}

// Content is what stands between the delimiters, whatever it looks like.
func TestOpenKeepsContentToTheByte(t *testing.T) {
	for name, content := range map[string]string{
		"ordinary":             "Content-Type: text/plain\r\n\r\nHello.\r\n",
		"no final line end":    "Content-Type: text/plain\r\n\r\nHello.",
		"several line ends":    "A: b\r\n\r\nHello.\r\n\r\n\r\n",
		"no header":            "\r\nHello.",
		"only line ends":       "\r\n\r\n",
		"trailing blanks":      "A: b\r\n\r\nx \t \r\n",
		"8-bit":                "A: b\r\n\r\n\xfc\xe4\xf6\r\n",
		"odd header":           "Name : v\r\n: x\r\nnot a header\r\n\r\ny",
		"longer boundary":      "A: b\r\n\r\n--BBX\r\n--BB-foo\r\n--BB foo\r\n--BB--foo\r\n--BB--:\r\n--BB=\r\n",
		"shorter boundary":     "A: b\r\n\r\n--B\r\n--\r\nBB\r\n -- BB\r\n --BB\r\nx--BB\r\n",
		"case of the boundary": "A: b\r\n\r\n--bb\r\n--Bb--\r\n",
		"inner multipart":      "Content-Type: multipart/mixed; boundary=BBX\r\n\r\n--BBX\r\n\r\na\r\n--BBX\r\n\r\nb\r\n--BBX--\r\n",
		"attached message":     "Content-Type: message/rfc822\r\n\r\nFrom: a@example.org\r\n\r\nx\r\n",
		"folded header":        "Content-Type: text/plain;\r\n\tcharset=utf-8\r\n\r\n.\r\n..\r\n",
	} {
		message := "Content-Type: multipart/signed; boundary=BB\r\n\r\n--BB\r\n" + content +
			"\r\n--BB\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--BB--\r\n"
		e := openBytes(t, []byte(message), DefaultLimits())
		if e.Form != Detached || string(e.Content) != content {
			t.Errorf("%s: %s %s, content %q, want %q", name, e.Problem, e.Detail, e.Content, content)
		}
	}
}

func TestOpenOpaque(t *testing.T) {
	const blob = "\n\nAQID\n"
	for name, header := range map[string]string{
		"plain":            "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64",
		"x-":               "Content-Type: application/x-pkcs7-mime; smime-type=signed-data\nContent-Transfer-Encoding: base64",
		"any case":         "Content-Type: Application/PKCS7-MIME; Smime-Type=\"Signed-Data\"\nContent-Transfer-Encoding: Base64",
		"no smime-type":    "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64",
		"no type, p7m":     "Content-Type: application/pkcs7-mime; name=\"smime.p7m\"\nContent-Transfer-Encoding: base64",
		"octets by name":   "Content-Type: application/octet-stream; name=\"smime.p7m\"\nContent-Transfer-Encoding: base64",
		"octets by file":   "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=Smime.P7M\nContent-Transfer-Encoding: base64",
		"compressed-data":  "Content-Type: application/pkcs7-mime; smime-type=compressed-data\nContent-Transfer-Encoding: base64", // the blob decides
		"signed-receipt":   "Content-Type: application/pkcs7-mime; smime-type=signed-receipt\nContent-Transfer-Encoding: base64",
		"odd name of file": "Content-Type: application/pkcs7-mime; name=\"=?utf-8?q?x.p7m?=\"\nContent-Transfer-Encoding: base64",
	} {
		e := open(t, header+blob)
		if e.Form != Opaque || string(e.CMS) != "\x01\x02\x03" || e.Content != nil {
			t.Errorf("%s: form %q, %s: %s, blob %q", name, e.Form, e.Problem, e.Detail, e.CMS)
		}
	}
	for encoding, body := range map[string]string{
		"base64": "AQID", "quoted-printable": "=01=02= \t\n=03 \t", "7bit": "\x01\x02\x03", "8bit": "\x01\x02\x03", "binary": "\x01\x02\x03",
	} {
		e := open(t, "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: "+encoding+"\n\n"+body)
		if e.Form != Opaque || string(e.CMS) != "\x01\x02\x03" {
			t.Errorf("%s: form %q, %s: %s, blob %q", encoding, e.Form, e.Problem, e.Detail, e.CMS)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	const mixed = "Content-Type: multipart/mixed; boundary=MM\n\n--MM\nContent-Type: text/plain\n\nHello.\n\n--MM\n"
	pgpPart := strings.Replace(signature, "pkcs7-signature", "pgp-signature", 1)
	for name, c := range map[string]struct {
		message string
		problem Problem
	}{
		"plain text":               {"Content-Type: text/plain\n\nHello.\n", NotSigned},
		"no Content-Type":          {"Subject: x\n\nHello.\n", NotSigned},
		"header only":              {"Subject: x\n", NotSigned},
		"type of one word":         {"Content-Type: text\n\nHello.\n", NotSigned},
		"sloppy parameter":         {"Content-Type: text/plain; name=a b.txt\n\nHello.\n", NotSigned},
		"multipart, no boundary":   {"Content-Type: multipart/mixed\n\nHello.\n", NotSigned},
		"alternative":              {"Content-Type: multipart/alternative; boundary=MM\n\n--MM\n\na\n--MM\nContent-Type: text/html\n\nb\n--MM--\n", NotSigned},
		"text named smime.p7s":     {mixed + "Content-Type: text/plain; name=smime.p7s\nContent-Disposition: attachment; filename=smime.p7s\n\nHi.\n--MM--\n", NotSigned},
		"text message named p7m":   {"Content-Type: text/plain; name=smime.p7m\n\nHello.\n", NotSigned},
		"octets named .bin":        {"Content-Type: application/octet-stream; name=a.bin\n\nHello.\n", NotSigned},
		"other protocol":           {signedAs(`multipart/signed; protocol="application/moss-signature"; boundary=BB`), NotSigned},
		"no protocol, other part":  {"Content-Type: multipart/signed; boundary=BB\n\n--BB\n" + inner + "\n--BB\n" + inner + "\n--BB--\n", NotSigned},
		"two Content-Type":         {"Content-Type: text/plain\n" + signedAs("multipart/signed; boundary=BB"), BadHeader},
		"boundary twice":           {signedAs("multipart/signed; boundary=BB; boundary=CC"), BadHeader},
		"boundary twice, equal":    {signedAs("multipart/signed; boundary=BB; Boundary=BB"), BadHeader},
		"boundary in pieces":       {signedAs("multipart/signed; boundary*0=B; boundary*1=B"), BadHeader},
		"boundary and pieces":      {signedAs("multipart/signed; boundary=BB; boundary*0=C"), BadHeader},
		"boundary extended":        {signedAs("multipart/signed; boundary*=us-ascii''BB"), BadHeader},
		"boundary escaped":         {signedAs(`multipart/signed; boundary="B\B"`), BadHeader},
		"no boundary":              {signedAs("multipart/signed"), BadHeader},
		"empty boundary":           {signedAs(`multipart/signed; boundary=""`), BadHeader},
		"boundary of 71":           {signedAs("multipart/signed; boundary=" + strings.Repeat("B", 71)), BadHeader},
		"boundary ends in a blank": {signedAs(`multipart/signed; boundary="BB "`), BadHeader},
		"boundary with a star":     {signedAs(`multipart/signed; boundary="B*B"`), BadHeader},
		"quote without end":        {signedAs(`multipart/signed; boundary="BB`), BadHeader},
		"comment":                  {signedAs("multipart/signed; boundary=BB (really)"), BadHeader},
		"comment in the type":      {signedAs("multipart/signed(really); boundary=BB"), BadHeader},
		"encoded type":             {signedAs("=?us-ascii?q?multipart/signed?=; boundary=BB"), BadHeader},
		"parameter without value":  {signedAs("multipart/signed; boundary=BB; protocol"), BadHeader},
		"parameter without name":   {signedAs("multipart/signed; boundary=BB; =x"), BadHeader},
		"semicolon missing":        {signedAs("multipart/signed; boundary=BB protocol=application/pkcs7-signature"), BadHeader},
		"protocol twice":           {signedAs("multipart/signed; boundary=BB; protocol=application/pkcs7-signature; protocol=application/pgp-signature"), BadHeader},
		"protocol against part":    {signedWith("--BB\n" + inner + "\n--BB\n" + inner + "\n--BB--\n"), BadHeader},
		"confusing line":           {signedWith("--BB\n" + inner + "\n--BB;\n\n--BB\n" + signature + "\n--BB--\n"), BadHeader},
		"confusing tab":            {signedWith("--BB\n" + inner + "\n--BB\tx\n\n--BB\n" + signature + "\n--BB--\n"), BadHeader},
		"delimiters in a row":      {signedWith("--BB\n--BB\n" + signature + "\n--BB--\n"), BadHeader},
		"delimiter after closing":  {signedWith("--BB\n" + inner + "\n--BB\n" + signature + "\n--BB--\n--BB\n" + inner), BadHeader},
		"two closing delimiters":   {signedWith("--BB\n" + inner + "\n--BB\n" + signature + "\n--BB--\n--BB--\n"), BadHeader},
		"damaged part header":      {signedWith("--BB\n" + inner + "\n--BB\nContent-Type : x\n" + signature + "\n--BB--\n"), BadHeader},
		"two types in the part":    {signedWith("--BB\n" + inner + "\n--BB\nContent-Type: text/plain\n" + signature + "\n--BB--\n"), BadHeader},
		"second type in the part":  {signedWith("--BB\n" + inner + "\n--BB\n" + strings.Replace(signature, "\n", "\nContent-Type: text/plain\n", 1) + "\n--BB--\n"), BadHeader},
		"two encodings":            {signedWith("--BB\n" + inner + "\n--BB\nContent-Transfer-Encoding: 7bit\n" + signature + "\n--BB--\n"), BadHeader},
		"two encodings outside":    {"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: 8bit\n" + signedWith("--BB\n"), BadHeader},
		"opaque, smime-type twice": {"Content-Type: application/pkcs7-mime; smime-type=signed-data; smime-type=certs-only\n\nx\n", BadHeader},
		"opaque, two encodings":    {"Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: 7bit\n\nx\n", BadHeader},
		"base64 multipart":         {"Content-Transfer-Encoding: base64\n" + signedWith("--BB\n"), BadEncoding},
		"no part":                  {signedWith("Hello.\n"), BadEncoding},
		"empty body":               {signedWith(""), BadEncoding},
		"one part":                 {signedWith("--BB\n" + inner + "\n--BB--\n"), BadEncoding},
		"closed at once":           {signedWith("--BB--\n"), BadEncoding},
		"base64 junk":              {signedWith("--BB\n" + inner + "\n--BB\n" + strings.Replace(signature, "AQID", "AQ!ID", 1) + "\n--BB--\n"), BadEncoding},
		"base64 goes on":           {signedWith("--BB\n" + inner + "\n--BB\n" + strings.Replace(signature, "AQID", "AQ==AQ==", 1) + "\n--BB--\n"), BadEncoding},
		"base64 without padding":   {signedWith("--BB\n" + inner + "\n--BB\n" + strings.Replace(signature, "AQID", "AQI", 1) + "\n--BB--\n"), BadEncoding},
		"base64 of URLs":           {signedWith("--BB\n" + inner + "\n--BB\n" + strings.Replace(signature, "AQID", "AQ-_", 1) + "\n--BB--\n"), BadEncoding},
		"text after base64":        {signedWith("--BB\n" + inner + "\n--BB\n" + strings.Replace(signature, "AQID", "AQID\n-- \nlist footer", 1) + "\n--BB--\n"), BadEncoding},
		"unknown encoding":         {signedWith("--BB\n" + inner + "\n--BB\n" + strings.Replace(signature, "base64", "x-uuencode", 1) + "\n--BB--\n"), BadEncoding},
		"8-bit in qp":              {"Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: quoted-printable\n\n\xfc\n", BadEncoding},
		"control in qp":            {"Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: quoted-printable\n\n\x01\n", BadEncoding},
		"cut qp":                   {"Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: quoted-printable\n\n=4", BadEncoding},
		"damaged qp":               {"Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: quoted-printable\n\n=ZZ\n", BadEncoding},
		"opaque junk":              {"Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\nAQ*ID\n", BadEncoding},
		"third part":               {signedWith("--BB\n" + inner + "\n--BB\n" + signature + "\n--BB\n" + inner + "\n--BB--\n"), Nested},
		"footer as second part":    {signedWith("--BB\n" + inner + "\n--BB\n" + inner + "\n--BB\n" + signature + "\n--BB--\n"), Nested},
		"list footer":              {mixed + signedAs("multipart/signed; boundary=BB") + "\n--MM\n\nfooter\n--MM--\n", Nested},
		"only child of mixed":      {"Content-Type: multipart/mixed; boundary=MM\n\n--MM\n" + signedAs("multipart/signed; boundary=BB") + "\n--MM--\n", Nested},
		"opaque in mixed":          {mixed + "Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nx\n--MM--\n", Nested},
		"loose p7s":                {mixed + signature + "\n--MM--\n", Nested},
		"forwarded":                {"Content-Type: message/rfc822\n\nFrom: a@example.org\n" + signedAs("multipart/signed; boundary=BB"), Nested},
		"forwarded in mixed":       {mixed + "Content-Type: message/rfc822\n\n" + signedAs("multipart/signed; boundary=BB") + "\n--MM--\n", Nested},
		"PGP/MIME signed":          {strings.Replace(signedAs(`multipart/signed; protocol="application/pgp-signature"; boundary=BB`), signature, pgpPart, 1), OpenPGP},
		"PGP protocol, our part":   {signedAs(`multipart/signed; protocol="application/pgp-signature"; boundary=BB`), OpenPGP},
		"PGP part, no protocol":    {strings.Replace(signedAs(`multipart/signed; boundary=BB`), signature, pgpPart, 1), OpenPGP},
		"PGP part, our protocol":   {strings.Replace(signedAs(`multipart/signed; protocol="application/pkcs7-signature"; boundary=BB`), signature, pgpPart, 1), OpenPGP},
		"PGP/MIME in mixed":        {mixed + signedAs(`multipart/signed; protocol="application/pgp-signature"; boundary=BB`) + "\n--MM--\n", OpenPGP},
		"PGP/MIME encrypted":       {"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=BB\n\n--BB\n\nx\n--BB--\n", OpenPGP},
		"inline PGP":               {"Content-Type: text/plain\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello.\n", OpenPGP},
		"inline PGP, no type":      {"Subject: x\n\n-----BEGIN PGP MESSAGE-----\n", OpenPGP},
		"PGP key attached":         {mixed + "Content-Type: application/pgp-keys\n\nx\n--MM--\n", OpenPGP},
		"enveloped":                {"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx\n", Encrypted},
		"auth-enveloped":           {"Content-Type: application/x-pkcs7-mime; smime-type=\"authEnveloped-data\"\n\nx\n", Encrypted},
		"enveloped in mixed":       {mixed + "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx\n--MM--\n", Encrypted},
		"other multipart/encrypted": {
			"Content-Type: multipart/encrypted; protocol=\"application/x\"; boundary=BB\n\n--BB\n\nx\n--BB--\n", Encrypted},
		"certs-only":              {"Content-Type: application/pkcs7-mime; smime-type=certs-only\n\nx\n", CertificateOnly},
		"p7c":                     {"Content-Type: application/pkcs7-mime; name=smime.p7c\n\nx\n", CertificateOnly},
		"cer attached":            {mixed + "Content-Type: application/octet-stream; name=\"Me.CER\"\n\nx\n--MM--\n", CertificateOnly},
		"certificate by type":     {mixed + "Content-Type: application/pkix-cert\n\nx\n--MM--\n", CertificateOnly},
		"certificate in the text": {"Content-Type: text/plain\n\nHere:\n-----BEGIN CERTIFICATE-----\nAAAA\n", CertificateOnly},
		"certificate in base64": {mixed + "Content-Type: application/octet-stream; name=me.pem\nContent-Transfer-Encoding: base64\n\n" +
			base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n")) + "\n--MM--\n", CertificateOnly},
		"p12 attached":         {mixed + "Content-Type: application/octet-stream; name=me.p12\n\nx\n--MM--\n", PrivateKey},
		"pfx by disposition":   {mixed + "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"my key.PFX\"\n\nx\n--MM--\n", PrivateKey},
		"pkcs12 by type":       {"Content-Type: application/x-pkcs12\n\nx\n", PrivateKey},
		"key in the text":      {"Content-Type: text/plain\n\nMine:\n-----BEGIN PRIVATE KEY-----\nAAAA\n", PrivateKey},
		"encrypted key":        {"Subject: x\n\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n", PrivateKey},
		"PGP private key":      {"Subject: x\n\n-----BEGIN PGP PRIVATE KEY BLOCK-----\nAAAA\n", PrivateKey},
		"key and certificate":  {"Subject: x\n\n-----BEGIN CERTIFICATE-----\nAAAA\n-----BEGIN RSA PRIVATE KEY-----\n", PrivateKey},
		"key beside signature": {mixed + signedAs("multipart/signed; boundary=BB") + "\n--MM\nContent-Type: application/pkcs12\n\nx\n--MM--\n", PrivateKey},
		"key in quoted-printable": {"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=2D----BEGIN EC PRIVATE KEY-----\n",
			PrivateKey},
		"key in base64": {mixed + "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" +
			base64.StdEncoding.EncodeToString([]byte("x\r\n-----BEGIN EC PRIVATE KEY-----\r\n"+strings.Repeat("A", 100_000))) + "\n--MM--\n", PrivateKey},
	} {
		e := open(t, c.message)
		if e.Problem != c.problem || e.Form != Unsigned {
			t.Errorf("%s: form %q, problem %q (%s), want %q", name, e.Form, e.Problem, e.Detail, c.problem)
			continue
		}
		if e.Content != nil || e.CMS != nil || e.Inner.Fields != nil || e.Detail == "" || hasControl(e.Detail) {
			t.Errorf("%s: a refused entity gave something: %+v", name, e)
		}
	}
}

func TestOpenBoundsTheBlob(t *testing.T) {
	lim := DefaultLimits()
	lim.CMSBytes = 9
	for encoding, write := range map[string]func(n int) string{
		"base64":           func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) },
		"quoted-printable": func(n int) string { return strings.Repeat("=41", n) },
		"7bit":             func(n int) string { return strings.Repeat("A", n) },
	} {
		for n, want := range map[int]Problem{9: "", 10: TooLarge, 11: TooLarge, 12: TooLarge, 100_000: TooLarge} {
			e := openBytes(t, []byte(strings.ReplaceAll(signedWith("--BB\n"+inner+"\n--BB\nContent-Type: application/pkcs7-signature\n"+
				"Content-Transfer-Encoding: "+encoding+"\n\n"+write(n)+"\n--BB--\n"), "\n", "\r\n")), lim)
			if e.Problem != want {
				t.Errorf("%s, %d bytes: %q %s", encoding, n, e.Problem, e.Detail)
			}
		}
	}
	lim.CMSBytes = 10 // no multiple of three: the digits alone do not tell
	for n, want := range map[int]Problem{10: "", 11: TooLarge, 12: TooLarge} {
		_, err := decode([]byte(base64.StdEncoding.EncodeToString(make([]byte, n))), "base64", lim.CMSBytes)
		if (err == nil) != (want == "") {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	// An opaque blob is as large as the message may be.
	e := openBytes(t, []byte("Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n"+strings.Repeat("AAAA", 1000)), lim)
	if e.Form != Opaque || len(e.CMS) != 3000 {
		t.Errorf("opaque: %+v", e.Problem)
	}
}

func TestInnerHeader(t *testing.T) {
	h := InnerHeader([]byte("Content-Type: text/plain; hp=\"clear\"\r\nFrom: a@example.org\r\n\r\nHello.\r\n"))
	if f, ok := h.First("from"); !ok || f.Value() != "a@example.org" {
		t.Errorf("header %v", h.Fields)
	}
	for name, content := range map[string]string{
		"damaged":   "From : a@example.org\r\n\r\n",
		"empty":     "",
		"no header": "\r\nHello.",
		"too large": "From: a@example.org\r\nX: " + strings.Repeat("a", 300<<10) + "\r\n\r\n",
	} {
		if h := InnerHeader([]byte(content)); len(h.Fields) != 0 {
			t.Errorf("%s: %v", name, h.Fields)
		}
	}
}
