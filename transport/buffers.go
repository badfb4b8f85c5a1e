package transport

import (
	"errors"
	"io"
	"sync"

	"github.com/planrooms/planrooms/protocol"
)

const (
	// smallMessage is the size of a new buffer: most messages of a client have less than 200 bytes.
	smallMessage = 512
	// keptMessage is the capacity up to which a buffer is used again.
	keptMessage = 4 << 10
)

// errTooLong is returned by buffers.read for a message over [protocol.MaxMessageBytes].
var errTooLong = errors.New("transport: message too long")

// buffers lends out the memory that messages are read into. A connection holds a buffer only while a message is
// arriving, so one at rest has none.
type buffers struct{ pool sync.Pool }

// read reads a whole message, from the first frame to the last. The caller gives the buffer back with release, whatever read returns.
func (p *buffers) read(r io.Reader) (*[]byte, error) {
	b, ok := p.pool.Get().(*[]byte)
	if !ok {
		b = new([]byte)
		*b = make([]byte, 0, smallMessage)
	}
	for {
		if len(*b) == cap(*b) {
			bigger := make([]byte, len(*b), min(2*cap(*b), protocol.MaxMessageBytes+1))
			copy(bigger, *b)
			*b = bigger
		}
		n, err := r.Read((*b)[len(*b):cap(*b)])
		*b = (*b)[:len(*b)+n]
		switch {
		case len(*b) > protocol.MaxMessageBytes:
			return b, errTooLong
		case err == io.EOF:
			return b, nil
		case err != nil:
			return b, err
		}
	}
}

// release takes a buffer of read back.
func (p *buffers) release(b *[]byte) {
	if cap(*b) <= keptMessage {
		*b = (*b)[:0]
		p.pool.Put(b)
	}
}
