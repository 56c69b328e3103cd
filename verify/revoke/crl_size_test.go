package revoke

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/big"
	"runtime"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
)

// A madeUpList serves a list of entries of 49 bytes that never stands in memory.
type madeUpList struct {
	before, after []byte // the entries
	entries       int
	entry         []byte // with room for the number
	at            int    // of the serial number's counter in it
}

// newMadeUpList signs a list of n entries; the serial number of entry i ends in
// i+1, in four bytes.
func newMadeUpList(ca *testmail.Identity, n int) *madeUpList {
	serial := append(bytes.Repeat([]byte{0x5c}, 12), make([]byte, 4)...)
	entry := testmail.Sequence(testmail.Element(2, serial), testmail.Time(testmail.Instant()),
		testmail.Sequence(testmail.Sequence([]byte{6, 3, 0x55, 0x1d, 0x15}, testmail.Element(4, []byte{10, 1, 4}))))
	l := &madeUpList{entries: n, entry: entry, at: 2 + 2 + 12}
	empty := testmail.Children(ca.CRL(testmail.List{}))
	parts := testmail.Children(empty[0])
	beginning := append(bytes.Join(parts[:5], nil), sequenceHeader(n*len(entry))...)
	size := len(beginning) + n*len(entry) + len(parts[5])
	l.before = append(sequenceHeader(size), beginning...)
	l.after = parts[5]
	sum := sha256.New()
	if _, err := io.Copy(sum, l.reader()); err != nil {
		panic(err)
	}
	signature, err := ca.Key.Sign(nil, sum.Sum(nil), crypto.SHA256)
	if err != nil {
		panic(err)
	}
	l.after = bytes.Join([][]byte{l.after, empty[1], testmail.BitString(signature)}, nil)
	l.before = append(sequenceHeader(len(l.before)+n*len(entry)+len(l.after)), l.before...)
	return l
}

// sequenceHeader is what stands before size bytes of a SEQUENCE, 128 at least.
func sequenceHeader(size int) []byte {
	length := big.NewInt(int64(size)).Bytes()
	return append([]byte{0x30, 0x80 | byte(len(length))}, length...)
}

func (l *madeUpList) size() int64 {
	return int64(len(l.before) + l.entries*len(l.entry) + len(l.after))
}

func (l *madeUpList) reader() io.Reader {
	return io.MultiReader(bytes.NewReader(l.before), &entryReader{list: l}, bytes.NewReader(l.after))
}

func (l *madeUpList) serial(i int) *big.Int {
	b := bytes.Clone(l.entry[4 : 4+16])
	binary.BigEndian.PutUint32(b[12:], uint32(i+1))
	return new(big.Int).SetBytes(b)
}

// An entryReader makes the entries of a madeUpList.
type entryReader struct {
	list *madeUpList
	next int
	left []byte
}

func (e *entryReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(e.left) == 0 {
			if e.next == e.list.entries {
				break
			}
			e.next++
			binary.BigEndian.PutUint32(e.list.entry[e.list.at:], uint32(e.next))
			e.left = e.list.entry
		}
		k := copy(p[n:], e.left)
		e.left = e.left[k:]
		n += k
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestLongListIsNotHeld: 64 MB of list are read with less than 128 KiB, all
// that is ever allocated counted together.
func TestLongListIsNotHeld(t *testing.T) {
	ca := listCA("p256", testmail.Profile{})
	const size = 64_000_000
	l := newMadeUpList(ca, size/49+1)
	q := listQuestion{issuer: ca.Cert, serials: []*big.Int{l.serial(0), l.serial(l.entries / 2), l.serial(l.entries - 1), big.NewInt(1)}}
	r := l.reader()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	read, err := readList(r, q)
	runtime.ReadMemStats(&after)
	if err != nil || len(read.entries) != 3 || read.bytes != l.size() || read.bytes < size {
		t.Fatalf("%+v, %v", read, err)
	}
	used := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes of list, %d entries: %d bytes in %d allocations", read.bytes, l.entries, used, after.Mallocs-before.Mallocs)
	if used > 128<<10 {
		t.Errorf("%d bytes were allocated", used)
	}
}

// TestWorkGrowsWithLength: the elements read are as many as the bytes at most,
// and twice the entries are twice the elements, no more.
func TestWorkGrowsWithLength(t *testing.T) {
	ca := listCA("p256", testmail.Profile{})
	work := func(n int) (elements, size int64) {
		l := newMadeUpList(ca, n)
		r := newListReader(l.reader(), listQuestion{issuer: ca.Cert, serials: []*big.Int{l.serial(0)}})
		if _, err := r.read(); err != nil {
			t.Fatal(err)
		}
		return r.elements, l.size()
	}
	one, _ := work(10_000)
	two, size := work(20_000)
	if two-one != 10_000 || two > size {
		t.Errorf("%d elements, then %d in %d bytes", one, two, size)
	}
}

// BenchmarkReadList reads 400 000 entries in 20 MB.
func BenchmarkReadList(b *testing.B) {
	ca := listCA("p256", testmail.Profile{})
	l := newMadeUpList(ca, 400_000)
	der, err := io.ReadAll(l.reader())
	if err != nil {
		b.Fatal(err)
	}
	q := listQuestion{issuer: ca.Cert, serials: []*big.Int{l.serial(5), big.NewInt(7)}}
	b.SetBytes(int64(len(der)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readList(bytes.NewReader(der), q); err != nil {
			b.Fatal(err)
		}
	}
}
