package transport_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/planrooms/planrooms/room"
)

// publish sends one event after another to a plan. The next is sent when all who read all the time are past the one before: so there are
// always as many under way in the large room as there are publishers, and no reader who reads falls off its history.
func (l *load) publish(n int, plan string) {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	var readers []*viewer
	for _, v := range slices.Concat(l.steady, l.returning, l.restless) {
		if slices.Contains(v.plans, plan) && (plan != bigPlan || v.revocable < 0) {
			readers = append(readers, v)
		}
	}
	for !l.pace.isSilent() && (plan == bigPlan || l.pace.await(bigPlan, tally{events: publishers})) {
		e, end, open := l.send(r, plan)
		if !open {
			return
		}
		heard := false
		for _, v := range readers {
			heard = v.awaitPosition(plan, end) || heard
		}
		if heard && !l.pace.isSilent() {
			if err := l.ledger.passed(e); err != nil {
				l.faultf("%v", err)
			}
		}
	}
}

// send sends one event, and returns a position at which the plan was after it. It reports false if the hub is closed.
func (l *load) send(r *rand.Rand, plan string) (e *sentEvent, end uint64, open bool) {
	e, opts := l.newEvent(r, plan)
	if err := l.server.hub.BroadcastTaskUpdated(context.Background(), plan, e.task, opts...); err != nil {
		l.ledger.refused(e)
		if !errors.Is(err, room.ErrHubClosed) || !l.ending.Load() {
			l.faultf("%v", err)
		}
		return e, 0, false
	}
	pos, err := l.server.hub.Position(context.Background(), plan)
	l.ledger.acknowledged(e, pos.Seq)
	l.pace.count(plan, len(e.task))
	return e, pos.Seq, err == nil // it may have been closed since
}

// newEvent makes an event, from which some pages are excepted, often those who will hear it in a replay.
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
		e.except = []page{author}
	case 1:
		e.except = []page{{user: author.user}}
	case 2:
		e.except = []page{author, someone(), {user: someone().user}}
	default:
		// These then write for themselves what the others get from a pump, and are often at it when Revoke comes.
		e.except = []page{l.restless[r.IntN(len(l.restless))].page}
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
	for _, x := range e.except {
		if x.client == "" {
			opts = append(opts, room.ExceptUser(x.user))
		} else {
			opts = append(opts, room.ExceptClient(x.user, x.client))
		}
	}
	return e, opts
}
