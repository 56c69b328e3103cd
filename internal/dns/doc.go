// Package dns answers one question: which TXT records stand at a name.
//
// Three answers are told apart, because a mail is refused for one and deferred
// for another: there are records; there is none (NXDOMAIN, or the name exists
// without TXT); or nobody knows at the moment. Whatever is not clearly one of
// the first two is the third and comes back as an error: SERVFAIL, REFUSED,
// NOTIMP, FORMERR, a referral, a timeout, an answer to another question, bytes
// that are no answer. No error of this package is about the name asked for.
//
// It trusts the configured servers, which should be resolvers on the same
// host or network, and nothing else. It does not check DNSSEC, does not use a
// search list, does not read /etc/hosts and keeps no answer beyond its time to
// live; that there is no record is never kept at all, so that no mail is
// refused because of an old answer.
//
// A Zone gives the same answers out of a file, for judging old mail again.
package dns
