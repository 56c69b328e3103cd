package revoke

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

// A listCase is a list, the question it meets and what is said of it.
type listCase struct {
	name string
	der  []byte
	q    listQuestion
	why  string // "": it is read
}

func (c listCase) run(t *testing.T) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		t.Helper()
		if c.why == "" {
			mustReadList(t, c.der, c.q)
			return
		}
		if why := listRefusal(t, c.der, c.q); !strings.Contains(why, c.why) {
			t.Errorf("refused because of %q, want %q", why, c.why)
		}
	})
}

// handmadeList is a list with parts in place of what follows the issuer.
func handmadeList(ca *testmail.Identity, parts ...[]byte) []byte {
	return ca.CRL(testmail.List{Edit: func(tbs []byte) []byte {
		return testmail.Sequence(append(testmail.Children(tbs)[:3:3], parts...)...)
	}})
}

// honestTimes are honest ones for handmadeList.
func honestTimes() []byte {
	return append(testmail.Time(testmail.Instant()), testmail.Time(testmail.Instant().Add(time.Hour))...)
}

// listOfEntry is a list whose only entry has these parts.
func listOfEntry(ca *testmail.Identity, parts ...[]byte) []byte {
	return handmadeList(ca, honestTimes(), testmail.Sequence(testmail.Sequence(parts...)))
}

func listExt(id []int, critical bool, value []byte) pkix.Extension {
	return pkix.Extension{Id: id, Critical: critical, Value: value}
}

func repeatBytes(n int, b []byte) []byte { return bytes.Repeat(b, n) }

