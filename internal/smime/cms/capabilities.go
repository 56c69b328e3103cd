package cms

// maxCapabilities bounds the list that is kept; clients send about ten.
const maxCapabilities = 64

// readCapabilities reads SMIMECapabilities (RFC 8551 section 2.5.2) in the
// order of preference. It is advice: an unreadable list is no list.
func (s *SignedData) readCapabilities(value []byte) (list []string) {
	if value == nil {
		return nil
	}
	r := s.inside(value)
	r.open(universal, tagSequence, "SMIMECapabilities")
	for r.more() && len(list) < maxCapabilities {
		list = append(list, capabilityName(r.algorithm("capability")))
	}
	if r.err != nil {
		return nil
	}
	return list
}

func capabilityName(a algorithm) string {
	switch a.oid {
	case "2.16.840.1.101.3.4.1.2":
		return "aes128-cbc"
	case "2.16.840.1.101.3.4.1.22":
		return "aes192-cbc"
	case "2.16.840.1.101.3.4.1.42":
		return "aes256-cbc"
	case "2.16.840.1.101.3.4.1.6":
		return "aes128-gcm"
	case "2.16.840.1.101.3.4.1.26":
		return "aes192-gcm"
	case "2.16.840.1.101.3.4.1.46":
		return "aes256-gcm"
	case "2.16.840.1.101.3.4.1.5":
		return "aes128-wrap"
	case "2.16.840.1.101.3.4.1.25":
		return "aes192-wrap"
	case "2.16.840.1.101.3.4.1.45":
		return "aes256-wrap"
	case "1.2.840.113549.1.9.16.3.18":
		return "chacha20-poly1305"
	case "1.2.840.113549.3.7":
		return "des-ede3-cbc"
	case "1.2.840.113549.3.2":
		return "rc2-cbc"
	case "1.3.14.3.2.7":
		return "des-cbc"
	case "1.2.840.113549.1.1.7":
		return "rsa-oaep"
	case "1.2.840.113549.1.9.15.1":
		return "prefer-signed-data"
	}
	return a.oid
}
