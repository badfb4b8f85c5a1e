package room_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestPublishingGoesOnDuringShutdown publishes and revokes on a node that is shutting down: the
// handlers of the host that are running have committed their changes.
func TestPublishingGoesOnDuringShutdown(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		slow := roomtest.Join(t, nodes[0].Hub, "slow", "p", &roomtest.Options{SocketBuffer: 10})
		slow.Stall() // the shutdown waits for its client for a second
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		bob := roomtest.Join(t, nodes[1].Hub, "bob", "p")
		over := make(chan error, 1)
		go func() { over <- nodes[0].Shutdown(t.Context()) }() // ends below
		synctest.Wait()
		if nodes[0].Ready() == nil {
			t.Error("ready during the shutdown")
		}
		publish(t, nodes[0].Hub, "p", "one")
		wantTitle(t, alice, "one")
		wantTitle(t, bob, "one")
		if removed, err := nodes[0].Revoke(t.Context(), "p", "bob"); err != nil || removed != 1 {
			t.Errorf("Revoke = %d, %v during the shutdown", removed, err)
		}
		bob.WantEvent(protocol.TypeRemoved, nil)
		if err := <-over; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if _, err := nodes[0].BroadcastTaskDeleted(t.Context(), "p", "1"); !errors.Is(err, room.ErrHubClosed) {
			t.Errorf("Broadcast after Shutdown = %v", err)
		}
	})
}

// TestRevokeInALostPart ends the access of a user in a part of the log that a node never reads.
func TestRevokeInALostPart(t *testing.T) {
	var deny atomic.Bool
	o := room.Options{Authorize: func(_ context.Context, id auth.Identity, _ string) error {
		if deny.Load() && id.UserID == "alice" {
			return room.ErrForbidden
		}
		return nil
	}}
	nodes(t, 2, o, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		bob := roomtest.Join(t, nodes[0].Hub, "bob", "p")
		nodes[0].engine.HoldTail()
		deny.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := nodes[1].Revoke(ctx, "p", "alice"); err == nil {
			t.Error("Revoke does not wait for a node that has not applied it")
		}
		at := publish(t, nodes[1].Hub, "p", "secret")
		publish(t, nodes[1].Hub, "p", "last")
		m.Trim(at.Seq + 1)
		nodes[0].engine.ReleaseTail()

		for _, member := range []*roomtest.Member{alice, bob} { // Disconnect may have been there, too
			wantGoodbye(t, member)
		}
		nodes[0].awaitReady(t)
		again := nodes[0].connect(t, "alice")
		joinLater(again, "p", nil)
		again.Refused(protocol.ErrorForbidden)
	})
}

// deadlines is a Sink that records by when the hub wants a write to be over. It takes everything in
// a write that begins too late.
type deadlines struct {
	*roomtest.Sink
	latest atomic.Int64 // UnixNano
	late   atomic.Bool
}

func (d *deadlines) Write(b []byte, by time.Time) (int, error) {
	d.latest.Store(max(d.latest.Load(), by.UnixNano()))
	if !by.After(time.Now()) {
		d.late.Store(true)
		d.Unstall()
	}
	return d.Sink.Write(b, by)
}

// TestWritesEndWithTheTenure has a client that does not read, on a node that loses its tenure: no
// write of the plan may be in progress afterwards, and the client is not too slow for it.
func TestWritesEndWithTheTenure(t *testing.T) {
	nodes(t, 2, room.Options{WriteTimeout: time.Minute, PingEvery: -1}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		sink := &deadlines{Sink: roomtest.NewSink(&roomtest.SinkOptions{Blocking: true})}
		session, err := nodes[0].Connect(t.Context(), auth.Identity{UserID: "alice"}, sink, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer session.End(protocol.CloseAbnormal)
		session.Receive([]byte(`{"type":"join-plan","planId":"p"}`))
		synctest.Wait()
		sink.Stall(10)
		publish(t, nodes[1].Hub, "p", "one")
		synctest.Wait()
		info, _ := nodes[0].Cluster()
		end := time.Now().Add(info.TenureLeft)
		nodes[0].engine.Pause()
		publish(t, nodes[1].Hub, "p", "two")
		time.Sleep(20 * time.Second)
		if by := time.Unix(0, sink.latest.Load()); by.After(end) {
			t.Errorf("a write may last until %v after the end of the tenure", by.Sub(end))
		}
		if sink.late.Load() {
			t.Error("a write has begun after the end of the tenure")
		}
		sink.Unstall()
		nodes[0].engine.Resume()
		time.Sleep(10 * time.Second)
		last := ""
		for {
			got, ok := sink.Message()
			if !ok {
				break
			}
			last = string(got.Data)
		}
		if want := `{"task":{"title":"two"}}`; last != want {
			t.Errorf("the last message is %s, want %s", last, want)
		}
	})
}

