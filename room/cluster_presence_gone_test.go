package room_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// What nodes list about the users of a node that has ended, and after a loss.

// The others drop the users of a node that is cut off, each with one leave, and list them again
// when it is back.
func TestParticipantsOfNodeThatIsGone(t *testing.T) {
	nodes(t, 3, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		time.Sleep(time.Minute)
		ann := roomtest.Join(t, nodes[0].Hub, "ann", "p")
		shared()
		roomtest.Join(t, nodes[1].Hub, "cat", "p")
		time.Sleep(time.Millisecond)
		for i := range 3 {
			roomtest.Join(t, nodes[2].Hub, fmt.Sprint("user-", i), "p")
		}
		roomtest.Join(t, nodes[2].Hub, "cat", "p")
		shared()
		presenceNotices(t, ann)
		nodes[2].engine.Cut()
		time.Sleep(10 * time.Second)
		wantNotices(t, ann)
		time.Sleep(5 * time.Second)
		wantPeople(t, nodes[:2], "ann:1 cat:1")
		if got := presenceNotices(t, ann); len(got) != 3 {
			t.Errorf("got the notices %q, want three leaves", got)
		}
		nodes[2].engine.Heal()
		nodes[2].awaitReady(t)
		time.Sleep(5 * time.Second)
		wantPeople(t, nodes[:2], "ann:1 cat:2 user-0:1 user-1:1 user-2:1")
		if got := presenceNotices(t, ann); len(got) != 3 {
			t.Errorf("got the notices %q, want three joins", got)
		}
	})
}

// The users of a node that shuts down are present until they have had the time to connect to
// another one.
func TestParticipantsOfNodeThatShutsDown(t *testing.T) {
	nodes(t, 2, room.Options{PresenceLimit: 1000}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		ann := roomtest.Join(t, nodes[0].Hub, "ann", "p")
		shared()
		roomtest.Join(t, nodes[1].Hub, "bob", "p")
		roomtest.Join(t, nodes[1].Hub, "cat", "p")
		for i := range 300 { // more than one batch of goodbyes
			roomtest.Join(t, nodes[1].Hub, fmt.Sprint("user-", i), "p")
		}
		shared()
		presenceNotices(t, ann)
		if err := nodes[1].Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		wantNotices(t, ann)
		roomtest.Join(t, nodes[0].Hub, "bob", "p")
		time.Sleep(20 * time.Second)
		wantPeople(t, nodes[:1], "ann:1 bob:1")
		if got := presenceNotices(t, ann); len(got) != 301 || !contains(got[300], `leave-plan "participantCount":2`) {
			t.Errorf("got %d notices, want 301 leaves", len(got))
		}
	})
}

// All nodes open the log again, under other names. No user has left.
func TestParticipantsInANewEpoch(t *testing.T) {
	nodes(t, 3, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		ann := roomtest.Join(t, nodes[0].Hub, "ann", "p")
		shared()
		for i := range 4 {
			roomtest.Join(t, nodes[1+i%2].Hub, fmt.Sprint("user-", i), "p")
			shared()
		}
		presenceNotices(t, ann)
		m.LoseTail(1)
		time.Sleep(time.Minute)
		wantPeople(t, nodes, "ann:1 user-0:1 user-1:1 user-2:1 user-3:1")
		for _, notice := range presenceNotices(t, ann) {
			if !strings.HasPrefix(notice, "resync") {
				t.Errorf("got the notice %q", notice)
			}
		}
	})
}
