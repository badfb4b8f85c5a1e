package room_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/roomtest"
)

func TestBacklogBounds(t *testing.T) {
	for _, tt := range []struct {
		size, want int
	}{
		{1, 4096},
		{64 << 10, 256}, // 16 MiB
		{16 << 20, 1},
		{16<<20 + 1, 0},
	} {
		t.Run(fmt.Sprint(tt.size), func(t *testing.T) {
			add, take := room.NewBacklog(4096)
			for i := range tt.want {
				if !add(tt.size) {
					t.Fatalf("%d messages wait, want %d", i, tt.want)
				}
			}
			for range 2 {
				if add(tt.size) {
					t.Errorf("more than %d messages wait", tt.want)
				}
			}
			if tt.want > 0 {
				if take(tt.size); !add(tt.size) || add(tt.size) {
					t.Error("when one message is handled, another one does not take its place")
				}
			}
		})
	}
}

// TestManyLargeMessages sends a node more bytes than may wait, in messages that it handles at once.
func TestManyLargeMessages(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		other := newBareNode(t, m, "other", nodes[0].epochOf(t)).engine
		send := func(size int) {
			msg := record.AppendMessage(nil, record.ClusterHash("test"), record.MessagePresence, make([]byte, size))
			if err := other.Send(t.Context(), "", msg); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		for range 300 { // more than 16 MiB
			send(63 << 10)
		}
		for size := 32 << 10; size > 0; size /= 2 { // whatever is left of 16 MiB
			send(size)
			send(size)
		}
		if _, err := nodes[1].Notify(t.Context(), "alice", protocol.Event{Type: "mail", Data: 1}); err != nil {
			t.Fatal(err)
		}
		alice.WantEvent("mail", nil)
		roomtest.Join(t, nodes[1].Hub, "bob", "p")
		time.Sleep(time.Second)
		if info, _ := nodes[0].Room("p"); info.Participants != 2 {
			t.Errorf("%d participants, want alice and bob", info.Participants)
		}
	})
}
