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

	"github.com/planrooms/planrooms/room/enginetest"
)

var simTrace = flag.Int("trace", 60, "how many of the last steps a failure of TestClusterSimulation shows")

// clusterRegressions are seeds of TestClusterSimulation that once failed.
var clusterRegressions = []struct {
	seed  uint64
	steps int
}{}

// TestClusterSimulation drives several hubs on one log with random actions and faults, and compares
// what every client received with a model after each step. It takes the flags of TestSimulation.
func TestClusterSimulation(t *testing.T) {
	run := func(seed uint64, steps int) {
		t.Run(fmt.Sprintf("%d/%d", seed, steps), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newClusterSim(t, seed).run(steps) })
		})
	}
	if *simSeed != 0 {
		run(*simSeed, *simSteps)
		return
	}
	seeds := *simSeeds
	if raceEnabled {
		seeds = (seeds + 3) / 4 // it takes eight times as long
	}
	for n := range seeds {
		run(uint64(n+1), *simSteps)
	}
	for _, r := range clusterRegressions {
		run(r.seed, r.steps)
	}
}

// clusterSim is a cluster in memory with its clients, and the model of what they have to receive:
//
//   - C1: within an epoch, each client receives the events of a plan with growing seqs, and what
//     has one seq is the same for all clients.
//   - C2: once all faults are over, each client has every event whose Broadcast returned nil or
//     ErrUncertain, or has loaded the plan since. An event that arrived late, behind newer ones, is
//     followed by a load.
//   - C3: a join is recovered only if the client misses nothing.
//   - C4: once Revoke, or a method like it, has returned nil for a user without access, no event
//     and no join answer is written to the user until access is given again.
//   - C5: every call returns in time, and the cluster leaves no goroutine.
//
// That presence converges, so that all nodes list the same users, TestParticipantsConverge checks.
type clusterSim struct {
	t       *testing.T
	rnd     *rand.Rand
	store   *enginetest.Memory
	nodes   []*clusterNode // those that run
	started int
	clients []*clusterClient
	plans   []string
	users   []string
	trace   []string
	stalled []*enginetest.Stalled
	copied  *enginetest.Snapshot
	// When the last fault ended that concerns all nodes; the present moment while there is one.
	disturbed time.Time
	frozen    bool
	wg        sync.WaitGroup // calls

	mu        sync.Mutex // guards the following, which calls and callbacks share
	failures  []string
	forbidden map[place]int  // when, as a number of changes
	changes   int            // of forbidden
	revoked   map[place]bool // Revoke has returned since the access ended
	events    []*clusterEvent
	content   map[clusterSeq]string
	calls     map[*clusterCall]struct{}
}

// clusterSeq is a place in the log.
type clusterSeq struct {
	epoch string
	seq   uint64
}

// clusterCall is a call of a hub that has not returned.
type clusterCall struct {
	node *clusterNode
	what string
	at   time.Time
}

const (
	// callTime bounds a call of a node without a fault: PublishTimeout, the ttl of a dead node, and
	// the beats in which it is noticed.
	callTime = 15*time.Second + 12*time.Second + 6*time.Second
	// callLimit is the deadline of calls that wait for other nodes.
	callLimit = time.Minute
)

func newClusterSim(t *testing.T, seed uint64) *clusterSim {
	s := &clusterSim{
		t: t, rnd: rand.New(rand.NewPCG(seed, 2)), store: enginetest.NewMemory(nil), disturbed: time.Now(),
		plans: []string{"p", "q", "r"}, users: []string{"ann", "ben", "cyd", "dan"},
		forbidden: map[place]int{}, revoked: map[place]bool{}, content: map[clusterSeq]string{}, calls: map[*clusterCall]struct{}{},
	}
	if seed%3 == 0 {
		s.store = enginetest.NewMemory(&enginetest.MemoryOptions{Keep: 40})
	}
	return s
}

