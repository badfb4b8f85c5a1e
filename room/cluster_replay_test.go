package room_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestReplayedDisconnect starts a node that reads the log from the start, while a client connects to
// it. The log has a Disconnect of its user from some time ago: the client may sign in again.
func TestReplayedDisconnect(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		if _, err := nodes[0].Disconnect(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		next := newNode(t, m, "node-2", room.Options{})
		next.engine.HoldTail()
		next.start(t)
		synctest.Wait()
		began := next.BeginVerification()
		next.engine.ReleaseTail()
		synctest.Wait()
		id := auth.Identity{UserID: "alice"}
		err := roomtest.NewSink(nil).Connect(next.Hub, id, &room.ConnectOptions{Verification: began})
		if !errors.Is(err, room.ErrSignInAgain) {
			t.Errorf("Connect = %v, want ErrSignInAgain", err)
		}
	})
}

// TestBrokenRecordDuringAJoin stores a record that may have ended access, while Authorize runs for a
// join: it is called again.
func TestBrokenRecordDuringAJoin(t *testing.T) {
	header := record.Header{Cluster: record.ClusterHash("test"), Class: record.ClassControl, Kind: record.KindRevoke, Plan: "p"}
	for name, data := range map[string][]byte{
		"of the plan": record.Append(nil, header, []byte{255}),
		"of any plan": []byte("not a record"),
	} {
		t.Run(name, func(t *testing.T) {
			var a asker
			nodes(t, 1, a.options(), func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				a.begin(t)
				alice := nodes[0].connect(t, "alice")
				joinLater(alice, "p", nil)
				<-a.asked
				m.Store(data)
				synctest.Wait()
				a.answers <- nil
				<-a.asked
				a.answers <- room.ErrForbidden
				alice.Refused(protocol.ErrorForbidden)
			})
		})
	}
}
