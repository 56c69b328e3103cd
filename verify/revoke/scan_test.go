package revoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
)

func TestOneReadingAnswersThoseWhoWait(t *testing.T) {
	ca := sharedKeys().Root(testmail.Profile{Name: "CA"})
	der := ca.CRL(testmail.List{Entries: []testmail.ListEntry{{Serial: big.NewInt(7)}}})
	s := newScans()
	defer s.close()
	var readings, atOnce atomic.Int32
	open := func() (io.ReadCloser, error) {
		readings.Add(1)
		if atOnce.Add(1) > 1 {
			t.Error("two readings at once")
		}
		return &closing{bytes.NewReader(der), func() { atOnce.Add(-1) }}, nil
	}
	s.turn <- struct{}{} // somebody reads another list
	var wg sync.WaitGroup
	for i := range int64(60) {
		wg.Go(func() {
			serial := big.NewInt(i % 30)
			l, err := s.read(t.Context(), fmt.Sprint("list ", i%2), listQuestion{issuer: ca.Cert, serials: []*big.Int{serial}}, open)
			if err != nil {
				t.Error(err)
				return
			}
			if _, listed := l.entries[serialKey(serial)]; listed != (serial.Int64() == 7) {
				t.Errorf("%v listed: %v", serial, listed)
			}
		})
	}
	eventually(t, "all wait", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		n := 0
		for _, one := range s.next {
			n += len(one.question.serials)
		}
		return n == 30
	})
	<-s.turn
	wg.Wait()
	if n := readings.Load(); n < 2 || n > 4 { // a latecomer of the same serial number may miss the first
		t.Errorf("%d readings for 60 questions about two lists", n)
	}
}

// A closing tells when it is closed.
type closing struct {
	io.Reader
	end func()
}

func (c *closing) Close() error { c.end(); return nil }

func TestReadingEndsWithTheTime(t *testing.T) {
	s := newScans()
	s.turn <- struct{}{}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	q := listQuestion{serials: []*big.Int{big.NewInt(1)}}
	if _, err := s.read(gone, "a", q, func() (io.ReadCloser, error) { return nil, errNotKept }); !errors.Is(err, errNoTime) {
		t.Error(err)
	}
	<-s.turn
	s.close()
	if _, err := s.read(t.Context(), "a", q, nil); !errors.Is(err, errClosed) {
		t.Error(err)
	}
}

func TestFaultInAReading(t *testing.T) {
	s := newScans()
	defer s.close()
	q := listQuestion{serials: []*big.Int{big.NewInt(1)}}
	for range 2 { // it is somebody else's turn afterwards
		if l, err := s.read(t.Context(), "a", q, func() (io.ReadCloser, error) { panic("oh") }); l != nil || err == nil {
			t.Errorf("%v, %v", l, err)
		}
	}
}
