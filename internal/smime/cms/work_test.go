package cms_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/certinbox/certinbox/internal/smime/cms"
	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
)

// hostile are inputs that make other readers work far more than they are long.
func hostile(t testing.TB) map[string][]byte {
	plain := fixtureNamed(t, "built-plain").blob
	info := plain[bytes.LastIndex(plain, []byte{0x31, 0x82})+4:] // the only SignerInfo
	certificate := fixtureNamed(t, "certificate-alone").blob
	header := []byte{0x30, 0x80}
	signedData := func(parts ...[]byte) []byte {
		return cmstest.Indefinite(0x30, cmstest.OID(cmstest.SignedData), cmstest.Indefinite(0xa0, cmstest.Indefinite(0x30, parts...)))
	}
	opaque := func(content []byte) []byte {
		return signedData(cmstest.Int(1), cmstest.Set(), cmstest.Indefinite(0x30, cmstest.OID(cmstest.Data), cmstest.Indefinite(0xa0, content)))
	}
	nest := func(depth int) []byte {
		return slices.Concat(bytes.Repeat(header, depth), bytes.Repeat([]byte{0, 0}, depth))
	}
	octets := func(depth int, inside []byte) []byte {
		return slices.Concat(bytes.Repeat([]byte{0x24, 0x80}, depth), inside, bytes.Repeat([]byte{0, 0}, depth))
	}
	return map[string][]byte{
		"two bytes, high tag":             {0x1f, 0x80},
		"two bytes, length":               {0x30, 0x81},
		"nested indefinite":               nest(50_000),
		"nested headers without an end":   bytes.Repeat(header, 1_000_000),
		"nested definite":                 nestDefinite(5_000),
		"nested in the digest algorithms": signedData(cmstest.Int(1), cmstest.Indefinite(0x31, nest(50_000))),
		"nested in the crls":              signedData(cmstest.Int(1), cmstest.Set(), cmstest.Sequence(cmstest.OID(cmstest.Data)), cmstest.Indefinite(0xa1, nest(20)), cmstest.Set(info)),
		"flat primitives":                 cmstest.Indefinite(0x30, bytes.Repeat([]byte{4, 1, 'x'}, 200_000)),
		"flat primitives in the set":      signedData(cmstest.Int(1), cmstest.Indefinite(0x31, bytes.Repeat([]byte{4, 1, 'x'}, 200_000)), cmstest.Sequence(cmstest.OID(cmstest.Data)), cmstest.Set(info)),
		"chunks of one byte":              opaque(octets(1, bytes.Repeat([]byte{4, 1, 'x'}, 1_000_000))),
		"empty chunks":                    opaque(octets(1, bytes.Repeat([]byte{4, 0}, 1_000_000))),
		"empty constructed chunks":        opaque(octets(1, bytes.Repeat([]byte{0x24, 0x80, 0, 0}, 500_000))),
		"deep chunks":                     opaque(octets(18, bytes.Repeat([]byte{4, 1, 'x'}, 100_000))),
		"too deep chunks":                 opaque(octets(50_000, nil)),
		"chunks that overrun":             opaque(bytes.Repeat([]byte{0x24, 0x80, 0x24, 4}, 5_000)),
		"signers":                         signedData(cmstest.Int(1), cmstest.Set(), cmstest.Sequence(cmstest.OID(cmstest.Data)), cmstest.Set(bytes.Repeat(info, 2_000))),
		"certificates":                    signedData(cmstest.Int(1), cmstest.Set(), cmstest.Sequence(cmstest.OID(cmstest.Data)), cmstest.Context(0, bytes.Repeat(certificate, 2_000)), cmstest.Set(info)),
		"attribute certificates":          signedData(cmstest.Int(1), cmstest.Set(), cmstest.Sequence(cmstest.OID(cmstest.Data)), cmstest.Context(0, bytes.Repeat(cmstest.Context(1), 100_000)), cmstest.Set(info)),
		"attributes":                      signedData(cmstest.Int(1), cmstest.Set(), cmstest.Sequence(cmstest.OID(cmstest.Data)), cmstest.Set(manyAttributes())),
		"values of an attribute":          signedData(cmstest.Int(1), cmstest.Set(), cmstest.Sequence(cmstest.OID(cmstest.Data)), cmstest.Set(manyValues())),
		"names of an issuer":              signedData(cmstest.Int(1), cmstest.Set(), cmstest.Sequence(cmstest.OID(cmstest.Data)), cmstest.Set(longIssuer())),
		"long padding":                    append(slices.Clone(plain), make([]byte, 1_000_000)...),
	}
}

func nestDefinite(depth int) []byte {
	e := []byte{5, 0}
	for range depth {
		e = cmstest.Sequence(e)
	}
	return e
}

// signerInfo has the given signed attributes and signer identifier.
func signerInfo(sid []byte, attributes ...[]byte) []byte {
	return cmstest.Sequence(cmstest.Int(1), sid, cmstest.Algorithm("2.16.840.1.101.3.4.2.1"),
		cmstest.Context(0, attributes...), cmstest.Algorithm(cmstest.ECPublicKey), cmstest.Octets([]byte{1}))
}

