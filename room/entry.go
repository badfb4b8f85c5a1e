package room

import (
	"slices"
	"time"
	"unsafe"
)

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

// viewer identifies a connection to an audience.
type viewer struct {
	userID   string
	clientID string
	conn     uint64 // unique in the hub, and not 0
}

// audience is all connections in the room except those named.
type audience struct {
	except exclusion
	more   []exclusion // besides except
	// Viewer.conn of the connection that set a presence state; 0 for other messages.
	sender uint64

	// Content of the receipt of an event.
	by, mutationID string
	at             time.Time
}

// add adds an exclusion.
func (a *audience) add(x exclusion) {
	if a.except == (exclusion{}) {
		a.except = x
	} else {
		a.more = append(a.more, x)
	}
}

func (a *audience) excepts(v *viewer) bool {
	return a.sender == v.conn || a.except.has(v) || slices.ContainsFunc(a.more, func(x exclusion) bool { return x.has(v) })
}

// cost returns how many bytes of memory the audience of an event takes.
func (a *audience) cost() int {
	n := int(unsafe.Sizeof(*a)) + cap(a.more)*int(unsafe.Sizeof(a.except)) + stringBytes(a.by) + stringBytes(a.mutationID) + a.except.cost()
	for i := range a.more {
		n += a.more[i].cost()
	}
	return n
}

// stringBytes returns about how many bytes of memory a short string takes.
func stringBytes(s string) int { return (len(s) + 15) &^ 15 }

// allocated returns about how many bytes the allocator sets aside for n bytes: up to 32 KiB it has
// sizes about an eighth apart, above that whole pages.
func allocated(n int) int {
	if n <= 32<<10 {
		return n + n/16
	}
	return (n + 8<<10 - 1) &^ (8<<10 - 1)
}

// exclusion names connections that do not get an event: those of a user, or of one client ID of
// theirs.
type exclusion struct {
	userID   string
	clientID string // "" means every connection of the user
}

func (x *exclusion) has(v *viewer) bool {
	return x.userID == v.userID && (x.clientID == "" || x.clientID == v.clientID)
}

func (x *exclusion) cost() int { return stringBytes(x.userID) + stringBytes(x.clientID) }

// notice is a presence notice in a history.
type notice struct {
	entry
	kind    noticeKind
	subject string // the user it is about
}

// noticeKind says which notices of one user supersede each other.
type noticeKind uint8

const (
	noticeMembership noticeKind = iota + 1 // joined or left
	noticeState                            // presence state
	noticeCount                            // count alone, of a crowded room
)
