package room_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestClientsOfANodeWithoutATenureComeBackInTurn cuts a node off for long: it closes its
// connections, and gives each client a different time to connect again, within a minute.
func TestClientsOfANodeWithoutATenureComeBackInTurn(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		members := make([]*roomtest.Member, 4)
		for i := range members {
			members[i] = roomtest.Join(t, nodes[0].Hub, fmt.Sprint("user-", i), "p")
		}
		nodes[0].engine.Cut()
		time.Sleep(35 * time.Second)
		var after []int64
		for _, m := range members {
			var goodbye protocol.Goodbye
			m.WantEvent(protocol.TypeGoodbye, &goodbye)
			after = append(after, goodbye.RetryAfterMs)
		}
		slices.Sort(after)
		if want := []int64{0, 15_000, 30_000, 45_000}; !slices.Equal(after, want) {
			t.Errorf("the clients come back after %d ms, want %d", after, want)
		}
	})
}
