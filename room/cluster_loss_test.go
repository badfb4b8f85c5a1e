package room_test

import (
	"context"
	"strings"
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

// storeRecord appends a record of cluster "test" that none of its nodes has sent.
func storeRecord(m *enginetest.Memory, kind record.Kind, body []byte) {
	m.Store(record.Append(nil, record.Header{Cluster: record.ClusterHash("test"), Kind: kind}, body))
}

// TestLossThatOneNodeNotices loses a record that one node has applied and the other one has not.
// The other node is alive and knows the epoch, but a client may have a position from the lost part.
func TestLossThatOneNodeNotices(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		before := nodes[0].epochOf(t)
		synctest.Wait()
		nodes[1].engine.HoldTail()
		since := publish(t, nodes[0].Hub, "p", "lost")
		wantTitle(t, alice, "lost")
		m.LoseTail(1)
		alice.WantEvent(protocol.TypeResync, nil)
		nodes[1].engine.ReleaseTail()
		synctest.Wait()
		for i, n := range nodes {
			n.awaitReady(t)
			if n.epochOf(t) == before {
				t.Errorf("node %d is still in the epoch of before the loss", i+1)
			}
			publish(t, n.Hub, "p", "next")
			bob := n.connect(t, "bob")
			bob.Join("p", &since)
			if bob.Joined.Recovered {
				t.Errorf("node %d accepts a position from the lost part", i+1)
			}
		}
	})
}

// TestLateRecordsOfAnEpochThatEnded stores records that were sent in the epoch of before a loss:
// the log stays in the new one.
func TestLateRecordsOfAnEpochThatEnded(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		before := nodes[0].epochOf(t)
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		publish(t, nodes[0].Hub, "p", "lost")
		wantTitle(t, alice, "lost")
		since := alice.Position()
		m.LoseTail(1)
		alice.WantEvent(protocol.TypeResync, nil)
		nodes[0].awaitReady(t)
		renewed, _ := nodes[0].Cluster()
		publish(t, nodes[0].Hub, "p", "one") // so that the old position is not ahead of the log
		wantTitle(t, alice, "one")

		epoch := record.Epoch{Old: before, New: "second", By: "other"}
		other := record.NodeRecord{Name: "other", Tenure: 1, Epoch: before, Versions: record.Version}
		own := record.NodeRecord{Name: renewed.Node, Tenure: renewed.Tenure, Epoch: before, Versions: record.Version}
		for _, late := range []struct {
			kind record.Kind
			body []byte
		}{
			{record.KindEpoch, epoch.Append(nil)},
			{record.KindNode, other.Append(nil)},
			{record.KindNode, own.Append(nil)},
		} {
			storeRecord(m, late.kind, late.body)
			synctest.Wait()
			if got := nodes[0].epochOf(t); got != renewed.Epoch {
				t.Errorf("epoch %q after a late %s record, want %q", got, late.kind, renewed.Epoch)
			}
			bob := nodes[0].connect(t, "bob")
			bob.Join("p", &since)
			if bob.Joined.Recovered {
				t.Errorf("after a late %s record, a position of the epoch that ended is accepted", late.kind)
			}
		}
		alice.Silent() // no further resync
		time.Sleep(3 * time.Second)
		if after, _ := nodes[0].Cluster(); after.Tenure != renewed.Tenure+1 || !after.Open {
			t.Errorf("tenure %d after %d, open: %v; want another one whose record is of the epoch", after.Tenure, renewed.Tenure, after.Open)
		}
	})
}

