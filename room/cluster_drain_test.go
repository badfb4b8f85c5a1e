package room_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestLossDuringADrain makes the log lose records while a node shuts down. The positions of before
// the loss are not those of the log after it: a client that got resync gets none of them as a
// receipt.
func TestLossDuringADrain(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		for i := range 20 {
			publish(t, nodes[0].Hub, "q", fmt.Sprint("moves the position of p ", i))
		}
		synctest.Wait()
		// The shutdown ends the connections one after the other, and each one takes its time.
		lose := sync.OnceFunc(func() { m.LoseTail(15) })
		slowly := func(_ int, b []byte) int {
			if bytes.Contains(b, []byte("goodbye")) {
				lose()
				time.Sleep(800 * time.Millisecond)
			}
			return len(b)
		}
		clients := make([]*hooked, 6)
		for i := range clients {
			clients[i] = openHooked(t, nodes[0].Hub, fmt.Sprint("user-", i), roomtest.Lines{}, slowly)
			clients[i].join("p")
		}
		gathered()
		if err := nodes[0].Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		resyncs := 0
		for _, c := range clients {
			_, after, lost := strings.Cut(kinds(t, c.read()), "resync")
			if !lost {
				continue
			}
			resyncs++
			if want := " goodbye (close 4503 shutting down)"; after != want {
				t.Errorf("got %q after the resync, want %q", after, want)
			}
		}
		if resyncs == 0 {
			t.Error("no client got resync")
		}
	})
}
