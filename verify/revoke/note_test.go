package revoke

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
)

func TestNoteFollows(t *testing.T) {
	at := testmail.Instant()
	of := func(n int64, d time.Duration) *note {
		l := &list{thisUpdate: at.Add(d), nextUpdate: at.Add(time.Hour)}
		if n > 0 {
			l.number = number(n)
		}
		made := noteOf(l)
		return &made
	}
	for title, c := range map[string]struct {
		n, old *note
		want   bool
	}{
		"a greater number":            {of(2, 0), of(1, 0), true},
		"a smaller number":            {of(1, time.Hour), of(2, 0), false},
		"the same":                    {of(1, 0), of(1, 0), true},
		"the same number, earlier":    {of(1, -1), of(1, 0), false},
		"no number any more, later":   {of(0, 1), of(1, 0), true},
		"no number any more, earlier": {of(0, -1), of(1, 0), false},
	} {
		if got := c.n.follows(c.old); got != c.want {
			t.Errorf("%s: %v", title, got)
		}
	}
}

// FuzzParseNote: what a note says survives being written, and nothing that it
// can say stops the cache.
func FuzzParseNote(f *testing.F) {
	f.Add([]byte(`{"list":true,"number":"1f","this_update":"2026-03-02T11:00:00Z","next_update":"2026-03-09T12:00:00Z","fetched":"2026-03-02T12:00:00Z"}`))
	f.Add([]byte(`{"number":"-zz"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := parseNote(b)
		if err != nil {
			return
		}
		if !n.follows(n) {
			t.Error("it does not follow itself")
		}
		again, err := json.Marshal(n)
		if err != nil {
			return // a time beyond the year 9999 is not written
		}
		m, err := parseNote(again)
		if err != nil || !m.follows(n) || !n.follows(m) || m.List != n.List || !m.NextUpdate.Equal(n.NextUpdate) {
			t.Errorf("%s: %+v, %+v, %v", b, n, m, err)
		}
	})
}
