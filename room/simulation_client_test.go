package room_test

import (
	"errors"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// client is one simulated connection with the state of its client.
type client struct {
	*peer
	user, name string // name is the client id
	id         string
	views      map[string]*view
	// Bytes of the stream after which no event of the plan may follow, until a new join.
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

func (c *client) who() string { return c.user + "/" + c.name + "/" + c.id[:4] }

func (c *client) view(planID string) *view {
	if c.views[planID] == nil {
		c.views[planID] = &view{}
	}
	return c.views[planID]
}

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
			s.failLocked("%s: an event before the observer was called for the join", c.who())
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
		s.fail("connection %d of %s was accepted", before+1, user)
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
		if code := s.receiveAll(replaces); code != protocol.CloseReplaced || !replaces.isClosed() {
			s.fail("%s was not replaced but got %d", replaces.who(), code)
		}
	}
}

// ending reports whether the connection ended, or was about to, for another reason.
func (s *sim) ending(c *client) bool { return c.isClosed() && s.codes[c.id] != 0 }

func (s *sim) stall(c *client) {
	s.note("stall %s", c.who())
	c.stall()
	c.vague = true
	for _, plan := range s.plans {
		c.behind[plan] = c.behind[plan] || s.lossy
		c.view(plan).ownUnknown = true
	}
}

// unstall lets one or all stalled clients read again.
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
