package transport

import (
	"errors"
	"io"
	"sync"

	"github.com/planrooms/planrooms/protocol"
)

const (
	// smallMessage is the size of a new buffer. Most messages of a client are shorter than 200
	// bytes.
	smallMessage = 512
	// maxPooled is the largest capacity of a buffer that is used again.
	maxPooled = 4 << 10
)

// errTooLong reports a message longer than [protocol.MaxMessageBytes].
var errTooLong = errors.New("transport: message too long")

// buffers is a pool of the buffers that messages are read into. A connection holds a buffer only
// while a message arrives, so an idle connection has none.
type buffers struct{ pool sync.Pool }

// read reads one message to its end. The caller must call release with the buffer, even after an
// error.
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

// release returns a buffer to the pool.
func (p *buffers) release(b *[]byte) {
	if cap(*b) <= maxPooled {
		*b = (*b)[:0]
		p.pool.Put(b)
	}
}
