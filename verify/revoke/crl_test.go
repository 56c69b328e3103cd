package revoke

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

func listOID(arcs ...int) asn1.ObjectIdentifier { return arcs }

// listCA returns a CA with a kind of key.
func listCA(kind string, p testmail.Profile) *testmail.Identity {
	p.Name, p.Kind = "Lists "+kind, kind
	return testmail.NewKeys().Root(p)
}

// askList asks for the serial numbers 1 to 9 of certificates of ca.
func askList(ca *testmail.Identity) listQuestion {
	q := listQuestion{issuer: ca.Cert}
	for n := range int64(9) {
		q.serials = append(q.serials, big.NewInt(n+1))
	}
	return q
}

// mustReadList reads a list that has to be one.
func mustReadList(t *testing.T, der []byte, q listQuestion) *list {
	t.Helper()
	l, err := readList(bytes.NewReader(der), q)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// listRefusal returns what readList says of a list that it must refuse.
func listRefusal(t *testing.T, der []byte, q listQuestion) string {
	t.Helper()
	l, err := readList(bytes.NewReader(der), q)
	var answer *answerError
	if !errors.As(err, &answer) || l != nil {
		t.Fatalf("got %+v, %v; want an answerError", l, err)
	}
	return answer.text
}

func TestListSaysWhatItHolds(t *testing.T) {
	ca := listCA("p256", testmail.Profile{})
	at := testmail.Instant().Add(-30 * time.Hour)
	der := ca.CRL(testmail.List{Number: big.NewInt(77), Entries: []testmail.ListEntry{
		{Serial: big.NewInt(1), At: at},
		{Serial: big.NewInt(2), At: at, Reason: 1},
		{Serial: big.NewInt(3), At: at, Reason: 6},
		{Serial: big.NewInt(4), At: at, Reason: 8},
		{Serial: big.NewInt(300), At: at},
	}})
	l := mustReadList(t, der, askList(ca))
	want := map[string]listEntry{"1": {at, 0}, "2": {at, 1}, "3": {at, 6}}
	if len(l.entries) != len(want) {
		t.Errorf("%d entries, want %d: %+v", len(l.entries), len(want), l.entries)
	}
	for key, w := range want {
		if g := l.entries[key]; !g.at.Equal(w.at) || g.reason != w.reason {
			t.Errorf("%s: %+v, want %+v", key, g, w)
		}
	}
	if l.number.Int64() != 77 || l.bytes != int64(len(der)) ||
		!l.thisUpdate.Equal(testmail.Instant().Add(-time.Hour)) || !l.nextUpdate.Equal(testmail.Instant().AddDate(0, 0, 7)) {
		t.Errorf("read %+v", l)
	}
}

func TestSerialNumbersOfEveryLength(t *testing.T) {
	ca := listCA("p256", testmail.Profile{})
	var q listQuestion
	q.issuer = ca.Cert
	var entries []testmail.ListEntry
	for _, s := range []string{"0", "7f", "80", "ff", "100", "7fff", "8000", "ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00", "-1", "-80", "-81", "-8000"} {
		n, _ := new(big.Int).SetString(s, 16)
		q.serials = append(q.serials, n)
		entries = append(entries, testmail.ListEntry{Serial: n})
	}
	l := mustReadList(t, ca.CRL(testmail.List{Entries: entries}), q)
	for _, n := range q.serials {
		if _, there := l.entries[serialKey(n)]; !there {
			t.Errorf("%x is not found", n)
		}
	}
	none := mustReadList(t, ca.CRL(testmail.List{Entries: entries[:3]}), q)
	if len(none.entries) != 3 {
		t.Errorf("%d entries, want 3", len(none.entries))
	}
}

func TestSerialNumberTwiceTheWorseCounts(t *testing.T) {
	ca := listCA("p256", testmail.Profile{})
	entry := func(reason, days int) testmail.ListEntry {
		return testmail.ListEntry{Serial: big.NewInt(5), Reason: reason, At: testmail.Instant().AddDate(0, 0, -days)}
	}
	for _, c := range []struct {
		name   string
		a, b   testmail.ListEntry
		reason int // -1: not listed
		days   int
	}{
		{"revoked over hold", entry(6, 9), entry(4, 2), 4, 2},
		{"hold over removed", entry(8, 1), entry(6, 2), 6, 2},
		{"revoked over removed", entry(8, 1), entry(0, 2), 0, 2},
		{"key over superseded", entry(4, 9), entry(1, 2), 1, 2},
		{"earlier of equals", entry(4, 2), entry(4, 9), 4, 9},
		{"removed twice", entry(8, 1), entry(8, 2), -1, 0},
	} {
		for _, entries := range [][]testmail.ListEntry{{c.a, c.b}, {c.b, c.a}} {
			l := mustReadList(t, ca.CRL(testmail.List{Entries: entries}), askList(ca))
			e, there := l.entries["5"]
			if there != (c.reason >= 0) || there && (e.reason != c.reason || !e.at.Equal(testmail.Instant().AddDate(0, 0, -c.days))) {
				t.Errorf("%s: %v %+v", c.name, there, e)
			}
		}
	}
}

func TestListIsCurrent(t *testing.T) {
	at := testmail.Instant()
	for _, c := range []struct {
		name       string
		this, next time.Time
		why        string // "": current
	}{
		{"in between", at.Add(-time.Hour), at.Add(time.Hour), ""},
		{"from now on", at, at.Add(time.Second), ""},
		{"clock ahead by five minutes", at.Add(5 * time.Minute), at.Add(time.Hour), ""},
		{"clock ahead by more", at.Add(5*time.Minute + time.Second), at.Add(time.Hour), "not valid before"},
		{"ends now", at.Add(-time.Hour), at, "valid until"},
		{"ended", at.Add(-time.Hour), at.Add(-time.Second), "valid until"},
		{"no end", at.Add(-time.Hour), time.Time{}, "does not say until when"},
	} {
		err := (&list{thisUpdate: c.this, nextUpdate: c.next}).current(at)
		var answer *answerError
		if c.why == "" && err != nil || c.why != "" && (!errors.As(err, &answer) || !strings.Contains(answer.text, c.why)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestListReplacesOnlyOlderOnes(t *testing.T) {
	made := func(number, hour int64) *list {
		l := &list{thisUpdate: testmail.Instant().Add(time.Duration(hour) * time.Hour)}
		if number > 0 {
			l.number = big.NewInt(number)
		}
		return l
	}
	for _, c := range []struct {
		name     string
		new, old *list
		want     bool
	}{
		{"the same again", made(5, 0), made(5, 0), true},
		{"greater number", made(6, 1), made(5, 0), true},
		{"greater number, earlier", made(6, -1), made(5, 0), false},
		{"smaller number", made(4, 0), made(5, 0), false},
		{"smaller number, later", made(4, 1), made(5, 0), false},
		{"equal numbers, earlier", made(5, -1), made(5, 0), false},
		{"equal numbers, later", made(5, 1), made(5, 0), true},
		{"number gone, earlier", made(0, -1), made(5, 0), false},
		{"number gone, later", made(0, 1), made(5, 0), true},
		{"number come, earlier", made(5, -1), made(0, 0), false},
		{"no numbers, earlier", made(0, -1), made(0, 0), false},
		{"no numbers, later", made(0, 1), made(0, 0), true},
	} {
		if got := c.new.replaces(c.old); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestErrorsOfTheReaderAreNoAnswers(t *testing.T) {
	ca := listCA("p256", testmail.Profile{})
	der := ca.CRL(testmail.List{Entries: []testmail.ListEntry{{Serial: big.NewInt(1)}}})
	gone := fmt.Errorf("connection reset: %w", io.EOF)
	for n := range len(der) + 1 {
		r := io.MultiReader(bytes.NewReader(der[:n]), iotest.ErrReader(gone))
		_, err := readList(r, askList(ca))
		var answer *answerError
		if !errors.Is(err, gone) || errors.As(err, &answer) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	if l, err := readList(iotest.OneByteReader(bytes.NewReader(der)), askList(ca)); err != nil || len(l.entries) != 1 {
		t.Errorf("byte by byte: %+v, %v", l, err)
	}
	if l, err := readList(iotest.DataErrReader(bytes.NewReader(der)), askList(ca)); err != nil || len(l.entries) != 1 {
		t.Errorf("end with the last bytes: %+v, %v", l, err)
	}
}

func TestTooManySerialNumbers(t *testing.T) {
	ca := listCA("p256", testmail.Profile{})
	q := listQuestion{issuer: ca.Cert}
	for n := range int64(maxSerials + 1) {
		q.serials = append(q.serials, big.NewInt(n))
	}
	if _, err := readList(bytes.NewReader(ca.CRL(testmail.List{})), q); err == nil {
		t.Error("no error")
	}
	q.serials = q.serials[1:]
	l := mustReadList(t, ca.CRL(testmail.List{Entries: []testmail.ListEntry{{Serial: big.NewInt(maxSerials)}}}), q)
	if len(l.entries) != 1 {
		t.Error("not found")
	}
}

// TestDiffersNotFromTheStandardLibrary: whatever both must read is read alike.
func TestDiffersNotFromTheStandardLibrary(t *testing.T) {
	for kind, algorithms := range map[string][]x509.SignatureAlgorithm{
		"rsa2048": {x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS},
		"p256":    {x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512},
		"p384":    {x509.ECDSAWithSHA384},
		"p521":    {x509.ECDSAWithSHA512},
		"ed25519": {x509.PureEd25519},
	} {
		ca := listCA(kind, testmail.Profile{})
		for _, a := range algorithms {
			template := &x509.RevocationList{Number: big.NewInt(1 << 40), SignatureAlgorithm: a,
				ThisUpdate: testmail.Instant(), NextUpdate: time.Date(2051, 1, 2, 3, 4, 5, 0, time.UTC),
				ExtraExtensions: []pkix.Extension{{Id: listOID(2, 5, 29, 46), Value: []byte{0x30, 0}}, {Id: listOID(1, 2, 3, 4), Value: []byte("?")}}}
			for n := range int64(12) {
				template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
					SerialNumber: big.NewInt(n + 1), RevocationTime: testmail.Instant().AddDate(-int(n)*7, 0, 0), ReasonCode: int(n) % 6})
			}
			der, err := x509.CreateRevocationList(rand.Reader, template, ca.Cert, ca.Key)
			if err != nil {
				t.Fatal(kind, a, err)
			}
			sameList(t, ca, askList(ca), der)
			sameList(t, ca, askList(ca), ca.CRL(testmail.List{Algorithm: a}))
		}
	}
}

// sameList reads a list with readList and crypto/x509 and compares.
func sameList(t *testing.T, ca *testmail.Identity, q listQuestion, der []byte) {
	t.Helper()
	theirs, err := x509.ParseRevocationList(der)
	if err == nil {
		err = theirs.CheckSignatureFrom(ca.Cert)
	}
	if err != nil {
		t.Fatal(err)
	}
	q.serials = nil
	worst := map[string]listEntry{}
	for _, e := range theirs.RevokedCertificateEntries {
		if len(q.serials) < maxSerials {
			q.serials = append(q.serials, e.SerialNumber)
		}
	}
	for _, e := range theirs.RevokedCertificateEntries {
		n := listEntry{e.RevocationTime, e.ReasonCode}
		if old, twice := worst[serialKey(e.SerialNumber)]; e.ReasonCode != reasonRemoved && (!twice || n.worse(old)) {
			worst[serialKey(e.SerialNumber)] = n
		}
	}
	l := mustReadList(t, der, q)
	if (l.number == nil) != (theirs.Number == nil) || l.number != nil && l.number.Cmp(theirs.Number) != 0 ||
		!l.thisUpdate.Equal(theirs.ThisUpdate) || !l.nextUpdate.Equal(theirs.NextUpdate) || len(l.entries) != len(worst) {
		t.Errorf("read %+v\nwant %v, %v to %v, %d entries", l, theirs.Number, theirs.ThisUpdate, theirs.NextUpdate, len(worst))
	}
	for key, w := range worst {
		if g, there := l.entries[key]; !there || !g.at.Equal(w.at) || g.reason != w.reason {
			t.Errorf("%s: %+v, want %+v", key, g, w)
		}
	}
}