func manyAttributes() []byte {
	return signerInfo(cmstest.TLV(0x80, []byte("id")), bytes.Repeat(cmstest.Attribute("1.2.3"), 100_000))
}

func manyValues() []byte {
	return signerInfo(cmstest.TLV(0x80, []byte("id")), cmstest.Sequence(cmstest.OID("1.2.3"), cmstest.Indefinite(0x31, bytes.Repeat([]byte{0x30, 0x80, 0, 0}, 200_000))))
}

func longIssuer() []byte {
	name := cmstest.Indefinite(0x30, bytes.Repeat([]byte{0x31, 0x80, 0, 0}, 200_000))
	return signerInfo(cmstest.Sequence(name, cmstest.Int(1)), cmstest.ContentType(cmstest.Data))
}

// The work is counted in elements, not in time: each takes two bytes at least,
// and no part of a blob is read more than twice.
func TestWorkIsLinear(t *testing.T) {
	detached := content(t)
	for name, blob := range hostile(t) {
		s := &cms.SignedData{}
		steps, err := cms.Count(blob)
		if err == nil {
			s, _ = judge(blob, detached)
			steps = s.Steps
		}
		if steps > len(blob) {
			t.Errorf("%s: %d steps for %d bytes", name, steps, len(blob))
		}
		t.Logf("%-34s %8d bytes %8d steps %v", name, len(blob), steps, err)
	}
}

// Everything but padding and odd encodings of good blobs is refused.
func TestHostileIsRefused(t *testing.T) {
	accepted := map[string]bool{"nested in the crls": true, "flat primitives in the set": true, "long padding": true}
	detached := content(t)
	for name, blob := range hostile(t) {
		_, said := judge(blob, detached)
		switch {
		case accepted[name] && said != "cms-no-certificate" && said != "sha-256/ecdsa":
			t.Errorf("%s: %s", name, said)
		case !accepted[name] && said != "cms-malformed":
			t.Errorf("%s: %s", name, said)
		}
	}
}

// A wrapper of indefinite elements adds its own elements to the work, once.
func TestStepsGrowByTheNesting(t *testing.T) {
	var before int
	for depth := range 18 {
		blob := cmstest.Blob{Opaque: true, Content: []byte("x"), EContent: cmstest.NestedChunks([]byte("x"), 1, depth),
			Certificates: [][]byte{cmstest.Sequence()}, CRLs: [][]byte{}}
		b, err := blob.Build()
		if err != nil {
			t.Fatal(err)
		}
		steps, err := cms.Count(b)
		if reason(err) != "smime-certificate" {
			t.Fatalf("depth %d: %v", depth, err)
		}
		if depth > 0 && steps != before+2 {
			t.Errorf("depth %d: %d steps after %d", depth, steps, before)
		}
		before = steps
	}
}

// Large content is not copied, tiny chunks take no slice header each.
func TestContentIsInPlace(t *testing.T) {
	large := bytes.Repeat([]byte("A line of a large message.\r\n"), 100_000)
	for name, econtent := range map[string][]byte{
		"definite":       cmstest.Octets(large),
		"chunks of 4096": cmstest.Chunks(large, 4096),
		"chunks of 600":  cmstest.Chunks(large, 600),
		"chunks of 100":  cmstest.Chunks(large, 100),
		"chunks of 1":    cmstest.Chunks(large[:100_000], 1),
	} {
		blob := slices.Concat(fixturePrefix(econtent), cmstest.Context(0, cmstest.Sequence()), signers())
		blob = cmstest.Sequence(cmstest.OID(cmstest.SignedData), cmstest.Context(0, cmstest.Sequence(blob)))
		s, err := cms.Parse(blob, cms.DefaultLimits())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		whole := bytes.Join(s.Content, nil)
		if !bytes.Equal(whole, large[:len(whole)]) || len(whole) < 100_000 {
			t.Errorf("%s: %d octets, not the content", name, len(whole))
		}
		if len(s.Content) > 2+len(whole)/256 {
			t.Errorf("%s: %d pieces", name, len(s.Content))
		}
		if strings.HasSuffix(name, "100") || strings.HasSuffix(name, " 1") {
			continue
		}
		for i, piece := range s.Content {
			if len(piece) >= 512 && !inside(piece, blob) {
				t.Errorf("%s: piece %d of %d octets is a copy", name, i, len(piece))
			}
		}
	}
}

func inside(part, whole []byte) bool {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(part)))
	start := uintptr(unsafe.Pointer(unsafe.SliceData(whole)))
	return at >= start && at+uintptr(len(part)) <= start+uintptr(len(whole))
}

func fixturePrefix(econtent []byte) []byte {
	return slices.Concat(cmstest.Int(1), cmstest.Set(), cmstest.Sequence(cmstest.OID(cmstest.Data), cmstest.Context(0, econtent)))
}

func signers() []byte {
	return cmstest.Set(signerInfo(cmstest.TLV(0x80, []byte("id")), cmstest.ContentType(cmstest.Data)))
}
