package room_test

import (
	"math"
	"slices"
	"testing/synctest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/roomtest"
)

// clusterClient is a browser tab: it keeps its plans while it changes nodes.
type clusterClient struct {
	user  string
	views map[string]*clusterView

	*peer // the connection; nil if there is none
	node  *clusterNode

	// Of this connection, guarded by clusterSim.mu, as are changes of peer.
	cutoff    int64           // of Disconnect: no event may end behind it; 0: none
	barrier   map[string]span // by plan: where the user had no access
	committed map[int64]int   // how many events the host had when the message that ends there was read
}

// span is the part of what a connection has been written after the byte from, up to the byte to.
type span struct{ from, to int64 }

func (s span) has(end int64) bool { return end > s.from && end <= s.to }

// clusterView is what a client knows of a plan.
type clusterView struct {
	wanted bool // the user looks at it
	joined bool // on this connection
	vague  bool // a repeated join was refused: it may be joined or not
	pos    protocol.Position
	asked  map[protocol.Position]bool // the positions of the joins on this connection
	has    map[int]bool               // events that have arrived
	loaded int                        // all events up to this one were in the plan when it was loaded last
	// Arrived behind a newer event although the host does not know whether it is stored: the plan
	// has to be loaded again. nil: none.
	late *clusterEvent
}

func (c *clusterClient) who() string { return c.user + "@" + c.node.name }

func (c *clusterClient) isOpen() bool { return c.peer != nil && !c.isClosed() }

func (c *clusterClient) view(plan string) *clusterView {
	v := c.views[plan]
	if v == nil {
		v = &clusterView{has: map[int]bool{}, asked: map[protocol.Position]bool{}}
		c.views[plan] = v
	}
	return v
}

// load is what a client does that loads the plan: it has all that the host had committed.
func (v *clusterView) load(committed int) {
	v.loaded, v.late = committed, nil
	clear(v.has)
}

// covers reports whether the client knows of an event.
func (v *clusterView) covers(e *clusterEvent) bool { return e.id <= v.loaded || v.has[e.id] }

func (s *clusterSim) addClient() {
	s.clients = append(s.clients, &clusterClient{user: pick(s.rnd, s.users), views: map[string]*clusterView{}})
}

// connect connects a client to a node, and joins the plans that it has.
func (s *clusterSim) connect(c *clusterClient, n *clusterNode) {
	if c.peer != nil {
		if c.isStalled() && s.rnd.IntN(2) == 0 {
			c.unstall()
			synctest.Wait()
		}
		s.receiveAll(c)
		s.drop(c)
	}
	p := newPeer(1, 1+s.rnd.IntN(600))
	p.opts.Blocking = s.rnd.IntN(3) == 0
	committed := map[int64]int{}
	p.opts.OnMessage = func(m roomtest.Received) {
		if m.Type == protocol.TypeResync || m.Type == protocol.TypeJoinPlan {
			s.mu.Lock()
			defer s.mu.Unlock()
			committed[m.End] = len(s.events)
		}
	}
	s.mu.Lock()
	c.peer, c.node, c.cutoff, c.barrier, c.committed = p, n, 0, map[string]span{}, committed
	for at := range s.revoked {
		if at.user == c.user {
			c.barrier[at.plan] = span{0, math.MaxInt64}
		}
	}
	s.mu.Unlock()
	s.note("%s connects", c.who())
	for _, v := range c.views {
		v.joined, v.vague = false, false
		clear(v.asked)
	}
	if err := p.connect(n.Hub, auth.Identity{UserID: c.user, Name: c.user}, "", nil); err != nil {
		s.note("%s: Connect: %v", c.who(), err)
		s.drop(c)
		return
	}
	for _, plan := range s.plans {
		if v := c.view(plan); v.wanted {
			s.ask(c, plan)
		}
	}
	synctest.Wait()
}

// ask joins a plan, from where the client is.
func (s *clusterSim) ask(c *clusterClient, plan string) {
	v := c.view(plan)
	v.wanted = true
	var since *protocol.Position
	if v.pos.Epoch != "" {
		at := v.pos
		since = &at
		v.asked[at] = true
	}
	s.note("%s joins %s since %v", c.who(), plan, since)
	c.peer.join(plan, since)
}

// drop ends the connection without a word.
func (s *clusterSim) drop(c *clusterClient) {
	if c.peer == nil {
		return
	}
	c.end(protocol.CloseAbnormal)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.peer = nil
}

// withClient calls f with a client that is connected.
func (s *clusterSim) withClient(f func(*clusterClient)) {
	open := slices.DeleteFunc(slices.Clone(s.clients), func(c *clusterClient) bool { return !c.isOpen() })
	if len(open) > 0 {
		f(pick(s.rnd, open))
	}
}

// move connects a client to a node, again or for the first time.
func (s *clusterSim) move() {
	if len(s.clients) < 8 && s.rnd.IntN(4) == 0 {
		s.addClient()
	}
	c := pick(s.rnd, s.clients)
	s.connect(c, pick(s.rnd, s.nodes))
	if c.peer != nil && s.rnd.IntN(2) == 0 {
		s.ask(c, pick(s.rnd, s.plans))
	}
}

// join joins a plan, for the first time or again.
func (s *clusterSim) join() {
	s.withClient(func(c *clusterClient) { s.ask(c, pick(s.rnd, s.plans)) })
}

// page loads a plan from one node and joins it on another one, as a new page does.
func (s *clusterSim) page() {
	s.withClient(func(c *clusterClient) {
		plan, n := pick(s.rnd, s.plans), pick(s.rnd, s.nodes)
		s.receiveAll(c)
		v := c.view(plan)
		if v.joined || v.vague {
			return
		}
		at, err := n.Position(s.t.Context(), plan)
		if err != nil {
			return
		}
		s.note("%s loads %s at %v of %s", c.who(), plan, at, n.name)
		s.mu.Lock()
		v.load(len(s.events))
		s.mu.Unlock()
		v.pos = at
		s.ask(c, plan)
	})
}

func (s *clusterSim) leave() {
	s.withClient(func(c *clusterClient) {
		plan := pick(s.rnd, s.plans)
		s.note("%s leaves %s", c.who(), plan)
		c.view(plan).wanted = false
		c.peer.leave(plan)
	})
}

func (s *clusterSim) stall() {
	s.withClient(func(c *clusterClient) {
		s.note("%s stalls", c.who())
		c.stall()
	})
}

func (s *clusterSim) unstall() {
	for _, c := range s.clients {
		if c.peer != nil && c.isStalled() && s.rnd.IntN(2) == 0 {
			s.note("%s reads again", c.who())
			c.unstall()
		}
	}
}

func (s *clusterSim) sip() {
	for _, c := range s.clients {
		if c.peer != nil && c.isStalled() {
			c.peer.sip(1 + s.rnd.IntN(500))
		}
	}
}
