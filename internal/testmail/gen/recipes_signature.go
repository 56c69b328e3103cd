package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"strings"
	"time"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
	"github.com/certinbox/certinbox/internal/testmail"
)

// signer changes the one signer.
func signer(f func(m *mail, s *cmstest.Signer)) func(m *mail) {
	return func(m *mail) { m.signing.signer = func(s *cmstest.Signer) { f(m, s) } }
}

// attributed replaces the signed attributes; it is given the usual ones:
// contentType, signingTime, messageDigest.
func attributed(f func(m *mail, usual [][]byte) [][]byte) func(m *mail) {
	return func(m *mail) {
		m.signing.signer = func(s *cmstest.Signer) {
			s.Attributes = f(m, [][]byte{cmstest.ContentType(cmstest.Data), cmstest.SigningTime(m.signing.at),
				cmstest.MessageDigest(crypto.SHA256, m.content.Bytes())})
		}
	}
}

// emptySequences are elements that look like certificates and are none.
func emptySequences(n int) [][]byte {
	var out [][]byte
	for range n {
		out = append(out, cmstest.Sequence())
	}
	return out
}

func blob(f func(m *mail, b *cmstest.Blob)) func(m *mail) {
	return func(m *mail) { m.signing.blob = func(b *cmstest.Blob) { f(m, b) } }
}

// signedAgain repeats the one signer n times.
func signedAgain(n int) func(m *mail, b *cmstest.Blob) {
	return func(_ *mail, b *cmstest.Blob) {
		for range n {
			b.Signers = append(b.Signers, b.Signers[0])
		}
	}
}

// rsaLeaf gives Alice an RSA certificate below the usual CA.
func rsaLeaf(m *mail) {
	m.signing.who = m.lab.leaf(testmail.Profile{Name: "Alice RSA", Kind: "rsa2048"})
}

func pss(_ *mail, s *cmstest.Signer) {
	s.PSS = true
	s.Key = fixedSalt{s.Key.(*rsa.PrivateKey)}
}

// all makes several changes.
func all(changes ...func(m *mail)) func(m *mail) {
	return func(m *mail) {
		for _, c := range changes {
			c(m)
		}
	}
}

