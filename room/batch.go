package room

import "sync"

// batch is a number of messages for one write, framed in one buffer: entries of a room for one or
// for many connections, or replies and control frames for one. It records where each item ends, so
// that a short write can be taken apart.
type batch struct {
	framing Framing
	buf     []byte
	items   []item

	// Of a batch of a pump, which many connections share: the entries from one index on, and where
	// a member is once they were written.
	from      uint64
	to        cursor
	audiences []*audience // of the entries that except a connection
	// The entries were evicted before the pump read them: no member takes the batch.
	unread bool
}

// item is one frame of a batch.
type item struct {
	end     int     // offset in batch.buf at which it ends
	after   cursor  // of an entry: where the member is once it was written
	payload []byte  // of an entry or a reply
	control control // what kind of control frame it is, if any
}

// control is the kind of a control frame.
type control uint8

const (
	notControl     control = iota
	pingFrame              // of the hub
	transportFrame         // of the transport
)

var batches = sync.Pool{New: func() any { return new(batch) }}

func newBatch(f Framing) *batch {
	b := batches.Get().(*batch)
	b.framing = f
	return b
}

// release returns the batch to the pool, without its buffer if a large message made that grow.
func (b *batch) release() {
	if cap(b.buf) > 2*batchBytes {
		b.buf = nil
	}
	clear(b.items)
	clear(b.audiences)
	*b = batch{buf: b.buf[:0], items: b.items[:0], audiences: b.audiences[:0]}
	batches.Put(b)
}

// add frames a payload. after is where a member is once it was written.
func (b *batch) add(payload []byte, after cursor) {
	b.buf = b.framing.AppendMessage(b.buf, payload)
	b.items = append(b.items, item{end: len(b.buf), after: after, payload: payload})
}

// addPing adds a ping of the hub.
func (b *batch) addPing() {
	b.buf = b.framing.AppendPing(b.buf)
	b.items = append(b.items, item{end: len(b.buf), control: pingFrame})
}

// addControl adds a control frame of the transport.
func (b *batch) addControl(frame []byte) {
	b.buf = append(b.buf, frame...)
	b.items = append(b.items, item{end: len(b.buf), control: transportFrame})
}

// frame returns the bytes of item i. They are valid until release.
func (b *batch) frame(i int) []byte {
	begin := 0
	if i > 0 {
		begin = b.items[i-1].end
	}
	return b.buf[begin:b.items[i].end]
}

// split returns what a write of n bytes has written: the number of whole items, and the bytes of
// the next one.
func (b *batch) split(n int) (whole, part int) {
	begin := 0
	for whole < len(b.items) && b.items[whole].end <= n {
		begin = b.items[whole].end
		whole++
	}
	return whole, n - begin
}

// nextFor reports whether the batch of a pump is what a member at c needs next. An outlet that is
// idle, with nothing waiting, has read past the events and the notices that are not for its member,
// so next decides alone. The other comparisons keep nextFor right without that.
func (b *batch) nextFor(c cursor) bool {
	return c.next == b.from && c.events <= b.from && c.notices <= b.from
}

// remainder returns what is left of item i after off bytes of it. isEntry reports whether the batch
// has entries of the plan rather than replies.
func (b *batch) remainder(i, off int, plan string, isEntry bool) *remainder {
	r := newRemainder(b.frame(i), b.items[i].payload, off, plan)
	r.entry = isEntry
	return r
}

// large reports whether b is a single message of at least batchBytes. On a full socket such a
// message is written as a remainder, so that a connection that does not read holds no copy of it.
func (b *batch) large() bool { return len(b.items) == 1 && len(b.items[0].payload) >= batchBytes }

// excepts reports whether v gets something other than the entries of the batch.
func (b *batch) excepts(v *viewer) bool {
	if b.unread {
		return true // the member finds out from its own cursor
	}
	for _, a := range b.audiences {
		if a.excepts(v) {
			return true
		}
	}
	return false
}