func (s *clusterSim) run(steps int) {
	for range 2 + s.rnd.IntN(3) {
		s.start()
	}
	for range 4 {
		s.addClient()
	}
	s.quiesce()
	for range steps {
		s.step()
		s.settle()
	}
	s.quiesce()
	s.end(true)
	s.raise()
}

// end ends all nodes, so that no goroutine is left in the bubble.
func (s *clusterSim) end(clean bool) {
	for _, c := range s.clients {
		s.drop(c)
	}
	for len(s.nodes) > 0 {
		if n := s.nodes[0]; clean {
			s.shutdown(n)
		} else {
			s.crash(n)
		}
	}
	s.wg.Wait()
}

func (s *clusterSim) failLocked(format string, args ...any) {
	s.failures = append(s.failures, fmt.Sprintf(format, args...))
}

func (s *clusterSim) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failLocked(format, args...)
}

func (s *clusterSim) note(format string, args ...any) {
	s.trace = append(s.trace, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// settle waits until no goroutine runs, and checks everything.
func (s *clusterSim) settle() {
	s.t.Helper()
	synctest.Wait()
	for _, c := range s.clients {
		s.receiveAll(c)
	}
	if s.frozen {
		s.disturbed = time.Now()
	}
	for _, n := range s.nodes {
		if n.faults() {
			n.disturbed = time.Now()
		}
	}
	s.checkCalls()
	s.raise()
}

// raise ends the test if a fault was found.
func (s *clusterSim) raise() {
	s.t.Helper()
	for _, c := range s.clients {
		if c.peer == nil {
			continue
		}
		for _, f := range c.faultsSeen() {
			s.fail("%s: %s", c.who(), f)
		}
	}
	s.mu.Lock()
	failures := strings.Join(s.failures, "\n")
	s.mu.Unlock()
	if failures == "" {
		return
	}
	s.end(false)
	s.t.Fatalf("%s\nafter:\n\t%s", failures, strings.Join(s.trace[max(0, len(s.trace)-*simTrace):], "\n\t"))
}

// call makes a call of a hub in a goroutine, since it may have to wait for the engine.
func (s *clusterSim) call(n *clusterNode, what string, f func(ctx context.Context)) {
	s.note("%s: %s", n.name, what)
	c := &clusterCall{n, what, time.Now()}
	s.mu.Lock()
	s.calls[c] = struct{}{}
	s.mu.Unlock()
	s.wg.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), callLimit)
		defer cancel()
		f(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.calls, c)
	})
	synctest.Wait()
}

// checkCalls checks C5.
func (s *clusterSim) checkCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.calls {
		if c.node.paused {
			continue // as its process is stopped
		}
		since := c.at
		for _, at := range []time.Time{c.node.disturbed, s.disturbed} {
			if at.After(since) {
				since = at
			}
		}
		if took := time.Since(since); took > callTime {
			s.failLocked("C5: %s of %s has not returned for %v, %v of them without a fault", c.what, c.node.name, time.Since(c.at), took)
		}
	}
}

func (s *clusterSim) step() {
	actions := []struct {
		weight int
		do     func()
	}{
		{30, s.broadcasts},
		{2, s.resync},
		{2, s.notify},
		{12, s.move},
		{6, s.join},
		{3, s.leave},
		{4, s.page},
		{4, s.stall},
		{4, s.unstall},
		{3, s.sip},
		{6, s.revoke},
		{2, s.disconnect},
		{3, s.recheck},
		{2, s.closePlan},
		{5, s.allow},
		{16, s.tick},
		{9, s.breakNode},
		{12, s.mendNode},
		{4, s.mendPublish},
		{5, s.breakLog},
		{2, s.lose},
		{2, s.replaceNode},
		{4, s.quiesce},
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

func (s *clusterSim) tick() {
	d := pick(s.rnd, []time.Duration{
		time.Millisecond, 100 * time.Millisecond, time.Second, 2 * time.Second, 2 * time.Second, 3 * time.Second, 5 * time.Second,
		5 * time.Second, 12 * time.Second, 15 * time.Second, 40 * time.Second, 6 * time.Minute,
	})
	s.note("tick %v", d)
	time.Sleep(d)
}
