package webhook

const (
	firstPiece = 32 << 10 // bytes of the first piece and of the second
	wholePiece = 64 << 10 // bytes of each later one
)

// pieces are a message on its way from the body to who takes it, once.
type pieces struct {
	first  []byte // room for the first piece, of firstPiece bytes
	list   [][]byte
	size   int64
	limits decodeLimits
}

// add copies p to the end. *tooBigError: the message is over its limit; other
// errors are those of limits.hold.
func (p *pieces) add(b []byte) error {
	if p.size+int64(len(b)) > p.limits.message {
		return &tooBigError{"a message is larger than allowed"}
	}
	p.size += int64(len(b))
	for len(b) > 0 {
		last := len(p.list) - 1
		if last < 0 || len(p.list[last]) == cap(p.list[last]) {
			piece, err := p.more()
			if err != nil {
				return err
			}
			p.list = append(p.list, piece)
			last++
		}
		room := cap(p.list[last]) - len(p.list[last])
		n := min(room, len(b))
		p.list[last] = append(p.list[last], b[:n]...)
		b = b[n:]
	}
	return nil
}

// more is room for the next bytes.
func (p *pieces) more() ([]byte, error) {
	n := firstPiece
	if len(p.list) > 1 {
		n = wholePiece
	}
	if err := p.limits.hold(n); err != nil {
		return nil, err
	}
	if len(p.list) == 0 {
		return p.first, nil
	}
	return make([]byte, 0, n), nil
}

// each shows the pieces in order, and keeps them.
func (p *pieces) each(show func([]byte) error) error {
	for _, piece := range p.list {
		if err := show(piece); err != nil {
			return err
		}
	}
	return nil
}

// take hands the pieces over in order and lets go of each one then; of the rest
// too, after an error.
func (p *pieces) take(to func([]byte) error) error {
	defer p.drop()
	for len(p.list) > 0 {
		piece := p.list[0]
		if err := to(piece); err != nil {
			return err
		}
		p.list[0] = nil
		p.list = p.list[1:]
		p.limits.release(cap(piece))
	}
	return nil
}

// drop lets go of what is still there.
func (p *pieces) drop() {
	for _, piece := range p.list {
		p.limits.release(cap(piece))
	}
	p.list = nil
}
