package room_test

import (
	"context"
	"slices"
	"sync"
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

// What happens to joins and members when the log has lost records, which may have ended access.

// asker is an Authorize whose answers for user alice the test gives, one after the other.
type asker struct {
	on      atomic.Bool
	asked   chan struct{}
	answers chan error
	done    chan struct{}
}

// begin makes alice's next calls of Authorize wait for answers, until the test ends. The test calls
// it in its bubble.
func (a *asker) begin(t *testing.T) {
	a.asked, a.answers, a.done = make(chan struct{}), make(chan error), make(chan struct{})
	a.on.Store(true)
	t.Cleanup(func() { close(a.done) })
}

// options returns options with the asker.
func (a *asker) options() room.Options {
	return room.Options{AuthorizeTimeout: time.Hour, Authorize: func(ctx context.Context, id auth.Identity, _ string) error {
		if id.UserID != "alice" || !a.on.Load() {
			return nil
		}
		select {
		case a.asked <- struct{}{}:
		case <-a.done:
		}
		select {
		case err := <-a.answers:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-a.done:
			return nil
		}
	}}
}

// loseUnread makes n miss a part of the log, which other has written: n reads on behind it, and
// closes its connections.
func loseUnread(t *testing.T, m *enginetest.Memory, n, other *node) {
	t.Helper()
	n.holdTail(t, other)
	at := publish(t, other.Hub, "other", "lost")
	synctest.Wait()
	m.Trim(at.Seq + 1)
	n.engine.ReleaseTail()
}

// renew begins another epoch, as a node does that has noticed a loss: the nodes drop the history.
func renew(t *testing.T, m *enginetest.Memory, nodes []*node) {
	t.Helper()
	epoch := record.Epoch{Old: nodes[0].epochOf(t), New: "renewed", By: "a node that has noticed"}
	storeRecord(m, record.KindEpoch, epoch.Append(nil))
	synctest.Wait()
}

// TestCheckThatBeganBeforeALoss holds up a check of a member until after the loss: its result does
// not count. What is written to the member waits for the check after the loss.
func TestCheckThatBeganBeforeALoss(t *testing.T) {
	var a asker
	o := a.options()
	held, release := new(chan struct{}), new(chan struct{})
	first := atomic.Bool{}
	o.Observer.Rechecked = func(room.RecheckInfo) {
		if first.CompareAndSwap(true, false) {
			close(*held)
			<-*release
		}
	}
	nodes(t, 2, o, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		*held, *release = make(chan struct{}), make(chan struct{})
		goOn := sync.OnceFunc(func() { close(*release) })
		defer goOn()
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		a.begin(t)
		first.Store(true)
		go func() { _, _ = nodes[0].RecheckUser(t.Context(), "alice") }() // ends with the loss
		<-a.asked
		a.answers <- nil
		<-*held
		renew(t, m, nodes)
		<-a.asked
		nodes[0].awaitReady(t)
		publish(t, nodes[1].Hub, "p", "secret")
		goOn()
		synctest.Wait()
		wantNow(t, alice)
		a.answers <- room.ErrForbidden
		alice.WantEvent(protocol.TypeRemoved, nil)
	})
}

// TestNoReceiptWithoutConfirmedAccess shuts a node down that has not checked the access of a member
// since the loss: the member gets neither events nor the position of the plan.
func TestNoReceiptWithoutConfirmedAccess(t *testing.T) {
	var a asker
	nodes(t, 2, a.options(), func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		bob := roomtest.Join(t, nodes[0].Hub, "bob", "p")
		a.begin(t)
		renew(t, m, nodes)
		<-a.asked
		bob.WantEvent(protocol.TypeResync, nil)
		nodes[0].awaitReady(t)
		publish(t, nodes[1].Hub, "q", "moves the position of p")
		synctest.Wait()
		if err := nodes[0].Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		bob.WantEvent(protocol.TypeReceipt, nil)
		bob.WantEvent(protocol.TypeGoodbye, nil)
		alice.WantEvent(protocol.TypeGoodbye, nil)
	})
}

// TestJoinDuringALostPart begins an epoch while a node asks Authorize for a join: the log may have
// lost the end of access, so the answer of before does not count.
func TestJoinDuringALostPart(t *testing.T) {
	var a asker
	nodes(t, 2, a.options(), func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		a.begin(t)
		alice := nodes[0].connect(t, "alice")
		joinLater(alice, "p", nil)
		<-a.asked
		renew(t, m, nodes)
		synctest.Wait()
		a.answers <- nil
		<-a.asked
		a.answers <- room.ErrForbidden
		alice.Refused(protocol.ErrorForbidden)
	})
}

// TestJoinBehindAShutGate drops the history while the answer to a join waits for the gate: the
// client gets an error, unless the node closes the connection before, since it had no tenure.
func TestJoinBehindAShutGate(t *testing.T) {
	entered, answer := new(chan struct{}), new(chan struct{})
	o := room.Options{Observer: room.Observer{Join: func(room.JoinInfo) {
		close(*entered)
		<-*answer
	}}}
	nodes(t, 1, o, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		*entered, *answer = make(chan struct{}), make(chan struct{})
		alice := nodes[0].connect(t, "alice")
		joinLater(alice, "p", nil)
		<-*entered
		nodes[0].engine.Cut()
		time.Sleep(10 * time.Second)
		close(*answer)
		synctest.Wait()
		alice.Silent()
		m.LoseTail(1)
		nodes[0].engine.Heal()
		for {
			switch msg := alice.NextMessage(); msg.Type {
			case protocol.TypeGoodbye:
				return
			case protocol.TypeError:
			default:
				t.Errorf("got %s, want an error or goodbye", words(msg))
			}
		}
	})
}

// TestNoticesAroundALoss has users come and go just before a loss, and after it while the access of
// a member is being checked: the member gets all notices once its access is confirmed.
func TestNoticesAroundALoss(t *testing.T) {
	var a asker
	nodes(t, 2, a.options(), func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		bob := roomtest.Join(t, nodes[0].Hub, "bob", "p")
		presenceNotices(t, alice)
		a.begin(t)
		roomtest.Join(t, nodes[0].Hub, "cat", "p") // its notice waits for others
		renew(t, m, nodes)
		<-a.asked
		nodes[0].awaitReady(t)
		bob.Leave("p")
		gathered()
		wantNow(t, alice)
		a.answers <- nil
		var got []string
		for _, msg := range unread(t, alice) {
			got = append(got, string(msg.Type))
		}
		want := []string{"resync", "join-plan", "leave-plan"}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
