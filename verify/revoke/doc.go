// Package revoke asks CAs whether they still stand by the certificates of a
// path: their revocation list first (RFC 5280 section 5), an OCSP responder
// second (RFC 6960).
//
// It trusts a path that verify/trust has found, and nothing else: who answers
// has to prove that it may speak for the issuer, for this certificate and for
// now. It goes out to the network, under rules of its own about where to
// (fetch.go), and keeps answers on disk until they end.
//
// It does not decide what follows from an answer, nor from none: that is the
// row "revocation" of the judgement. It never builds paths and fetches no
// certificates.
package revoke