func TestListsThatAreNoDER(t *testing.T) {
	ca := listCA("p256", testmail.Profile{})
	good := ca.CRL(testmail.List{Entries: []testmail.ListEntry{{Serial: big.NewInt(1), Reason: 1}}})
	q := askList(ca)
	parts := testmail.Children(good) // signed part, algorithm, signature
	body := bytes.Join(parts, nil)
	for n := range good {
		if why := listRefusal(t, good[:n], q); why == "" {
			t.Errorf("cut after %d bytes: no reason", n)
		}
	}
	serial, at := testmail.Integer(1), testmail.Time(testmail.Instant())
	utc := func(s string) []byte { return testmail.Element(0x17, []byte(s)) }
	general := func(s string) []byte { return testmail.Element(0x18, []byte(s)) }
	for _, c := range []listCase{
		{"as it is", good, q, ""},
		{"nothing", nil, q, "breaks off"},
		{"PEM", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: good}), q, "a list in DER is missing"},
		{"a byte more", append(good[:len(good):len(good)], 0), q, "something follows it"},
		{"two lists", append(good[:len(good):len(good)], good...), q, "something follows it"},
		{"an element more", testmail.Sequence(body, testmail.Integer(1)), q, "something follows its signature"},
		{"indefinite length", append(append([]byte{0x30, 0x80}, body...), 0, 0), q, "no length that DER allows"},
		{"length of five bytes", append([]byte{0x30, 0x85, 0, 0, 0, 0, byte(len(body))}, body...), q, "no length that DER allows"},
		{"length with a zero", append([]byte{0x30, 0x83, 0, byte(len(body) >> 8), byte(len(body))}, body...), q, "no length that DER allows"},
		{"long form of a short length", listOfEntry(ca, []byte{2, 0x81, 1, 1}, at), q, "cannot be read"},
		{"longer than what it stands in", append([]byte{0x30, 0x81, 0x80, 0x30, 0x81, 0x80}, make([]byte, 200)...), q, "longer than what it stands in"},
		{"signed part is no sequence", testmail.Sequence(serial, parts[1], parts[2]), q, "signed part is missing"},
		{"version 1 written out", ca.CRL(testmail.List{Edit: func(tbs []byte) []byte {
			return testmail.Replace(tbs, testmail.Integer(1), testmail.Integer(0))
		}}), q, "version is unknown"},
		{"version 3", ca.CRL(testmail.List{Edit: func(tbs []byte) []byte {
			return testmail.Replace(tbs, testmail.Integer(1), testmail.Integer(2))
		}}), q, "version is unknown"},
		{"no times", handmadeList(ca), q, "time is missing"},
		{"time without seconds", handmadeList(ca, utc("2603021200Z")), q, "no time that DER allows"},
		{"time with an offset", handmadeList(ca, utc("260302120000+0100")), q, "no time that DER allows"},
		{"time without Z", handmadeList(ca, utc("2603021200000")), q, "no time that DER allows"},
		{"time in another letter", handmadeList(ca, utc("2603021200zzZ")), q, "no time that DER allows"},
		{"time with a sign", handmadeList(ca, utc("+60302120000Z")), q, "no time that DER allows"},
		{"time with a fraction", handmadeList(ca, general("20260302120000.5Z")), q, "no time that DER allows"},
		{"30th of February", handmadeList(ca, utc("260230120000Z")), q, "no time that DER allows"},
		{"month 13", handmadeList(ca, utc("261301120000Z")), q, "no time that DER allows"},
		{"day 0", handmadeList(ca, utc("260300120000Z")), q, "no time that DER allows"},
		{"hour 24", handmadeList(ca, utc("260302240000Z")), q, "no time that DER allows"},
		{"second 60", handmadeList(ca, utc("260302115960Z")), q, "no time that DER allows"},
		{"29th of February of a leap year", handmadeList(ca, utc("240229120000Z")), q, ""},
		{"early GeneralizedTime", handmadeList(ca, general("20260302120000Z")), q, ""},
		{"third time", handmadeList(ca, honestTimes(), at), q, "something follows"},
		{"element after the entries", handmadeList(ca, honestTimes(), testmail.Sequence(), testmail.Sequence()), q, "something follows"},
		{"no entries, written out", handmadeList(ca, honestTimes(), testmail.Sequence()), q, ""},
		{"entry is no sequence", handmadeList(ca, honestTimes(), testmail.Sequence(serial)), q, "an entry is missing"},
		{"empty entry", listOfEntry(ca), q, "cannot be read"},
		{"entry without a time", listOfEntry(ca, serial), q, "cannot be read"},
		{"entry with another time", listOfEntry(ca, serial, utc("2603021200Z")), q, "no time that DER allows"},
		{"entry with a number for a time", listOfEntry(ca, serial, serial), q, "no time that DER allows"},
		{"serial number of no bytes", listOfEntry(ca, []byte{2, 0}, at), q, "cannot be read"},
		{"serial number with a zero", listOfEntry(ca, []byte{2, 2, 0, 1}, at), q, "cannot be read"},
		{"negative serial number, too long", listOfEntry(ca, []byte{2, 2, 0xff, 0x80}, at), q, "cannot be read"},
		{"entry with something more", listOfEntry(ca, serial, at, serial), q, "something follows an entry"},
		{"entry with empty extensions", listOfEntry(ca, serial, at, testmail.Sequence()), q, "there are none"},
		{"entry of 4096 bytes", listOfEntry(ca, testmail.Element(2, append([]byte{1}, make([]byte, 4076)...)), at), q, ""},
		{"entry of 4097 bytes", listOfEntry(ca, testmail.Element(2, append([]byte{1}, make([]byte, 4077)...)), at), q, "longer than 4096 bytes"},
		{"something after the extensions", handmadeList(ca, honestTimes(), testmail.Element(0xa0, append(testmail.Sequence(testmail.Sequence(
			[]byte{6, 1, 42}, []byte{4, 0})), 5, 0))), q, "something follows its extensions"},
		{"extensions without a list of them", handmadeList(ca, honestTimes(), testmail.Element(0xa0, nil)), q, "extensions is missing"},
		{"empty extensions", handmadeList(ca, honestTimes(), testmail.Element(0xa0, testmail.Sequence())), q, "there are none"},
	} {
		c.run(t)
	}
}

