package tenure_test

import "github.com/planrooms/planrooms/room/internal/tenure"

// The rules that hold in every state.
const (
	ruleRevoke  = "once Revoke has returned, no server writes to the member"
	ruleEnded   = "a tenure that counts as ended is not live"
	ruleGone    = "a server that has beaten within the ttl is not gone"
	ruleReturns = "Revoke returns within the ttl if the servers are dead"
)

// world says what can happen in a model, and how often. A zero field means never.
type world struct {
	ttl     int16 // in ticks
	delay   int16 // ticks that the caller waits for the answer to a beat
	servers int   // that serve a member each: 1 or 2
	beats   uint8 // of each server
	records int   // that fit in the log

	begun     bool  // each server has a tenure at the beginning, and has applied its record
	ends      uint8 // a server ends its tenure: it lags
	times     bool  // states say when notes were stored, for the rule about servers that are gone
	late      bool  // a beat that was given up may be stored later
	twice     uint8 // a beat is stored twice
	stale     bool  // a list may show the note before the newest one
	lacking   bool  // a list may lack a node
	asleep    int16 // ticks that the monotonic clock of a server does not count
	trims     uint8 // records that leave the window, the ttl after they were stored
	opensLate bool  // the caller opens the log at any time
	others    uint8 // control records that do not concern the member
	recreates uint8 // the log is lost, and a new epoch begins
	forgets   bool  // with it all notes may be lost

	planted planted
	only    string // the one rule that is checked; "": all are
}

// state is one state of the model: a log, one or two servers, and the caller of Revoke. Only peers
// and wait have pointers. Steps that change them copy them first.
type state struct {
	core
	peers tenure.Peers
	wait  tenure.Wait
}

type core struct {
	t       int16
	log     [6]record
	last    uint8 // seq of the newest record
	first   uint8 // seq of the oldest record in the window
	epoch   int8
	trims   uint8
	others  uint8
	servers [2]server
	caller  caller
}

type record struct {
	server int8 // that appended its node record; or R, or other
	number uint8
	epoch  int8  // in which the node appended it
	at     int16 // when it was stored, in worlds that trim
}

const (
	recordR     int8 = -1 // the control record of Revoke
	recordOther int8 = -2 // one that does not concern the member
)

// server is a node whose member loses its access by R.
type server struct {
	own     tenure.Own
	asleep  int16
	epoch   int8
	applied uint8
	first   uint8 // of the window, as its last answer has shown it
	fenced  bool  // the member is removed: R was applied, or its access asked for after the call
	writes  int64 // by when a write to the member ends that may be under way; 0: none is
	ack     ack   // it sends this until it arrives

	beats, ends, twice uint8
	beat               beat
	late               note  // of a beat that was given up; 0: none
	appends            uint8 // bit n: the record of tenure n was sent to the log, and may be stored
	appendsBefore      uint8 // the same, sent in the epoch before

	stored stored // its note in the store
	before stored // the one before that
}

type ack struct {
	seq   uint8 // 0: none
	epoch int8
}

// note is what a server says of itself. sent is false for the zero note.
type note struct {
	sent   bool
	tenure uint8
	shut   bool
	fenced uint8
	epoch  int8
}

type stored struct {
	number uint8 // 0: none
	at     int16 // in worlds with times
	note   note
}

type stage int8

const (
	idle stage = iota
	asked
	read
)

type beat struct {
	stage stage
	at    tenure.Moment // when it was asked
	note  note
	first uint8 // of the window, as read
}

// caller is the node that calls Revoke.
type caller struct {
	opened   bool
	epoch    int8
	applied  uint8
	called   bool
	r        uint8 // seq of the last R it appended in this epoch; 0: none
	waiting  bool  // it has applied R
	returned bool

	stage stage
	asked int16
	shows [2]stored // what the list shows
	beat  [2]int16  // in worlds with times: when the newest notes were stored that the list could show
	whole bool      // it shows the newest note of the caller

	ghost [2]stored // for planted.earlyVerdict: since when lists show a number
}

// key is a state without what does not matter any more, and with times relative to now. So a state
// is the same at any time.
type key struct {
	core  core
	own   [2]tenure.OwnState
	peers tenure.PeersState
	wait  tenure.WaitState
}

