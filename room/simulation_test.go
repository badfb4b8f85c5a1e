package room_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

var (
	simSeeds = flag.Int("seeds", 25, "how many seeds TestSimulation runs")
	simSeed  = flag.Uint64("seed", 0, "the one seed that TestSimulation runs; 0 means all")
	simSteps = flag.Int("steps", 150, "how many steps a simulation takes")
)

// regressions are seeds that once failed. synctest controls the time but not the order of
// goroutines, so a seed need not fail again.
var regressions = []struct {
	seed  uint64
	steps int
}{{990, 150}, {162, 500}, {643, 500}}

// TestSimulation drives a hub with random actions and compares what every client received with a
// model, after each step. A failure names its seed: go test -run TestSimulation -seed N.
func TestSimulation(t *testing.T) {
	run := func(seed uint64, steps int) {
		t.Run(fmt.Sprintf("%d/%d", seed, steps), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newSim(t, seed).run(steps) })
		})
	}
	if *simSeed != 0 {
		run(*simSeed, *simSteps)
		return
	}
	seeds := *simSeeds
	if raceEnabled {
		seeds = (seeds + 1) / 2
	}
	for n := range seeds {
		run(uint64(n+1), *simSteps)
	}
	for _, r := range regressions {
		run(r.seed, r.steps)
	}
}

type place struct{ plan, user string }

type membership struct{ conn, plan string }

// simDeparture describes the last connection of a user that left a plan.
type simDeparture struct {
	at        time.Time
	conn      string
	immediate bool // it did not just vanish
	// It may have vanished while it was revoked or while another connection of the user left, or
	// was removed while it closed.
	unclear bool
	settled bool // the model has decided
}

type sim struct {
	t     *testing.T
	rnd   *rand.Rand
	hub   *room.Hub
	opts  room.Options
	lossy bool // the budget for history is small, so the model does not know what is held
	epoch string
	plans []string
	users []string
	trace []string
	ids   int

	clients []*client

	mu        sync.Mutex // guards the following, which callbacks and parallel steps share
	failures  []string
	over      bool // Shutdown has returned
	model     map[string]*modelPlan
	floors    map[string]uint64 // by plan: the last seq of its logs that were deleted
	fault     fault
	forbidden map[place]time.Time
	members   map[membership]string // to user
	ever      map[membership]bool
	left      map[place]simDeparture
	// Leave-plan was sent in this step, or a join that may end the membership.
	leaving    map[membership]bool
	revoking   map[place]bool // a call of Revoke is under way
	connected  map[string]bool
	codes      map[string]protocol.CloseCode
	callbacks  int
	lastChange map[string]time.Time
}

func newSim(t *testing.T, seed uint64) *sim {
	s := &sim{
		t: t, rnd: rand.New(rand.NewPCG(seed, 1)),
		plans: []string{"p", sharesFloor(), "r"}, users: []string{"ann", "ben", "cyd", "dan", "eve"},
		model: map[string]*modelPlan{}, floors: map[string]uint64{}, forbidden: map[place]time.Time{}, members: map[membership]string{}, ever: map[membership]bool{},
		left: map[place]simDeparture{}, leaving: map[membership]bool{}, revoking: map[place]bool{},
		connected: map[string]bool{}, codes: map[string]protocol.CloseCode{}, lastChange: map[string]time.Time{},
	}
	for _, id := range s.plans {
		s.model[id] = &modelPlan{id: id, all: map[uint64]*modelEvent{}, resync: map[uint64]bool{}}
	}
	s.opts = room.Options{
		Authorize: s.authorize, HistoryEvents: 8, ConnectionsPerUser: 4,
		Observer: room.Observer{
			Connect: func(c room.ConnectionInfo) { s.observed(func() { s.connected[c.ID] = true }) },
			Disconnect: func(i room.DisconnectInfo) {
				c := i.Connection
				s.observed(func() {
					if _, twice := s.codes[c.ID]; twice || !s.connected[c.ID] {
						s.failLocked("Disconnect of %s out of order", c.ID)
					}
					s.codes[c.ID] = i.Code
				})
			},
			Join:  func(i room.JoinInfo) { s.observedJoin(i.Connection, i.PlanID) },
			Leave: s.observedLeave,
			Resync: func(i room.ResyncInfo) {
				s.observed(func() {
					if !s.ever[membership{i.Connection.ID, i.PlanID}] {
						s.failLocked("Resync before Join")
					}
				})
			},
			Slow:      func(room.ConnectionInfo) { s.observed(func() {}) },
			Broadcast: func(context.Context, room.BroadcastInfo) { s.observed(func() {}) },
			Denied:    func(room.DenialInfo) { s.observed(func() {}) },
		},
	}
	if seed%3 == 0 {
		s.opts.PresenceLimit = 2
	}
	if seed%5 == 0 {
		s.opts.RoomsPerConnection = 2
	}
	if seed%7 == 0 {
		s.lossy, s.opts.HistoryTotal = true, 12<<10
	}
	if seed%11 == 0 {
		s.opts.PingEvery = -1
	}
	s.hub = room.NewHub(&s.opts)
	at, err := s.hub.Position(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	s.epoch = at.Epoch
	return s
}

func (s *sim) failLocked(format string, args ...any) {
	s.failures = append(s.failures, fmt.Sprintf(format, args...))
}

func (s *sim) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failLocked(format, args...)
}

