package room_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

var (
	simSeeds = flag.Int("seeds", 25, "how many seeds TestSimulation runs")
	simSeed  = flag.Uint64("seed", 0, "the one seed that TestSimulation runs; 0 means all")
	simSteps = flag.Int("steps", 150, "how many steps a simulation takes")
)

// regressions once failed. synctest fixes time and not the order of goroutines, so a run of a seed
// need not fail again.
var regressions = []struct {
	seed  uint64
	steps int
}{{990, 150}, {162, 500}, {643, 500}}

// TestSimulation drives a hub with random actions and compares what every client heard with a
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
	for n := range *simSeeds {
		run(uint64(n+1), *simSteps)
	}
	for _, r := range regressions {
		run(r.seed, r.steps)
	}
}

// client is one simulated connection and what its client has understood.
type client struct {
	*peer
	user, name string // name is the client id
	id         string
	views      map[string]*view
	// Bytes of the stream after which no event of the plan may stand, until a new join.
	barrier map[string]int64
	behind  map[string]bool // it may miss events of the plan
	wants   []wantedJoin    // joins that were sent and not answered
	// It stalled: answers may wait, and a waiting answer is dropped when the plan is left.
	vague        bool
	greeted      bool
	goodbye      protocol.CloseCode
	gone         bool // its end was checked
	expires      time.Time
	authenticate time.Time // when the last one was sent
}

type outcome string

const (
	anyOutcome outcome = ""
	granted    outcome = "granted"
)

// wantedJoin is how the model expects a join to be answered: granted, or an error code.
type wantedJoin struct {
	plan      string
	outcome   outcome
	recovered *bool // nil if the model does not know
	position  protocol.Position
	revoked   bool // Revoke was called at the same time
}

type place struct{ plan, user string }

type membership struct{ conn, plan string }

// departure is the last time that a user's connection left a plan.
type simDeparture struct {
	at        time.Time
	conn      string
	immediate bool // it did not just vanish
	unclear   bool // it may have vanished while it was revoked, or was removed while it closed
	settled   bool // the model has made up its mind
}

// fault is what Authorize does.
type fault string

const noFault fault = ""

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
			Disconnect: func(c room.ConnectionInfo, code protocol.CloseCode) {
				s.observed(func() {
					if _, twice := s.codes[c.ID]; twice || !s.connected[c.ID] {
						s.failLocked("Disconnect of %s out of order", c.ID)
					}
					s.codes[c.ID] = code
				})
			},
			Join:  func(c room.ConnectionInfo, planID string, _ bool) { s.observedJoin(c, planID) },
			Leave: func(c room.ConnectionInfo, planID string) { s.observedLeave(c, planID) },
			Resync: func(c room.ConnectionInfo, planID string) {
				s.observed(func() {
					if !s.ever[membership{c.ID, planID}] {
						s.failLocked("Resync before Join")
					}
				})
			},
			Slow:      func(room.ConnectionInfo) { s.observed(func() {}) },
			Broadcast: func(string, protocol.Type, int) { s.observed(func() {}) },
			Denied:    func(room.ConnectionInfo, string, error) { s.observed(func() {}) },
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

func (s *sim) observed(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callbacks++
	if s.over {
		s.failLocked("a callback after Shutdown:\n%s", debug.Stack())
	}
	f()
}

// I12: Join once, then Leave once.
func (s *sim) observedJoin(c room.ConnectionInfo, planID string) {
	s.observed(func() {
		m := membership{c.ID, planID}
		if _, twice := s.members[m]; twice || !s.connected[c.ID] {
			s.failLocked("Join of %v out of order", m)
		}
		s.members[m], s.ever[m] = c.UserID, true
		s.openLocked(planID)
		s.lastChange[planID] = time.Now()
	})
}

func (s *sim) observedLeave(c room.ConnectionInfo, planID string) {
	s.observed(func() {
		m := membership{c.ID, planID}
		if _, in := s.members[m]; !in {
			s.failLocked("Leave of %v out of order", m)
		}
		delete(s.members, m)
		now := time.Now()
		s.lastChange[planID] = now
		s.left[place{planID, c.UserID}] = simDeparture{at: now, conn: c.ID, immediate: s.leaving[m] || s.revoking[place{planID, c.UserID}]}
	})
}

