package room_test

import (
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// TestShutdownWithAStalledEngine has an engine whose calls ignore their context and return at Close
// alone.
func TestShutdownWithAStalledEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		n := newNode(t, m, "a", room.Options{})
		n.Hub = room.NewHub(&n.opts)
		n.awaitReady(t)
		n.engine.Pause()
		if err := n.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := n.Ready(); err == nil {
			t.Error("ready after Shutdown")
		}
	})
}
