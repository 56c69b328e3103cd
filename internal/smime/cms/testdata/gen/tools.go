package main

import (
	"os"
	"strings"
)

// pkcs12 writes NAME.p12 with the key, the certificate and its chain.
func (l *lab) pkcs12(who string) {
	l.run("openssl", "pkcs12", "-export", "-inkey", who+".key", "-in", who+".crt", "-certfile", "chain.pem",
		"-name", who, "-out", who+".p12", "-passout", "pass:x", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1")
}

// gpgsm signs with GnuPG, which writes BER and cuts opaque content in chunks.
func gpgsm(l *lab) {
	check(os.MkdirAll(l.path("gnupg"), 0o700))
	fingerprint := strings.TrimSpace(string(l.run("openssl", "x509", "-in", l.root.name+".crt", "-noout", "-fingerprint", "-sha1")))
	_, fingerprint, _ = strings.Cut(fingerprint, "=")
	check(os.WriteFile(l.path("gnupg/trustlist.txt"), []byte(fingerprint+" S relax\n"), 0o600))
	check(os.WriteFile(l.path("gnupg/gpg-agent.conf"), []byte("allow-loopback-pinentry\n"), 0o600))
	l.run("gpgsm", "--batch", "--disable-dirmngr", "--import", "chain.pem")
	for _, who := range []string{"rsa2048", "rsa3072"} {
		l.pkcs12(who)
		l.run("gpgsm", "--batch", "--disable-dirmngr", "--pinentry-mode", "loopback", "--passphrase-fd", "0", "--import", who+".p12")
		base := []string{"--batch", "--disable-dirmngr", "--disable-crl-checks", "--pinentry-mode", "loopback", "--passphrase-fd", "0", "--local-user", who + "@example.com"}
		l.tool("gpgsm-"+who+"-detached", "gpgsm", append(base, "--detach-sign", "content")...)
		l.tool("gpgsm-"+who+"-opaque", "gpgsm", append(base, "--sign", "content")...)
		l.tool("gpgsm-"+who+"-sha512", "gpgsm", append(base, "--digest-algo", "SHA512", "--detach-sign", "content")...)
		if who == "rsa2048" {
			l.tool("gpgsm-chunks", "gpgsm", append(base, "--sign", "long")...)
			l.tool("gpgsm-no-certificate", "gpgsm", append(base, "--include-certs", "0", "--detach-sign", "content")...)
		}
	}
	l.run("gpgconf", "--kill", "gpg-agent")
}

// nss signs with the library of Thunderbird.
func nss(l *lab) {
	check(os.MkdirAll(l.path("nss"), 0o700))
	check(os.WriteFile(l.path("nss.password"), []byte("\n"), 0o600))
	l.run("certutil", "-N", "-d", "nss", "--empty-password")
	l.run("certutil", "-A", "-d", "nss", "-n", "root", "-t", "CT,C,C", "-i", l.root.name+".crt")
	l.run("certutil", "-A", "-d", "nss", "-n", "issuing", "-t", ",,", "-i", l.ca.name+".crt")
	for _, who := range []string{"rsa2048", "p256", "encrypt"} {
		l.pkcs12(who)
		l.run("pk12util", "-d", "nss", "-i", who+".p12", "-W", "x")
	}
	for _, who := range []string{"rsa2048", "p256"} {
		base := []string{"-S", "-d", "nss", "-N", who, "-f", "nss.password", "-i", "content"}
		l.tool("nss-"+who+"-detached", "cmsutil", append(base, "-T", "-G", "-P")...)
		l.tool("nss-"+who+"-opaque", "cmsutil", append(base, "-G")...)
		l.tool("nss-"+who+"-preference", "cmsutil", append(base, "-T", "-G", "-P", "-Y", "encrypt")...)
		l.tool("nss-"+who+"-sha512", "cmsutil", append(base, "-T", "-H", "SHA512")...)
	}
	l.tool("nss-sha1", "cmsutil", "-S", "-d", "nss", "-N", "rsa2048", "-f", "nss.password", "-i", "content", "-T", "-H", "SHA1")
	l.tool("nss-certs-only", "cmsutil", "-O", "-d", "nss", "-f", "nss.password", "-r", "rsa2048@example.com")
	l.tool("nss-enveloped", "cmsutil", "-E", "-d", "nss", "-f", "nss.password", "-r", "rsa2048@example.com", "-i", "content")
}
