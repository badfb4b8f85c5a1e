package room_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A client joins again while it is being removed and a write to it is in flight. It receives
// removed before the answer to the join, and both arrive.
func TestRejoinDuringARemoval(t *testing.T) {
	var forbidden atomic.Bool
	for name, remove := range map[string]func(t *testing.T, h *room.Hub){
		"Revoke": func(t *testing.T, h *room.Hub) {
			go func() {
				if _, err := h.Revoke(t.Context(), "p", "u"); err != nil {
					t.Error(err)
				}
			}()
		},
		"recheck": func(*testing.T, *room.Hub) { forbidden.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			forbidden.Store(false)
			var left chan struct{}
			opts := &room.Options{
				ReauthorizeEvery: time.Second, PingEvery: -1,
				Authorize: func(context.Context, auth.Identity, string) error {
					if forbidden.Load() {
						return room.ErrForbidden
					}
					return nil
				},
				Observer: room.Observer{Leave: func(room.LeaveInfo) { left <- struct{}{} }},
			}
			seamTest(t, opts, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
				left = make(chan struct{}, 2) // the end of the test is another leave
				writing.Arm()
				update(t, h, "p", 1)
				writing.Wait()
				remove(t, h)
				<-left
				synctest.Wait() // the removal waits for the write
				forbidden.Store(false)
				p.join("p", nil)
				synctest.Wait()
				writing.Release()
				synctest.Wait()
				if got := p.types(); got != "[task-updated removed join-plan]" {
					t.Errorf("the client received %s", got)
				}
				if info, _ := h.Room("p"); info.Connections != 1 {
					t.Errorf("%d members, want 1", info.Connections)
				}
			})
		})
	}
}

// A client joins again after Revoke has removed it and before Revoke drops the answers that still
// wait: Revoke does not drop the answer to the new join.
func TestRejoinDuringRevoke(t *testing.T) {
	var leaving, leave chan struct{}
	opts := &room.Options{PingEvery: -1, Observer: room.Observer{Leave: func(info room.LeaveInfo) {
		if info.Reason == room.LeaveRevoked {
			close(leaving)
			<-leave
		}
	}}}
	seamTest(t, opts, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
		leaving, leave = make(chan struct{}), make(chan struct{})
		p.join("other", nil)
		synctest.Wait()
		p.take()
		writing.Arm()
		update(t, h, "other", 1)
		writing.Wait() // answers wait from now on
		revoked := make(chan error, 1)
		go func() { revoked <- errorOf(h.Revoke(context.Background(), "p", "u")) }()
		<-leaving
		p.join("p", nil)
		synctest.Wait()
		close(leave)
		if err := <-revoked; err != nil {
			t.Error(err)
		}
		writing.Release()
		synctest.Wait()
		if got := p.types(); got != "[task-updated removed join-plan]" {
			t.Errorf("the client received %s", got)
		}
	})
}

// A repeated join is answered, causes no notice, and moves the cursor.
func TestRepeatedJoin(t *testing.T) {
	var joins, leaves int
	opts := &room.Options{Observer: room.Observer{
		Join:  func(room.JoinInfo) { joins++ },
		Leave: func(room.LeaveInfo) { leaves++ },
	}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		alice, bob := roomtest.Join(t, h, "alice", "p"), roomtest.Join(t, h, "bob", "p")
		start := alice.Position()
		for n := range 3 {
			update(t, h, "p", n)
			wantEvent(t, alice, n)
			wantEvent(t, bob, n)
		}
		unread(t, alice)
		alice.Join("p", &start)
		if !alice.Joined.Recovered || alice.Joined.ParticipantCount != 2 || alice.Joined.Position != start {
			t.Errorf("join answer %+v, want 2 people and a recovery from %v", alice.Joined, start)
		}
		for n := range 3 {
			wantEvent(t, alice, n)
		}
		alice.Join("p", nil)
		if alice.Joined.Recovered || alice.Joined.Position != bob.Position() {
			t.Errorf("join answer %+v, want the end, %v", alice.Joined, bob.Position())
		}
		update(t, h, "p", 3)
		wantEvent(t, alice, 3)
		wantReceived(t, alice)
		wantReceived(t, bob, `task-updated p {"task":{"id":3}}`)
		if info, _ := h.Room("p"); info.Connections != 2 || info.People[0].Connections != 1 {
			t.Errorf("room %+v, want one connection of each", info)
		}
		alice.Send(`{"type":"leave-plan","planId":"p"}`)
		wantReceived(t, alice, `leave-plan p {"success":true}`)
		wantReceived(t, bob, `leave-plan p {"userId":"alice","participantCount":1}`)
		if joins != 2 || leaves != 1 {
			t.Errorf("observed %d joins and %d leaves, want 2 and 1", joins, leaves)
		}
	})
}

// A repeated join of the only member keeps its presence, its state and its later notices.
func TestRepeatedJoinAlone(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		alice.Send(`{"type":"update-presence","planId":"p","data":{"state":7}}`)
		synctest.Wait()
		alice.Join("p", nil)
		want := []protocol.Participant{{UserID: "alice", UserName: "alice", Connections: 1, State: []byte("7")}}
		if diff := cmp.Diff(want, alice.Joined.Participants); diff != "" {
			t.Errorf("participants (-want +got):\n%s", diff)
		}
		update(t, h, "p", 1)
		wantEvent(t, alice, 1)
		bob := roomtest.Join(t, h, "bob", "p")
		wantReceived(t, alice, `join-plan p {"userId":"bob","userName":"bob","participantCount":2}`)
		wantReceived(t, bob)
	})
}

// A client joins again when it has left the room, but is still in the list of its connection. That
// is a first join: the user becomes a participant, and Observer.Join is called.
func TestRejoinBetweenTheStepsOfARemoval(t *testing.T) {
	var joins atomic.Int32
	h := newHub(t, &room.Options{Observer: room.Observer{Join: func(room.JoinInfo) { joins.Add(1) }}})
	bob := roomtest.Join(t, h, "bob", "p")
	alice := roomtest.Join(t, h, "alice", "p")
	wantNext := func(m *roomtest.Member, want string) {
		t.Helper()
		if got := words(m.NextMessage()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	wantNext(bob, joined("p", "alice", 2))
	alice.Send(`{"type":"update-presence","planId":"p","data":{"state":1}}`)
	wantNext(bob, shows("p", "alice", "1")) // so the hub has handled the join

	unlock := sync.OnceFunc(room.LockRecheck(h, "p", "alice"))
	defer unlock()
	revoked := make(chan error, 1)
	go func() { revoked <- errorOf(h.Revoke(context.Background(), "p", "alice")) }()
	wantNext(bob, left("p", "alice", 1))
	alice.Send(`{"type":"join-plan","planId":"p"}`)
	wantNext(bob, joined("p", "alice", 2))
	unlock()
	if err := <-revoked; err != nil {
		t.Fatal(err)
	}
	if got := alice.NextMessage(); got.Type != protocol.TypeRemoved {
		t.Errorf("got %s, want removed", words(got))
	}
	if got := alice.NextMessage(); got.Type != protocol.TypeJoinPlan {
		t.Errorf("got %s, want the answer to the join", words(got))
	}
	if info, _ := h.Room("p"); info.Participants != 2 || info.Connections != 2 {
		t.Errorf("%d participants with %d connections, want 2 with 2", info.Participants, info.Connections)
	}
	if got := joins.Load(); got != 3 {
		t.Errorf("Observer.Join was called %d times, want 3", got)
	}
	update(t, h, "p", 1)
	wantEvent(t, alice, 1)
}
