package room_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestReplayedDisconnect starts a node that reads the log from the start, while a client connects
// to it. The log has a Disconnect of its user from some time ago: the client may sign in again.
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

// brokenRevoke is the header of a record of plan p whose body cannot be read.
var brokenRevoke = record.Header{Cluster: record.ClusterHash("test"), Class: record.ClassControl, Kind: record.KindRevoke, Plan: "p"}

// TestBrokenRecordOfAPlan stores a record that may have ended access to one plan: the access of its
// members is checked, and not that of others.
func TestBrokenRecordOfAPlan(t *testing.T) {
	var deny atomic.Bool
	o := room.Options{Authorize: func(context.Context, auth.Identity, string) error {
		if deny.Load() {
			return room.ErrForbidden
		}
		return nil
	}}
	nodes(t, 1, o, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		bob := roomtest.Join(t, nodes[0].Hub, "bob", "q")
		synctest.Wait()
		deny.Store(true)
		m.Store(record.Append(nil, brokenRevoke, []byte{255}))
		alice.WantEvent(protocol.TypeRemoved, nil)
		synctest.Wait()
		bob.Silent()
	})
}

// TestBrokenRecordDuringAJoin stores a record that may have ended access, while Authorize runs for
// a join: it is called again.
func TestBrokenRecordDuringAJoin(t *testing.T) {
	for name, data := range map[string][]byte{
		"of the plan": record.Append(nil, brokenRevoke, []byte{255}),
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
