package room

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/internal/roster"
)

// rosters keeps the participants equal on all nodes of a cluster: it sends the other nodes what
// this hub lists, and takes what they list. Package roster has the rules. A room takes over from it
// the users of its plan; see presence_cluster.go.
//
//	share ── sends changes, requests for whole lists, and such lists
//	take  ── messages of other nodes
//	beat  ── which nodes are present, and what they have sent; called by the cluster
type rosters struct {
	// Fixed at creation.
	ctx     context.Context
	ready   <-chan struct{} // closed when messages can be sent
	send    func(to string, kind record.MessageKind, body []byte)
	changed func(planID string, userIDs []string) // what other nodes list; called without a lock
	broken  func(panicked any)
	count   func(bytes int) // adds to the memory that the hub uses
	inbox   *backlog[rosterMessage]
	wake    chan struct{} // wakes share

	node atomic.Pointer[string] // name of this node

	mu      sync.Mutex // guards the following; taken after room.mu
	own     *roster.Own
	others  *roster.Others
	peers   map[string]*rosterPeer // the nodes in others
	askers  []string               // nodes that have asked for the list of this one
	counted int                    // bytes, by count
}

// rosterMessage is a message of another node.
type rosterMessage struct {
	from string
	kind record.MessageKind
	body []byte
}

// rosterPeer is another node that is present.
type rosterPeer struct {
	said  uint64    // the number of its last delta, from its notes
	asked time.Time // when its list was asked for last
}

const (
	// shareEvery is the time in which changes are gathered, and deltas that overtake each other
	// arrive.
	shareEvery = 25 * time.Millisecond
	// askEvery is the time between two requests for the list of the same node.
	askEvery       = time.Second
	maxRosterBody  = 48 << 10 // of a message
	maxRosterInbox = 4096     // messages that wait, of maxBacklog bytes in all; further ones are dropped
	maxAskers      = 1024
	relistBatch    = 256 // users of a plan that are taken over under the lock of a room
)

func newRosters(ctx context.Context) *rosters {
	x := &rosters{
		ctx: ctx, own: roster.NewOwn(), others: roster.NewOthers(), peers: make(map[string]*rosterPeer),
		inbox: newBacklog[rosterMessage](maxRosterInbox), wake: make(chan struct{}, 1),
	}
	x.node.Store(new(string))
	return x
}

// name returns the name of this node.
func (x *rosters) name() string { return *x.node.Load() }

// list makes p what this hub lists in a plan.
func (x *rosters) list(planID string, p roster.Person) {
	x.mu.Lock()
	x.own.Set(planID, p)
	x.countLocked()
	x.mu.Unlock()
	x.kick()
}

// delist ends that this hub lists a user in a plan.
func (x *rosters) delist(planID, userID string) {
	x.mu.Lock()
	x.own.Remove(planID, userID)
	x.countLocked()
	x.mu.Unlock()
	x.kick()
}

// number returns how many deltas this node has sent, for its notes.
func (x *rosters) number() uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.own.Number()
}

// merged returns what the other nodes list about a user, or nil.
func (x *rosters) merged(planID, userID string) *roster.Person {
	x.mu.Lock()
	defer x.mu.Unlock()
	if p, ok := x.others.Merged(planID, userID); ok {
		return &p
	}
	return nil
}

// in returns the users whom the other nodes list in a plan, in the order of their joins.
func (x *rosters) in(planID string) []roster.Person {
	x.mu.Lock()
	list := slices.AppendSeq(make([]roster.Person, 0, x.others.Count(planID)), x.others.Plan(planID))
	x.mu.Unlock()
	slices.SortStableFunc(list, func(a, b roster.Person) int { return a.JoinedAt.Compare(b.JoinedAt) })
	return list
}

// countIn returns how many users the other nodes list in a plan.
func (x *rosters) countIn(planID string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.others.Count(planID)
}

func (x *rosters) countLocked() {
	n := x.own.Bytes() + x.others.Bytes()
	x.count(n - x.counted)
	x.counted = n
}

// kick wakes share.
func (x *rosters) kick() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// share sends what there is to send, at most once in shareEvery, until the cluster ends.
func (x *rosters) share() {
	select {
	case <-x.ready:
	case <-x.ctx.Done():
		return
	}
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-x.wake:
		case <-x.ctx.Done():
			return
		}
		t.Reset(shareEvery)
		select {
		case <-t.C:
		case <-x.ctx.Done():
			return
		}
		x.sendDeltas()
		for _, node := range x.incomplete() {
			x.send(node, record.MessagePresenceAsk, nil)
		}
		x.sendPages()
	}
}