func TestListsOfOthers(t *testing.T) {
	ca := listCA("p256", testmail.Profile{})
	q := askList(ca)
	other := testmail.NewKeys().Root(testmail.Profile{Name: "Other", Kind: "p256"})
	renamed := testmail.NewKeys().Root(testmail.Profile{Name: "Renamed", Kind: "p256", Key: ca.Key})
	noLists := listCA("p256", testmail.Profile{Usage: x509.KeyUsageCertSign})
	noUsage := listCA("p256", testmail.Profile{NoUsage: true})
	authority := func(critical bool, value []byte) testmail.List {
		return testmail.List{NoKeyID: true, Extra: []pkix.Extension{listExt([]int{2, 5, 29, 35}, critical, value)}}
	}
	own := testmail.Element(0x80, ca.KeyID())
	for _, c := range []listCase{
		{"another name and key", other.CRL(testmail.List{}), q, "another issuer"},
		{"another name, same key", renamed.CRL(testmail.List{}), q, "another issuer"},
		{"another key, identifier as it should be", ca.CRL(testmail.List{Signer: other}), q, "signature is not that of the issuer"},
		{"another key without identifier", ca.CRL(testmail.List{Signer: other, NoKeyID: true}), q, "signature is not that of the issuer"},
		{"identifier of another key", ca.CRL(authority(false, testmail.Sequence(testmail.Element(0x80, other.KeyID())))), q, "another key"},
		{"no identifier", ca.CRL(testmail.List{NoKeyID: true}), q, ""},
		{"identifier without a key", ca.CRL(authority(false, testmail.Sequence())), q, ""},
		{"identifier with issuer and number", ca.CRL(authority(false, testmail.Sequence(own, testmail.Element(0xa1, testmail.DirectoryName(ca.Cert.RawSubject)), []byte{0x82, 1, 9}))), q, ""},
		{"critical identifier", ca.CRL(authority(true, testmail.Sequence(own))), q, "cannot be read"},
		{"garbled identifier", ca.CRL(authority(false, own)), q, "cannot be read"},
		{"issuer that may not sign lists", noLists.CRL(testmail.List{}), askList(noLists), "may not sign"},
		{"issuer without key usage", noUsage.CRL(testmail.List{}), askList(noUsage), ""},
	} {
		c.run(t)
	}
}

func TestListsOfPartOfTheCertificates(t *testing.T) {
	ca := listCA("p256", testmail.Profile{})
	point := func(n int, b ...byte) []byte { return testmail.Element(0x80+byte(n), b) }
	url := func(s string) []byte { return testmail.Element(0x86, []byte(s)) }
	full := func(names ...[]byte) []byte {
		return testmail.Sequence(testmail.Element(0xa0, testmail.Element(0xa0, bytes.Join(names, nil))))
	}
	const here = "http://crl.example/a/Users.crl"
	user, authority := askList(ca), askList(ca)
	user.points, authority.points = []string{"http://b.example/x", here}, []string{here}
	authority.ca = true
	for _, c := range []struct {
		name string
		idp  []byte
		q    listQuestion
		why  string
	}{
		{"this point", full(url(here)), user, ""},
		{"this point among others", full(url("ldap://x/"), testmail.DNSName("b"), url(here), url("http://z/")), user, ""},
		{"scheme and host in capitals", full(url("HTTP://CRL.Example/a/Users.crl")), user, ""},
		{"path in another case", full(url("http://crl.example/a/users.crl")), user, "another distribution point"},
		{"another point", full(url("http://crl.example/a/Users2.crl")), user, "another distribution point"},
		{"the beginning of it", full(url("http://crl.example/a/")), user, "another distribution point"},
		{"no URL", full(testmail.DirectoryName(ca.Cert.RawSubject)), user, "another distribution point"},
		{"this point as a host", full(testmail.DNSName(here)), user, "another distribution point"},
		{"a point, and none led here", full(url(here)), askList(ca), "another distribution point"},
		{"no name", full(), user, "another distribution point"},
		{"garbled name", full(url(here), []byte{0x86, 5}), user, "another distribution point"},
		{"relative name", testmail.Sequence(testmail.Element(0xa0, testmail.Element(0xa1, nil))), user, "another distribution point"},
		{"nothing said", testmail.Sequence(), user, ""},
		{"users only, for a user", testmail.Sequence(point(1, 0xff)), user, ""},
		{"users only, for a CA", testmail.Sequence(point(1, 0xff)), authority, "users only"},
		{"CAs only, for a user", testmail.Sequence(point(2, 0xff)), user, "CAs only"},
		{"CAs only, for a CA", testmail.Sequence(point(2, 0xff)), authority, ""},
		{"users and CAs only", testmail.Sequence(point(1, 0xff), point(2, 0xff)), user, "CAs only"},
		{"some reasons", testmail.Sequence(point(3, 1, 0x40)), user, "some reasons"},
		{"indirect", testmail.Sequence(point(4, 0xff)), user, "other issuers"},
		{"attribute certificates", testmail.Sequence(point(5, 0xff)), user, "attribute certificates"},
		{"defaults written out", testmail.Sequence(point(1, 0), point(2, 0), point(4, 0), point(5, 0)), user, ""},
		{"truth that is none", testmail.Sequence(point(1, 1)), user, "cannot be read"},
		{"truth of no bytes", testmail.Sequence(point(4)), user, "cannot be read"},
		{"out of order", testmail.Sequence(point(2, 0), point(1, 0xff)), authority, "cannot be read"},
		{"something more", testmail.Sequence(point(6, 0xff)), user, "cannot be read"},
		{"garbled part", testmail.Sequence([]byte{0x81, 5}), user, "cannot be read"},
		{"no sequence", []byte{5, 0}, user, "cannot be read"},
		{"something after it", append(testmail.Sequence(), 5, 0), user, "cannot be read"},
	} {
		listCase{c.name, ca.CRL(testmail.List{IDP: c.idp}), c.q, c.why}.run(t)
	}
}

