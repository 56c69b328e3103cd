package main

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// forever is a message that does not end before it is told to.
type forever struct{ ended atomic.Bool }

func (f *forever) Read(p []byte) (int, error) {
	if f.ended.Load() {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestPipedWithoutEnd: neither who writes on and on nor who stops to write holds a
// process for ever.
func TestPipedWithoutEnd(t *testing.T) {
	silent, writer := io.Pipe()
	defer writer.Close()
	endless := &forever{}
	defer endless.ended.Store(true)
	for name, in := range map[string]io.Reader{"silent": silent, "endless": endless} {
		if b, err := readPipedWithin(50*time.Millisecond, in, 100); err == nil || b != nil || !strings.Contains(err.Error(), "not ended") {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	if b, err := readPipedWithin(time.Hour, strings.NewReader("A: b\r\n"), 100); err != nil || string(b) != "A: b\r\n" {
		t.Errorf("%q %v", b, err)
	}
}
