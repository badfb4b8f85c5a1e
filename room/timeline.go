package room

import (
	"crypto/rand"
	"sync/atomic"

	"github.com/planrooms/planrooms/protocol"
)

// timeline is the epoch of a hub's positions and, with an engine, how far the hub has applied the
// log. Without an engine, the position of a room is that of its newest event.
type timeline struct {
	// epoch is that of new rooms. Each room has a copy, which changes together with its history.
	epoch atomic.Pointer[string]
	// applied: all records up to this seq are in the histories of their plans. It is 0 without an
	// engine. It is stored after the event is in its room, so a goroutine that has read it and then
	// locks the room finds the event.
	applied atomic.Uint64
}

// position returns the position of a plan whose newest event has the seq last.
func (t *timeline) position(epoch string, last uint64) protocol.Position {
	return protocol.Position{Epoch: epoch, Seq: max(last, t.applied.Load())}
}

// current returns the epoch as it is now.
func (t *timeline) current() string { return *t.epoch.Load() }

// newEpoch returns a name that no epoch has had.
func newEpoch() string { return rand.Text() }
