package roster

import (
	"bytes"
	"iter"
	"slices"
	"strings"
	"time"
)

// table holds listings, by plan and user.
type table struct {
	plans  map[string]*plan
	people map[key]*listing // the first of the listings of each user in each plan
	bytes  int              // memory, approximately

	// clone is whether strings are copied, because they are parts of a larger message.
	clone bool
}

type key struct {
	plan   *plan
	userID string
}

// plan holds the users of one plan; it has at least one.
type plan struct {
	id     string
	people []*listing // the first of the listings of each user, in no order
}

// listing is what one node lists about a user in a plan.
type listing struct {
	next *listing // of the same user in the same plan, by another node
	by   *source
	plan *plan

	userID   string
	userName string
	nameAt   uint64
	joinedAt int64 // nanoseconds since 1970; 0: unknown
	state    *state
	conns    int32

	inPlan   uint32 // index in plan.people, of the first listing of a user
	inSource uint32 // index in by.listings
	mark     uint32 // by.mark when the listing was last part of a whole list
}

type state struct {
	json []byte
	at   uint64
}

// source is a node with all that it lists.
type source struct {
	name     string
	listings []*listing // in no order
	mark     uint32     // counts the whole lists that were taken
}

// Memory of the structs with their places in maps and slices, measured with maps that are three
// quarters full.
const (
	listingBytes = 96 + 12
	personBytes  = 12 + 56 // of each user in each plan, however many nodes list the user
	stateBytes   = 32 + 8
	planBytes    = 48 + 8 + 36
	stringBytes  = 8 // per string, what the allocator rounds up
)

func newTable(clone bool) table {
	return table{plans: make(map[string]*plan), people: make(map[key]*listing), clone: clone}
}

// first returns the first listing of a user in a plan, or nil.
func (t *table) first(planID, userID string) *listing {
	if p := t.plans[planID]; p != nil {
		return t.people[key{p, userID}]
	}
	return nil
}

// of returns the listing of one node among those of a user, or nil.
func (l *listing) of(by *source) *listing {
	for ; l != nil && l.by != by; l = l.next {
	}
	return l
}

// put makes p what a node lists. It returns the listing and whether that is a change.
func (t *table) put(by *source, planID string, p *Person) (l *listing, changed bool) {
	first := t.first(planID, p.UserID)
	if l = first.of(by); l == nil {
		l, changed = t.add(by, planID, p.UserID, first), true
	}
	if l.userName != p.UserName {
		t.bytes += len(p.UserName) - len(l.userName)
		l.userName, changed = t.keepName(first, p.UserName), true
	}
	joinedAt, conns := int64(0), clipConnections(p.Connections)
	if !p.JoinedAt.IsZero() {
		joinedAt = p.JoinedAt.UnixNano()
	}
	if l.nameAt != p.NameAt || l.joinedAt != joinedAt || l.conns != conns {
		l.nameAt, l.joinedAt, l.conns, changed = p.NameAt, joinedAt, conns, true
	}
	return l, t.putState(l, p) || changed
}

func (t *table) putState(l *listing, p *Person) (changed bool) {
	switch s := l.state; {
	case s == nil && p.State == nil:
		return false
	case s != nil && p.State != nil && s.at == p.StateAt && bytes.Equal(s.json, p.State):
		return false
	}
	t.bytes -= l.state.bytes()
	if l.state = nil; p.State != nil {
		l.state = &state{json: p.State, at: p.StateAt}
	}
	t.bytes += l.state.bytes()
	return true
}

func (s *state) bytes() int {
	if s == nil {
		return 0
	}
	return stateBytes + len(s.json)
}

// add creates a listing of a user of whom first is the first one, if there is any.
func (t *table) add(by *source, planID, userID string, first *listing) *listing {
	l := &listing{by: by, inSource: uint32(len(by.listings)), mark: by.mark}
	by.listings = append(by.listings, l)
	t.bytes += listingBytes
	if first != nil { // behind it
		l.userID, l.plan = first.userID, first.plan
		l.next, first.next = first.next, l
		return l
	}
	p := t.plans[planID]
	if p == nil {
		p = &plan{id: t.keep(planID)}
		t.plans[p.id] = p
		t.bytes += planBytes + stringBytes + len(p.id)
	}
	l.userID, l.plan, l.inPlan = t.keep(userID), p, uint32(len(p.people))
	t.bytes += personBytes + 2*stringBytes + len(userID)
	p.people = append(p.people, l)
	t.people[key{p, l.userID}] = l
	return l
}

// keepName returns a name to store; the nodes that list a user mostly have the same one.
func (t *table) keepName(first *listing, name string) string {
	if first != nil && first.userName == name {
		return first.userName
	}
	return t.keep(name)
}

func (t *table) keep(s string) string {
	if t.clone {
		return strings.Clone(s)
	}
	return s
}

// remove takes a listing out.
func (t *table) remove(l *listing) {
	t.bytes -= listingBytes + len(l.userName) + l.state.bytes()
	moved := cut(&l.by.listings, l.inSource)
	moved.inSource = l.inSource

	k := key{l.plan, l.userID}
	first := t.people[k]
	switch {
	case first != l:
		for first.next != l {
			first = first.next
		}
		first.next = l.next
	case l.next != nil:
		l.next.inPlan = l.inPlan
		l.plan.people[l.inPlan], t.people[k] = l.next, l.next
	default:
		delete(t.people, k)
		t.bytes -= personBytes + 2*stringBytes + len(l.userID)
		moved := cut(&l.plan.people, l.inPlan)
		moved.inPlan = l.inPlan
		if len(l.plan.people) == 0 {
			delete(t.plans, l.plan.id)
			t.bytes -= planBytes + stringBytes + len(l.plan.id)
		}
	}
}

// cut removes an element and puts the last one, which it returns, in its place.
func cut(list *[]*listing, i uint32) (moved *listing) {
	s := *list
	last := len(s) - 1
	moved = s[last]
	s[i], s[last] = moved, nil
	if s = s[:last]; cap(s) > 64 && last < cap(s)/4 {
		s = slices.Clip(slices.Clone(s)) // the rest is a small part of what there was
	}
	*list = s
	return moved
}

// person returns what one node lists.
func (l *listing) person() Person {
	p := Person{UserID: l.userID, UserName: l.userName, NameAt: l.nameAt, NameBy: l.by.name, Connections: int(l.conns)}
	if l.joinedAt != 0 {
		p.JoinedAt = time.Unix(0, l.joinedAt)
	}
	if l.state != nil {
		p.State, p.StateAt, p.StateBy = l.state.json, l.state.at, l.by.name
	}
	return p
}

// merged returns what all nodes list together; l is the first listing of a user.
func (l *listing) merged() Person {
	p := l.person()
	for l = l.next; l != nil; l = l.next {
		p.Merge(l.person())
	}
	return p
}

// inPlan iterates over the users of a plan.
func (t *table) inPlan(planID string) iter.Seq[Person] {
	return func(yield func(Person) bool) {
		p := t.plans[planID]
		if p == nil {
			return
		}
		for _, l := range p.people {
			if !yield(l.merged()) {
				return
			}
		}
	}
}

// count returns the number of users in a plan.
func (t *table) count(planID string) int {
	if p := t.plans[planID]; p != nil {
		return len(p.people)
	}
	return 0
}

const maxConnections = 1 << 20 // of a person in one listing

func clipConnections(n int) int32 { return int32(min(max(n, 0), maxConnections)) }
