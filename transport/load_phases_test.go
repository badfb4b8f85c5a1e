package transport_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/planrooms/planrooms/protocol"
)

// What is done to the viewers of the load while the publishers publish.

// stallAndStorm has a crowd come at once while a tenth of the readers does not read, takes the access of some of these away, and has
// the others go on.
func (l *load) stallAndStorm() {
	l.stalling.Wait()
	l.pace.await(bigPlan, tally{events: historyLimit})
	for n := range rush {
		v := l.newViewer(fmt.Sprint("storm", n/2), fmt.Sprint("page", n))
		if n%3 == 0 || n%10 == 1 { // of some users one page leaves, of some both
			v.plans = append(v.plans, smallPlan(n%smallPlans))
			l.run(v, l.visit)
		} else {
			l.run(v, nil)
		}
	}
	l.pace.await(bigPlan, tally{bytes: stallBytes})
	l.pace.await(bigPlan, tally{events: beyondHistory})
	for _, v := range l.stalled[:evicted] {
		l.takeAway(v, 1)
	}
	close(l.goOn)
	for _, v := range l.stalled[:evicted] {
		v.await("removed", func() bool { return !v.follow(bigPlan).in })
	}
	end := l.position()
	for _, v := range l.stalled[evicted:] {
		v.awaitPosition(bigPlan, end)
		v.await("resync", func() bool { return v.follow(bigPlan).resyncs > 0 })
	}
}

// resync has the large room resynced, a few times. Everybody has to hear of it; those who read all the time hear of nothing else.
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
		if n := v.knows(bigPlan).resyncs; n != resyncs && !l.pace.isSilent() {
			l.faultf("%s/%s heard of %d resyncs, want %d", v.user, v.client, n, resyncs)
		}
	}
}

// shutDown shuts the hub down in the middle of the traffic, when nobody can have heard yet all that they have to hear before goodbye. It is
// less than the history holds, what the publishers have under way included.
func (l *load) shutDown() {
	l.ending.Store(true)
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

// position is that of the large room.
func (l *load) position() uint64 {
	p, err := l.server.hub.Position(context.Background(), bigPlan)
	if err != nil {
		l.faultf("%v", err)
	}
	return p.Seq
}

// revoke takes a user's access to the large room away and gives it back, again and again.
func (l *load) revoke(n int) {
	pages := l.restless[2*n : 2*n+2]
	for number := 1; number <= 16; number++ { // a connection may send 128 messages at once
		l.pace.await(bigPlan, tally{events: publishers / 4})
		l.takeAwayFrom(pages[0], number)
		for _, v := range pages {
			v.await("removed", func() bool { return !v.follow(bigPlan).in })
		}
		l.pace.await(bigPlan, tally{events: publishers / 2}) // which they must not hear
		l.giveBack(pages, n, number)
		for _, v := range pages {
			v.ask(protocol.TypeJoinPlan, bigPlan)
			v.await("the way back", func() bool { return v.follow(bigPlan).in })
		}
	}
}

// takeAway ends the access of a viewer's user to the large room.
func (l *load) takeAway(v *viewer, number int) {
	l.deny(v.user, true)
	if _, err := l.server.hub.Revoke(context.Background(), bigPlan, v.user); err != nil {
		l.faultf("%v", err)
	}
	l.barred[v.revocable].Store(int64(number))
}

// takeAwayFrom is takeAway while a join of the viewer is under way that Authorize has granted.
func (l *load) takeAwayFrom(v *viewer, number int) {
	q := &question{make(chan struct{}), make(chan struct{})}
	defer close(q.answer)
	l.mu.Lock()
	l.asking[v.user] = q
	l.mu.Unlock()
	v.ask(protocol.TypeJoinPlan, bigPlan)
	select {
	case <-q.asked:
		l.takeAway(v, number)
	case <-l.pace.silenced:
	}
}

// giveBack does it at a moment at which no request of the pages is under way: so it is known of each join whether it was sent before.
func (l *load) giveBack(pages []*viewer, n, number int) {
	l.barred[n].Store(0)
	for _, v := range pages {
		v.await("answers", func() bool { return len(v.asked) == 0 })
	}
	for _, v := range pages {
		v.mu.Lock()
		defer v.mu.Unlock()
		for len(v.asked) > 0 && !v.over {
			v.changed.Wait()
		}
		v.lifted = number
	}
	l.deny(pages[0].user, false)
}
