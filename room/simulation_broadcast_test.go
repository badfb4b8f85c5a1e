package room_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// broadcast sends one event and notes its position.
func (s *sim) broadcast(rnd *rand.Rand, plan string) {
	s.mu.Lock()
	s.ids++
	e := &modelEvent{id: s.ids, at: time.Now()}
	s.mu.Unlock()
	var opts []room.BroadcastOption
	if rnd.IntN(3) == 0 {
		e.by, e.mutation = pick(rnd, s.users), fmt.Sprintf("m%d", e.id)
		opts = append(opts, room.By(e.by), room.Mutation(e.mutation))
	}
	switch rnd.IntN(5) {
	case 0:
		x := exception{user: pick(rnd, s.users)}
		e.except = append(e.except, x)
		opts = append(opts, room.ExceptUser(x.user))
	case 1:
		c := pick(rnd, s.clients)
		x := exception{c.user, c.name}
		e.except = append(e.except, x)
		opts = append(opts, room.ExceptClient(x.user, x.client))
	}
	task := map[string]any{"id": e.id, "pad": strings.Repeat("x", rnd.IntN(300))}
	before, err := s.hub.Position(s.t.Context(), plan)
	if err == nil {
		_, err = s.hub.BroadcastTaskUpdated(s.t.Context(), plan, task, opts...)
	}
	if err != nil {
		s.fail("broadcast: %v", err)
		return
	}
	after, err := s.hub.Position(s.t.Context(), plan)
	if err != nil || after.Seq <= before.Seq || after.Epoch != s.epoch {
		s.fail("positions of %s: %v before and %v after an event: %v", plan, before, after, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.openLocked(plan)
	e.seq, e.prev = after.Seq, p.last
	if before.Seq != p.last {
		s.failLocked("%s is at %d, the model at %d", plan, before.Seq, p.last)
	}
	p.all[e.seq], p.last, p.lastEvent = e, e.seq, e.at
	p.held = append(p.held, e)
	p.trim(s.opts.HistoryEvents, e.at.Add(-30*time.Minute))
}

func (s *sim) broadcasts() {
	plan := pick(s.rnd, s.plans)
	n := pick(s.rnd, []int{1, 1, 1, 2, 3, 8, 9, 20})
	s.note("%d broadcasts to %s", n, plan)
	s.excuse(plan, false)
	for range n {
		s.broadcast(s.rnd, plan)
	}
}

// excuse notes which clients may miss events of plan: all, or, where history is evicted, clients
// that may be behind. No client misses events just because there are many: HistoryEvents bounds
// resuming, and HistoryBytes is not reached here.
func (s *sim) excuse(plan string, all bool) {
	for _, c := range s.clients {
		if all || s.lossy {
			c.behind[plan] = true
		}
	}
}

func (s *sim) resync() {
	plan := pick(s.rnd, s.plans)
	s.note("resync %s", plan)
	s.excuse(plan, true)
	if err := s.hub.Resync(s.t.Context(), plan); err != nil {
		s.fail("Resync: %v", err)
	}
	at, _ := s.hub.Position(s.t.Context(), plan)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.model[plan]
	p.open(s.floorLocked(plan))
	p.held, p.base, p.last, p.lastEvent = nil, at.Seq, at.Seq, time.Now()
	p.resync[at.Seq] = true
}

func (s *sim) notify() {
	if _, err := s.hub.Notify(s.t.Context(), pick(s.rnd, s.users), protocol.Event{Type: "note", Data: 1}); err != nil {
		s.fail("Notify: %v", err)
	}
}