func (s *sim) authorize(ctx context.Context, id auth.Identity, planID string) error {
	s.mu.Lock()
	_, forbidden := s.forbidden[place{planID, id.UserID}]
	fault := s.fault
	s.callbacks++
	s.mu.Unlock()
	switch fault {
	case "forbidden":
		return room.ErrForbidden
	case "error":
		return errors.New("the database is away")
	case "panic":
		panic("in Authorize")
	case "hang":
		<-ctx.Done()
		return nil // too late
	}
	if forbidden {
		return fmt.Errorf("no: %w", room.ErrForbidden)
	}
	return nil
}

// verify reads a token: a user, and how long it holds.
func (s *sim) verify(_ context.Context, token string) (auth.Identity, error) {
	user, validFor, _ := strings.Cut(token, " ")
	d, err := time.ParseDuration(validFor)
	switch {
	case err != nil:
		return auth.Identity{}, auth.ErrInvalidToken
	case d == 0:
		return auth.Identity{UserID: user, Name: user}, nil
	}
	return auth.Identity{UserID: user, Name: user, ExpiresAt: time.Now().Add(d)}, nil
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

// raise ends the test if something was found.
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
	// No goroutine may be left in the bubble, or the test ends with a panic rather than with what
	// was found.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.hub.Shutdown(ctx) // its error is that of ctx
	s.t.Fatalf("%s\nafter:\n\t%s", failures, strings.Join(s.trace[max(0, len(s.trace)-60):], "\n\t"))
}

func (c *client) who() string { return c.user + "/" + c.name + "/" + c.id[:4] }

