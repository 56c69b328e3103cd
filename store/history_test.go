package store

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func sampleHistory() *History {
	a, b := kept("a"), kept("b", state(Superseded))
	a.First = &Evidence{File: "first.tar.gz", At: noon(), Reference: "Q1"}
	a.note(noon(), "added", "Q1")
	return &History{Version: historyVersion, Address: "alice@example.com", Records: []Record{a, b},
		Messages: []Message{{Identity: hash("m"), At: noon(), Kind: Added, Reference: "Q1"}}}
}

func TestHistoryRoundTrip(t *testing.T) {
	want := sampleHistory()
	b, err := want.marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseHistory(b)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v\n%+v\n%+v", err, got, want)
	}
}

func TestDamagedHistories(t *testing.T) {
	for name, spoil := range map[string]func(*History){
		"version":       func(h *History) { h.Version = 2 },
		"address":       func(h *History) { h.Address = "" },
		"sha256":        func(h *History) { h.Records[0].Fingerprint = "../../../etc" },
		"sha256: twice": func(h *History) { h.Records[1].Fingerprint = h.Records[0].Fingerprint },
		"key_sha256":    func(h *History) { h.Records[0].Key = strings.ToUpper(h.Records[0].Key) },
		"state":         func(h *History) { h.Records[0].State = "lost" },
		"not active":    func(h *History) { h.Records[1].Preferred = true },
		"0 preferred":   func(h *History) { h.Records[0].Preferred = false },
		"2 preferred":   func(h *History) { h.Records[1].State, h.Records[1].Preferred = Active, true },
		"unsafe name":   func(h *History) { h.Records[0].First.File = "../x" },
		"journal":       func(h *History) { h.Records[0].Journal = make([]Note, maxNotes+1) },
		"certificates":  func(h *History) { h.Records = make([]Record, maxRecords+1) },
		"messages":      func(h *History) { h.Messages = make([]Message, maxMessages+1) },
	} {
		h := sampleHistory()
		spoil(h)
		b, err := h.marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseHistory(b); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDamagedStateFileRefusesAndCanBeDeleted(t *testing.T) {
	d := openTest(t, tempDir(t), Options{})
	m := newMaker()
	e := mail("alice@example.com", m.year(t, "alice", "Org"), noon(), "Q1")
	put(t, d, e)
	path := d.entry("alice@example.com", stateFile)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []string{"", "{", string(b[:len(b)/2]), strings.Replace(string(b), "alice@", "malice@", 1)} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Put(t.Context(), e); err == nil || !strings.Contains(err.Error(), stateFile) {
			t.Fatalf("Put over %q: %v", damaged, err)
		}
		if _, err := d.Show(e.Address); err == nil {
			t.Fatal("shown")
		}
	}
	if _, err := Open(d.root, Options{}); err != nil {
		t.Fatalf("one damaged address keeps the store from opening: %v", err)
	}
	if _, err := d.Delete(t.Context(), e.Address, false); err != nil {
		t.Fatal(err)
	}
	late := mail(e.Address, e.Certificate, noon().Add(time.Hour), "Q2")
	if c := put(t, d, late); c.Kind != Added {
		t.Errorf("after the deletion: %+v", c)
	}
}

func FuzzEntryFile(f *testing.F) {
	b, err := sampleHistory().marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)/3])
	f.Add([]byte(`{"version":1,"address":"a@b","certificates":[{}]}`))
	f.Add([]byte(`{"version":1,"address":"a@b","certificates":[null],"messages":[{"identity":5}]}`))
	f.Add([]byte("[[[[[[[["))
	f.Fuzz(func(t *testing.T, b []byte) {
		began := time.Now()
		h, err := parseHistory(b)
		if took := time.Since(began); took > 2*time.Second {
			t.Fatalf("took %v for %d bytes", took, len(b))
		}
		if err != nil {
			return
		}
		invariantsButCounts(t, h)
		again, err := h.marshal()
		if err != nil {
			return // a time that JSON cannot write: Put reports it
		}
		if _, err := parseHistory(again); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}

func invariantsButCounts(t *testing.T, h *History) {
	for _, r := range h.Records {
		if !isHex256(r.Fingerprint) || r.First != nil && strings.ContainsAny(r.First.File, "/\x00") {
			t.Fatalf("an unsafe name: %q", r.Fingerprint)
		}
	}
	e, facts := incoming("x")
	invariants(t, Decide(Past{Records: h.Records, Messages: h.Messages}, e, facts, Rules{KeyChange: "accept"}, noon()).Records)
}
