package cms

// ASN.1 tag classes and the universal tags used here (X.680).
const (
	universal = 0
	context   = 2

	tagBoolean     = 1
	tagInteger     = 2
	tagBitString   = 3
	tagOctets      = 4
	tagNull        = 5
	tagOID         = 6
	tagSequence    = 16
	tagSet         = 17
	tagUTCTime     = 23
	tagGeneralTime = 24
)

// An element is the identifier and length of one BER element. The reader stands
// behind it, at its first content octet.
type element struct {
	class       byte
	constructed bool
	tag         int
	start       int // of the identifier
	body        int // of the contents
	end         int // of the contents; -1 for the indefinite form
}

func (e element) is(class byte, tag int) bool { return e.class == class && e.tag == tag }

// A frame is a constructed element that the reader is inside of.
type frame struct {
	end        int // no element in it goes past this offset
	indefinite bool
}

// A reader walks over BER in place (X.690), each byte once: the end of an
// indefinite element is found while its children are read. The first error
// sticks and stops every loop, so that it is asked for once, at the end.
type reader struct {
	in     []byte
	at     int
	base   int // depth of the place that in was cut from
	depth  int // limit
	frames []frame
	steps  *int
	err    *Error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = malformed(format, args...)
	}
}

// limit is the offset that nothing at this place may pass.
func (r *reader) limit() int {
	if len(r.frames) == 0 {
		return len(r.in)
	}
	return r.frames[len(r.frames)-1].end
}

// more tells whether the frame holds another element.
func (r *reader) more() bool {
	if r.err != nil {
		return false
	}
	if len(r.frames) == 0 {
		return r.at < len(r.in)
	}
	f := r.frames[len(r.frames)-1]
	if f.indefinite && r.at+1 < f.end && r.in[r.at] == 0 && r.in[r.at+1] == 0 {
		return false
	}
	return f.indefinite || r.at < f.end
}

// next reads one identifier and length. The caller then enters the element,
// takes its contents or skips it.
func (r *reader) next() element {
	e := element{start: r.at}
	limit := r.limit()
	if r.err != nil || r.at >= limit {
		r.fail("an element is missing at byte %d", r.at)
		return e
	}
	*r.steps++
	b := r.in[r.at]
	r.at++
	e.class, e.constructed, e.tag = b>>6, b&0x20 != 0, int(b&0x1f)
	if e.tag == 0x1f {
		e.tag = r.highTag(limit)
	}
	if e.class == universal && e.tag == 0 {
		r.fail("an end of contents is out of place at byte %d", e.start)
	}
	length := r.length(limit, e.constructed)
	e.body, e.end = r.at, r.at+length
	if length < 0 {
		e.end = -1
	}
	return e
}

// highTag reads a tag number of 31 or more, at most four octets of it.
func (r *reader) highTag(limit int) int {
	tag := 0
	for i := 0; i < 4 && r.at < limit; i++ {
		b := r.in[r.at]
		r.at++
		if i == 0 && b == 0x80 {
			break
		}
		tag = tag<<7 | int(b&0x7f)
		if b&0x80 == 0 {
			return tag
		}
	}
	r.fail("a tag number cannot be read at byte %d", r.at)
	return -1
}

// length reads a length that stays within limit; -1 is the indefinite form.
func (r *reader) length(limit int, constructed bool) int {
	if r.err != nil || r.at >= limit {
		r.fail("a length is missing at byte %d", r.at)
		return 0
	}
	b := r.in[r.at]
	r.at++
	if b == 0x80 && constructed {
		return -1
	}
	n := uint64(b)
	if b >= 0x80 {
		octets := int(b & 0x7f)
		if octets == 0 || octets > 4 || octets > limit-r.at {
			r.fail("a length cannot be read at byte %d", r.at-1)
			return 0
		}
		n = 0
		for range octets {
			n = n<<8 | uint64(r.in[r.at])
			r.at++
		}
	}
	if n > uint64(limit-r.at) {
		r.fail("an element goes past its parent at byte %d", r.at)
		return 0
	}
	return int(n)
}

// enter goes inside a constructed element.
func (r *reader) enter(e element) {
	if r.err != nil {
		return
	}
	if !e.constructed {
		r.fail("an element should hold others at byte %d", e.start)
		return
	}
	if r.base+len(r.frames) >= r.depth {
		r.fail("elements are nested deeper than %d", r.depth)
		return
	}
	f := frame{end: e.end}
	if e.end < 0 {
		f = frame{end: r.limit(), indefinite: true}
	}
	r.frames = append(r.frames, f)
}

// leave goes out of the element entered last, which must have been read whole.
func (r *reader) leave() {
	if r.err != nil {
		return
	}
	if r.more() {
		r.fail("an element is not expected at byte %d", r.at)
		return
	}
	if r.frames[len(r.frames)-1].indefinite {
		*r.steps++
		r.at += 2 // more has seen the end of contents
	}
	r.frames = r.frames[:len(r.frames)-1]
}

// skip moves past an element. What a definite one holds is not looked at; an
// indefinite one is walked through to find its end.
func (r *reader) skip(e element) {
	outside := len(r.frames)
	for r.err == nil {
		if e.end >= 0 {
			r.at = e.end
		} else {
			r.enter(e)
		}
		if r.leaveEnded(outside) {
			return
		}
		e = r.next()
	}
}

// leaveEnded goes out of every frame that has nothing more, down to the given
// number of frames, and tells whether it got there.
func (r *reader) leaveEnded(outside int) bool {
	for len(r.frames) > outside && r.err == nil && !r.more() {
		r.leave()
	}
	return len(r.frames) == outside
}

// raw moves past an element and returns all of it.
func (r *reader) raw(e element) []byte {
	r.skip(e)
	if r.err != nil {
		return nil
	}
	return r.in[e.start:r.at:r.at]
}

// content takes the contents of a primitive element.
func (r *reader) content(e element) []byte {
	if r.err == nil && e.constructed {
		r.fail("an element should be primitive at byte %d", e.start)
	}
	if r.err != nil {
		return nil
	}
	r.at = e.end
	return r.in[e.body:e.end:e.end]
}

// octets takes a string in one piece or in chunks, nested or not (X.690 section
// 8.7), and hands out the pieces in order.
func (r *reader) octets(e element, emit func([]byte)) {
	outside := len(r.frames)
	for r.err == nil {
		if e.constructed {
			r.enter(e)
		} else {
			emit(r.content(e))
		}
		if r.leaveEnded(outside) {
			return
		}
		if e = r.next(); r.err == nil && !e.is(universal, tagOctets) {
			r.fail("a chunk is no octet string at byte %d", e.start)
		}
	}
}
