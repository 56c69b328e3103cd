// Package cms reads the SignedData of RFC 5652 that strangers send and says
// whose key signed it.
//
// It trusts nobody. A blob arrives as bytes, in BER or DER, and every length in
// it meets a bound where it is read; the work is linear in the input whatever
// the nesting, and large content is never copied. The package takes digests of
// the content, not the content: [SignedData.Hashes] tells which ones
// [SignedData.Verify] will ask for, so that one pass over the message serves all
// signers.
//
// It proves that the holder of a certificate's key signed the content, and no
// more. Whether that certificate leads to an anchor, whether it is fit for mail,
// whose address it names and whether it is still valid are asked elsewhere. It
// does not read CRLs, attribute certificates or unsigned attributes, looks at no
// clock and fetches nothing.
package cms
