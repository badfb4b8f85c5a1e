package room

// entry is one message of a room: an event, or a presence notice. The payload and the audience
// never change, so the goroutines that write an entry share them.
type entry struct {
	index     uint64 // place in the history, notices counted too
	seq, prev uint64 // of an event; 0 for a notice
	at        int64  // when an event was appended; see Hub.clock
	payload   []byte
	to        *audience // nil: all connections in the room
}

// isEvent reports whether e is an event rather than a presence notice.
func (e *entry) isEvent() bool { return e.seq != 0 }

// excepts reports whether v is excepted: it gets no notice, and a receipt instead of an event.
func (e *entry) excepts(v *viewer) bool { return e.to != nil && e.to.excepts(v) }

// cost returns how many bytes of memory an event takes: in the ring, and what it refers to.
func (e *entry) cost() int {
	n := entryBytes + allocated(cap(e.payload))
	if e.to != nil {
		n += e.to.cost()
	}
	return n
}

// allocated returns about how many bytes the allocator sets aside for n bytes: up to 32 KiB it has
// sizes about an eighth apart, above that whole pages.
func allocated(n int) int {
	if n <= 32<<10 {
		return n + n/16
	}
	return (n + 8<<10 - 1) &^ (8<<10 - 1)
}

// notice is a presence notice in a history.
type notice struct {
	entry
	kind    noticeKind
	subject string // the user it is about
}

// noticeKind determines which notices of one user supersede each other.
type noticeKind uint8

const (
	noticeMembership noticeKind = iota + 1 // joined or left
	noticeState                            // presence state
	noticeCount                            // count alone, of a crowded room
)