func (w *world) key(s *state) key {
	k := key{core: s.core}
	k.core.t = 0
	for i := range k.core.servers {
		x, now := &k.core.servers[i], s.now(i)
		k.own[i] = x.own.State(now)
		x.own, x.writes = tenure.Own{}, max(x.writes-now.Mono, 0)
		x.stored.at, x.before.at = w.age(s, x.stored.at), w.age(s, x.before.at)
		if x.beat.stage != idle { // an answer after the ttl is of no use
			x.beat.at.Mono, x.beat.at.Wall = min(now.Mono-x.beat.at.Mono, int64(w.ttl)), min(now.Wall-x.beat.at.Wall, 3*int64(w.ttl))
		}
	}
	for i := range k.core.log {
		k.core.log[i].at = min(w.age(s, k.core.log[i].at), w.ttl+1)
	}
	y := &k.core.caller
	if y.returned {
		*y = caller{called: true, returned: true}
		return k
	}
	next := int64(s.t)
	if y.stage != idle {
		next = int64(y.asked)
	}
	k.peers, k.wait = s.peers.State(int64(s.t), next), s.wait.State()
	y.asked = w.age(s, y.asked)
	for i := range y.shows {
		y.beat[i] = w.age(s, y.beat[i])
		y.shows[i].at, y.ghost[i].at = 0, w.age(s, y.ghost[i].at)
	}
	return k
}

// age returns how long ago something happened; 0: never. More than twice the ttl is the same for
// all rules.
func (w *world) age(s *state, at int16) int16 {
	if at == 0 {
		return 0
	}
	return min(s.t-at, 2*w.ttl) + 1
}

func (w *world) begin() state {
	s := state{peers: tenure.NewPeers(int64(w.ttl))}
	s.t, s.first = 1, 1
	s.caller.opened = !w.opensLate
	for i := range w.servers {
		x := &s.servers[i]
		x.own, x.first = tenure.NewOwn(int64(w.ttl)), 1
		if w.begun {
			x.own.Answered(s.now(i), s.now(i))
			w.store(&s, i, x.note(s.now(i).Mono))
			w.record(&s, record{server: int8(i), number: 1})
			for x.applied < s.last {
				w.apply(&s, i)
			}
			w.write(&s, i)
		}
	}
	return s
}

// now reads the clocks of a server.
func (s *state) now(i int) tenure.Moment {
	return tenure.Moment{Mono: int64(s.t - s.servers[i].asleep), Wall: int64(s.t)}
}

// mayWrite reports whether a server would begin a write to its member now.
func (w *world) mayWrite(s *state, i int) bool {
	x := &s.servers[i]
	return !x.fenced && w.planted.open(&x.own, x.first, s.now(i))
}

// write begins a write to the member of a server, if it may. Its deadline is the end of the tenure.
// A server that removes the member waits for it.
func (w *world) write(s *state, i int) {
	x := &s.servers[i]
	switch {
	case x.fenced:
		x.writes = 0
	case w.mayWrite(s, i):
		pass := x.own.Pass(0)
		x.writes = max(x.writes, s.now(i).Mono+pass.Left(s.now(i)))
	}
}

// writing reports whether a server writes to its member now, or may begin to.
func (w *world) writing(s *state, i int) bool {
	return s.servers[i].writes > s.now(i).Mono || w.mayWrite(s, i)
}

// check returns which rule a state breaks; "": none.
func (w *world) check(s *state) string {
	checks := func(rule string) bool { return w.only == "" || w.only == rule }
	for i := range w.servers {
		if checks(ruleRevoke) && s.caller.returned && w.writing(s, i) {
			return ruleRevoke
		}
		own, name := s.servers[i].own, w.planted.name(i)
		w.planted.check(&own, s.now(i))
		if checks(ruleEnded) && s.peers.Ended(name) && own.Live(s.now(i).Mono) && own.Number() == s.peers.Newest(name) {
			return ruleEnded
		}
	}
	if checks(ruleReturns) && s.caller.waiting && !s.caller.returned && !w.returns(s) {
		return ruleReturns
	}
	return ""
}

// returns reports whether Revoke returns within a bound if the servers take no step any more, and
// the caller can read the log and the notes from now on.
func (w *world) returns(s *state) bool {
	c := *s
	c.peers, c.wait = s.peers.Clone(), s.wait.Clone()
	bound := c.t + w.ttl + 2
	for i := range w.servers {
		if c.servers[i].stored.number == 0 {
			bound = c.t + 5*w.ttl + 2
		}
	}
	c.caller.stage = idle
	for ; c.t <= bound; c.t++ {
		if c.epoch != c.caller.epoch {
			w.callerNotices(&c)
		}
		for c.caller.applied < c.last {
			w.callerApplies(&c)
		}
		if c.caller.r == 0 {
			return true // it appends R again
		}
		w.callerAsks(&c)
		w.callerReads(&c, c.stored())
		w.callerListed(&c)
		if w.over(&c); c.caller.returned {
			return true
		}
	}
	return false
}

// final reports whether nothing that the rules are about can happen any more.
func (w *world) final(s *state) bool {
	for i := range w.servers {
		if !s.servers[i].fenced {
			return false
		}
	}
	return true
}

func (s *state) stored() [2]stored { return [2]stored{s.servers[0].stored, s.servers[1].stored} }
