package room_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// moveCluster is a cluster whose nodes come and go, and the host that publishes to plan p.
type moveCluster struct {
	t       *testing.T
	rnd     *rand.Rand
	store   *enginetest.Memory
	o       room.Options
	nodes   []*node // those that run
	started int
	wg      sync.WaitGroup

	mu   sync.Mutex // guards seqs
	seqs []uint64   // of the events that were published; 0 if that is not known
}

// pick returns one of the kinds, by their weights.
func (m *moveCluster) pick(kinds []moveKind) *moveKind {
	total := 0
	for i := range kinds {
		total += kinds[i].weight
	}
	n := m.rnd.IntN(total)
	for i := range kinds {
		if n -= kinds[i].weight; n < 0 {
			return &kinds[i]
		}
	}
	panic("unreachable")
}

func (m *moveCluster) published() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.seqs)
}

// publish publishes n events to plan p on any nodes, and events of another plan between them.
func (m *moveCluster) publish(n int) {
	m.t.Helper()
	for range n {
		m.publishOn(m.ready())
	}
	synctest.Wait()
}

// ready returns one of the nodes that can publish.
func (m *moveCluster) ready() *node {
	for {
		if n := pick(m.rnd, m.nodes); n.Ready() == nil {
			return n
		}
		time.Sleep(100 * time.Millisecond) // a fresh node is becoming ready
	}
}

func (m *moveCluster) publishOn(n *node) {
	id := m.published() + 1
	at, err := n.BroadcastTaskUpdated(m.t.Context(), "p", map[string]int{"id": id})
	if err != nil {
		m.t.Errorf("event %d: %v", id, err)
	}
	m.mu.Lock()
	m.seqs = append(m.seqs, at.Seq)
	m.mu.Unlock()
	if id%5 == 0 {
		if _, err := n.BroadcastTaskDeleted(m.t.Context(), "other", "1"); err != nil {
			m.t.Error(err)
		}
	}
}

// publishUncertain publishes an event whose record is held up on its way to the store. It comes
// later.
func (m *moveCluster) publishUncertain() {
	m.t.Helper()
	n := m.ready()
	held := n.engine.Stall()
	if _, err := n.BroadcastTaskUpdated(m.t.Context(), "p", map[string]int{"id": m.published() + 1}); !errors.Is(err, room.ErrUncertain) {
		m.t.Errorf("Broadcast: %v, want ErrUncertain", err)
	}
	m.mu.Lock()
	m.seqs = append(m.seqs, 0)
	m.mu.Unlock()
	synctest.Wait() // the node asks the clients to load the plan
	held.Deliver()
	synctest.Wait()
}

// publishing publishes n events while the caller goes on. The channel is closed at the end.
func (m *moveCluster) publishing(n int) <-chan struct{} {
	list := make([]*node, n)
	for i := range list {
		list[i] = m.ready()
	}
	over := make(chan struct{})
	m.wg.Go(func() {
		defer close(over)
		for _, n := range list {
			m.publishOn(n)
		}
	})
	return over
}

// another returns a node that is ready, and is not this one.
func (m *moveCluster) another(not *node) *node {
	for {
		if n := pick(m.rnd, m.nodes); n != not {
			n.awaitReady(m.t)
			return n
		}
	}
}

func (m *moveCluster) start() *node {
	m.started++
	n := startNode(m.t, m.store, fmt.Sprint("fresh-", m.started), m.o)
	m.nodes = append(m.nodes, n)
	return n
}

// crash ends a node without a word to the others.
func (m *moveCluster) crash(n *node) {
	m.remove(n)
	n.crash()
}

// shutdown ends a node as a deploy does.
func (m *moveCluster) shutdown(n *node) {
	m.t.Helper()
	m.remove(n)
	if err := n.Shutdown(m.t.Context()); err != nil {
		m.t.Errorf("Shutdown of %s: %v", n.opts.Node, err)
	}
}

func (m *moveCluster) remove(n *node) {
	m.nodes = slices.DeleteFunc(m.nodes, func(o *node) bool { return o == n })
}

// catchUp waits until the nodes that run have applied all records.
func (m *moveCluster) catchUp() {
	last := m.store.Window().Last
	for slices.ContainsFunc(m.nodes, func(n *node) bool { info, _ := n.Cluster(); return info.Applied < last }) {
		time.Sleep(100 * time.Millisecond)
	}
	synctest.Wait()
}

// trim removes all records from the log, which the nodes that run have applied.
func (m *moveCluster) trim() {
	m.catchUp()
	m.store.Trim(m.store.Window().Last + 1)
}