// TestRevokeWhoseRecordIsLost loses the record of a call of Revoke before the node that calls it
// has applied it. That node notices nothing but the new epoch.
func TestRevokeWhoseRecordIsLost(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		synctest.Wait()
		nodes[0].engine.HoldTail()
		start, done := time.Now(), make(chan error, 1)
		go func() { // ends below
			_, err := nodes[0].Revoke(t.Context(), "p", "alice")
			done <- err
		}()
		alice.WantEvent(protocol.TypeRemoved, nil)
		synctest.Wait()
		m.LoseTail(1)
		time.Sleep(time.Second)
		nodes[1].awaitReady(t)
		again := nodes[1].connect(t, "alice")
		again.Join("p", nil)
		nodes[0].engine.ReleaseTail()
		if err := <-done; err != nil {
			t.Errorf("Revoke, after %v: %v", time.Since(start), err)
		}
		for again.Next().Type != protocol.TypeRemoved { // a resync comes before it
		}
	})
}

// TestRevokeWithALostNodeRecord loses the record of a node before the node that calls Revoke has
// applied it. The other one is cut off and does not notice, but still has a tenure.
func TestRevokeWithALostNodeRecord(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		synctest.Wait()
		nodes[0].engine.HoldTail()
		last := m.Window().Last
		other := startNode(t, m, "other", room.Options{})
		other.awaitReady(t)
		other.engine.Cut()
		m.LoseTail(int(m.Window().Last - last))
		epoch := record.Epoch{Old: nodes[0].epochOf(t), New: "renewed", By: "a node that has noticed"}
		storeRecord(m, record.KindEpoch, epoch.Append(nil))
		nodes[0].engine.ReleaseTail()
		synctest.Wait()
		if info, _ := other.Cluster(); !info.Open {
			t.Fatal("the other node has no tenure")
		}
		if _, err := nodes[0].Revoke(t.Context(), "p", "alice"); err != nil {
			t.Errorf("Revoke: %v", err)
		}
		if info, _ := other.Cluster(); info.Open {
			t.Error("Revoke has returned while a node without its record may write")
		}
	})
}

// TestLossBeforeAccessIsConfirmed drops the history. Until Authorize has answered again, a member
// receives neither resync nor events.
func TestLossBeforeAccessIsConfirmed(t *testing.T) {
	ask, answer := new(atomic.Bool), new(chan struct{})
	o := room.Options{AuthorizeTimeout: time.Minute, Authorize: func(context.Context, auth.Identity, string) error {
		if ask.Load() {
			<-*answer
		}
		return nil
	}}
	nodes(t, 1, o, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		*answer = make(chan struct{})
		p := sinks{}.pipe(t, nodes[0].Hub, "alice", -1)
		p.send(`{"type":"join-plan","planId":"p"}`)
		publish(t, nodes[0].Hub, "p", "lost")
		p.read()
		ask.Store(true)
		m.LoseTail(1)
		time.Sleep(5 * time.Second)
		nodes[0].awaitReady(t)
		publish(t, nodes[0].Hub, "p", "secret")
		if got := p.read(); got != "" {
			t.Errorf("got %q before access was confirmed", got)
		}
		close(*answer)
		if got := p.read(); !strings.Contains(got, `"type":"resync"`) {
			t.Errorf("got %q, want a resync", got)
		}
		publish(t, nodes[0].Hub, "p", "after")
		if got := p.read(); !strings.Contains(got, "after") {
			t.Errorf("got %q, want the event", got)
		}
	})
}

// TestLossInTheMiddleOfAFrame drops the history while a part of an event is written: its rest is
// not written, since the access of the member is not confirmed, and so the connection is cut.
func TestLossInTheMiddleOfAFrame(t *testing.T) {
	nodes(t, 1, room.Options{PingEvery: -1}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		p := sinks{}.pipe(t, nodes[0].Hub, "alice", -1)
		p.send(`{"type":"join-plan","planId":"p"}`)
		p.read()
		p.open(10)
		publish(t, nodes[0].Hub, "p", "secret")
		if got := p.read(); len(got) != 10 {
			t.Fatalf("got %q, want the first 10 bytes", got)
		}
		m.LoseTail(1)
		if _, cut := p.state(); !cut {
			t.Error("the connection goes on in the middle of a frame")
		}
		p.open(-1)
		time.Sleep(20 * time.Second)
		if got := p.read(); got != "" {
			t.Errorf("got %q after the loss", got)
		}
	})
}
