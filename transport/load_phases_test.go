package transport_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/planrooms/planrooms/protocol"
)

// This file has the phases of the load, which run while the publishers publish.

// stallAndStorm connects a crowd of viewers at once while a tenth of the viewers does not read. It
// revokes the access of some of these, and lets the others continue to read.
func (l *load) stallAndStorm() {
	l.stalling.Wait()
	l.pace.await(bigPlan, tally{events: historyLimit})
	for n := range rush {
		v := l.newViewer(fmt.Sprint("storm", n/2), fmt.Sprint("page", n))
		if n%3 == 0 || n%10 == 1 { // one page of some users leaves, and both pages of others
			v.plans = append(v.plans, smallPlan(n%smallPlans))
			l.run(v, l.visit)
		} else {
			l.run(v, nil)
		}
	}
	l.pace.await(bigPlan, tally{bytes: stallBytes})
	l.pace.await(bigPlan, tally{events: beyondHistory})
	for _, v := range l.stalled[:evicted] {
		l.revokeAccess(v, 1)
	}
	close(l.goOn)
	for _, v := range l.stalled[:evicted] {
		v.await("removed", func() bool { return !v.followLocked(bigPlan).in })
	}
	end := l.position()
	for _, v := range l.stalled[evicted:] {
		v.awaitPosition(bigPlan, end)
		if n := v.state(bigPlan).resyncs; n > 0 { // what it had yet to read was kept
			l.faultf("%s/%s received %d resyncs after it had stopped reading", v.user, v.client, n)
		}
	}
}

// resync calls Resync for the large room several times. Every viewer must receive it, and a steady
// reader must receive no other resync.
func (l *load) resync() {
	for range resyncs {
		l.pace.await(bigPlan, tally{events: publishers})
		l.ledger.beginResync()
		if err := l.server.hub.Resync(context.Background(), bigPlan); err != nil {
			l.faultf("%v", err)
		}
		end := l.position()
		for _, v := range slices.Concat(l.steady, l.returning) {
			v.awaitPosition(bigPlan, end)
		}
		l.ledger.endResync()
	}
	close(l.resynced)
	for _, v := range l.steady {
		if n := v.state(bigPlan).resyncs; n != resyncs && !l.pace.isStopped() {
			l.faultf("%s/%s received %d resyncs, want %d", v.user, v.client, n, resyncs)
		}
	}
}

// shutDown shuts the hub down while events are in flight. Just before, it sends events that viewers
// must receive before the goodbye. Together with those in flight from the publishers, they fit into
// the history.
func (l *load) shutDown() {
	l.shuttingDown.Store(true)
	r := rand.New(rand.NewPCG(0, 2))
	for range historyLimit - 2*publishers {
		l.send(r, bigPlan)
	}
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if err := l.server.hub.Shutdown(ctx); err != nil {
		l.t.Errorf("Shutdown: %v", err)
	}
}

// position returns the position of the large room.
func (l *load) position() uint64 {
	p, err := l.server.hub.Position(context.Background(), bigPlan)
	if err != nil {
		l.faultf("%v", err)
	}
	return p.Seq
}

// revoke repeatedly revokes a user's access to the large room and restores it.
func (l *load) revoke(n int) {
	pages := l.restless[2*n : 2*n+2]
	for number := 1; number <= 16; number++ { // a connection may send a burst of 128 messages
		l.pace.await(bigPlan, tally{events: publishers / 4})
		l.revokeDuringJoin(pages[0], number)
		for _, v := range pages {
			v.await("removed", func() bool { return !v.followLocked(bigPlan).in })
		}
		// the pages must not receive these events
		l.pace.await(bigPlan, tally{events: publishers / 2})
		l.restoreAccess(pages, n, number)
		for _, v := range pages {
			v.ask(protocol.TypeJoinPlan, bigPlan)
			v.await("the join after access was restored", func() bool { return v.followLocked(bigPlan).in })
		}
	}
}

// revokeAccess revokes the access of a viewer's user to the large room.
func (l *load) revokeAccess(v *viewer, number int) {
	l.deny(v.user, true)
	if _, err := l.server.hub.Revoke(context.Background(), bigPlan, v.user); err != nil {
		l.faultf("%v", err)
	}
	l.barred[v.revocable].Store(int64(number))
}

// revokeDuringJoin revokes the access while a join of the viewer, which Authorize has granted, is
// in progress.
func (l *load) revokeDuringJoin(v *viewer, number int) {
	q := &question{make(chan struct{}), make(chan struct{})}
	defer close(q.answer)
	l.mu.Lock()
	l.asking[v.user] = q
	l.mu.Unlock()
	v.ask(protocol.TypeJoinPlan, bigPlan)
	select {
	case <-q.asked:
		l.revokeAccess(v, number)
	case <-l.pace.stopped:
	}
}

// restoreAccess restores the access while no request of the pages is in flight. So each join is
// known to have been sent before or after it.
func (l *load) restoreAccess(pages []*viewer, n, number int) {
	l.barred[n].Store(0)
	for _, v := range pages {
		v.await("answers", func() bool { return len(v.asked) == 0 })
	}
	for _, v := range pages {
		v.mu.Lock()
		defer v.mu.Unlock()
		for len(v.asked) > 0 && !v.stopped {
			v.changed.Wait()
		}
		v.restored = number
	}
	l.deny(pages[0].user, false)
}
