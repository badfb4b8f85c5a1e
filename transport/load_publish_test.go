package transport_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/planrooms/planrooms/room"
)

// publish sends events to a plan, one at a time. It sends the next one when all steady readers have
// passed the previous one. So the large room always has one event per publisher in flight, and a
// reader that reads never falls off the history.
func (l *load) publish(n int, plan string) {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	var readers []*viewer
	for _, v := range slices.Concat(l.steady, l.returning, l.restless) {
		if slices.Contains(v.plans, plan) && (plan != bigPlan || v.revocable < 0) {
			readers = append(readers, v)
		}
	}
	for !l.pace.isStopped() && (plan == bigPlan || l.pace.await(bigPlan, tally{events: publishers})) {
		e, end, open := l.send(r, plan)
		if !open {
			return
		}
		delivered := false
		for _, v := range readers {
			delivered = v.awaitPosition(plan, end) || delivered
		}
		if delivered && !l.pace.isStopped() {
			if err := l.ledger.checkDelivered(e); err != nil {
				l.faultf("%v", err)
			}
		}
	}
}

// send sends one event, and returns a position of the plan after it. It reports false if the hub is
// closed.
func (l *load) send(r *rand.Rand, plan string) (e *sentEvent, end uint64, open bool) {
	e, opts := l.newEvent(r, plan)
	if _, err := l.server.hub.BroadcastTaskUpdated(context.Background(), plan, e.task, opts...); err != nil {
		l.ledger.refused(e)
		if !errors.Is(err, room.ErrHubClosed) || !l.shuttingDown.Load() {
			l.faultf("%v", err)
		}
		return e, 0, false
	}
	pos, err := l.server.hub.Position(context.Background(), plan)
	l.ledger.acknowledged(e, pos.Seq)
	l.pace.count(plan, len(e.task))
	return e, pos.Seq, err == nil // the hub may have been closed since
}

// newEvent creates an event and excludes some pages from it, often pages that receive it in a
// replay.
func (l *load) newEvent(r *rand.Rand, plan string) (*sentEvent, []room.BroadcastOption) {
	someone := func() page {
		if r.IntN(2) == 0 {
			return l.returning[r.IntN(len(l.returning))].page
		}
		return l.authors[r.IntN(len(l.authors))].page
	}
	author := someone()
	e := &sentEvent{plan: plan, by: author.user}
	switch r.IntN(4) {
	case 0:
		e.excluded = []page{author}
	case 1:
		e.excluded = []page{{user: author.user}}
	case 2:
		e.excluded = []page{author, someone(), {user: someone().user}}
	default:
		// An excluded page writes a receipt itself, while a pump writes the event to the others.
		// Revoke often comes during that write.
		e.excluded = []page{l.restless[r.IntN(len(l.restless))].page}
	}
	size := r.IntN(300)
	if r.IntN(4) == 0 {
		size = r.IntN(10_000)
	}
	if plan == bigPlan {
		for i := range e.barred {
			e.barred[i] = int(l.barred[i].Load())
		}
	}
	l.ledger.begin(e, strings.Repeat(string(rune('a'+r.IntN(26))), size))
	opts := []room.BroadcastOption{room.By(e.by), room.Mutation(e.id)}
	for _, x := range e.excluded {
		if x.client == "" {
			opts = append(opts, room.ExceptUser(x.user))
		} else {
			opts = append(opts, room.ExceptClient(x.user, x.client))
		}
	}
	return e, opts
}
