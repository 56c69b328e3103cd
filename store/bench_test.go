package store

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// BenchmarkPut keeps new certificates on the file system of the temporary
// directory; beside it the floor: one file and its directory synced.
func BenchmarkPut(b *testing.B) {
	d := openTest(b, b.TempDir(), Options{Rules: Rules{NewPerDomainDay: 1 << 30}})
	der := newMaker().year(b, "a", "Org")
	for n := 0; b.Loop(); n++ {
		put(b, d, mail(fmt.Sprintf("user%d@example.com", n), der, noon(), fmt.Sprint(n)))
	}
}

func BenchmarkPutSeen(b *testing.B) {
	d := openTest(b, b.TempDir(), Options{})
	der := newMaker().year(b, "a", "Org")
	for n := 0; b.Loop(); n++ {
		put(b, d, mail("alice@example.com", der, noon().Add(time.Duration(n)*time.Second), fmt.Sprint(n)))
	}
}

// BenchmarkPutRepeated is the same mail again: it changes nothing.
func BenchmarkPutRepeated(b *testing.B) {
	d := openTest(b, b.TempDir(), Options{})
	e := mail("alice@example.com", newMaker().year(b, "a", "Org"), noon(), "Q1")
	put(b, d, e)
	for b.Loop() {
		put(b, d, e)
	}
}

func BenchmarkFloor(b *testing.B) {
	dir := b.TempDir()
	for n := 0; b.Loop(); n++ {
		path := fmt.Sprint(dir, "/", n)
		if err := writeNew(realDisk{}, 0o600, 0, draft{temp: path, content: make([]byte, 1800)}); err != nil {
			b.Fatal(err)
		}
		if err := syncPath(dir); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLookup finds and reads a published certificate; BenchmarkRead is
// its floor.
func BenchmarkLookup(b *testing.B) {
	d := openTest(b, tempDir(b), Options{})
	put(b, d, mail("alice@example.com", newMaker().year(b, "a", "Org"), noon(), "Q1"))
	for b.Loop() {
		path, err := d.Path("alice@example.com")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := os.ReadFile(path); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	d := openTest(b, tempDir(b), Options{})
	put(b, d, mail("alice@example.com", newMaker().year(b, "a", "Org"), noon(), "Q1"))
	path, err := d.Path("alice@example.com")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := os.ReadFile(path); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRecheck is one certificate whose CA answers as yesterday, without the
// time of asking; BenchmarkRecheckNothing one that is not due.
func BenchmarkRecheck(b *testing.B)        { recheckMany(b, 24*time.Hour) }
func BenchmarkRecheckNothing(b *testing.B) { recheckMany(b, time.Minute) }

func recheckMany(b *testing.B, later time.Duration) {
	const count = 200
	d := openTest(b, b.TempDir(), Options{})
	der := newMaker().year(b, "a", "Org")
	for n := range count {
		put(b, d, mail(fmt.Sprintf("user%d@example.com", n), der, noon(), fmt.Sprint(n)))
	}
	now := noon()
	for b.Loop() {
		now = now.Add(later)
		if later < time.Hour {
			now = noon().Add(later)
		}
		if _, err := d.Recheck(b.Context(), now, says(answer(StatusGood), nil), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/count, "µs/certificate")
}

// BenchmarkReport puts reports into a full ring: such as replace one of the same
// reference, and others.
func BenchmarkReport(b *testing.B) {
	text := make([]byte, 4<<10)
	for _, kind := range []struct {
		name string
		refs int
	}{{"again", 10000}, {"new", 1 << 30}} {
		b.Run(kind.name, func(b *testing.B) {
			r, err := OpenReports(b.TempDir(), ReportLimits{})
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			one := func() {
				if err := r.Put(fmt.Sprint("w", n%kind.refs), text, "text"); err != nil {
					b.Fatal(err)
				}
				n++
			}
			for range 10000 {
				one()
			}
			for b.Loop() {
				one()
			}
		})
	}
}
