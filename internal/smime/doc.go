// Package smime is the MIME layer of the judgement: it scans the header block
// of a message, reads addresses, finds out whether the outermost entity is an
// S/MIME signature (RFC 8551) and cuts out exactly the bytes that were signed.
// It also builds signed mail and prints the MIME tree of a message for people.
//
// It trusts nobody. Everything it is given may have been written by an
// attacker, so whatever can be read in two ways is refused, every length meets
// a bound where it is read, and the work is linear in the input. All slices it
// returns, except decoded blobs, are parts of the message it was given: nothing
// is ever written anew, because a digest over re-made bytes proves nothing.
//
// It does not open a CMS blob (package cms does), decodes no character set and
// decides nothing: package verify makes reasons of what is found here.
package smime
