package store

import (
	"bytes"
	"reflect"
	"testing"
)

// TestPackerForgets: an archive is the same whatever its compressor did before, also
// if that failed in the middle.
func TestPackerForgets(t *testing.T) {
	docs := []Document{{Name: "a", Bytes: bytes.Repeat([]byte("of bob@example.com "), 4000)}, {Name: "b", Bytes: nil}}
	others := []Document{{Name: "c", Bytes: bytes.Repeat([]byte("of alice@example.com, of bob@example.com "), 5000)}}
	want, err := new(packer).pack(docs, noon())
	if err != nil {
		t.Fatal(err)
	}
	p := new(packer)
	for range 3 {
		if _, err := p.pack(others, noon()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.pack(append(docs[:1:1], Document{Name: string(make([]byte, 300))}), noon()); err == nil {
			t.Fatal("a name that is no tar name")
		}
		got, err := p.pack(docs, noon())
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes instead of %d, %v", len(got), len(want), err)
		}
	}
	if back, err := unpack(want); err != nil || len(back) != 2 || !reflect.DeepEqual(back[0], docs[0]) {
		t.Errorf("%d documents come back, %v", len(back), err)
	}
}
