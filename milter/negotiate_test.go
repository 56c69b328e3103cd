package milter

import (
	"strings"
	"testing"

	gomilter "github.com/d--j/go-milter"

	"github.com/certinbox/certinbox/milter/miltertest"
)

func TestNegotiatesWhatBothSidesCan(t *testing.T) {
	old := miltertest.Options{Version: 2, Actions: 0x3f, Steps: 0x7f}
	for _, tt := range []struct {
		name    string
		o       miltertest.Options
		headers uint64 // of one foreign message
		warn    string
	}{
		{"all", miltertest.Options{}, 0, ""},
		{"a newer one", miltertest.Options{Version: 7}, 0, ""},
		{"version 2", old, 1, "DATA event"},
		{"version 3", miltertest.Options{Version: 3, Actions: 0x3f, Steps: 0x1ff}, 1, "DATA event"},
		{"version 4", miltertest.Options{Version: 4, Actions: 0x3f, Steps: 0x3ff}, 0, "exact header values"},
		{"no quiet steps", miltertest.Options{Without: uint32(wantedSteps) &^ miltertest.StepLeadingSpace}, 0, "more round trips"},
		{"no leading space", miltertest.Options{Without: miltertest.StepLeadingSpace}, 0, "exact header values"},
		{"no deletion", miltertest.Options{Lacking: miltertest.OfferDeleteRcpt}, 0, "deletion of recipients"},
		{"no header changes", miltertest.Options{Lacking: miltertest.OfferChangeHeaders | miltertest.OfferAddHeaders}, 0, "no Authentication-Results is added"},
		{"no macro lists", miltertest.Options{Lacking: miltertest.OfferMacroList}, 0, "choice of macros"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, Config{})
			for range 2 {
				m := r.dial(t, tt.o)
				if m.Steps&(miltertest.StepSkip|miltertest.StepRefusedRcpt|miltertest.StepQuietRcpt|miltertest.StepQuietData) != 0 {
					t.Errorf("negotiated steps %#x: recipients, DATA and refused recipients must stay as they are", m.Steps)
				}
				if res := send(t, m, mail("bob@example.net")); !res.Accepted || res.Seen {
					t.Errorf("foreign: %+v", res)
				}
				if res := send(t, m, mail(ours)); !res.Accepted || !res.Seen {
					t.Errorf("ours: %+v", res)
				}
				if got, _, _ := r.f.last().state(); got != hello {
					t.Errorf("read %q", got)
				}
			}
			fields := uint64(strings.Count(hello, ": "))
			if got := r.Traffic().Headers; got != 2*(tt.headers+fields) || r.Traffic().Foreign != 2*tt.headers {
				t.Errorf("%d HEADER frames, %d of foreign mail; want %d, %d", got, r.Traffic().Foreign, 2*(tt.headers+fields), 2*tt.headers)
			}
			warned := strings.Count(r.log.String(), "does not offer")
			if tt.warn == "" && warned != 0 || tt.warn != "" && (warned != 1 || !strings.Contains(r.log.String(), tt.warn)) {
				t.Errorf("warned %d times: %s", warned, r.log)
			}
		})
	}
}

func TestOldMTAWithoutHeaderFields(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{Version: 3, Actions: 0x3f, Steps: 0x1ff})
	for _, rcpt := range []string{"bob@example.net", ours} {
		msg := mail(rcpt)
		msg.Data = []byte("\r\nbody\r\n")
		if res := send(t, m, msg); !res.Accepted || res.Seen != (rcpt == ours) {
			t.Errorf("%s: %+v", rcpt, res)
		}
	}
	if got, _, _ := r.f.last().state(); got != "\r\nbody\r\n" {
		t.Errorf("read %q", got)
	}
}

func TestForgedFieldThatCannotBeRemovedDefers(t *testing.T) {
	r := start(t, Config{})
	m := r.dial(t, miltertest.Options{Lacking: miltertest.OfferChangeHeaders})
	msg := mail(ours)
	msg.Data = []byte("Authentication-Results: mx.example.net; smime=pass\r\n" + hello)
	if res := send(t, m, msg); res.Code != 451 {
		t.Errorf("got %+v", res)
	}
	if res := send(t, m, mail(ours)); !res.Accepted || len(res.AddedHeaders) != 1 {
		t.Errorf("without a forged one: %+v", res)
	}
}

func TestIntersection(t *testing.T) {
	version, actions, steps := intersection(9, ^gomilter.OptAction(0), ^gomilter.OptProtocol(0))
	if version != 6 || actions != wantedActions || steps != wantedSteps {
		t.Errorf("got version %d, actions %v, steps %v", version, actions, steps)
	}
	if _, _, steps := intersection(6, 0, ^gomilter.OptNoData); steps&quietContent != 0 {
		t.Error("an MTA without the DATA event would not hear the answer to the first field")
	}
}
