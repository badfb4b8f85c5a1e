package room_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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

// brokenOfAnyPlan is a record that may have been an event of any plan, or may have ended access,
// but not a login.
var brokenOfAnyPlan = record.Append(nil, record.Header{Cluster: record.ClusterHash("test"), Class: 255, Kind: record.KindRevoke}, []byte{255})

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
		"of any plan": brokenOfAnyPlan,
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

// TestReplayedEndOfAccess loses a record while a user is in a plan again that has lost access to it
// long ago. The node reads the log from its start: the user stays, since Authorize says so.
func TestReplayedEndOfAccess(t *testing.T) {
	for name, end := range map[string]func(h *room.Hub) (int, error){
		"Revoke":     func(h *room.Hub) (int, error) { return h.Revoke(context.Background(), "p", "alice") },
		"RevokeUser": func(h *room.Hub) (int, error) { return h.RevokeUser(context.Background(), "alice") },
		"ClosePlan":  func(h *room.Hub) (int, error) { return h.ClosePlan(context.Background(), "p") },
	} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				n := nodes[0]
				if _, err := end(n.Hub); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Minute) // access is given again, or the plan is there again
				alice := roomtest.Join(t, n.Hub, "alice", "p")
				publish(t, n.Hub, "p", "lost")
				wantTitle(t, alice, "lost")
				m.LoseTail(1)
				time.Sleep(30 * time.Second)
				n.awaitReady(t)
				for _, msg := range unreadNow(t, alice) {
					if msg.Type == protocol.TypeRemoved {
						t.Error("a member with access was removed")
					}
				}
				publish(t, n.Hub, "p", "after")
				wantTitle(t, alice, "after")
			})
		})
	}
}

// TestReplayedClosePlan starts a node on a log that has an event of a plan, and then its end. The
// node accepts no position of before.
func TestReplayedClosePlan(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		since, err := nodes[0].Position(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		publish(t, nodes[0].Hub, "p", "before")
		if _, err := nodes[0].ClosePlan(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		fresh := startNode(t, m, "fresh", room.Options{})
		fresh.awaitReady(t)
		bob := fresh.connect(t, "bob")
		bob.Join("p", &since)
		if bob.Joined.Recovered {
			t.Error("a position from before ClosePlan is accepted")
		}
	})
}
