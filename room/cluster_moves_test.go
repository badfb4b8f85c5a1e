package room_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// TestMoves has a client move between the nodes of a cluster 100 times while 2,000 events pass. It
// receives each of them once, or loads its plan. It loads only after moves that leave it no other
// way. The flags -seeds and -seed are those of TestSimulation.
func TestMoves(t *testing.T) {
	first, n := uint64(1), (*simSeeds+11)/12
	if raceEnabled {
		n = (n + 2) / 3
	}
	if *simSeed != 0 {
		first, n = *simSeed, 1
	}
	for seed := first; seed < first+uint64(n); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			nodes(t, 3, room.Options{HistoryEvents: 64}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				c := &moving{cluster: &moveCluster{
					t: t, rnd: rand.New(rand.NewPCG(seed, 3)), store: m, nodes: nodes, o: room.Options{HistoryEvents: 64},
				}}
				c.run(100, 2000)
			})
		})
	}
}

// run moves the client, and publishes events before, during and after each move.
func (c *moving) run(moves, events int) {
	made, loads := map[string]int{}, map[string]int{}
	c.connect(c.cluster.nodes[0])
	c.join()
	for n := range moves {
		kind := c.cluster.pick(moveKinds)
		left := max(events-c.cluster.published(), 0)
		part := min(c.cluster.rnd.IntN(2*left/(moves-n)+1), 32) // too few to be away for too long
		c.cluster.publish(part / 4)
		c.read()
		c.cluster.publish(part / 4) // may be lost with the connection
		before := c.loads
		kind.move(c)
		during := c.cluster.publishing(part / 4)
		c.join()
		<-during
		c.read()
		made[kind.name]++
		loads[kind.name] += c.loads - before
		if (c.loads-before == 1) != kind.loads || c.loads-before > 1 {
			c.cluster.t.Fatalf("move %d (%s): the client has loaded its plan %d times", n+1, kind.name, c.loads-before)
		}
	}
	for left := events - c.cluster.published(); left > 0; left -= 32 {
		c.cluster.publish(min(left, 32))
		c.read()
	}
	c.cluster.catchUp()
	c.read()
	c.checkAll()
	c.cluster.t.Logf("%d events, %d moves, %d loads after the first one; %d events came although they were loaded",
		c.cluster.published(), moves, c.loads, c.again)
	for _, name := range slices.Sorted(maps.Keys(made)) {
		c.cluster.t.Logf("%3d moves, %2d loads: %s", made[name], loads[name], name)
	}
}

// moveKind is a way to get from one node to another one.
type moveKind struct {
	name   string
	weight int
	// move leaves the node of the client, and connects it to another one.
	move func(*moving)
	// loads is whether the client has to load its plan then.
	loads bool
}

var moveKinds = []moveKind{
	{"the client leaves", 20, (*moving).leaves, false},
	{"the connection is lost", 30, (*moving).loses, false},
	{"the node crashes", 10, (*moving).crash, false},
	{"the node is restarted", 10, (*moving).restart, false},
	{"to a fresh node", 12, (*moving).toFresh, false},
	{"to a node that is not ready yet", 5, (*moving).toEarly, false},
	{"old records are gone, to an old node", 4, (*moving).trimmedToOld, false},
	{"old records are gone, to a fresh node", 4, (*moving).trimmedToFresh, true},
	{"the node is cut off from the log", 5, (*moving).cutOff, false},
	{"to a node that lags for a second", 5, (*moving).toLagging, false},
	{"to a node that lags for longer", 2, (*moving).toStopped, true},
	{"after more than HistoryEvents", 3, (*moving).late, true},
	{"an event may be stored or not", 3, (*moving).uncertain, true},
}

// leaves closes the connection as a client does that has read everything.
func (c *moving) leaves() {
	c.read()
	c.member.Leave("p")
	c.cut()
	c.connect(c.cluster.another(c.node))
}

func (c *moving) loses() {
	c.cut()
	c.connect(c.cluster.another(c.node))
}

// crash ends the node without a word to the others. A fresh one takes its place.
func (c *moving) crash() {
	c.cut()
	c.cluster.crash(c.node)
	c.cluster.publish(8)
	c.connect(c.cluster.another(nil))
	c.cluster.start()
}

// restart shuts the node down once another one is ready, as a deploy does.
func (c *moving) restart() {
	fresh := c.cluster.start()
	fresh.awaitReady(c.cluster.t)
	c.cluster.shutdown(c.node)
	c.readToEnd()
	c.connect(fresh)
}

// toFresh goes to a node that was started after the last event that the client has.
func (c *moving) toFresh() {
	c.cut()
	c.connect(c.fresh())
}

// fresh replaces one of the nodes that the client is not connected to.
func (c *moving) fresh() *node {
	old := c.cluster.another(c.node)
	fresh := c.cluster.start()
	fresh.awaitReady(c.cluster.t)
	c.cluster.shutdown(old)
	return fresh
}

// toEarly goes to a node that has yet to read the log.
func (c *moving) toEarly() {
	old := c.cluster.another(c.node)
	c.cut()
	fresh := c.cluster.start()
	c.connect(fresh)
	c.cluster.shutdown(old)
}

// trimmedToOld goes to a node that has what the log no longer holds.
func (c *moving) trimmedToOld() {
	c.cut()
	c.cluster.publish(3)
	c.cluster.trim()
	c.connect(c.cluster.another(c.node))
}

// trimmedToFresh goes to a node that has never had what the client misses.
func (c *moving) trimmedToFresh() {
	c.cut()
	c.cluster.publish(3)
	c.cluster.trim()
	c.connect(c.fresh())
}

// late comes back when the nodes no longer keep what the client misses.
func (c *moving) late() {
	c.cut()
	c.cluster.publish(c.cluster.o.HistoryEvents + 1)
	c.cluster.catchUp()
	c.connect(c.cluster.another(c.node))
}

// cutOff leaves a node that no longer gets what is published.
func (c *moving) cutOff() {
	lonely := c.node
	c.cluster.remove(lonely)
	lonely.engine.Cut()
	c.cluster.publish(5)
	c.read()
	c.cut()
	c.connect(c.cluster.another(nil))
	time.Sleep(20 * time.Second) // its tenure ends
	lonely.engine.Heal()
	lonely.awaitReady(c.cluster.t)
	c.cluster.nodes = append(c.cluster.nodes, lonely)
}

// toLagging goes to a node that has yet to apply what the client has.
func (c *moving) toLagging() { c.behind(time.Second) }

// toStopped goes to a node that does not apply it in time. It answers with its own position.
func (c *moving) toStopped() { c.behind(3 * time.Second) }

func (c *moving) behind(lag time.Duration) {
	c.cluster.catchUp() // also the node of the client, so that the client has all events
	to := c.cluster.another(c.node)
	to.engine.HoldTail()
	c.cluster.remove(to)
	c.cluster.publish(5)
	c.cluster.nodes = append(c.cluster.nodes, to)
	c.read()
	c.cut()
	c.connect(to)
	time.AfterFunc(lag, to.engine.ReleaseTail)
}

// uncertain waits for the result of a call that has none.
func (c *moving) uncertain() {
	c.cluster.publishUncertain()
	c.read()
	c.cut()
	c.connect(c.cluster.another(c.node))
}
