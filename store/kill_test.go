package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests of this file run the test binary again as a child that keeps
// entries in a loop and says which were acknowledged. The environment tells
// it what to do.
const (
	childDir     = "CERTINBOX_STORE_CHILD"   // the store, with a file of certificates beside it
	childFirst   = "CERTINBOX_STORE_FIRST"   // number of its first entry
	childCount   = "CERTINBOX_STORE_COUNT"   // how many
	childKill    = "CERTINBOX_STORE_KILL"    // at which step of its Puts it kills itself; below 0: of Open
	childWorkers = "CERTINBOX_STORE_WORKERS" // how many goroutines
	childRecheck = "CERTINBOX_STORE_RECHECK" // hears that all keys are in other hands, instead of keeping anything
	childOrders  = "CERTINBOX_STORE_ORDERS"  // gives the orders, after all is kept
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func number(name string) int {
	n, _ := strconv.Atoi(os.Getenv(name)) // absent: 0
	return n
}

func child(dir string) error {
	certificates, err := readCertificates(dir)
	if err != nil {
		return err
	}
	step := number(childKill)
	d, err := open(filepath.Join(dir, "data"), Options{}, &faultyDisk{at: -step, kill: true})
	if err != nil {
		return err
	}
	d.disk = &faultyDisk{at: step, kill: true}
	if os.Getenv(childRecheck) != "" {
		_, err := d.Recheck(testingContext{}, noon().Add(days), compromised, nil)
		return err
	}
	first, count, workers := number(childFirst), number(childCount), max(1, number(childWorkers))
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := first + w; n < first+count; n += workers {
				e := numbered(n, certificates)
				c, err := d.Put(testingContext{}, e)
				if err != nil || c.Reason != "" {
					errs[w] = fmt.Errorf("entry %d: %+v, %w", n, c, err)
					return
				}
				os.Stdout.WriteString(fmt.Sprintf("kept %d\n", n)) // one write, as it is the acknowledgement
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if os.Getenv(childOrders) != "" {
		return give(d)
	}
	return nil
}

// orders are commands about what was kept, in their order.
var orders = []func(*Directory) error{
	func(d *Directory) error { return d.Block(testingContext{}, BlockAddress, "user1@example.com") },
	func(d *Directory) error { return d.Unblock(testingContext{}, BlockAddress, "user1@example.com") },
	func(d *Directory) error { return d.Sweep(testingContext{}, noon().Add(365*days), nil) },
	func(d *Directory) error {
		_, err := d.Delete(testingContext{}, "user2@example.com", true)
		return err
	},
	func(d *Directory) error { return d.Readmit(testingContext{}, "user2@example.com") },
}

// give gives the orders and says so.
func give(d *Directory) error {
	for i, order := range orders {
		if err := order(d); err != nil {
			return err
		}
		os.Stdout.WriteString(fmt.Sprintf("done %d\n", i))
	}
	return nil
}

// testingContext is context.Background for a process without a test.
type testingContext struct{}

func (testingContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (testingContext) Done() <-chan struct{}       { return nil }
func (testingContext) Err() error                  { return nil }
func (testingContext) Value(any) any               { return nil }

// numbered is the entry with a number: the same in parent and child.
func numbered(n int, certificates [][]byte) Entry {
	e := mail(fmt.Sprintf("user%d@example.com", n%5), certificates[n*7%len(certificates)], noon().Add(time.Duration(n)*time.Minute), fmt.Sprint("R", n))
	e.Evidence = append(e.Evidence, Document{Name: "padding", Bytes: bytes.Repeat([]byte("x"), 100*(n%8))})
	e.Evidence = e.Evidence[1:] // three documents with the report
	return e
}

func readCertificates(dir string) ([][]byte, error) {
	b, err := os.ReadFile(filepath.Join(dir, "certificates.pem"))
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for {
		block, rest := pem.Decode(b)
		if block == nil {
			return out, nil
		}
		out, b = append(out, block.Bytes), rest
	}
}

// pool writes a few certificates of a few keys and issuers beside the store.
func pool(t *testing.T, dir string, m *maker) [][]byte {
	t.Helper()
	var out [][]byte
	for i := range 12 {
		out = append(out, m.issue(t, fmt.Sprint("key", i%4), fmt.Sprint("Org", i%2), noon().Add(-days), noon().Add(time.Duration(100+i)*days)))
	}
	if err := os.WriteFile(filepath.Join(dir, "certificates.pem"), pemOf(out...), 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

// start runs the child and returns what it acknowledged, as it does.
func start(t *testing.T, dir string, env ...string) (*exec.Cmd, *bufio.Scanner, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), append(env, childDir+"="+dir)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out), &errs
}

func killed(err error) bool {
	exit, ok := err.(*exec.ExitError)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// A victim is one store whose writers are killed again and again.
type victim struct {
	dir          string
	certificates [][]byte
	next         int   // number of the next entry
	acknowledged []int // numbers of entries that were answered
}

func newVictim(t *testing.T, m *maker) *victim {
	dir := tempDir(t)
	return &victim{dir: dir, certificates: pool(t, dir, m)}
}

// run starts a writer that dies: at a step of its own, or, when that is 0,
// by our hand after some acknowledgements and some microseconds.
func (v *victim) run(t *testing.T, step, acks int, pause time.Duration) {
	t.Helper()
	cmd, out, errs := start(t, v.dir, childFirst+"="+strconv.Itoa(v.next), childCount+"=1000", childKill+"="+strconv.Itoa(step))
	most := v.next
	for out.Scan() {
		var n int
		if _, err := fmt.Sscanf(out.Text(), "kept %d", &n); err != nil {
			t.Fatalf("child says %q", out.Text())
		}
		v.acknowledged = append(v.acknowledged, n)
		most = n + 1
		if acks--; step == 0 && acks == 0 {
			time.Sleep(pause)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); !killed(err) {
		t.Fatalf("the child was not killed: %v: %s", err, errs)
	}
	v.next = most + 1 // the one in between is lost or not: nobody was told
}

// check looks at the store before anybody has finished what was cut short,
// and after.
func (v *victim) check(t *testing.T) {
	t.Helper()
	root := filepath.Join(v.dir, "data")
	if exists(filepath.Join(root, "certs")) {
		intact(t, &Directory{root: root, o: Options{}, disk: realDisk{}}, false)
	}
	d := openTest(t, root, Options{})
	intact(t, d, true)
	known := map[string]Address{}
	for _, n := range v.acknowledged {
		e := numbered(n, v.certificates)
		if _, ok := known[e.Address]; !ok {
			a, err := d.Show(e.Address)
			if err != nil {
				t.Fatalf("entry %d was acknowledged: %v", n, err)
			}
			known[e.Address] = a
		}
		a := known[e.Address]
		sum := sha256.Sum256(e.Certificate)
		if recordOf(&a.History, hex.EncodeToString(sum[:])) == nil {
			t.Fatalf("entry %d was acknowledged, its certificate is gone", n)
		}
		if !remembers(a.Messages, e) {
			t.Fatalf("entry %d was acknowledged, its message is forgotten", n)
		}
	}
}

func remembers(messages []Message, e Entry) bool {
	for _, m := range messages {
		if m.Identity == hex.EncodeToString(e.Identity[:]) {
			return true
		}
	}
	return false
}

func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	const kills, each = 140, 10
	m := newMaker()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for k := 0; k < kills; k += each {
		v := newVictim(t, m)
		for range each {
			v.run(t, 0, 1+random.IntN(6), time.Duration(random.IntN(3000))*time.Microsecond)
			v.check(t)
		}
	}
}

func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	const opening, steps, each = 13, 100, 10 // making a store takes 13 steps, a Put up to about 50
	m := newMaker()
	for step := 1; step <= opening; step++ {
		v := newVictim(t, m)
		v.run(t, -step, 0, 0)
		v.check(t)
	}
	var v *victim
	for step := 1; step <= steps; step++ {
		if step%each == 1 {
			v = newVictim(t, m)
		}
		v.run(t, step, 0, 0)
		v.check(t)
	}
}

func compromised(context.Context, Kept) Standing {
	return Standing{Status: StatusRevoked, Detail: "keyCompromise", KeyCompromise: true}
}

// TestKilledWhileRechecking: whatever moment it dies at, what the CA said comes
// true in the end, also that the keys are blocked.
func TestKilledWhileRechecking(t *testing.T) {
	t.Parallel()
	m := newMaker()
	for step := 1; ; step++ {
		dir := tempDir(t)
		certificates := pool(t, dir, m)[:2]
		d := openTest(t, filepath.Join(dir, "data"), Options{})
		for n, name := range []string{"alice", "bob"} {
			put(t, d, mail(name+"@example.com", certificates[n], noon(), name))
		}
		cmd, out, errs := start(t, dir, childRecheck+"=1", childKill+"="+strconv.Itoa(step))
		for out.Scan() {
		}
		err := cmd.Wait()
		if err != nil && !killed(err) {
			t.Fatalf("%v: %s", err, errs)
		}
		intact(t, d, false)
		d = openTest(t, d.root, Options{})
		intact(t, d, true)
		if _, err := d.Recheck(t.Context(), noon().Add(days), compromised, nil); err != nil {
			t.Fatal(err)
		}
		intact(t, d, true)
		list, berr := d.blocked()
		for n, name := range []string{"alice", "bob"} {
			if s, _ := standing(d, name+"@example.com"); berr != nil || s != "revoked" || !list.entries[BlockKey+" "+describe(t, certificates[n]).Key] {
				t.Fatalf("step %d: %s: %s, %v, %v", step, name, s, list.entries, berr)
			}
		}
		if err == nil { // it came to the end
			if step < 60 {
				t.Errorf("only %d steps", step)
			}
			return
		}
	}
}

func TestTwoProcesses(t *testing.T) {
	dir := tempDir(t)
	certificates := pool(t, dir, newMaker())
	v := &victim{dir: dir, certificates: certificates}
	type running struct {
		cmd  *exec.Cmd
		out  *bufio.Scanner
		errs *bytes.Buffer
	}
	var children []running
	for i := range 2 {
		cmd, out, errs := start(t, dir, childFirst+"="+strconv.Itoa(i*40), childCount+"=60", childWorkers+"=4") // 20 of them in both
		children = append(children, running{cmd, out, errs})
	}
	for _, c := range children {
		for c.out.Scan() {
			var n int
			if _, err := fmt.Sscanf(c.out.Text(), "kept %d", &n); err != nil {
				t.Fatalf("child says %q", c.out.Text())
			}
			v.acknowledged = append(v.acknowledged, n)
		}
		if err := c.cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, c.errs)
		}
	}
	if len(v.acknowledged) != 120 {
		t.Errorf("%d acknowledged", len(v.acknowledged))
	}
	v.check(t)
}

func TestManyGoroutines(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	m := newMaker()
	shared := m.year(t, "shared", "Org")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 5 {
				for _, address := range []string{"alice@example.com", fmt.Sprintf("user%d@example.com", g)} {
					if c, err := d.Put(t.Context(), mail(address, shared, noon().Add(time.Duration(i)*time.Minute), fmt.Sprint(address, g, i))); err != nil || c.Reason != "" {
						t.Errorf("%+v, %v", c, err)
					}
				}
			}
		})
	}
	wg.Wait()
	intact(t, d, true)
	a, err := d.Show("alice@example.com")
	if err != nil || len(a.Records) != 1 || len(a.Messages) != 40 {
		t.Errorf("%d certificates, %d messages, %v", len(a.Records), len(a.Messages), err)
	}
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 64<<20))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}
