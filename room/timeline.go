package room

import (
	"crypto/rand"
	"sync/atomic"

	"github.com/planrooms/planrooms/protocol"
)

// timeline is how far a hub has got in the log that its events come from. Without an engine the hub
// is the log, and the position of a room is that of its newest event.
type timeline struct {
	// Of positions. A room has a copy, and changes it when its history is dropped, so that the two
	// belong together.
	epoch atomic.Pointer[string]
	// All records up to this seq are in the histories of their plans; 0 without an engine. Set
	// after an event is in its room, so what has been applied is there once the room is locked.
	applied atomic.Uint64
}

// position is the position of a plan whose newest event has the seq last.
func (t *timeline) position(epoch string, last uint64) protocol.Position {
	return protocol.Position{Epoch: epoch, Seq: max(last, t.applied.Load())}
}

// current is the epoch at this moment.
func (t *timeline) current() string { return *t.epoch.Load() }

// newEpoch returns a name that no log has had.
func newEpoch() string { return rand.Text() }
