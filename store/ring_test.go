package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func ring(t *testing.T, dir string, l ReportLimits) *Reports {
	t.Helper()
	r, err := OpenReports(dir, l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReports(t *testing.T) {
	dir := t.TempDir()
	r := ring(t, dir, ReportLimits{Count: 10})
	for i := range 25 {
		if err := r.Put(fmt.Sprint("ref/", i), fmt.Appendf(nil, `{"n":%d}`, i), fmt.Sprint("text\n", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Put("ref/20", []byte("newer"), ""); err != nil {
		t.Fatal(err)
	}
	other := ring(t, dir, ReportLimits{Count: 10}) // another process
	for i := range 25 {
		s, err := other.Get(fmt.Sprint("ref/", i))
		switch {
		case i < 15:
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("%d: %v", i, err)
			}
		case i == 20:
			if err != nil || string(s.JSON) != "newer" || s.Text != "" {
				t.Errorf("the older one of a reference: %+v, %v", s, err)
			}
		default:
			if err != nil || string(s.JSON) != fmt.Sprintf(`{"n":%d}`, i) || s.Text != fmt.Sprint("text\n", i) || s.Reference != fmt.Sprint("ref/", i) {
				t.Errorf("%d: %+v, %v", i, s, err)
			}
		}
	}
	if err := other.Put("ref/99", nil, "x"); err != nil {
		t.Fatal(err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 10 {
		t.Errorf("%d files", len(names))
	}
}

func TestReportsAreBoundedInBytes(t *testing.T) {
	dir := t.TempDir()
	r := ring(t, dir, ReportLimits{Bytes: 10000})
	for i := range 50 {
		if err := r.Put(fmt.Sprint(i), bytes.Repeat([]byte("x"), 900), ""); err != nil {
			t.Fatal(err)
		}
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) < 5 || len(names) > 10 {
		t.Errorf("%d files, %v", len(names), err)
	}
	if _, err := r.Get("49"); err != nil {
		t.Error(err)
	}
	for _, err := range []error{r.Put("", nil, ""), r.Put(strings.Repeat("r", maxRef+1), nil, ""), r.Put("x", make([]byte, MaxReport+1), "")} {
		if err == nil {
			t.Error("beyond its bounds, yet kept")
		}
	}
}

// TestReportsOfTwoThatGrow: what one writer makes longer, another counts in time.
func TestReportsOfTwoThatGrow(t *testing.T) {
	const bound, names = 100_000, 20
	dir := t.TempDir()
	rings := []*Reports{ring(t, dir, ReportLimits{Bytes: bound}), ring(t, dir, ReportLimits{Bytes: bound})}
	for size := 100; size < bound/names; size += 100 {
		for n := range names {
			for i, r := range rings {
				if err := r.Put(fmt.Sprint(i, n), make([]byte, size), ""); err != nil {
					t.Fatal(err)
				}
			}
		}
		var sum int64
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			fi, err := f.Info()
			if err != nil {
				t.Fatal(err)
			}
			sum += fi.Size()
		}
		if sum > bound*12/10 {
			t.Fatalf("reports of %d bytes: %d in all, at most %d", size, sum, bound)
		}
	}
}

func TestDamagedReportIsNotFound(t *testing.T) {
	dir := t.TempDir()
	r := ring(t, dir, ReportLimits{})
	if err := r.Put("ref", []byte("json"), "text"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ref")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := r.Get("ref"); !errors.Is(err, ErrNotFound) {
			t.Fatalf("cut at %d: %+v, %v", n, s, err)
		}
	}
}

// TestForget: whatever names the address goes, also the rest of a report whose
// writer died in place or aside, and nothing else does. What nobody can read does
// not keep the others, but is not passed over in silence.
func TestForget(t *testing.T) {
	const address = "alice@example.com"
	body := []byte(`{"author":"` + address + `"}`)
	whole := encodeReport(Stored{Reference: "torn", At: noon(), JSON: body})
	torn := append(bytes.Clone(whole[:20]), bytes.Repeat([]byte("x"), len(reportMagic))...)
	torn = append(torn, whole[len(torn):]...)
	if _, err := decodeReport(torn); err == nil {
		t.Fatal("not torn")
	}
	dir := t.TempDir()
	r := ring(t, dir, ReportLimits{})
	for ref, json := range map[string]string{"hers": string(body), "bounce": `{}`, "other": `{"author":"malice@example.com"}`} {
		if err := r.Put(ref, []byte(json), ""); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string][]byte{"torn": torn, ".report-1": whole[:len(whole)-1], ".report-2": []byte("half")} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Forget(address, []string{"bounce", "gone"}); n != 4 || err != nil {
		t.Errorf("%d went, %v", n, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{".report-2", "lost+found", "other"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
	loop := filepath.Join(dir, "aloop")
	if err := errors.Join(os.Symlink(loop, loop), r.Put("hers", body, "")); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Forget(address, nil); n != 1 || !errors.Is(err, syscall.ELOOP) {
		t.Errorf("beside one that cannot be read: %d went, %v", n, err)
	}
}

func TestReportsConcurrently(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for g := range 4 {
		r := ring(t, dir, ReportLimits{Count: 50})
		wg.Go(func() {
			for i := range 100 {
				ref := fmt.Sprint(i % 20)
				body := strings.Repeat(fmt.Sprint(g), 2000)
				if err := r.Put(ref, []byte(body), ref); err != nil {
					t.Error(err)
				}
				if s, err := r.Get(ref); err != nil || len(s.JSON) != 2000 || s.Text != ref || strings.Count(string(s.JSON), string(s.JSON[:1])) != 2000 {
					t.Errorf("half of a report: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// TestReportsConcurrentlyInAFullRing: a file that is removed while it is written
// takes nothing with it that was put later, and nobody meets half of one.
func TestReportsConcurrentlyInAFullRing(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for g := range 4 {
		r := ring(t, dir, ReportLimits{Count: 3})
		wg.Go(func() {
			for i := range 300 {
				ref := fmt.Sprint((i + g) % 5)
				body := strings.Repeat(fmt.Sprint(g), 1000+i)
				if err := r.Put(ref, []byte(body), ref); err != nil {
					t.Error(err)
				}
				s, err := r.Get(ref)
				if errors.Is(err, ErrNotFound) {
					continue
				}
				if err != nil || s.Text != ref || len(s.JSON) < 1000 || strings.Count(string(s.JSON), string(s.JSON[:1])) != len(s.JSON) {
					t.Errorf("half of a report: %v", err)
				}
			}
		})
	}
	wg.Wait()
	r := ring(t, dir, ReportLimits{Count: 3})
	if err := r.Put("last", nil, ""); err != nil {
		t.Fatal(err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 3 {
		t.Errorf("%d files, %v", len(names), err)
	}
}

func FuzzReportFile(f *testing.F) {
	f.Add(encodeReport(Stored{Reference: "Q1", At: noon(), JSON: []byte("{}"), Text: "x\n"}))
	f.Add([]byte(reportMagic + " 1 2 3 00000000 \"x\"\n"))
	f.Add([]byte(reportMagic + " 1 9223372036854775807 9223372036854775807 00000000 \"x\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		began := time.Now()
		s, err := decodeReport(b)
		if time.Since(began) > 10*time.Second {
			t.Fatal("slow")
		}
		if err != nil {
			return
		}
		if again, err := decodeReport(encodeReport(s)); err != nil || string(again.JSON) != string(s.JSON) || again.Text != s.Text {
			t.Fatalf("%+v comes back as %+v, %v", s, again, err)
		}
	})
}
