package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// report puts a body of n bytes under "ref" and says which inode holds it then.
func report(t *testing.T, r *Reports, n int) uint64 {
	t.Helper()
	body := strings.Repeat("x", n)
	if err := r.Put("ref", []byte(body), "text"); err != nil {
		t.Fatal(err)
	}
	if s, err := r.Get("ref"); err != nil || string(s.JSON) != body || s.Text != "text" {
		t.Fatalf("%d bytes: %+v, %v", n, s, err)
	}
	fi, err := os.Stat(filepath.Join(r.dir, "ref"))
	if err != nil {
		t.Fatal(err)
	}
	if names, err := os.ReadDir(r.dir); err != nil || len(names) != 1 {
		t.Errorf("%d files, %v", len(names), err)
	}
	return inode(fi)
}

func TestReportIsWrittenInPlace(t *testing.T) {
	r := ring(t, t.TempDir(), ReportLimits{})
	first := report(t, r, 1000)
	for _, n := range []int{1000, 5000, 10, 0, 1000} {
		if got := report(t, r, n); got != first {
			t.Errorf("%d bytes: another inode", n)
		}
	}
}

// TestReportIsWrittenAside where writing in place would disturb somebody: one
// who reads, and one who has the same file under another name.
func TestReportIsWrittenAside(t *testing.T) {
	r := ring(t, t.TempDir(), ReportLimits{})
	path := filepath.Join(r.dir, "ref")
	for _, tc := range []struct {
		name    string
		disturb func(*os.File) error
	}{
		{"read", func(f *os.File) error { return tryFlock(f, syscall.LOCK_SH) }},
		{"written", func(f *os.File) error { return tryFlock(f, syscall.LOCK_EX) }},
		{"linked", func(*os.File) error { return os.Link(path, filepath.Join(t.TempDir(), "copy")) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			first := report(t, r, 1000)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := tc.disturb(f); err != nil {
				t.Fatal(err)
			}
			if report(t, r, 500) == first {
				t.Error("the same inode")
			}
			b, err := readFile(f, MaxReport)
			if s, derr := decodeReport(b); err != nil || derr != nil || len(s.JSON) != 1000 {
				t.Errorf("who has the old one has something else: %+v, %v, %v", s, err, derr)
			}
		})
	}
}

// TestReaderWaitsForWriter: half of a report is not in sight.
func TestReaderWaitsForWriter(t *testing.T) {
	r := ring(t, t.TempDir(), ReportLimits{})
	report(t, r, 10)
	f, err := os.OpenFile(filepath.Join(r.dir, "ref"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := tryFlock(f, syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	b := encodeReport(Stored{Reference: "ref", JSON: []byte("newer, of alice@example.com")})
	if _, err := f.WriteAt(b[:len(b)/2], 0); err != nil {
		t.Fatal(err)
	}
	got, forgotten := make(chan Stored), make(chan int)
	go func() {
		s, err := r.Get("ref")
		if err != nil {
			t.Error(err)
		}
		got <- s
		n, err := r.Forget("alice@example.com", nil)
		if err != nil {
			t.Error(err)
		}
		forgotten <- n
	}()
	select {
	case s := <-got:
		t.Fatalf("%+v", s)
	case <-time.After(20 * time.Millisecond):
	}
	if _, err := f.WriteAt(b[len(b)/2:], int64(len(b)/2)); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(int64(len(b))); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if s := <-got; string(s.JSON) != "newer, of alice@example.com" {
		t.Errorf("%+v", s)
	}
	if n := <-forgotten; n != 1 {
		t.Errorf("%d forgotten", n)
	}
}

// TestReportOnFullDisk: what could not be written whole does not stay.
func TestReportOnFullDisk(t *testing.T) {
	r := ring(t, t.TempDir(), ReportLimits{})
	path := filepath.Join(r.dir, "ref")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	if err := r.Put("ref", []byte("json"), "text"); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	if exists(path) {
		t.Error("half of a report stays")
	}
	report(t, r, 10)
}
