package revoke

import (
	"fmt"
	"math/big"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
)

// longPage is a list of about 18 MB, as the longest public ones are.
func longPage(ca *testmail.Identity, extra ...testmail.ListEntry) []byte {
	l := testmail.List{Entries: extra}
	base := new(big.Int).Lsh(big.NewInt(1), 120)
	for i := range int64(390_000) {
		l.Entries = append(l.Entries, testmail.ListEntry{Serial: new(big.Int).Add(base, big.NewInt(i)), Reason: 4})
	}
	return ca.CRL(l)
}

// TestMemoryOfALongList: twenty messages ask about as many certificates of one
// long list at once. It is fetched once, never held, and read a few times, not
// twenty.
func TestMemoryOfALongList(t *testing.T) {
	const messages = 20
	r := newRig(t)
	var people []*testmail.Identity
	var gone []testmail.ListEntry
	for i := range messages {
		id := r.leaf(fmt.Sprint("Person ", i), []string{r.at("/ca.crl")})
		people = append(people, id)
		if i%2 == 1 {
			gone = append(gone, revoked(id, 1))
		}
	}
	der := longPage(r.ca, gone...)
	r.page("/ca.crl", der)
	for _, round := range []string{"fetched", "kept"} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		stop, peak := make(chan struct{}), make(chan uint64)
		go watchHeap(stop, peak)
		var wg sync.WaitGroup
		for i, id := range people {
			wg.Go(func() {
				want := verify.Good
				if i%2 == 1 {
					want = verify.Revoked
				}
				r.want(id, want)
			})
		}
		wg.Wait()
		close(stop)
		most := <-peak
		runtime.ReadMemStats(&after)
		allocated, held := after.TotalAlloc-before.TotalAlloc, most-min(most, before.HeapAlloc)
		t.Logf("%s: a list of %d bytes, %d messages at once: %d bytes allocated in all, at most %d held", round, len(der), messages, allocated, held)
		if allocated > 4<<20 {
			t.Errorf("%s: %d bytes allocated", round, allocated)
		}
	}
	r.wantRequests("/ca.crl", 1)
}

// watchHeap sends the most that the heap held when stop is closed.
func watchHeap(stop <-chan struct{}, peak chan<- uint64) {
	var m runtime.MemStats
	var most uint64
	for {
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		select {
		case <-stop:
			peak <- most
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// BenchmarkKeptList measures a question that a long list on disk answers.
func BenchmarkKeptList(b *testing.B) {
	ca := sharedKeys().Root(testmail.Profile{Name: "CA"})
	der := longPage(ca)
	k, err := openCache(b.TempDir(), 1<<30, testmail.Instant)
	if err != nil {
		b.Fatal(err)
	}
	temp, err := k.temp()
	if err != nil {
		b.Fatal(err)
	}
	defer temp.Close()
	if _, err := temp.Write(der); err != nil {
		b.Fatal(err)
	}
	c := &Checker{cache: k, scans: newScans(), now: testmail.Instant}
	if err := k.put("key", noteOf(&list{thisUpdate: testmail.Instant(), nextUpdate: testmail.Instant().Add(time.Hour)}), temp.Name()); err != nil {
		b.Fatal(err)
	}
	q := listQuestion{issuer: ca.Cert, serials: []*big.Int{big.NewInt(7)}}
	b.SetBytes(int64(len(der)))
	for b.Loop() {
		if l, err := c.keptList(b.Context(), "key", "scan", q); l == nil || err != nil {
			b.Fatal(l, err)
		}
	}
}