func (x *rosters) sendDeltas() {
	for x.ctx.Err() == nil {
		x.mu.Lock()
		body, ok := x.own.Delta(maxRosterBody)
		x.countLocked()
		x.mu.Unlock()
		if !ok {
			return
		}
		x.send("", record.MessagePresence, body)
	}
}

// incomplete returns the nodes of which something is missing, and that have not been asked for it
// within askEvery.
func (x *rosters) incomplete() (nodes []string) {
	now := time.Now()
	x.mu.Lock()
	defer x.mu.Unlock()
	for name, p := range x.peers {
		if x.others.Behind(name, p.said) && now.Sub(p.asked) >= askEvery {
			p.asked = now
			nodes = append(nodes, name)
		}
	}
	return nodes
}

// sendPages sends the whole list to the nodes that have asked for it.
func (x *rosters) sendPages() {
	x.mu.Lock()
	askers := x.askers
	x.askers = nil
	var pages [][]byte
	if len(askers) > 0 {
		pages = x.own.Pages(maxRosterBody)
	}
	x.mu.Unlock()
	for _, node := range askers {
		for _, page := range pages {
			if x.ctx.Err() != nil {
				return
			}
			x.send(node, record.MessagePresencePage, page)
		}
	}
}

// receive takes a message of another node. It does not block. If it drops the message, the lists
// show a gap, and this node asks for the whole list.
func (x *rosters) receive(from string, kind record.MessageKind, body []byte) {
	x.inbox.add(rosterMessage{from, kind, body}, len(body))
}

// take handles messages until the cluster ends.
func (x *rosters) take() {
	for {
		select {
		case m := <-x.inbox.queue:
			x.handle(&m)
			x.inbox.handled(len(m.body))
		case <-x.ctx.Done():
			return
		}
	}
}

func (x *rosters) handle(m *rosterMessage) {
	defer func() {
		if v := recover(); v != nil {
			x.broken(v)
		}
	}()
	x.notify(x.handleLists(m))
}

// handleLists takes a message into the lists, and returns the users about whom another node lists
// something else.
func (x *rosters) handleLists(m *rosterMessage) (changed []roster.Change) {
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.countLocked()
	missing := false
	switch m.kind {
	case record.MessagePresence:
		changed, missing = x.others.Delta(m.from, m.body)
	case record.MessagePresencePage:
		changed, missing = x.others.Page(m.from, m.body)
	case record.MessagePresenceAsk:
		if missing = len(x.askers) < maxAskers && !slices.Contains(x.askers, m.from); missing {
			x.askers = append(x.askers, m.from)
		}
	}
	if missing {
		x.kick()
	}
	return changed
}

// add adds a node that is present. A beat would add it, too, but later.
func (x *rosters) add(node string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.addLocked(node)
}

func (x *rosters) addLocked(node string) *rosterPeer {
	p := x.peers[node]
	if p == nil {
		p = &rosterPeer{}
		x.peers[node] = p
		x.others.Add(node)
	}
	return p
}

// beat takes the nodes that are present, sorted, and the numbers that all nodes have put in their
// notes. Nodes that are not present any more are dropped if the list is complete.
func (x *rosters) beat(node string, present []string, said map[string]uint64, complete bool) {
	x.node.Store(&node)
	x.notify(x.beatLists(node, present, said, complete))
	x.kick()
}

func (x *rosters) beatLists(node string, present []string, said map[string]uint64, complete bool) (changed []roster.Change) {
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.countLocked()
	for _, name := range present {
		if name == node {
			continue
		}
		p := x.addLocked(name)
		p.said = max(p.said, said[name])
	}
	if complete {
		for name := range maps.Keys(x.peers) {
			_, listed := slices.BinarySearch(present, name)
			if name == node || !listed {
				delete(x.peers, name)
				changed = append(changed, x.others.Gone(name)...)
			}
		}
	}
	return changed
}

// notify calls changed for the users about whom another node lists something else.
func (x *rosters) notify(changes []roster.Change) {
	slices.SortStableFunc(changes, func(a, b roster.Change) int { return strings.Compare(a.Plan, b.Plan) })
	for len(changes) > 0 {
		plan := changes[0].Plan
		var users []string
		for len(changes) > 0 && changes[0].Plan == plan && len(users) < relistBatch {
			users = append(users, changes[0].UserID)
			changes = changes[1:]
		}
		x.changed(plan, users)
	}
}
