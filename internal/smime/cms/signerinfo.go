package cms

// inside starts a reader on something that was cut out of a certificate or
// SignerInfo.
func (s *SignedData) inside(raw []byte) *reader {
	return &reader{in: raw, base: innerDepth + 2, depth: s.lim.Depth, steps: &s.Steps}
}

// readSigner reads a SignerInfo (RFC 5652 section 5.3). The error is about
// encoding; what else is wrong is kept for Verify.
func (s *SignedData) readSigner(raw []byte) (Signer, *Error) {
	r := &reader{in: raw, base: innerDepth, depth: s.lim.Depth, steps: &s.Steps}
	var g Signer
	r.open(universal, tagSequence, "SignerInfo")
	r.integer("version")
	g.id = s.signerIdentifier(r)
	digest := r.algorithm("digest algorithm")
	if r.at0(explicit0) {
		g.attributes = readAttributes(r)
	}
	signature := r.algorithm("signature algorithm")
	g.Signature = r.octetString("signature")
	if r.at0(explicit1) {
		r.pass() // unsigned attributes
	}
	r.leave()
	if r.err != nil {
		return g, r.err
	}
	if g.refused = g.setAlgorithms(s, digest, signature); g.refused == nil {
		g.refused = s.interpret(&g)
	}
	return g, nil
}

func (g *Signer) setAlgorithms(s *SignedData, digest, signature algorithm) *Error {
	d, err := digestOf(digest.oid)
	if err != nil {
		return err
	}
	g.scheme, err = s.schemeOf(signature, d)
	if err == nil {
		g.Hash = d.hash
	}
	return err
}
