package collect

import (
	"bytes"
	"encoding/json"
	"sync"
	"testing"

	"github.com/certinbox/certinbox/store"
	"github.com/certinbox/certinbox/verify"
)

// TestWithReport: what is put together is what encoding/json writes by itself, of
// an Outcome of End as of any other, and for many at once.
func TestWithReport(t *testing.T) {
	type object struct {
		ID     string         `json:"id"`
		Report *verify.Report `json:"report,omitempty"`
	}
	r := accepted(t)
	r.Results[0].Detail = "<a> & \u2028 \xff"
	var log bytes.Buffer
	s := settings(&keeper{change: store.Change{Kind: store.Added}}, &log)
	out := begin(s, verify.Envelope{ID: "ref", Recipients: []string{ours}}, &exam{report: r}).End(t.Context())
	if out.written == nil {
		t.Error("End made an outcome that writes its report anew each time")
	}
	var g sync.WaitGroup
	for _, o := range []Outcome{out, {Report: r}, {}} {
		for range 4 {
			g.Go(func() {
				want, err := json.Marshal(object{"<x>", o.Report})
				if err != nil {
					t.Error(err)
				}
				bare, err := json.Marshal(object{ID: "<x>"})
				if err != nil {
					t.Error(err)
				}
				if got, err := o.WithReport(bare); err != nil || !bytes.Equal(got, want) {
					t.Errorf("got %s, %v, want %s", got, err, want)
				}
			})
		}
	}
	g.Wait()
}