// signatures are about the CMS blob and its signers.
func signatures() []recipe {
	malformed, algorithm, integrity := "reject cms-malformed", "reject cms-algorithm", "reject cms-integrity"
	return append(attributes(), []recipe{
		{"signature-value-broken", "One bit of the signature value is wrong.", integrity, "", signer(func(_ *mail, s *cmstest.Signer) {
			s.Tamper = func(v []byte) []byte { v[len(v)-1] ^= 1; return v }
		})},
		{"signature-trailing-blanks", "A relay cut the blanks at the ends of lines, and signed with DKIM afterwards.", integrity, "honest-trailing-blanks", func(m *mail) {
			m.content = testmail.Text("one  ", "two")
			m.edit = func(x testmail.Message) testmail.Message {
				x.Body = bytes.Replace(x.Body, []byte("one  "), []byte("one"), 1)
				return x
			}
		}},
		{"signature-opaque-tampered", "The content inside an opaque signature was changed.", integrity, "honest-opaque", func(m *mail) {
			m.signing.opaque = true
			m.signing.raw = func(b []byte) []byte { return bytes.Replace(b, []byte("Please keep"), []byte("Please send"), 1) }
		}},
		{"signature-of-other-mail", "A signature of Alice's over another text.", integrity, "", blob(func(_ *mail, b *cmstest.Blob) {
			b.Content = []byte("Content-Type: text/plain\r\n\r\nSomething else\r\n")
		})},
		{"signature-forged-twin", "A self-made certificate with the issuer, serial number and subject of Alice's, and Mallory's key. For all we can see its issuer could be a renewed CA of the same name.", "reject cert-incomplete", "", func(m *mail) {
			fake := m.lab.keys.Root(testmail.Profile{Name: "Example Mail CA", Organisation: "Example Trust", Key: m.lab.keys.Key("p256", "mallory CA")})
			m.signing.who = fake.Issue(testmail.Profile{Name: "Alice Example", Key: m.lab.keys.Key("p256", "mallory"), Mailboxes: []string{"alice@example.org"}})
			m.signing.bag = []*testmail.Identity{m.signing.who, m.lab.ca}
		}},
		{"signature-key-of-other", "Mallory signs, and names Alice's certificate as the signer's.", integrity, "", signer(func(m *mail, s *cmstest.Signer) {
			s.Key = m.lab.keys.Key("p256", "mallory")
		})},
		{"signature-content-beside", "A detached signature that carries a second content of its own.", malformed, "", blob(func(_ *mail, b *cmstest.Blob) { b.Opaque = true })},
		{"signature-opaque-empty", "An opaque message whose signature carries no content.", malformed, "honest-opaque", func(m *mail) {
			m.signing.opaque = true
			m.signing.blob = func(b *cmstest.Blob) { b.Opaque = false }
		}},
		{"signature-timestamp-content", "The signature is over another type of content than data.", malformed, "", blob(func(_ *mail, b *cmstest.Blob) { b.ContentType = cmstest.TSTInfo })},
		{"signature-compressed", "Compressed data in the place of signed data.", malformed, "", blob(func(_ *mail, b *cmstest.Blob) { b.Type = cmstest.CompressedData })},
		{"signature-plain-data", "Plain data in the place of signed data.", malformed, "", blob(func(_ *mail, b *cmstest.Blob) { b.Type = cmstest.Data })},
		{"signature-enveloped-inside", "Encrypted data in the place of the detached signature.", "reject smime-encrypted", "", func(m *mail) {
			m.signing.raw = func([]byte) []byte { return envelopedData() }
		}},
		{"signature-no-signer", "A detached signature with certificates and no signer.", "reject smime-certificate", "", blob(func(_ *mail, b *cmstest.Blob) { b.Signers = nil })},
		{"signature-opaque-no-signer", "An opaque message with content, certificates and no signer.", "reject smime-certificate", "honest-opaque", func(m *mail) {
			m.signing.opaque = true
			m.signing.blob = func(b *cmstest.Blob) { b.Signers = nil }
		}},
		{"signature-trailing-garbage", "Bytes after the blob.", malformed, "honest-trailing-zeros", blob(func(_ *mail, b *cmstest.Blob) { b.Trailing = []byte("x") })},
		{"signature-truncated", "The blob ends too early.", malformed, "", func(m *mail) {
			m.signing.raw = func(b []byte) []byte { return b[:len(b)-10] }
		}},
		{"signature-too-large", "The blob is larger than the limit.", malformed, "", policy("limit_cms_bytes: 500")},
		{"signature-empty", "The signature part is empty.", malformed, "", func(m *mail) { m.signing.raw = func([]byte) []byte { return nil } }},
		{"signature-deep", "Elements nested deeper than 24.", malformed, "honest-nested-chunks", func(m *mail) {
			m.signing.opaque = true
			m.signing.blob = func(b *cmstest.Blob) { b.EContent = cmstest.NestedChunks(b.Content, 16, 24) }
		}},
		{"signature-too-many-certificates", "More than 32 certificates.", malformed, "honest-many-certificates", blob(func(m *mail, b *cmstest.Blob) {
			b.Extra = emptySequences(31)
		})},
		{"signature-too-many-signers", "More than 4 signers.", malformed, "honest-four-signers", blob(signedAgain(4))},
		{"signature-two-identities", "Alice and Bob have signed.", "reject cms-signers", "honest-two-signers", blob(func(m *mail, b *cmstest.Blob) {
			bob := m.lab.leaf(testmail.Profile{Name: "Bob Example", Mailboxes: []string{"bob@example.org"}})
			b.Signers = append(b.Signers, m.signing.by(bob))
			b.Extra = ders(bob)
		})},
		{"signature-one-of-two-broken", "Two signers of one person, one of whom fails.", integrity, "honest-two-signers", blob(func(m *mail, b *cmstest.Blob) {
			second := m.signing.by(m.lab.leaf(testmail.Profile{Name: "Alice RSA", Kind: "rsa2048"}))
			second.Tamper = func(v []byte) []byte { v[9] ^= 1; return v }
			b.Signers = append(b.Signers, second)
			b.Extra = ders(m.lab.leaf(testmail.Profile{Name: "Alice RSA", Kind: "rsa2048"}))
		})},
		{"signature-no-certificate", "No certificate is in the message.", "reject cms-no-certificate", "", func(m *mail) {
			m.signing.bag = []*testmail.Identity{}
			m.signing.blob = func(b *cmstest.Blob) { b.Certificates = [][]byte{} }
		}},
		{"signature-only-ca-certificate", "Only the CA's certificate is in the message.", "reject cms-no-certificate", "", func(m *mail) {
			m.signing.bag = []*testmail.Identity{m.lab.ca}
		}},
		{"signature-sha1", "SHA-1 as the hash.", algorithm, "", signer(func(_ *mail, s *cmstest.Signer) { s.Hash = crypto.SHA1 })},
		{"signature-sha224", "SHA-224 as the hash.", algorithm, "", signer(func(_ *mail, s *cmstest.Signer) { s.Hash = crypto.SHA224 })},
		{"signature-md5", "MD5 as the hash.", algorithm, "honest-rsa-sha512", all(rsaLeaf, signer(func(_ *mail, s *cmstest.Signer) { s.Hash = crypto.MD5 }))},
		{"signature-unknown-digest", "A hash that nobody knows.", algorithm, "", signer(func(_ *mail, s *cmstest.Signer) { s.DigestAlgorithm = cmstest.Algorithm("1.2.3.4") })},
		{"signature-contradicting-algorithms", "The digest algorithm says SHA-512, the signature algorithm ECDSA with SHA-256.", algorithm, "", signer(func(m *mail, s *cmstest.Signer) {
			s.DigestAlgorithm = cmstest.Algorithm("2.16.840.1.101.3.4.2.3")
			s.Attributes = [][]byte{cmstest.ContentType(cmstest.Data), cmstest.SigningTime(m.signing.at), cmstest.MessageDigest(crypto.SHA512, m.content.Bytes())}
		})},
		{"signature-pss-without-parameters", "RSA-PSS without its parameters.", algorithm, "honest-pss", all(rsaLeaf, signer(func(m *mail, s *cmstest.Signer) {
			pss(m, s)
			s.SignatureAlgorithm = cmstest.Algorithm(cmstest.RSAPSS)
		}))},
		{"signature-key-usage", "The certificate may not sign, only encrypt.", "reject cert-usage", "", func(m *mail) {
			m.signing.who = m.lab.leaf(testmail.Profile{Usage: x509.KeyUsageKeyAgreement})
		}},
		{"signature-unreadable-certificate", "A certificate with a negative serial number, which cannot be read.", "reject cert-key", "", func(m *mail) {
			m.signing.who = m.lab.leaf(testmail.Profile{Edit: func(tbs []byte) []byte {
				return testmail.Replace(tbs, testmail.Children(tbs)[1], []byte{0x02, 0x01, 0xff})
			}})
		}},
		{"signature-certificate-beyond-utc", "A certificate that ends at 99991231235959-0100, in the year 10000, which no certificate may say.", "reject cert-key", "", func(m *mail) {
			m.signing.who = m.lab.leaf(testmail.Profile{Edit: testmail.BeyondUTC})
		}},
	}...)
}

