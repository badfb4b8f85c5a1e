package room

import "sync"

// chunk is what is written to one connection in one go: frames in one buffer, and what each of them is, so that
// a short write can be taken apart again.
type chunk struct {
	framing Framing
	buf     []byte
	frames  []chunkFrame
}

type chunkFrame struct {
	end    int    // offset in buf at which it ends
	after  cursor // where the member is once it was written
	entry  *entry // nil if the payload is this connection's own
	answer answer
	ping   bool
}

var chunks = sync.Pool{New: func() any { return new(chunk) }}

func newChunk(f Framing) *chunk {
	c := chunks.Get().(*chunk)
	c.framing = f
	return c
}

// release gives the chunk back. Its memory is not kept if one large event made it grow.
func (c *chunk) release() {
	if cap(c.buf) > 2*batchBytes {
		c.buf = nil
	}
	clear(c.frames)
	c.buf, c.frames, c.framing = c.buf[:0], c.frames[:0], nil
	chunks.Put(c)
}

func (c *chunk) add(payload []byte, f chunkFrame) {
	c.buf = c.framing.AppendMessage(c.buf, payload)
	f.end = len(c.buf)
	c.frames = append(c.frames, f)
}

func (c *chunk) addAnswer(a answer) { c.add(a.payload, chunkFrame{answer: a}) }

func (c *chunk) addRaw(frame []byte) {
	c.buf = append(c.buf, frame...)
	c.frames = append(c.frames, chunkFrame{end: len(c.buf)})
}

func (c *chunk) addPing() {
	c.buf = c.framing.AppendPing(c.buf)
	c.frames = append(c.frames, chunkFrame{end: len(c.buf), ping: true})
}

// whole returns frame i as bytes that outlive the chunk.
func (c *chunk) whole(i int) []byte {
	if e := c.frames[i].entry; e != nil {
		return e.frame(c.framing)
	}
	begin := 0
	if i > 0 {
		begin = c.frames[i-1].end
	}
	return append([]byte(nil), c.buf[begin:c.frames[i].end]...)
}
