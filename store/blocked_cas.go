package store

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"
)

// A BlockEntry is an entry of the block list.
type BlockEntry struct {
	What  string // BlockCertificate, BlockKey or BlockAddress
	Value string
}

// BlockList returns the block list, sorted. A list that cannot be understood is
// an error.
func (d *Directory) BlockList() ([]BlockEntry, error) {
	list, err := d.blocked()
	if err != nil {
		return nil, err
	}
	var out []BlockEntry
	for entry := range list.entries {
		what, value, _ := strings.Cut(entry, " ")
		out = append(out, BlockEntry{What: what, Value: value})
	}
	slices.SortFunc(out, func(a, b BlockEntry) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Value, b.Value))
	})
	return out, nil
}

// BlockedCAs returns a function that says whether a certificate or its key is
// on the block list as it is now. It is safe for concurrent use.
func (d *Directory) BlockedCAs() (func(ca *x509.Certificate) bool, error) {
	list, err := d.blocked()
	if err != nil {
		return nil, err
	}
	return func(ca *x509.Certificate) bool {
		if len(list.entries) == 0 {
			return false
		}
		return list.entries[BlockCertificate+" "+hexSHA256(ca.Raw)] || list.entries[BlockKey+" "+hexSHA256(ca.RawSubjectPublicKeyInfo)]
	}, nil
}

func hexSHA256(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