// attributes are tricks with the signed attributes.
func attributes() []recipe {
	malformed := "reject cms-malformed"
	return []recipe{
		{"attributes-none", "Signed without attributes: the text itself could be taken for attributes.", malformed, "", signer(func(_ *mail, s *cmstest.Signer) { s.Bare = true })},
		{"attributes-no-content-type", "contentType is missing.", malformed, "", attributed(func(_ *mail, u [][]byte) [][]byte { return u[1:] })},
		{"attributes-other-content-type", "contentType names another type than the content has.", malformed, "", attributed(func(_ *mail, u [][]byte) [][]byte {
			return [][]byte{cmstest.ContentType(cmstest.TSTInfo), u[1], u[2]}
		})},
		{"attributes-no-digest", "messageDigest is missing, so that nothing binds the text.", malformed, "", attributed(func(_ *mail, u [][]byte) [][]byte { return u[:2] })},
		{"attributes-two-digests", "messageDigest stands twice, the right one first.", malformed, "", attributed(func(_ *mail, u [][]byte) [][]byte {
			return append(u, cmstest.MessageDigest(crypto.SHA256, []byte("another text")))
		})},
		{"attributes-two-digest-values", "messageDigest has two values, the right one first.", malformed, "", attributed(func(m *mail, u [][]byte) [][]byte {
			return [][]byte{u[0], u[1], cmstest.MessageDigest(crypto.SHA256, m.content.Bytes(), []byte("another text"))}
		})},
		{"attributes-wrong-digest", "messageDigest is that of another text.", "reject cms-integrity", "", attributed(func(_ *mail, u [][]byte) [][]byte {
			return [][]byte{u[0], u[1], cmstest.MessageDigest(crypto.SHA256, []byte("another text"))}
		})},
		{"attributes-two-times", "signingTime stands twice.", malformed, "", attributed(func(m *mail, u [][]byte) [][]byte {
			return append(u, cmstest.SigningTime(m.signing.at.Add(time.Minute)))
		})},
		{"attributes-unreadable-time", "signingTime is no time.", malformed, "", attributed(func(_ *mail, u [][]byte) [][]byte {
			return [][]byte{u[0], u[2], cmstest.Attribute("1.2.840.113549.1.9.5", cmstest.TLV(cmstest.UTCTime, []byte("yesterday")))}
		})},
		{"attributes-signing-certificate", "The ESS attribute names another certificate than the signer's.", malformed, "honest-signing-certificate", signer(func(m *mail, s *cmstest.Signer) {
			s.Extra = [][]byte{cmstest.SigningCertificate(crypto.SHA256, m.lab.ca.Cert)}
		})},
		{"attributes-changed", "An attribute was added behind the signature.", "reject cms-integrity", "", signer(func(m *mail, s *cmstest.Signer) {
			s.Tamper = func([]byte) []byte {
				d := cmstest.Sum(crypto.SHA256, []byte("signed before the attribute was there"))
				v, err := m.signing.who.Key.Sign(nil, d, crypto.SHA256)
				if err != nil {
					panic(err)
				}
				return v
			}
			s.Extra = [][]byte{cmstest.Capabilities("2.16.840.1.101.3.4.1.42")}
		})},
	}
}

