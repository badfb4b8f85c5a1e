package room_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/roomtest"
)

// What the lists of the users of other nodes cost.

// TestListsAreAskedForOnceASecond loses all requests for the list of a node: the other one repeats
// its request, but not too often.
func TestListsAreAskedForOnceASecond(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		asked, lost := 0, 0
		m.DropMessages(func(_, _ string, msg []byte) bool {
			switch _, kind, _, _ := record.ParseMessage(msg); kind {
			case record.MessagePresenceAsk:
				asked++
				return true
			case record.MessagePresence:
				lost++
				return lost == 1
			}
			return false
		})
		for i := range 100 { // each of them has something to share, and makes the nodes look what is missing
			roomtest.Join(t, nodes[i%2].Hub, fmt.Sprint("user-", i), fmt.Sprint("plan-", i))
			time.Sleep(100 * time.Millisecond)
		}
		if asked < 8 || asked > 12 {
			t.Errorf("the list was asked for %d times in 10 s", asked)
		}
	})
}

// TestListsCountForTheHistory has another node list many users: the node evicts the history of a
// plan to make room for them.
func TestListsCountForTheHistory(t *testing.T) {
	nodes(t, 2, room.Options{HistoryTotal: 32 << 10}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		publish(t, nodes[0].Hub, "old", "event")
		publish(t, nodes[0].Hub, "new", "event")
		shared()
		if _, ok := nodes[0].Room("old"); !ok {
			t.Fatal("the old plan is not held")
		}
		for i := range 50 {
			plan := fmt.Sprint("plan-", i)
			m := roomtest.Join(t, nodes[1].Hub, fmt.Sprint("user-", i), plan)
			m.SetPresence(plan, strings.Repeat("x", 1000))
		}
		shared()
		publish(t, nodes[0].Hub, "new", "event")
		synctest.Wait()
		if _, ok := nodes[0].Room("old"); ok {
			t.Error("the old plan is held, although the lists of users take more than HistoryTotal")
		}
	})
}