func TestExtensionsOfLists(t *testing.T) {
	ca := listCA("p256", testmail.Profile{})
	q := askList(ca)
	with := func(e ...pkix.Extension) []byte { return ca.CRL(testmail.List{NoNumber: true, Extra: e}) }
	number := []int{2, 5, 29, 20}
	numbered := func(content ...byte) []byte { return with(listExt(number, false, testmail.Element(2, content))) }
	entry := func(e ...pkix.Extension) []byte {
		// serial number 300: nobody asked about it
		return ca.CRL(testmail.List{Entries: []testmail.ListEntry{{Serial: big.NewInt(300), Extra: e}}})
	}
	reason := func(b ...byte) []byte { return entry(listExt([]int{2, 5, 29, 21}, false, b)) }
	raw := func(e ...[]byte) []byte {
		return handmadeList(ca, honestTimes(), testmail.Element(0xa0, testmail.Sequence(testmail.Sequence(e...))))
	}
	private := []int{1, 2, 3, 4}
	var many []pkix.Extension
	for n := range maxListExtensionCount + 1 {
		many = append(many, listExt([]int{1, 2, 3, n}, false, nil))
	}
	null := []byte{5, 0}
	for _, c := range []listCase{
		{"number of 20 bytes", numbered(append([]byte{0}, repeatBytes(20, []byte{0xff})...)...), q, ""},
		{"number of 21 bytes", numbered(repeatBytes(21, []byte{1})...), q, "longer than 20 bytes"},
		{"number zero", numbered(0), q, ""},
		{"negative number", numbered(0x80), q, "number cannot be read"},
		{"number with a zero", numbered(0, 1), q, "number cannot be read"},
		{"number of no bytes", numbered(), q, "number cannot be read"},
		{"number and more", with(listExt(number, false, append(testmail.Integer(1), null...))), q, "number cannot be read"},
		{"two numbers", with(listExt(number, false, testmail.Integer(1)), listExt(number, false, testmail.Integer(2))), q, "twice"},
		{"delta", with(listExt([]int{2, 5, 29, 27}, true, testmail.Integer(1))), q, "only holds changes"},
		{"delta that is not critical", with(listExt([]int{2, 5, 29, 27}, false, testmail.Integer(1))), q, "only holds changes"},
		{"freshest list, other name, AIA, expired certificates, unknown", with(listExt([]int{2, 5, 29, 46}, false, null),
			listExt([]int{2, 5, 29, 18}, false, null), listExt([]int{1, 3, 6, 1, 5, 5, 7, 1, 1}, false, null),
			listExt([]int{2, 5, 29, 60}, false, null), listExt(private, false, nil)), q, ""},
		{"unknown and critical", with(listExt(private, true, nil)), q, "critical extension that is unknown"},
		{"freshest list, critical", with(listExt([]int{2, 5, 29, 46}, true, null)), q, "critical extension that is unknown"},
		{"unknown, twice", with(listExt(private, false, nil), listExt(private, false, nil)), q, "twice"},
		{"as many as may be", with(many[:maxListExtensionCount-1]...), q, ""},
		{"too many", with(many...), q, "too many"},
		{"64 KiB", with(listExt(private, false, make([]byte, 64<<10-61))), q, ""},
		{"over 64 KiB", with(listExt(private, false, make([]byte, 64<<10))), q, "longer than 65536 bytes"},
		{"version 1", ca.CRL(testmail.List{Version1: true, Entries: []testmail.ListEntry{{Serial: big.NewInt(1)}}}), q, ""},
		{"version 1 with extensions", ca.CRL(testmail.List{Edit: func(tbs []byte) []byte {
			return testmail.Sequence(testmail.Children(tbs)[1:]...)
		}}), q, "version 1"},
		{"version 1 with extensions of entries", ca.CRL(testmail.List{NoNumber: true, NoKeyID: true,
			Entries: []testmail.ListEntry{{Serial: big.NewInt(1), Reason: 1}}, Edit: func(tbs []byte) []byte {
				return testmail.Sequence(testmail.Children(tbs)[1:]...)
			}}), q, "something follows an entry"},
		{"without an OID", raw([]byte{4, 0}), q, "cannot be read"},
		{"empty OID", raw([]byte{6, 0}, []byte{4, 0}), q, "cannot be read"},
		{"OID that breaks off", raw([]byte{6, 2, 42, 0x83}, []byte{4, 0}), q, "cannot be read"},
		{"OID with a zero", raw([]byte{6, 3, 42, 0x80, 1}, []byte{4, 0}), q, "cannot be read"},
		{"long OID", raw([]byte{6, 4, 42, 0x83, 0x80, 1}, []byte{4, 0}), q, ""},
		{"critical that is no truth", raw([]byte{6, 1, 42}, []byte{1, 1, 1}, []byte{4, 0}), q, "cannot be read"},
		{"default written out", raw([]byte{6, 1, 42}, []byte{1, 1, 0}, []byte{4, 0}), q, ""},
		{"without a value", raw([]byte{6, 1, 42}), q, "cannot be read"},
		{"something after the value", raw([]byte{6, 1, 42}, []byte{4, 0}, null), q, "cannot be read"},

		{"entry: reason 10", reason(10, 1, 10), q, ""},
		{"entry: reason 11", reason(10, 1, 11), q, "reason that is none"},
		{"entry: reason 7", reason(10, 1, 7), q, "reason that is none"},
		{"entry: negative reason", reason(10, 1, 0xff), q, "reason that is none"},
		{"entry: reason of two bytes", reason(10, 2, 0, 1), q, "reason that is none"},
		{"entry: reason as a number", reason(2, 1, 1), q, "reason that is none"},
		{"entry: no reason", reason(), q, "reason that is none"},
		{"entry: two reasons", entry(listExt([]int{2, 5, 29, 21}, false, []byte{10, 1, 8}), listExt([]int{2, 5, 29, 21}, false, []byte{10, 1, 1})), q, "twice"},
		{"entry: what hold and since when", entry(listExt([]int{2, 5, 29, 23}, false, []byte{6, 1, 42}), listExt([]int{2, 5, 29, 24}, true, null)), q, ""},
		{"entry: another issuer", entry(listExt([]int{2, 5, 29, 29}, true, testmail.Sequence())), q, "other issuers"},
		{"entry: another issuer, not critical", entry(listExt([]int{2, 5, 29, 29}, false, testmail.Sequence())), q, "other issuers"},
		{"entry: unknown", entry(listExt(private, false, nil)), q, ""},
		{"entry: unknown and critical", entry(listExt(private, true, nil)), q, "critical extension that is unknown"},
		{"entry: as many as may be", entry(many[:maxEntryExtensions]...), q, ""},
		{"entry: too many", entry(many[:maxEntryExtensions+1]...), q, "too many"},
	} {
		c.run(t)
	}
}
