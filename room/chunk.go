package room

import "sync"

// chunk is a batch of frames for one connection, in one buffer. It records what each frame is, so
// that a short write can be taken apart.
type chunk struct {
	framing Framing
	buf     []byte
	frames  []chunkFrame
}

type chunkFrame struct {
	end     int    // offset in buf at which it ends
	after   cursor // where the member is once it was written
	payload []byte // nil for a control frame
	ping    bool
}

var chunks = sync.Pool{New: func() any { return new(chunk) }}

func newChunk(f Framing) *chunk {
	c := chunks.Get().(*chunk)
	c.framing = f
	return c
}

// release returns the chunk to the pool, without its buffer if a large event made that grow.
func (c *chunk) release() {
	if cap(c.buf) > 2*batchBytes {
		c.buf = nil
	}
	clear(c.frames)
	c.buf, c.frames, c.framing = c.buf[:0], c.frames[:0], nil
	chunks.Put(c)
}

// add frames a payload; after is where the member is once it was written.
func (c *chunk) add(payload []byte, after cursor) {
	c.buf = c.framing.AppendMessage(c.buf, payload)
	c.frames = append(c.frames, chunkFrame{end: len(c.buf), after: after, payload: payload})
}

// addControl adds a control frame of the transport.
func (c *chunk) addControl(frame []byte) {
	c.buf = append(c.buf, frame...)
	c.frames = append(c.frames, chunkFrame{end: len(c.buf)})
}

func (c *chunk) addPing() {
	c.buf = c.framing.AppendPing(c.buf)
	c.frames = append(c.frames, chunkFrame{end: len(c.buf), ping: true})
}

// frame returns the bytes of frame i. They are valid until release.
func (c *chunk) frame(i int) []byte {
	begin := 0
	if i > 0 {
		begin = c.frames[i-1].end
	}
	return c.buf[begin:c.frames[i].end]
}

// remainder returns what is left of frame i after off bytes of it.
func (c *chunk) remainder(i, off int, planID string) remainder {
	return newRemainder(c.frame(i), c.frames[i].payload, off, planID)
}

// large reports whether c is a single message of at least a batch. On a full socket such a message
// is written as a remainder, so that a connection that does not read holds no copy of it.
func (c *chunk) large() bool { return len(c.frames) == 1 && len(c.frames[0].payload) >= batchBytes }
