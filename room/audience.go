package room

import (
	"slices"
	"time"
	"unsafe"

	"github.com/planrooms/planrooms/protocol"
)

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
	version        protocol.EventVersion
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
	n := int(unsafe.Sizeof(*a)) + cap(a.more)*int(unsafe.Sizeof(a.except)) + stringBytes(a.by) + stringBytes(a.mutationID) + stringBytes(a.version.Key) + a.except.cost()
	for i := range a.more {
		n += a.more[i].cost()
	}
	return n
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

// stringBytes returns about how many bytes of memory a short string takes.
func stringBytes(s string) int { return (len(s) + 15) &^ 15 }
