package trust_test

// The chains about which openssl verify -purpose smimesign (3.0) and Path differ,
// each with why ours is right. doc/chains.md has the same rows. A row that is
// not needed fails the test, and so does a difference without a row.

// stricterThanOpenSSL: we refuse, OpenSSL accepts.
func stricterThanOpenSSL() map[string]string {
	const (
		sha1    = "OpenSSL has no quarrel with SHA-1 and MD5 at its default level; below the anchor we have: whoever finds a collision has a certificate"
		weak    = "OpenSSL has no smallest key at its default level; RSA of 2048 bits and EC of 256 are ours"
		policy  = "OpenSSL asks for policies only if told to; a CA that requires one is held to its own words (RFC 5280 section 4.2.1.11)"
		damaged = "RFC 5280 does not allow this encoding, and limits that cannot be read cannot be kept; OpenSSL reads it loosely"
		unread  = "RFC 5280 does not allow this encoding; crypto/x509 does not read such a certificate, so that it is never a signer's"
		uris    = "crypto/x509 takes the hosts below for excluded too; nothing here is ever done with a URI"
	)
	return map[string]string{
		"path/leaf signed with SHA-1":                    sha1,
		"path/leaf signed with MD5":                      sha1,
		"path/leaf signed with ECDSA and SHA-1":          sha1,
		"path/intermediate signed with SHA-1":            sha1,
		"signatures/leaf with SHA-1":                     sha1,
		"signatures/leaf with MD5":                       sha1,
		"path/intermediate of RSA 1024":                  weak,
		"path/anchor of RSA 1024":                        weak,
		"path/intermediate of P-224":                     weak,
		"signatures/intermediate of rsa1024":             weak,
		"signatures/intermediate of p224":                weak,
		"path/policies required and absent":              policy,
		"extensions/policy required, absent in the leaf": policy,
		"limits/empty":                                   damaged,
		"limits/empty permitted":                         damaged,
		"limits/behind the end":                          damaged,
		"limits/IP of seven bytes":                       damaged,
		"extensions/negative serial number":              unread,
		"leaves/mailbox in UTF-8":                        unread,
		"names/URI excluded, below":                      uris,
		"names/URI excluded, below, not critical":        uris,
		"path/path of nine":                              "eight certificates are a bound of ours, limits.chain",
		"constraints/excluded everything":                "an empty constraint is every mailbox to us, as to crypto/x509; OpenSSL compares it as a host",
		"constraints/excluded mailbox in another case":   "an author may be matched in another case, so that an exclusion must be too",
		"constraints/constraint in UTF-8, outside":       "OpenSSL does not compare SmtpUTF8Mailbox as a constraint; RFC 9598 section 6 wants rfc822Name there, but a CA that writes it means it",
		"versions/root without basic constraints":        "a certificate of version 3 that does not say that it is a CA is none (RFC 5280 section 4.2.1.9); OpenSSL goes by the key usage",
		"extensions/issuer in another kind of string":    "a CA encodes its name in one way (RFC 5280 section 4.1.2.6), and names are compared by bytes; the sender is told that the issuer is missing",
	}
}

// moreLenientThanOpenSSL: we accept, OpenSSL refuses.
func moreLenientThanOpenSSL() map[string]string {
	const (
		usage      = "the leaf's own usage is a row of its own, which refuses it or asks the anchor's settings"
		anyUse     = "any extended key usage includes mail (RFC 5280 section 4.2.1.12); OpenSSL wants it named"
		oneWay     = "OpenSSL goes one way and does not turn back; another way leads to the anchor, every signature of it checked"
		selfIssued = "OpenSSL takes a self-issued certificate without identifiers for self-signed; its signature says who signed it"
		uris       = "crypto/x509 takes the hosts below for permitted too; nothing here is ever done with a URI"
		cn         = "a common name is neither a mailbox nor a host here, and counts for nothing"
		fold       = "letters are compared without case beyond ASCII too (RFC 5280 section 7.1)"
	)
	return map[string]string{
		"path/CA with any usage":                                    anyUse,
		"usages/upper any":                                          anyUse,
		"usages/lower any":                                          anyUse,
		"path/leaf for TLS is left to usage":                        usage,
		"leaves/for TLS":                                            usage,
		"leaves/for any use":                                        usage,
		"leaves/key usage: encryption only":                         usage,
		"leaves/is a CA":                                            usage,
		"signatures/spoilt one beside the good":                     oneWay,
		"crossings/namesake 1 signed":                               oneWay,
		"crossings/namesake 2 signed":                               oneWay,
		"crossings/namesake 3 signed":                               oneWay,
		"crossings/untrusted root in the bag":                       oneWay,
		"crossings/circle with a way out":                           oneWay,
		"crossings/for TLS first":                                   oneWay,
		"lengths/self-issued without key identifier":                selfIssued,
		"names/self-issued CA is not bound, without key identifier": selfIssued,
		"names/URI below a host":                                    uris,
		"names/URI below a host, not critical":                      uris,
		"names/DNS, host as common name":                            cn,
		"names/DNS, host as common name, not critical":              cn,
		"names/directory, UTF-8 case":                               fold,
		"names/directory, UTF-8 case, not critical":                 fold,
		"path/critical qualified statements, leaf":                  "they speak of the worth of signatures, not of encrypting; OpenSSL does not know them",
		"constraints/everything":                                    "an empty constraint is every mailbox to us, as to crypto/x509; OpenSSL compares it as a host",
		"times/last second":                                         "notAfter is the last second that is valid (RFC 5280 section 4.1.2.5)",
		"extensions/wrong authority key identifier":                 "key identifiers only order the search, they are often wrong; the signature decides",
		"leaves/names of an unknown form":                           "the row address refuses what it cannot read; OpenSSL does not read the certificate at all",
	}
}