func (c *client) view(planID string) *view {
	if c.views[planID] == nil {
		c.views[planID] = &view{}
	}
	return c.views[planID]
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

// settle waits until nothing moves, and checks everything.
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

// open returns a client whose connection is open, or nil.
func (s *sim) open() *client {
	var open []*client
	for _, c := range s.clients {
		if !c.isClosed() {
			open = append(open, c)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return pick(s.rnd, open)
}

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

func (s *sim) withClient(f func(*client)) {
	if c := s.open(); c != nil {
		f(c)
	}
}

func (s *sim) connect() {
	user, name := pick(s.rnd, s.users), pick(s.rnd, []string{"", "", "tab1", "tab2"})
	p := newPeer(byte(1+s.rnd.IntN(2)), 1+s.rnd.IntN(600))
	p.opts.Blocking = s.rnd.IntN(5) == 0
	id := auth.Identity{UserID: user, Name: user}
	if s.rnd.IntN(4) == 0 {
		id.ExpiresAt = time.Now().Add(time.Duration(1+s.rnd.IntN(7200)) * time.Second)
	}
	c := &client{peer: p, user: user, name: name, expires: id.ExpiresAt,
		views: map[string]*view{}, barrier: map[string]int64{}, behind: map[string]bool{}}
	p.opts.OnMessage = func(msg roomtest.Received) {
		if msg.Seq == 0 {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.ever[membership{p.session.ID(), msg.PlanID}] {
			s.failLocked("%s: an event before the observer heard of the join", c.who())
		}
	}
	var replaces *client
	for _, other := range s.clients {
		if other.user == user && name != "" && other.name == name && !other.isClosed() && !other.isStalled() {
			replaces = other
		}
	}
	before := s.hub.UserConnections(user)
	err := p.connect(s.hub, id, name, auth.VerifierFunc(s.verify))
	switch {
	case err == nil && before >= s.opts.ConnectionsPerUser && s.hub.UserConnections(user) > before:
		s.fail("connection %d of %s was let in", before+1, user)
	case err != nil && (!errors.Is(err, room.ErrTooManyConnections) || before < s.opts.ConnectionsPerUser || replaces != nil):
		s.fail("connect %s %s: %v, with %d connections", user, name, err, before)
	}
	if err != nil {
		s.note("connect %s %q: %v", user, name, err)
		return
	}
	c.id = p.session.ID()
	if c.name == "" {
		c.name = c.id
	}
	s.clients = append(s.clients, c)
	s.note("connect %s blocking=%v capacity=%d expires=%v", c.who(), p.opts.Blocking, p.capacity, id.ExpiresAt)
	if replaces != nil {
		synctest.Wait()
		if code := s.hearAll(replaces); code != protocol.CloseReplaced || !replaces.isClosed() {
			s.fail("%s was not replaced but got %d", replaces.who(), code)
		}
	}
}

// since returns a position to join from: none, one that a client of the user had, or one that was
// never given out.
func (s *sim) since(c *client, plan string) *protocol.Position {
	p := protocol.Position{Epoch: s.epoch}
	last := s.model[plan].last
	switch s.rnd.IntN(9) {
	case 0, 1:
		return nil
	case 2:
		p.Epoch = "another"
	case 3:
		p.Seq = last + 1 + s.rnd.Uint64N(3) // ahead
	case 4:
		p.Seq = s.rnd.Uint64N(last + 1) // maybe another plan's
	case 5:
		at, err := s.hub.Position(s.t.Context(), plan)
		if err != nil {
			s.fail("Position: %v", err)
		}
		return &at
	default:
		other := pick(s.rnd, s.clients)
		p.Seq = other.view(plan).pos
	}
	return &p
}

// expect is how a join that is sent now will be answered.
func (s *sim) expect(c *client, plan string, since *protocol.Position) wantedJoin {
	s.mu.Lock()
	defer s.mu.Unlock()
	want := wantedJoin{plan: plan, outcome: granted}
	_, member := s.members[membership{c.id, plan}]
	rooms := 0
	for m := range s.members {
		if m.conn == c.id {
			rooms++
		}
	}
	limit := s.opts.RoomsPerConnection
	_, forbidden := s.forbidden[place{plan, c.user}]
	switch {
	case !member && limit > 0 && rooms >= limit:
		want.outcome = outcome(protocol.ErrorTooManyRooms)
	case s.fault == "forbidden" || s.fault == noFault && forbidden:
		want.outcome = outcome(protocol.ErrorForbidden)
	case s.fault != noFault:
		want.outcome = outcome(protocol.ErrorUnavailable)
	default:
		p := s.model[plan]
		trial := *p
		trial.open(s.floorLocked(plan))
		trial.trim(s.opts.HistoryEvents, time.Now().Add(-30*time.Minute))
		yes := since != nil && since.Epoch == s.epoch && trial.recoverable(since.Seq)
		if !s.lossy || !yes || since.Seq == trial.last {
			want.recovered = &yes
		}
		want.position = protocol.Position{Epoch: s.epoch, Seq: trial.last}
	}
	return want
}

func (s *sim) join(c *client) {
	plan := pick(s.rnd, s.plans)
	since := s.since(c, plan)
	f := pick(s.rnd, []fault{noFault, noFault, noFault, noFault, noFault, noFault, noFault, "forbidden", "error", "panic", "hang"})
	s.mu.Lock()
	s.fault = f
	s.mu.Unlock()
	want := s.expect(c, plan, since)
	s.note("join %s %s since=%v fault=%q want %v", c.who(), plan, since, f, want.outcome)
	c.wants = append(c.wants, want)
	if v := c.view(plan); want.outcome == granted || c.isStalled() {
		v.ownUnknown = c.isStalled() // otherwise the answer has it
	}
	s.mu.Lock()
	s.leaving[membership{c.id, plan}] = want.outcome == outcome(protocol.ErrorForbidden)
	s.mu.Unlock()
	c.join(plan, since)
	if f == "hang" && want.outcome == outcome(protocol.ErrorUnavailable) {
		time.Sleep(5 * time.Second)
	}
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = noFault
	_, member := s.members[membership{c.id, plan}]
	if f == "panic" && want.outcome == outcome(protocol.ErrorUnavailable) && !c.isStalled() && s.codes[c.id] != protocol.CloseInternal && !s.ending(c) {
		s.failLocked("%s: closed with %d after a panic of Authorize", c.who(), s.codes[c.id])
	}
	switch {
	case want.outcome == granted && !member && !c.isStalled() && !c.isClosed():
		s.failLocked("%s did not become a member", c.who())
	case want.outcome == outcome(protocol.ErrorForbidden) && member: // I13
		s.failLocked("%s is a member and may not", c.who())
	}
	if member {
		s.openLocked(plan)
	}
}

// ending reports whether the connection ended, or was about to, for another reason.
func (s *sim) ending(c *client) bool { return c.isClosed() && s.codes[c.id] != 0 }

// floorLocked is where a new log of the plan starts.
func (s *sim) floorLocked(plan string) (floor uint64) {
	for other, last := range s.floors {
		if room.SameFloor(plan, other) {
			floor = max(floor, last)
		}
	}
	return floor
}

// openLocked has the model's plan opened by a join or an event.
func (s *sim) openLocked(plan string) *modelPlan {
	p := s.model[plan]
	p.open(s.floorLocked(plan))
	p.trim(s.opts.HistoryEvents, time.Now().Add(-30*time.Minute))
	return p
}

func (s *sim) leave(c *client) {
	plan := pick(s.rnd, s.plans)
	s.note("leave %s %s", c.who(), plan)
	s.mu.Lock()
	s.leaving[membership{c.id, plan}] = true
	s.mu.Unlock()
	c.leave(plan)
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, still := s.members[membership{c.id, plan}]; still && !c.isStalled() {
		s.failLocked("%s is still a member of %s", c.who(), plan)
	}
}

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
		err = s.hub.BroadcastTaskUpdated(s.t.Context(), plan, task, opts...)
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
		s.failLocked("%s stands at %d, the model at %d", plan, before.Seq, p.last)
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

func (s *sim) stall(c *client) {
	s.note("stall %s", c.who())
	c.stall()
	c.vague = true
	for _, plan := range s.plans {
		c.behind[plan] = c.behind[plan] || s.lossy
		c.view(plan).ownUnknown = true
	}
}

// unstall lets all who stall read again, or one of them.
func (s *sim) unstall() {
	all := s.rnd.IntN(3) == 0
	for _, c := range s.clients {
		if c.isStalled() && !c.gone {
			s.note("unstall %s", c.who())
			c.unstall()
			if !all {
				return
			}
		}
	}
}

func (s *sim) sip() {
	for _, c := range s.clients {
		if c.isStalled() {
			n := 1 + s.rnd.IntN(500)
			s.note("sip %s %d", c.who(), n)
			c.sip(n)
			synctest.Wait()
		}
	}
}

func (s *sim) cut(c *client) {
	s.note("cut %s", c.who())
	c.end(protocol.CloseAbnormal)
}

func (s *sim) bye(c *client) {
	s.note("bye %s", c.who())
	c.bye()
}

func (s *sim) tick() {
	d := pick(s.rnd, []time.Duration{
		time.Millisecond, 100 * time.Millisecond, time.Second, 2 * time.Second, 2 * time.Second, 5 * time.Second, 5 * time.Second,
		6 * time.Second, 12 * time.Second, 40 * time.Second, 2 * time.Minute, 6 * time.Minute, 35 * time.Minute, 3 * time.Hour,
	})
	s.note("tick %v", d)
	time.Sleep(d)
}

func (s *sim) revoke() {
	plan, user := pick(s.rnd, s.plans), pick(s.rnd, s.users)
	s.note("revoke %s %s", plan, user)
	if s.rnd.IntN(2) == 0 {
		s.mu.Lock()
		s.forbidden[place{plan, user}] = time.Now()
		s.mu.Unlock()
	}
	s.revokeNow(plan, user)
	s.mu.Lock()
	defer s.mu.Unlock()
	for m, who := range s.members {
		if m.plan == plan && who == user {
			s.failLocked("%v is in after Revoke", m)
		}
	}
}

func (s *sim) revokeNow(plan, user string) {
	s.mu.Lock()
	at := place{plan, user}
	s.revoking[at] = true
	s.mu.Unlock()
	if _, err := s.hub.Revoke(s.t.Context(), plan, user); err != nil {
		s.fail("Revoke: %v", err)
	}
	// I2: whatever was not taken by now is never to be.
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.revoking, at)
	if d, ok := s.left[at]; ok {
		d.immediate = true // a lingering user is removed
		s.left[at] = d
	}
	for _, c := range s.clients {
		if c.user == user {
			c.barrier[plan] = c.bytes()
		}
	}
}

func (s *sim) forbid() {
	at := place{pick(s.rnd, s.plans), pick(s.rnd, s.users)}
	s.note("forbid %v", at)
	if _, already := s.forbidden[at]; !already {
		s.forbidden[at] = time.Now()
	}
}

func (s *sim) allow() {
	s.note("allow all")
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.forbidden)
}

func (s *sim) disconnect() {
	user := pick(s.rnd, s.users)
	s.note("disconnect %s", user)
	var theirs []*client
	for _, c := range s.clients {
		if c.user == user && !c.isClosed() {
			theirs = append(theirs, c)
		}
	}
	s.mu.Lock()
	for _, plan := range s.plans {
		s.revoking[place{plan, user}] = true
	}
	s.mu.Unlock()
	if _, err := s.hub.Disconnect(s.t.Context(), user); err != nil {
		s.fail("Disconnect: %v", err)
	}
	s.mu.Lock()
	for _, plan := range s.plans {
		at := place{plan, user}
		delete(s.revoking, at)
		if d, ok := s.left[at]; ok {
			d.immediate = true // a user who lingered is out
			s.left[at] = d
		}
	}
	s.mu.Unlock()
	for _, c := range theirs {
		for _, plan := range s.plans {
			c.barrier[plan] = c.bytes()
		}
	}
	synctest.Wait()
	for _, c := range theirs {
		if code := s.hearAll(c); !c.isStalled() && (code != protocol.CloseForbidden || !c.isClosed()) {
			s.fail("%s was not disconnected but got %d", c.who(), code)
		}
	}
}

func (s *sim) updatePresence(c *client) {
	plan := pick(s.rnd, s.plans)
	var state json.RawMessage
	if s.rnd.IntN(3) > 0 {
		state = s.newState()
	}
	s.note("presence %s %s %s", c.who(), plan, state)
	s.setPresence(c, plan, state)
}

func (s *sim) newState() json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids++
	return json.RawMessage(fmt.Sprintf(`{"n":%d}`, s.ids))
}

func (s *sim) setPresence(c *client, plan string, state json.RawMessage) {
	// The others in the plan receive it; the client itself knows.
	v := c.view(plan)
	v.ownUnknown = v.ownUnknown || c.isStalled()
	if v.joined {
		if state != nil || v.people[c.user] == v.own { // another tab's state stays
			v.people[c.user] = string(state)
		}
		v.own = string(state)
	}
	c.request(protocol.Request{Type: protocol.TypeUpdatePresence, PlanID: plan, State: state})
}

func (s *sim) renew(c *client) {
	if time.Since(c.authenticate) < 11*time.Second {
		return
	}
	c.authenticate = time.Now()
	token := pick(s.rnd, []string{"bad", c.user + " 1h", c.user + " 0s", c.user + " 5m", "mallory 1h"})
	s.note("authenticate %s %q", c.who(), token)
	if id, err := s.verify(s.t.Context(), token); err == nil && id.UserID == c.user {
		c.expires = id.ExpiresAt
	}
	c.request(protocol.Request{Type: protocol.TypeAuthenticate, Token: token})
}

func (s *sim) ping(c *client) { c.request(protocol.Request{Type: protocol.TypePing}) }

func (s *sim) notify() {
	if _, err := s.hub.Notify(s.t.Context(), pick(s.rnd, s.users), protocol.Event{Type: "note", Data: 1}); err != nil {
		s.fail("Notify: %v", err)
	}
}

// parallel does several things at once. The model learns the outcome of joins afterwards.
func (s *sim) parallel() {
	plan := pick(s.rnd, s.plans)
	s.note("parallel on %s:", plan)
	s.excuse(plan, false)
	clients := slices.Clone(s.clients)
	clients = slices.DeleteFunc(clients, func(c *client) bool { return c.isClosed() })
	s.rnd.Shuffle(len(clients), func(i, j int) { clients[i], clients[j] = clients[j], clients[i] })
	var do []func()
	rnd := rand.New(rand.NewPCG(s.rnd.Uint64(), 0))
	n := 1 + rnd.IntN(20)
	do = append(do, func() {
		for range n {
			s.broadcast(rnd, plan)
		}
	})
	revoking := s.rnd.IntN(3) == 0
	user := pick(s.rnd, s.users)
	if revoking {
		s.note("  revoke %s", user)
		s.mu.Lock()
		s.forbidden[place{plan, user}] = time.Now()
		s.mu.Unlock()
		do = append(do, func() { s.revokeNow(plan, user) })
	}
	for _, c := range clients[:min(len(clients), 1+s.rnd.IntN(5))] {
		v := c.view(plan)
		v.ownUnknown = true
		switch s.rnd.IntN(7) {
		case 0, 1, 2:
			since := s.since(c, plan)
			s.note("  join %s since=%v", c.who(), since)
			s.mu.Lock()
			// A join that Authorize denies ends the membership. If the socket is in the middle of a
			// frame of the plan, the hub cuts the connection too, which must not look like a
			// vanished peer.
			_, forbidden := s.forbidden[place{plan, c.user}]
			s.leaving[membership{c.id, plan}] = forbidden
			s.mu.Unlock()
			c.wants = append(c.wants, wantedJoin{plan: plan, revoked: revoking && c.user == user})
			do = append(do, func() { c.join(plan, since) })
		case 3:
			s.note("  leave %s", c.who())
			s.mu.Lock()
			s.leaving[membership{c.id, plan}] = true
			s.mu.Unlock()
			do = append(do, func() { c.leave(plan) })
		case 4:
			s.note("  cut %s", c.who())
			do = append(do, func() { c.end(protocol.CloseAbnormal) })
		case 5:
			s.note("  presence %s", c.who())
			state := s.newState()
			do = append(do, func() { s.setPresence(c, plan, state) })
		case 6:
			s.note("  stall, unstall %s", c.who())
			if !c.isStalled() {
				do = append(do, func() { c.stall(); c.unstall() })
			}
		}
	}
	var wg sync.WaitGroup
	for _, f := range do {
		wg.Go(f)
	}
	wg.Wait()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.left[place{plan, user}]; revoking && ok {
		d.unclear = true
		s.left[place{plan, user}] = d
	}
	for m := range s.members {
		if m.plan == plan {
			s.openLocked(plan)
			if revoking && s.members[m] == user {
				s.failLocked("%v is in after Revoke", m)
			}
		}
	}
}

// shutdown ends the hub with members who read and members who do not: I11.
func (s *sim) shutdown() {
	s.note("shutdown")
	s.broadcasts()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Duration(s.rnd.IntN(4))*time.Second)
	defer cancel()
	err := s.hub.Shutdown(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		s.fail("Shutdown: %v", err)
	}
	synctest.Wait()
	s.mu.Lock()
	calls := s.callbacks
	s.over = true
	s.mu.Unlock()
	time.Sleep(time.Hour)
	synctest.Wait()
	for _, c := range s.clients {
		stalled := c.isStalled()
		wasGone := c.gone
		c.unstall()
		s.hearAll(c)
		if wasGone || stalled {
			continue
		}
		if err == nil && c.goodbye != protocol.CloseShutdown {
			s.fail("%s: goodbye %d at shutdown", c.who(), c.goodbye)
		}
		for _, id := range s.plans {
			if v := c.view(id); v.joined && v.pos != s.model[id].last && c.goodbye == protocol.CloseShutdown {
				s.fail("%s: %s ended at %d, want %d", c.who(), id, v.pos, s.model[id].last)
			}
		}
	}
	s.mu.Lock()
	if len(s.members) > 0 || len(s.codes) != len(s.clients) || s.callbacks != calls {
		s.failLocked("after Shutdown: members %v, %d of %d disconnected, %d callbacks", s.members, len(s.codes), len(s.clients), s.callbacks-calls)
	}
	s.mu.Unlock()
	_, position := s.hub.Position(ctx, "p")
	for name, err := range map[string]error{
		"Position": position, "Resync": s.hub.Resync(ctx, "p"), "Revoke": errorOf(s.hub.Revoke(ctx, "p", "u")), "Disconnect": errorOf(s.hub.Disconnect(ctx, "u")),
		"Broadcast": s.hub.BroadcastTaskDeleted(ctx, "p", "1"), "Notify": errorOf(s.hub.Notify(ctx, "u", protocol.Event{Type: "x"})),
		"Connect": newPeer(1, 1).connect(s.hub, auth.Identity{UserID: "u"}, "", nil),
	} {
		if !errors.Is(err, room.ErrHubClosed) {
			s.fail("%s after Shutdown: %v", name, err)
		}
	}
	if err := s.hub.Shutdown(s.t.Context()); err != nil {
		s.fail("Shutdown again: %v", err)
	}
	s.raise()
}

// baseline ends all connections and waits for the janitor: I10.
func (s *sim) baseline() {
	s.note("baseline")
	for _, c := range s.clients {
		c.end(protocol.CloseAbnormal)
		c.unstall()
	}
	s.settle()
	time.Sleep(time.Hour)
	s.settle()
	if got := s.hub.Stats(); got.Connections+got.Users+got.Rooms+got.HistoryBytes != 0 {
		s.fail("at the end: %+v", got)
	}
	if err := s.hub.Shutdown(s.t.Context()); err != nil {
		s.fail("Shutdown: %v", err)
	}
	s.raise()
}
