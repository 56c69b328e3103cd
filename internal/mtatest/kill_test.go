package mtatest

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// A victim is a daemon on a unix socket that is killed again and again, and
// the people who write to it.
type victim struct {
	*world
	cabinet
	d       *Daemon
	socket  string
	authors []*author
	shares  [][]*author // of each client: an author's letters never overtake each other
}

func newVictim(w *world, bin string) *victim {
	v := &victim{world: w, socket: filepath.Join(w.dir, "milter.sock")}
	config, store := w.config("unix:"+v.socket, "limits: {new_per_domain: 100000}")
	v.cabinet = cabinet{w.t, store}
	v.d = StartDaemon(w.t, bin, v.socket, "--config", config, "--dns", WriteFile(w.t, "zone", w.zone.String()))
	return v
}

// stock sees to it that each client has at least so many letters left.
func (v *victim) stock(clients, letters int) {
	for len(v.shares) < clients {
		v.shares = append(v.shares, nil)
	}
	for i, share := range v.shares {
		left := 0
		for _, a := range share {
			left += len(a.letters) - a.kept
		}
		for ; left < letters; left += 3 {
			a := v.author(fmt.Sprintf("author%d", len(v.authors)), 3)
			v.authors = append(v.authors, a)
			v.shares[i] = append(v.shares[i], a)
		}
	}
}

// round lets all clients write until the daemon is killed after a while, which
// counts from the beginning or from the first Put, and returns how many Puts
// that cut short. It looks at what is there before anybody can have mended it.
func (v *victim) round(fromPut bool, while time.Duration) (cut int) {
	var wg sync.WaitGroup
	for _, share := range v.shares {
		wg.Go(func() {
			for _, a := range share {
				for a.kept < len(a.letters) {
					res, err := a.send(v.socket)
					if err != nil {
						return
					}
					if res.Code != 250 {
						v.cabinet.t.Errorf("%s: %s", a.address, res.Text)
						return
					}
				}
			}
		})
	}
	for deadline := time.Now().Add(hang); fromPut && v.underWay() == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(while)
	v.d.Kill()
	wg.Wait()
	v.intact(false)
	return v.underWay()
}

// reopened holds what is there after a restart against what was answered.
func (v *victim) reopened() {
	v.intact(true)
	for _, a := range v.authors {
		v.has(a)
	}
}

// TestKilledWhileCollecting kills the daemon again and again while several
// clients write to it: whatever was answered with 250 is there, nothing is
// there by halves, and who got no answer gets one by writing again.
func TestKilledWhileCollecting(t *testing.T) {
	t.Parallel()
	const kills, each, clients = 200, 20, 4
	bin, w := Build(t), fastWorld(t)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	cuts, inside, kept := 0, 0, 0
	for k := 0; k < kills && !t.Failed(); k += each {
		v := newVictim(w.elsewhere(), bin)
		for i := range each {
			v.stock(clients, 30)
			if n := v.round(i%2 == 0, time.Duration(random.IntN(60_000))*time.Microsecond); n > 0 {
				inside++
				cuts += n
			}
			v.d.Start()
			v.reopened()
		}
		for _, a := range v.authors {
			for a.tried {
				if res, err := a.send(v.socket); err != nil || res.Code != 250 {
					t.Fatalf("%s writes again: %v, %s", a.address, err, res.Text)
				}
			}
			kept += a.kept
		}
		v.reopened()
		v.d.Stop()
	}
	t.Logf("seed %d: %d kills, %d of them inside a Put (%d Puts cut short); %d answered with 250, none lost", seed, kills, inside, cuts, kept)
	if inside < 50 {
		t.Errorf("only %d of %d kills were inside a Put", inside, kills)
	}
}
