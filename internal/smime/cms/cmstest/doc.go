// Package cmstest builds SignedData (RFC 5652) with a knob for every field, so
// that tests can make what no tool makes: honest oddities and attacks alike.
//
// It trusts its caller entirely, checks nothing, and is no way to sign mail
// outside tests. The zero value of every knob is what an ordinary mail program
// would do: detached, DER, signer by issuer and serial number, SHA-256, sorted
// attributes contentType, signingTime and messageDigest, the signer's certificate
// in the bag.
package cmstest