func (s *sim) note(format string, args ...any) {
	s.trace = append(s.trace, fmt.Sprintf(format, args...))
}

// raise ends the test if a fault was found.
func (s *sim) raise() {
	s.t.Helper()
	s.mu.Lock()
	for _, c := range s.clients {
		for _, f := range c.faultsSeen() {
			s.failLocked("%s: %s", c.who(), f)
		}
	}
	failures := strings.Join(s.failures, "\n")
	s.mu.Unlock()
	if failures == "" {
		return
	}
	// No goroutine may be left in the bubble. Otherwise the test ends with a panic instead of the
	// fault.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.hub.Shutdown(ctx) // its error is that of ctx
	s.t.Fatalf("%s\nafter:\n\t%s", failures, strings.Join(s.trace[max(0, len(s.trace)-60):], "\n\t"))
}

func (s *sim) run(steps int) {
	for range 3 {
		s.connect()
	}
	for range steps {
		s.step()
		s.settle()
	}
	if s.rnd.IntN(2) == 0 {
		s.shutdown()
	} else {
		s.baseline()
	}
}

// settle waits until no goroutine runs, and checks everything.
func (s *sim) settle() {
	s.t.Helper()
	synctest.Wait()
	time.Sleep(room.GatherNotices)
	synctest.Wait()
	s.mu.Lock()
	clear(s.leaving)
	s.mu.Unlock()
	s.check()
	s.raise()
}

func pick[T any](rnd *rand.Rand, from []T) T { return from[rnd.IntN(len(from))] }

func (s *sim) step() {
	actions := []struct {
		weight int
		do     func()
	}{
		{8, s.connect},
		{22, func() { s.withClient(s.join) }},
		{5, func() { s.withClient(s.leave) }},
		{30, s.broadcasts},
		{2, s.resync},
		{5, func() { s.withClient(s.stall) }},
		{5, s.unstall},
		{4, s.sip},
		{5, func() { s.withClient(s.cut) }},
		{1, func() { s.withClient(s.bye) }},
		{12, s.tick},
		{5, s.revoke},
		{4, s.forbid},
		{6, s.allow},
		{1, s.disconnect},
		{8, func() { s.withClient(s.updatePresence) }},
		{3, func() { s.withClient(s.renew) }},
		{2, func() { s.withClient(s.ping) }},
		{2, s.notify},
		{14, s.parallel},
	}
	total := 0
	for _, a := range actions {
		total += a.weight
	}
	n := s.rnd.IntN(total)
	for _, a := range actions {
		if n -= a.weight; n < 0 {
			a.do()
			return
		}
	}
}

func (s *sim) tick() {
	d := pick(s.rnd, []time.Duration{
		time.Millisecond, 100 * time.Millisecond, time.Second, 2 * time.Second, 2 * time.Second, 5 * time.Second, 5 * time.Second,
		6 * time.Second, 12 * time.Second, 40 * time.Second, 2 * time.Minute, 6 * time.Minute, 35 * time.Minute, 3 * time.Hour,
	})
	s.note("tick %v", d)
	time.Sleep(d)
}

func (s *sim) ping(c *client) { c.request(protocol.Request{Type: protocol.TypePing}) }
