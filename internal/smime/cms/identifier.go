package cms

import "crypto/x509"

// An identifier says which certificate is meant (RFC 5652 section 5.3): by
// issuer and serial number, or by key.
type identifier struct {
	issuer, serial string
	keyID          string
}

// means tells whether the identifier means this certificate.
func (id identifier) means(c *Certificate) bool {
	if id.keyID != "" {
		return id.keyID == c.names.keyID
	}
	return id.issuer != "" && id.issuer == c.names.issuer && id.serial == c.names.serial
}

// issuerAndSerial reads the fields of IssuerAndSerialNumber, whose outer element
// has been entered.
func (s *SignedData) issuerAndSerial(r *reader) identifier {
	issuer := r.raw(r.expect(universal, tagSequence, "issuer"))
	serial := r.integer("serial number")
	r.leave()
	if r.err != nil {
		return identifier{}
	}
	return identifier{issuer: s.comparableName(issuer), serial: string(serial)}
}

// signerIdentifier reads the sid of a SignerInfo. The version of the SignerInfo
// should tell the kind, and often does not.
func (s *SignedData) signerIdentifier(r *reader) identifier {
	e := r.next()
	switch {
	case r.err != nil:
	case e.is(universal, tagSequence):
		r.enter(e)
		return s.issuerAndSerial(r)
	case e.is(context, 0):
		id := identifier{keyID: string(r.joined(e))}
		if id.keyID == "" {
			r.fail("the signer's key identifier is empty")
		}
		return id
	default:
		r.fail("a signer identifier of an unknown kind")
	}
	return identifier{}
}

// A Preference is the signed sMIMEEncryptionKeyPreference attribute (RFC 8551
// section 2.5.3), or its Microsoft twin where that is absent. One that cannot be
// read names no certificate.
type Preference struct {
	id identifier
}

// readPreference reads the CHOICE, and the bare IssuerAndSerialNumber of the
// Microsoft attribute.
func (s *SignedData) readPreference(value []byte) *Preference {
	r := s.inside(value)
	var id identifier
	switch e := r.next(); {
	case e.is(context, 0), e.is(universal, tagSequence):
		r.enter(e)
		id = s.issuerAndSerial(r)
	case e.is(context, 1): // RecipientKeyIdentifier
		r.enter(e)
		id.keyID = string(r.octetString("key identifier"))
	case e.is(context, 2):
		id.keyID = string(r.joined(e))
	}
	if r.err != nil {
		id = identifier{}
	}
	return &Preference{id: id}
}

// Named returns the first readable certificate of the bag that the signer's key
// preference names, nil if there is none. The bag is not signed: use it only
// after its own path has been checked.
func (s *SignedData) Named(p *Preference) *x509.Certificate {
	for _, c := range s.NamedAll(p) {
		if c.X509 != nil {
			return c.X509
		}
	}
	return nil
}

// NamedAll returns every certificate of the bag that the preference names, in
// the bag's order and unreadable ones (X509 nil) included: a named certificate
// that cannot be read fails, one that is missing does not.
func (s *SignedData) NamedAll(p *Preference) []Certificate {
	var named []Certificate
	for i := range s.Certificates {
		if p != nil && p.id.means(&s.Certificates[i]) {
			named = append(named, s.Certificates[i])
		}
	}
	return named
}