// moving is a client that moves between nodes and keeps plan p.
type moving struct {
	cluster *moveCluster

	member   *roomtest.Member
	node     *node
	at       protocol.Position // "" before the first join
	received map[int]bool      // events since the plan was loaded last, by ID
	loaded   int               // all events up to this one were in the plan then
	loads    int               // after the first one
	again    int               // events that came although they were loaded
}

func (c *moving) connect(n *node) {
	c.member, c.node = n.connect(c.cluster.t, "alice"), n
}

// cut ends the connection. What the client has not read is lost.
func (c *moving) cut() { c.member.Cut() }

// join joins the plan from where the client is, and repeats it while the node is not ready.
func (c *moving) join() {
	c.cluster.t.Helper()
	first := c.at.Epoch == ""
	for {
		var since *protocol.Position
		if !first {
			since = &c.at
		}
		joinLater(c.member, "p", since)
		msg := c.member.Next()
		if msg.Type == protocol.TypeError {
			continue
		}
		if msg.Type != protocol.TypeJoinPlan {
			c.cluster.t.Fatalf("got %s before the answer to a join", words(msg))
		}
		var a protocol.JoinAnswer
		mustDecode(c.cluster.t, msg, &a)
		switch {
		case !a.Recovered:
			c.load(a.Position)
		case a.Position != c.at:
			c.cluster.t.Errorf("the join since %v is recovered at %v", c.at, a.Position)
		}
		if first {
			c.loads = 0
		}
		return
	}
}

// load is what a client does that has to load the plan.
func (c *moving) load(at protocol.Position) {
	if c.at.Epoch != "" {
		c.check()
	}
	c.at = at
	c.loads++
	c.received = map[int]bool{}
	c.loaded = c.cluster.published()
}

// read takes everything that the node has written.
func (c *moving) read() {
	c.cluster.t.Helper()
	for _, msg := range unreadNow(c.cluster.t, c.member) {
		c.receive(msg)
	}
}

// readToEnd reads until the goodbye of a node that shuts down.
func (c *moving) readToEnd() {
	c.cluster.t.Helper()
	for {
		msg := c.member.Next()
		if msg.Type == protocol.TypeGoodbye {
			return
		}
		c.receive(msg)
	}
}

func (c *moving) receive(msg protocol.Message) {
	t := c.cluster.t
	t.Helper()
	switch msg.Type {
	case protocol.TypeResync:
		var r protocol.Resync
		mustDecode(t, msg, &r)
		c.load(r.Position)
	case protocol.TypeReceipt:
		c.at.Seq = max(c.at.Seq, msg.Seq)
	case protocol.TypeTaskUpdated:
		var data struct{ Task struct{ ID int } }
		if err := json.Unmarshal(msg.Data, &data); err != nil {
			t.Fatal(err)
		}
		switch id := data.Task.ID; {
		case c.received[id]:
			t.Errorf("event %d has come twice", id)
		case msg.Seq <= c.at.Seq || msg.Prev > c.at.Seq:
			t.Errorf("event %d has the seqs %d after %d, but the client is at %d", id, msg.Seq, msg.Prev, c.at.Seq)
		case id <= c.loaded:
			c.again++
			fallthrough
		default:
			c.received[id] = true
		}
		c.at.Seq = msg.Seq
	case protocol.TypeJoinPlan, protocol.TypeLeavePlan, protocol.TypePresenceUpdated: // of other users
	default:
		t.Errorf("got %s", words(msg))
	}
}

// check fails the test if the client misses an event up to its position.
func (c *moving) check() {
	c.cluster.t.Helper()
	for id, seq := range c.missing() {
		if seq > 0 && seq <= c.at.Seq {
			c.cluster.t.Errorf("event %d with the seq %d is lost: the client is at %d", id, seq, c.at.Seq)
		}
	}
}

// checkAll fails the test if the client misses any event.
func (c *moving) checkAll() {
	c.cluster.t.Helper()
	for id, seq := range c.missing() {
		c.cluster.t.Errorf("event %d with the seq %d has not come: the client is at %d", id, seq, c.at.Seq)
	}
}

// missing returns the seqs of the events that the client has neither received nor loaded, by ID.
func (c *moving) missing() map[int]uint64 {
	c.cluster.mu.Lock()
	defer c.cluster.mu.Unlock()
	list := map[int]uint64{}
	for i, seq := range c.cluster.seqs {
		if id := i + 1; id > c.loaded && !c.received[id] {
			list[id] = seq
		}
	}
	return list
}
