package main

import (
	"os"
	"strings"
)

// cms keeps a signature by one of the people, made by openssl cms.
func (l *lab) cms(name, who, md string, more ...string) {
	args := append([]string{"cms", "-sign", "-binary", "-outform", "DER", "-in", "content",
		"-signer", who + ".crt", "-inkey", who + ".key", "-md", md}, more...)
	l.tool("openssl-"+name, "openssl", args...)
}

// openssl makes what the tool makes of ordinary choices.
func openssl(l *lab) {
	for _, who := range []string{"rsa2048", "rsa3072", "p256", "p384", "p521"} {
		for _, md := range []string{"sha256", "sha384", "sha512"} {
			l.cms(who+"-"+md+"-detached", who, md)
			l.cms(who+"-"+md+"-opaque", who, md, "-nodetach")
		}
	}
	for _, who := range []string{"rsa2048", "p256"} {
		l.cms(who+"-keyid-detached", who, "sha256", "-keyid")
		l.cms(who+"-keyid-opaque", who, "sha256", "-keyid", "-nodetach")
		l.cms(who+"-sha1", who, "sha1")
		l.cms(who+"-sha224", who, "sha224")
	}
	for _, md := range []string{"sha256", "sha384", "sha512"} {
		for _, salt := range []string{"digest", "max"} {
			l.cms("pss-"+md+"-"+salt, "rsa2048", md, "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:"+salt)
		}
	}
	for name, salt := range map[string]string{"pss-salt20": "20", "pss-salt0": "0"} {
		l.cms(name, "rsa2048", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:"+salt)
	}
	l.cms("pss-opaque-keyid", "rsa3072", "sha256", "-nodetach", "-keyid", "-keyopt", "rsa_padding_mode:pss")
	l.cms("pss-mask-sha1", "rsa2048", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha1")
	l.cms("pss-sha1", "rsa2048", "sha1", "-keyopt", "rsa_padding_mode:pss")
	l.cms("md5", "rsa2048", "md5")
	for _, md := range []string{"sha3-256", "sha3-384", "sha3-512"} {
		l.cms("rsa2048-"+md, "rsa2048", md)
	}
	for _, who := range []string{"rsa1024", "rsa4096", "p224"} {
		l.cms(who, who, "sha256")
	}
	l.opensslOptions()
}

func (l *lab) opensslOptions() {
	second := []string{"-signer", "p256.crt", "-inkey", "p256.key"}
	l.cms("stream-opaque", "rsa2048", "sha256", "-nodetach", "-stream")
	l.cms("stream-detached", "rsa2048", "sha256", "-stream")
	l.cms("stream-chunks", "p256", "sha256", "-nodetach", "-stream", "-in", "long")
	l.cms("empty", "p256", "sha256", "-nodetach", "-in", "empty")
	l.cms("two-signers", "rsa2048", "sha256", second...)
	l.cms("two-signers-opaque", "rsa2048", "sha256", append(second, "-nodetach")...)
	l.cms("two-signers-keyid", "rsa2048", "sha256", append(second, "-keyid")...)
	l.cms("three-signers", "rsa2048", "sha256", append(second, "-signer", "p384.crt", "-inkey", "p384.key")...)
	l.cms("nocerts", "rsa2048", "sha256", "-nocerts")
	l.cms("noattr-detached", "rsa2048", "sha256", "-noattr")
	l.cms("noattr-opaque", "p256", "sha256", "-noattr", "-nodetach")
	l.cms("nosmimecap", "rsa2048", "sha256", "-nosmimecap")
	l.cms("cades", "rsa2048", "sha256", "-cades")
	l.cms("cades-sha512", "p256", "sha512", "-cades")
	l.cms("receipt", "rsa2048", "sha256", "-receipt_request_to", "rsa2048@example.com", "-receipt_request_all")
	l.cms("chain", "rsa2048", "sha256", "-certfile", "chain.pem")
	l.cms("econtent-type-tst", "rsa2048", "sha256", "-nodetach", "-econtent_type", "1.2.840.113549.1.9.16.1.4")
	for name, more := range map[string][]string{"smime-detached": nil, "smime-opaque": {"-nodetach"}, "smime-stream": {"-nodetach", "-stream"}} {
		l.tool("openssl-"+name, "openssl", append([]string{"smime", "-sign", "-binary", "-outform", "DER", "-in", "content",
			"-signer", "rsa2048.crt", "-inkey", "rsa2048.key", "-md", "sha256"}, more...)...)
	}
}

// opensslOdd makes what is no signature, and signers that only openssl serves.
func opensslOdd(l *lab) {
	key := strings.Repeat("00", 32)
	l.tool("openssl-enveloped-rsa", "openssl", "cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-aes256", "rsa2048.crt")
	l.tool("openssl-enveloped-ec", "openssl", "cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-aes128", "-stream", "p256.crt")
	l.tool("openssl-auth-enveloped", "openssl", "cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-aes-256-gcm", "rsa2048.crt")
	l.tool("openssl-encrypted-data", "openssl", "cms", "-EncryptedData_encrypt", "-binary", "-in", "content", "-outform", "DER", "-aes256", "-secretkey", key)
	l.tool("openssl-digested-data", "openssl", "cms", "-digest_create", "-binary", "-in", "content", "-outform", "DER", "-md", "sha256")
	l.tool("openssl-data", "openssl", "cms", "-data_create", "-binary", "-in", "content", "-outform", "DER")
	l.tool("openssl-certs-only", "openssl", "crl2pkcs7", "-nocrl", "-certfile", "rsa2048.crt", "-certfile", l.ca.name+".crt", "-outform", "DER")
	l.strangeKey("brainpool", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1")
	l.strangeKey("secp256k1", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1")
	l.strangeKey("explicit-parameters", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit")
	l.strangeKey("pss-key", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048")
	l.strangeKey("rsa768", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:768")
	l.strangeKey("exponent-65539", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:65539")
	l.strangeKey("exponent-3", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3")
}

// strangeKey keeps a signature by a self-signed certificate with a key that Go
// does not make.
func (l *lab) strangeKey(name string, genpkey ...string) {
	l.run("openssl", append([]string{"genpkey", "-out", name + ".key"}, genpkey...)...)
	l.run("openssl", "req", "-x509", "-new", "-key", name+".key", "-out", name+".crt", "-days", "9000", "-subj", "/CN="+name,
		"-addext", "subjectAltName=email:"+name+"@example.com")
	l.cms(name, name, "sha256")
}

func (l *lab) chainFile() {
	var all []byte
	for _, p := range []*person{l.ca, l.root} {
		b, err := os.ReadFile(l.path(p.name + ".crt"))
		check(err)
		all = append(all, b...)
	}
	check(os.WriteFile(l.path("chain.pem"), all, 0o600))
}