// honestSignatures are the good forms that mail programs send.
func honestSignatures() []recipe {
	return []recipe{
		{"honest-chunked", "Opaque, of indefinite length, in many chunks, as most programs write large mail.", "accept", "", func(m *mail) {
			m.signing.opaque = true
			m.signing.blob = func(b *cmstest.Blob) { b.Indefinite, b.EContent = true, cmstest.Chunks(b.Content, 16) }
		}},
		{"honest-nested-chunks", "Opaque, with chunks inside chunks.", "accept", "", func(m *mail) {
			m.signing.opaque = true
			m.signing.blob = func(b *cmstest.Blob) { b.EContent = cmstest.NestedChunks(b.Content, 16, 3) }
		}},
		{"honest-detached-ber", "Detached, of indefinite length.", "accept", "", blob(func(_ *mail, b *cmstest.Blob) { b.Indefinite = true })},
		{"honest-trailing-zeros", "Line ends and zeros after the blob.", "accept", "", blob(func(_ *mail, b *cmstest.Blob) { b.Trailing = []byte("\r\n \x00\x00") })},
		{"honest-pss", "RSA-PSS.", "accept", "", all(rsaLeaf, signer(pss))},
		{"honest-rsa-sha512", "RSA with SHA-512.", "accept", "", all(rsaLeaf, signer(func(_ *mail, s *cmstest.Signer) { s.Hash = crypto.SHA512 }))},
		{"honest-rsa-3072", "RSA with 3072 bits.", "accept", "", func(m *mail) {
			m.signing.who = m.lab.leaf(testmail.Profile{Kind: "rsa3072"})
		}},
		{"honest-p384", "P-384 with SHA-384.", "accept", "", func(m *mail) {
			m.signing.who = m.lab.leaf(testmail.Profile{Kind: "p384"})
			m.signing.signer = func(s *cmstest.Signer) { s.Hash = crypto.SHA384 }
		}},
		{"honest-p521", "P-521 with SHA-512.", "accept", "", func(m *mail) {
			m.signing.who = m.lab.leaf(testmail.Profile{Kind: "p521"})
			m.signing.signer = func(s *cmstest.Signer) { s.Hash = crypto.SHA512 }
		}},
		{"honest-sha3", "SHA3-256.", "accept", "", signer(func(_ *mail, s *cmstest.Signer) { s.Hash = crypto.SHA3_256 })},
		{"honest-ec-public-key", "ECDSA under the identifier of the key, as old programs write it.", "accept", "", signer(func(_ *mail, s *cmstest.Signer) { s.SignatureAlgorithm = cmstest.Algorithm(cmstest.ECPublicKey) })},
		{"honest-unsorted-attributes", "Attributes out of order, signed as they stand.", "accept", "", signer(func(_ *mail, s *cmstest.Signer) { s.AsListed = true })},
		{"honest-sorted-signature", "Attributes out of order, signed in order.", "accept", "", signer(func(_ *mail, s *cmstest.Signer) { s.AsListed, s.SignSorted = true, true })},
		{"honest-signing-certificate", "The ESS attribute names the signer's certificate.", "accept", "", signer(func(m *mail, s *cmstest.Signer) {
			s.Extra = [][]byte{cmstest.SigningCertificate(crypto.SHA256, m.signing.who.Cert)}
		})},
		{"honest-capabilities", "The sender says what he can decrypt.", "accept", "", signer(func(_ *mail, s *cmstest.Signer) {
			s.Extra = [][]byte{cmstest.Capabilities("2.16.840.1.101.3.4.1.46", "2.16.840.1.101.3.4.1.42")}
		})},
		{"honest-root-in-bag", "The root is in the message too, and the order is odd.", "accept", "", func(m *mail) {
			m.signing.bag = []*testmail.Identity{m.lab.root, m.lab.ca, m.signing.who}
		}},
		{"honest-forged-twin-first", "A forged certificate of the same issuer and serial number stands before the signer's.", "accept", "", func(m *mail) {
			fake := m.lab.keys.Root(testmail.Profile{Name: "Example Mail CA", Organisation: "Example Trust", Key: m.lab.keys.Key("p256", "mallory CA")})
			forged := fake.Issue(testmail.Profile{Name: "Alice Example", Key: m.lab.keys.Key("p256", "mallory"), Mailboxes: []string{"alice@example.org"}})
			m.signing.bag = []*testmail.Identity{forged, m.signing.who, m.lab.ca}
		}},
		{"honest-beyond-utc-in-bag", "A certificate that ends in the year 10000 is in the message too.", "accept", "", func(m *mail) {
			other := m.lab.leaf(testmail.Profile{Name: "Other Example", Edit: testmail.BeyondUTC})
			m.signing.bag = []*testmail.Identity{other, m.signing.who, m.lab.ca}
		}},
		{"honest-unreadable-in-bag", "An unreadable certificate and one that is none are in the message too.", "accept", "", blob(func(_ *mail, b *cmstest.Blob) {
			b.Extra = [][]byte{{0x30, 0x03, 0x02, 0x01, 0x05}, cmstest.TLV(0xa1, cmstest.Int(1))}
		})},
		{"honest-many-certificates", "30 certificates.", "accept", "", blob(func(m *mail, b *cmstest.Blob) {
			b.Extra = emptySequences(28)
		})},
		{"honest-other-certificate-added", "On the way somebody added another certificate for Alice's address, with a key of his own and issued by the same CA. It is not covered by the signature and never chosen.", "accept", "", func(m *mail) {
			other := m.lab.leaf(testmail.Profile{Name: "Alice Example", Key: m.lab.keys.Key("p256", "mallory"), Serial: big.NewInt(4711), NotAfter: testmail.Instant().AddDate(1, 0, 0)})
			m.signing.bag = []*testmail.Identity{other, m.signing.who, m.lab.ca}
		}},
		{"honest-two-signers", "Two signatures of one person, by an RSA and a P-256 certificate.", "accept", "", blob(func(m *mail, b *cmstest.Blob) {
			second := m.lab.leaf(testmail.Profile{Name: "Alice RSA", Kind: "rsa2048"})
			b.Signers = append(b.Signers, m.signing.by(second))
			b.Extra = ders(second)
		})},
		{"honest-four-signers", "Four signatures by one certificate: odd but bounded.", "accept", "", blob(signedAgain(3))},
		{"honest-inner-signature", "Alice has signed a mail that Bob had signed: the outermost signature is hers, that is what counts.", "accept", "", func(m *mail) {
			bob := m.lab.leaf(testmail.Profile{Name: "Bob Example", Mailboxes: []string{"bob@example.org"}})
			m.content = signing{who: bob, at: m.signing.at}.entity(testmail.Text("Bob's words.").Bytes())
			m.content.Fields[0] = strings.ReplaceAll(m.content.Fields[0], "_certinbox_", "_inner_")
			m.content.Body = bytes.ReplaceAll(m.content.Body, []byte("_certinbox_"), []byte("_inner_"))
		}},
		{"honest-over-encrypted", "The signature is over an encrypted entity; it is outermost, that is what counts.", "accept", "", func(m *mail) {
			m.content = testmail.PKCS7MIME(envelopedData(), "enveloped-data")
		}},
	}
}
