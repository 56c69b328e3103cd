package revoke

import (
	"bufio"
	"fmt"
	"io"
)

// sourceBuffer is what a source holds at a time, and the longest piece that
// window returns, in bytes.
const sourceBuffer = 16 << 10

// A derSource reads DER (X.690) as it comes in, each byte once: it never goes back
// and holds no more than sourceBuffer. The first error sticks and stops every
// loop, so that it is asked for once, at the end.
type derSource struct {
	r        *bufio.Reader
	at       int64     // bytes read
	tee      io.Writer // is given everything that is read; nil: nobody is
	elements int64     // read so far: the work done
	err      error
	head     [6]byte // the identifier and length read last
}

func newDERSource(r io.Reader) *derSource { return &derSource{r: bufio.NewReaderSize(r, sourceBuffer)} }

// fail keeps what is wrong with the list.
func (s *derSource) fail(why string) {
	if s.err == nil {
		s.err = noList(why)
	}
}

// broken keeps what is wrong with the reader. Its plain end is no fault of the
// reader: the list is too short. One that is wrapped is a fault.
func (s *derSource) broken(err error) {
	if err == io.EOF {
		s.fail("it breaks off")
	} else if s.err == nil {
		s.err = fmt.Errorf("revocation list: %w", err)
	}
}

// next returns the identifier octet of the element that comes next before the
// offset end, 0 where none does.
func (s *derSource) next(end int64) byte {
	if s.err != nil || s.at >= end {
		return 0
	}
	b, err := s.r.Peek(1)
	if err != nil {
		s.broken(err)
		return 0
	}
	return b[0]
}

// open reads identifier and length of an element that must end at the offset
// end or before, and returns the offset of its own end: at most 4 GiB on. Only
// the definite length in its shortest form is DER (X.690 section 10.1).
func (s *derSource) open(tag byte, end int64, what string) int64 {
	if s.next(end) != tag {
		s.fail(what + " is missing")
		return s.at
	}
	s.elements++
	s.take(s.head[:2], end)
	length, n := int64(s.head[1]), 2
	if length >= 0x80 {
		more := int(length & 0x7f)
		if more == 0 || more > 4 {
			s.fail(what + " has no length that DER allows")
			return s.at
		}
		s.take(s.head[2:2+more], end)
		length, n = 0, 2+more
		for _, b := range s.head[2:n] {
			length = length<<8 | int64(b)
		}
		if length < 0x80 || s.head[2] == 0 {
			s.fail(what + " has no length that DER allows")
		}
	}
	if length > end-s.at {
		s.fail(what + " is longer than what it stands in")
	}
	if s.err != nil {
		return s.at
	}
	return s.at + length
}

// content returns a copy of the contents of an element of at most limit bytes.
func (s *derSource) content(tag byte, end int64, limit int, what string) []byte {
	inner := s.open(tag, end, what)
	if inner-s.at > int64(limit) {
		s.fail(fmt.Sprintf("%s is longer than %d bytes", what, limit))
	}
	if s.err != nil {
		return nil
	}
	b := make([]byte, inner-s.at)
	s.take(b, inner)
	return b
}

// window returns the contents of an element of at most sourceBuffer bytes. They
// hold until the next call.
func (s *derSource) window(tag byte, end int64, limit int, what string) []byte {
	inner := s.open(tag, end, what)
	if inner-s.at > int64(limit) {
		s.fail(fmt.Sprintf("%s is longer than %d bytes", what, limit))
	}
	if s.err != nil {
		return nil
	}
	b, err := s.r.Peek(int(inner - s.at))
	if err != nil {
		s.broken(err)
		return nil
	}
	_, err = s.r.Discard(len(b))
	s.pass(b, err)
	return b
}

// take fills b, which must not go past the offset end.
func (s *derSource) take(b []byte, end int64) {
	if int64(len(b)) > end-s.at {
		s.fail("an element is longer than what it stands in")
	}
	for n := 0; n < len(b) && s.err == nil; {
		k, err := s.r.Read(b[n:])
		s.pass(b[n:n+k], err)
		n += k
	}
}

func (s *derSource) pass(b []byte, err error) {
	s.at += int64(len(b))
	if s.tee != nil {
		_, _ = s.tee.Write(b) // a hash or a buffer: neither fails
	}
	if err != nil {
		s.broken(err)
	}
}

// close reads the end of the reader, which must be here.
func (s *derSource) close() {
	if s.err != nil {
		return
	}
	switch _, err := s.r.ReadByte(); {
	case err == nil:
		s.fail("something follows it")
	case err != io.EOF:
		s.broken(err)
	}
}
