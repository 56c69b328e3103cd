package revoke

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

func openTestCache(t *testing.T, dir string, most int64, c *clock) *cache {
	t.Helper()
	k, err := openCache(dir, most, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// keep puts an answer of n bytes, numbered, that ends after.
func keep(t *testing.T, k *cache, key string, size int, n int64, after time.Duration) error {
	t.Helper()
	temp, err := k.temp()
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(temp.Name())
	defer temp.Close()
	if _, err := temp.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	return k.put(key, noteOf(&list{number: number(n), thisUpdate: k.now(), nextUpdate: k.now().Add(after)}), temp.Name())
}

// keys of the answers in a folder.
func keptIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"+answerFile))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), answerFile)
	}
	return files
}

func TestCacheKeepsAcrossRuns(t *testing.T) {
	c, dir := &clock{t: testmail.Instant()}, filepath.Join(t.TempDir(), "new", "folder")
	k := openTestCache(t, dir, 1000, c)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if err := keep(t, k, "a", 10, 5, time.Hour); err != nil {
		t.Fatal(err)
	}
	c.add(time.Minute)
	k = openTestCache(t, dir, 1000, c)
	since, there := k.fetched("a")
	if !there || !since.Equal(testmail.Instant()) || k.bytes != 10 {
		t.Errorf("%v, %v, %d bytes", since, there, k.bytes)
	}
	f, err := k.open("a")
	if err != nil || f == nil {
		t.Fatal(err)
	}
	f.Close()
	if err := keep(t, k, "a", 10, 4, time.Hour); !errors.Is(err, errOlder) {
		t.Errorf("an older one: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, tempPattern)); len(left) != 0 {
		t.Errorf("%q are left", left)
	}
}

func TestCacheForgetsNoNumber(t *testing.T) {
	c, dir := &clock{t: testmail.Instant()}, t.TempDir()
	k := openTestCache(t, dir, 1000, c)
	if err := keep(t, k, "a", 10, 5, time.Hour); err != nil {
		t.Fatal(err)
	}
	c.add(time.Hour)
	if _, there := k.fetched("a"); there {
		t.Error("it is kept beyond its end")
	}
	if f, err := k.open("a"); f != nil || err != nil {
		t.Errorf("%v, %v", f, err)
	}
	if got := keptIn(t, dir); len(got) != 0 || k.bytes != 0 {
		t.Errorf("%q, %d bytes", got, k.bytes)
	}
	for range 2 {
		if err := keep(t, k, "a", 10, 4, time.Hour); !errors.Is(err, errOlder) {
			t.Errorf("an older one: %v", err)
		}
		k = openTestCache(t, dir, 1000, c)
	}
	if err := keep(t, k, "a", 10, 5, time.Hour); err != nil {
		t.Error(err)
	}
}

func TestCacheDropsWhatWasUsedLongestAgo(t *testing.T) {
	c, dir := &clock{t: testmail.Instant()}, t.TempDir()
	k := openTestCache(t, dir, 30, c)
	for _, key := range []string{"a", "b", "c"} {
		if err := keep(t, k, key, 10, 1, time.Hour); err != nil {
			t.Fatal(err)
		}
		c.add(time.Second)
	}
	f, err := k.open("a")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	c.add(time.Second)
	if err := keep(t, k, "d", 10, 1, time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := keptIn(t, dir); !slices.Equal(got, []string{"a", "c", "d"}) || k.bytes != 30 {
		t.Errorf("%q, %d bytes", got, k.bytes)
	}
	k = openTestCache(t, dir, 20, c) // the order survives
	if got := keptIn(t, dir); !slices.Equal(got, []string{"a", "d"}) || k.bytes != 20 {
		t.Errorf("%q, %d bytes", got, k.bytes)
	}
	if err := keep(t, k, "d", 20, 2, time.Hour); err != nil { // a longer one takes the place of its own
		t.Fatal(err)
	}
	if got := keptIn(t, dir); !slices.Equal(got, []string{"d"}) || k.bytes != 20 {
		t.Errorf("%q, %d bytes", got, k.bytes)
	}
}

func TestCacheClearsWhatACrashLeft(t *testing.T) {
	c, dir := &clock{t: time.Now()}, t.TempDir()
	k := openTestCache(t, dir, 1000, c)
	for _, key := range []string{"a", "b"} {
		if err := keep(t, k, key, 10, 1, 100*time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"fetch-1.temp": "half a list", "fetch-2.temp": "x", "c.der": "x", "d.json": "{",
		"e.json": `{"number":"zz"}`, "a.json": "damaged", "README": "the operator's"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := c.now().Add(-2 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "fetch-1.temp"), old, old); err != nil {
		t.Fatal(err)
	}
	openTestCache(t, dir, 1000, c)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		got = append(got, f.Name())
	}
	if want := []string{"README", "b.der", "b.json", "fetch-2.temp"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCacheReserves(t *testing.T) {
	k := openTestCache(t, t.TempDir(), 100, &clock{t: testmail.Instant()})
	if k.reserve(100) != nil || k.reserve(1) == nil || k.reserve(-50) != nil || k.reserve(50) != nil {
		t.Error("the bound is another")
	}
}

func TestCacheThatIsNoFolder(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openCache(name, 1, time.Now); err == nil || !strings.Contains(err.Error(), name) {
		t.Error(err)
	}
}

// overwriteAnswers puts an answer in the place of every one that is kept.
func overwriteAnswers(t *testing.T, dir string, der []byte) {
	t.Helper()
	keys := keptIn(t, dir)
	if len(keys) == 0 {
		t.Fatal("nothing is kept")
	}
	for _, key := range keys {
		if err := os.WriteFile(filepath.Join(dir, key+answerFile), der, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCachePutsOneFileTwice: two questions may have led to one download. The new
// name of a file that already has it is not taken away by a rename (POSIX).
func TestCachePutsOneFileTwice(t *testing.T) {
	k := openTestCache(t, t.TempDir(), 1000, &clock{t: testmail.Instant()})
	temp, err := k.temp()
	if err != nil {
		t.Fatal(err)
	}
	defer temp.Close()
	n := noteOf(&list{number: number(1), thisUpdate: k.now(), nextUpdate: k.now().Add(time.Hour)})
	for range 2 {
		if err := k.put("a", n, temp.Name()); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(k.dir, tempPattern)); !slices.Equal(left, []string{temp.Name()}) {
		t.Errorf("%q are left", left)
	}
}

// TestCacheLeavesNothingOfAFailure: nor does a write that fails leave half a file.
func TestCacheLeavesNothingOfAFailure(t *testing.T) {
	k := openTestCache(t, t.TempDir(), 1000, &clock{t: testmail.Instant()})
	full := errors.New("no space")
	err := k.replace("a", func(path string) error {
		return errors.Join(os.WriteFile(path, []byte("half"), 0o600), full)
	})
	if left, _ := filepath.Glob(filepath.Join(k.dir, "*")); !errors.Is(err, full) || len(left) != 0 {
		t.Errorf("%v, %q are left", err, left)
	}
}