// TestForeignRecordsAreIgnored stores records of another application in the log, and some that
// cannot be read.
func TestForeignRecordsAreIgnored(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		other := newNode(t, enginetest.NewMemory(nil), "other", room.Options{})
		other.opts.Cluster = "another"
		other.start(t)
		other.awaitReady(t)
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "7")
		publish(t, nodes[0].Hub, "7", "one")
		wantTitle(t, alice, "one")
		for i, data := range [][]byte{nil, []byte("x"), []byte(fmt.Sprint("not a record of this cluster", 1))} {
			m.Store(data)
			wantGoodbye(t, alice) // it may have been a Disconnect
			alice = roomtest.Join(t, nodes[0].Hub, "alice", "7")
			publish(t, nodes[0].Hub, "7", fmt.Sprint("after ", i))
			wantTitle(t, alice, fmt.Sprint("after ", i))
		}
	})
}

// TestLossDuringAJoin drops the history while a join is between its room and its answer.
func TestLossDuringAJoin(t *testing.T) {
	entered, answer := new(chan struct{}), new(chan struct{})
	o := room.Options{Observer: room.Observer{Join: func(j room.JoinInfo) {
		if j.Connection.UserID == "alice" {
			close(*entered)
			<-*answer
		}
	}}}
	nodes(t, 1, o, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		*entered, *answer = make(chan struct{}), make(chan struct{})
		publish(t, nodes[0].Hub, "p", "one")
		synctest.Wait()
		alice := nodes[0].connect(t, "alice")
		joinLater(alice, "p", nil)
		<-*entered
		m.LoseTail(1)
		time.Sleep(20 * time.Second)
		nodes[0].awaitReady(t)
		publish(t, nodes[0].Hub, "p", "two")
		synctest.Wait()
		close(*answer)
		alice.Refused(protocol.ErrorUnavailable)
		synctest.Wait()
		alice.Silent()
	})
}

// TestUnreadableRecordHoldsUpAcks stores a record that may have ended access. The node does not
// count as done with it before its checks are over.
func TestUnreadableRecordHoldsUpAcks(t *testing.T) {
	deny := new(atomic.Bool)
	release := new(chan struct{})
	o := room.Options{AuthorizeTimeout: time.Minute, Authorize: func(_ context.Context, id auth.Identity, _ string) error {
		if id.UserID == "alice" && deny.Load() {
			<-*release
			return room.ErrForbidden
		}
		return nil
	}}
	nodes(t, 1, o, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		*release = make(chan struct{})
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		deny.Store(true)
		m.Store(brokenOfAnyPlan)
		alice.WantEvent(protocol.TypeResync, nil)
		nodes[0].engine.Cut() // the tenure ends, and another begins
		time.Sleep(11 * time.Second)
		nodes[0].engine.Heal()
		time.Sleep(3 * time.Second)
		if nodes[0].Ready() == nil {
			t.Error("the gate is open before access was checked")
		}
		close(*release)
		alice.WantEvent(protocol.TypeRemoved, nil)
		nodes[0].awaitReady(t)
	})
}

// TestReceiptOfAShutdown applies an event while a node shuts down, when its room takes no more. The
// receipt that follows does not cover the event: the client gets it on another node.
func TestReceiptOfAShutdown(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		publish(t, nodes[1].Hub, "p", "one")
		wantTitle(t, alice, "one")
		synctest.Wait()

		unlock := room.LockRoom(nodes[0].Hub, "p")
		over := make(chan error, 1)
		go func() { over <- nodes[0].Shutdown(t.Context()) }() // ends below
		for nodes[0].Ready() == nil {
			runtime.Gosched() // synctest.Wait does not return while a goroutine waits for a mutex
		}
		at := publish(t, nodes[1].Hub, "p", "two")
		for info, _ := nodes[0].Cluster(); info.Applied < at.Seq; info, _ = nodes[0].Cluster() {
			runtime.Gosched()
		}
		unlock()
		if err := <-over; err != nil {
			t.Fatalf("Shutdown: %v", err)
		}

		alice.Closed()
		since := alice.Position()
		alice = nodes[1].connect(t, "alice")
		alice.Join("p", &since)
		if !alice.Joined.Recovered {
			t.Error("alice has to load the plan")
		}
		wantTitle(t, alice, "two")
	})
}
