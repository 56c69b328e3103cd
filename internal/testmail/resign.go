package testmail

import (
	"bytes"
	"crypto"
	_ "crypto/md5" // registered for certificates that must be refused
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
)

// resign edits a certificate as p says and signs it again by hand.
func resign(der []byte, signer crypto.Signer, p Profile) []byte {
	var cert struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	must(asn1.Unmarshal(der, &cert))
	tbs := cert.TBS.FullBytes
	hash := crypto.SHA256
	if weak(p.Algorithm) {
		old := must(asn1.Marshal(cert.Algorithm))
		cert.Algorithm, hash = weakAlgorithm(p.Algorithm)
		tbs = Replace(tbs, old, must(asn1.Marshal(cert.Algorithm)))
	}
	if p.Edit != nil {
		tbs = p.Edit(tbs)
	}
	h := hash.New()
	h.Write(tbs)
	sig := must(signer.Sign(noRandomness{}, h.Sum(nil), hash))
	cert.TBS = asn1.RawValue{FullBytes: tbs}
	cert.Signature = asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)}
	return must(asn1.Marshal(cert))
}

func weakAlgorithm(a x509.SignatureAlgorithm) (pkix.AlgorithmIdentifier, crypto.Hash) {
	switch a {
	case x509.MD5WithRSA:
		return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}, Parameters: asn1.NullRawValue}, crypto.MD5
	case x509.ECDSAWithSHA1:
		return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}}, crypto.SHA1
	default:
		return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, Parameters: asn1.NullRawValue}, crypto.SHA1
	}
}

// Replace exchanges one DER element for another inside der, which is one
// element itself, and repairs the outer length. old must be a direct child.
func Replace(der, old, new []byte) []byte {
	var outer asn1.RawValue
	must(asn1.Unmarshal(der, &outer))
	rest, out, found := outer.Bytes, []byte{}, false
	for len(rest) > 0 {
		var child asn1.RawValue
		next := must(asn1.Unmarshal(rest, &child))
		if !found && bytes.Equal(child.FullBytes, old) {
			out, found = append(out, new...), true
		} else {
			out = append(out, child.FullBytes...)
		}
		rest = next
	}
	if !found {
		panic("testmail: the element to replace is not there")
	}
	outer.Bytes, outer.FullBytes = out, nil
	return must(asn1.Marshal(outer))
}

// Children returns the elements inside der, which is one element.
func Children(der []byte) [][]byte {
	var outer asn1.RawValue
	must(asn1.Unmarshal(der, &outer))
	var out [][]byte
	for rest := outer.Bytes; len(rest) > 0; {
		var child asn1.RawValue
		rest = must(asn1.Unmarshal(rest, &child))
		out = append(out, child.FullBytes)
	}
	return out
}

// BeyondUTC is a Profile's Edit: the certificate ends in the year 10000, which only
// an offset from UTC can say (RFC 5280 section 4.1.2.5 allows none).
func BeyondUTC(tbs []byte) []byte {
	validity := Children(tbs)[4]
	until := must(asn1.Marshal(asn1.RawValue{Tag: asn1.TagGeneralizedTime, Bytes: []byte("99991231235959-0100")}))
	return Replace(tbs, validity, Replace(validity, Children(validity)[1], until))
}
