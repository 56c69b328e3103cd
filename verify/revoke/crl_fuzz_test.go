package revoke

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

// listGuard is far above what any input of the fuzzer's size takes.
const listGuard = 10 * time.Second

// seedLists are lists of every shape.
func seedLists(ca *testmail.Identity) [][]byte {
	entries := []testmail.ListEntry{{Serial: big.NewInt(1), Reason: 1}, {Serial: big.NewInt(2)}, {Serial: big.NewInt(1), Reason: 6}, {Serial: big.NewInt(3), Reason: 8}}
	return [][]byte{
		ca.CRL(testmail.List{}),
		ca.CRL(testmail.List{Entries: entries, NoNext: true}),
		ca.CRL(testmail.List{Entries: entries[:2], OnlyUser: true, NextUpdate: time.Date(2052, 1, 1, 0, 0, 0, 0, time.UTC)}),
		ca.CRL(testmail.List{Version1: true, Entries: entries}),
		ca.CRL(testmail.List{NoKeyID: true, Points: []string{"http://a.example/", "http://b.example/"}}),
		ca.CRL(testmail.List{IDP: testmail.Sequence(testmail.Element(0x83, []byte{1, 64})), Number: big.NewInt(1 << 40)}),
	}
}

// FuzzReadList: any bytes are read once, within linear work, and what is not
// signed is no list.
func FuzzReadList(f *testing.F) {
	ca := listCA("p256", testmail.Profile{})
	q := askList(ca)
	q.points = []string{"http://a.example/"}
	signed := map[string]bool{}
	for _, der := range seedLists(ca) {
		f.Add(der)
		signed[string(testmail.Children(der)[0])] = true
	}
	f.Add([]byte{0x30, 0x80})
	f.Add([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30, 0x84, 0xff, 0xff, 0xff, 0xf0})
	f.Fuzz(func(t *testing.T, der []byte) {
		start := time.Now()
		r := newListReader(bytes.NewReader(der), q)
		l, err := r.read()
		if took := time.Since(start); took > listGuard {
			t.Errorf("%v for %d bytes", took, len(der))
		}
		if r.elements > int64(len(der)) || r.at > int64(len(der)) {
			t.Errorf("%d elements in %d bytes of %d", r.elements, r.at, len(der))
		}
		if (l == nil) == (err == nil) {
			t.Errorf("%+v, %v", l, err)
		}
		if l != nil && !signed[string(testmail.Children(der)[0])] {
			t.Errorf("taken without a signature: %x", der)
		}
	})
}

// FuzzReadSignedList: a CA may sign anything. Whatever is accepted crypto/x509
// accepts, and reads alike.
func FuzzReadSignedList(f *testing.F) {
	ca := listCA("ed25519", testmail.Profile{})
	for _, der := range seedLists(ca) {
		parts := testmail.Children(testmail.Children(der)[0])
		second := parts[0][0] == derInteger
		if second {
			parts = parts[1:]
		}
		f.Add(bytes.Join(parts[2:], nil), second)
	}
	f.Fuzz(func(t *testing.T, said []byte, second bool) {
		if len(said) > 1<<20 {
			return
		}
		der := ca.CRL(testmail.List{Edit: func(tbs []byte) []byte {
			parts := testmail.Children(tbs)[:3]
			if !second {
				parts = parts[1:]
			}
			return testmail.Sequence(append(parts[:len(parts):len(parts)], said)...)
		}})
		q := listQuestion{issuer: ca.Cert, points: []string{"http://a.example/"}}
		for n := range int64(100) {
			q.serials = append(q.serials, big.NewInt(n))
		}
		if _, err := readList(bytes.NewReader(der), q); err != nil {
			return
		}
		_, err := x509.ParseRevocationList(der)
		switch {
		case !second:
			return // crypto/x509 reads version 2 alone
		case err != nil && strings.Contains(err.Error(), "malformed extension OID"):
			return // arcs of more than 31 bits
		case err != nil:
			t.Fatalf("crypto/x509 does not read %x: %v", der, err)
		}
		sameList(t, ca, q, der)
	})
}
