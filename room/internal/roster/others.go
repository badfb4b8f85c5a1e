package roster

import "iter"

// Others is what the other nodes list. Create it with [NewOthers].
type Others struct {
	table table
	peers map[string]*peer
}

// peer is another node.
type peer struct {
	source
	number uint64 // of the last delta in the list; all before it are in, too

	// Deltas that came after a gap, by number. lost is the highest number of one that was dropped;
	// the list is complete only after it.
	held  map[uint64]string
	lost  uint64
	bytes int // of held

	run run
}

// run is the newest whole list of a node of which pages have arrived.
type run struct {
	id     uint64
	number uint64 // the list was taken after this delta
	count  uint64 // of pages
	over   bool   // it was taken, or its list was old when it arrived
	pages  map[uint64]string
	bytes  int // of pages
}

// Bounds of the messages that wait for others, in bytes for each node.
const (
	// maxHeld is about a thousand times what a node sends in 50 ms. Beyond it, all held deltas are
	// dropped: a whole list replaces them.
	maxHeld = 1 << 20
	// maxRun is a list of about 500,000 users. A larger one is not taken.
	maxRun = 64 << 20
	// heldBytes is added for each message that waits.
	heldBytes = 64
)

// NewOthers returns the lists of no nodes.
func NewOthers() *Others {
	return &Others{table: newTable(true), peers: make(map[string]*peer)}
}

// Add adds a node with an empty list. Messages of nodes that were not added are ignored: the number
// in the next note of such a node shows that they are missing. It has no effect on a node that is
// there already.
func (x *Others) Add(node string) {
	if x.peers[node] == nil {
		x.peers[node] = &peer{source: source{name: node}}
	}
}

// Delta takes a delta that a node has sent. It returns the users about whom the node now lists
// something else. gap is whether something is missing before a delta that has arrived. The caller
// then asks the node for its whole list, unless it has asked a moment ago. It may wait some
// milliseconds before it asks, since deltas can overtake each other: Behind then reports whether
// the gap is still there.
func (x *Others) Delta(from string, body []byte) (changed []Change, gap bool) {
	p := x.peers[from]
	if p == nil {
		return nil, false
	}
	d := decoder{text: string(body)}
	number := d.uvarint()
	switch {
	case d.err != nil:
		return nil, true
	case number <= p.number:
		// It is in the list.
	case !d.valid():
		p.lost = max(p.lost, number)
	case number > p.number+1:
		p.hold(number, d.text)
	default:
		changed = x.apply(p, nil, number, d.text)
		changed = x.applyHeld(p, changed)
	}
	return changed, p.gap()
}

// hold keeps the entries of a delta for later.
func (p *peer) hold(number uint64, entries string) {
	if _, ok := p.held[number]; ok {
		return
	}
	if p.bytes+len(entries)+heldBytes > maxHeld {
		p.lost = max(p.lost, number)
		for n := range p.held {
			p.lost = max(p.lost, n)
		}
		p.held, p.bytes = nil, 0
		return
	}
	if p.held == nil {
		p.held = make(map[uint64]string)
	}
	p.held[number] = entries
	p.bytes += len(entries) + heldBytes
}

// gap reports whether a delta is missing before one that has arrived.
func (p *peer) gap() bool { return len(p.held) > 0 || p.lost > p.number }

// apply takes over the entries of the delta that comes next.
func (x *Others) apply(p *peer, changed []Change, number uint64, entries string) []Change {
	p.number = number
	d := decoder{text: entries}
	for e := range d.entries {
		changed = x.take(p, changed, e)
	}
	return changed
}

// applyHeld takes over the held deltas that follow the list, and drops those that are in it.
func (x *Others) applyHeld(p *peer, changed []Change) []Change {
	for number, entries := range p.held {
		if number <= p.number {
			p.drop(number, entries)
		}
	}
	for len(p.held) > 0 {
		number := p.number + 1
		entries, ok := p.held[number]
		if !ok {
			break
		}
		changed = x.apply(p, changed, number, entries)
		p.drop(number, entries)
	}
	if p.run.number <= p.number {
		p.run = run{id: p.run.id, over: true}
	}
	return changed
}

func (p *peer) drop(number uint64, entries string) {
	delete(p.held, number)
	p.bytes -= len(entries) + heldBytes
}

// take applies one entry.
func (x *Others) take(p *peer, changed []Change, e *entry) []Change {
	if !e.valid() {
		return changed
	}
	if e.gone {
		l := x.table.first(e.plan, e.person.UserID).of(&p.source)
		if l == nil {
			return changed
		}
		x.table.remove(l)
		return append(changed, Change{l.plan.id, l.userID})
	}
	l, differs := x.table.put(&p.source, e.plan, &e.person)
	l.mark = p.mark
	if !differs {
		return changed
	}
	return append(changed, Change{l.plan.id, l.userID})
}

// Page takes a page of the whole list of a node. The list counts once all pages of one run, a call
// of [Own.Pages], are there; a newer run replaces an older one. It returns the users about whom the
// node now lists something else. again is whether a whole list is still needed although this one
// has arrived: the caller asks again. If pages are lost, Behind remains true.
func (x *Others) Page(from string, body []byte) (changed []Change, again bool) {
	p := x.peers[from]
	if p == nil {
		return nil, false
	}
	d := decoder{text: string(body)}
	r := run{id: d.uvarint(), number: d.uvarint()}
	page := d.uvarint()
	r.count = d.uvarint()
	if d.err != nil || page == 0 || page > r.count || !d.valid() || r.id < p.run.id {
		return nil, false
	}
	if r.id > p.run.id {
		if p.run = r; r.number <= p.number {
			p.run.over = true // it does not help any more
			return nil, p.gap()
		}
	}
	if p.run.over || r.number != p.run.number || r.count != p.run.count || !p.run.add(page, d.text) {
		return nil, false
	}
	return x.takeRun(p), p.gap()
}

// add adds the entries of a page, and reports whether the run is complete.
func (r *run) add(page uint64, entries string) (complete bool) {
	size := len(entries) + heldBytes
	if _, ok := r.pages[page]; ok || r.bytes+size > maxRun {
		return false
	}
	if r.pages == nil {
		r.pages = make(map[uint64]string)
	}
	r.pages[page] = entries
	r.bytes += size
	return uint64(len(r.pages)) == r.count
}

// takeRun makes a complete run the list of the node, and goes on with the deltas that follow it.
func (x *Others) takeRun(p *peer) (changed []Change) {
	p.mark++
	for _, entries := range p.run.pages {
		changed = x.apply(p, changed, p.run.number, entries)
	}
	for i := len(p.listings) - 1; i >= 0; i-- {
		if l := p.listings[i]; l.mark != p.mark {
			x.table.remove(l)
			changed = append(changed, Change{l.plan.id, l.userID})
		}
	}
	return x.applyHeld(p, changed)
}

// Behind reports whether something is missing of what a node has sent, up to the delta with a
// number: the one in a note of the node, or 0. The caller then asks the node for its whole list.
// It is false for a node that was not added.
func (x *Others) Behind(from string, number uint64) bool {
	p := x.peers[from]
	return p != nil && (number > p.number || p.gap())
}

// Gone removes a node with all that it lists, and returns the users whom it listed.
func (x *Others) Gone(from string) (changed []Change) {
	p := x.peers[from]
	if p == nil {
		return nil
	}
	delete(x.peers, from)
	changed = make([]Change, 0, len(p.listings))
	for len(p.listings) > 0 {
		l := p.listings[len(p.listings)-1]
		x.table.remove(l)
		changed = append(changed, Change{l.plan.id, l.userID})
	}
	return changed
}

// Merged returns what the other nodes list about a user in a plan, together.
func (x *Others) Merged(plan, userID string) (_ Person, ok bool) {
	l := x.table.first(plan, userID)
	if l == nil {
		return Person{}, false
	}
	return l.merged(), true
}

// Plan iterates over the users whom other nodes list in a plan, in no particular order. The lists
// must not change meanwhile.
func (x *Others) Plan(plan string) iter.Seq[Person] { return x.table.inPlan(plan) }

// Count returns how many users the other nodes list in a plan.
func (x *Others) Count(plan string) int { return x.table.count(plan) }

// Nodes returns the names of the nodes that list a user in a plan, in no particular order.
func (x *Others) Nodes(plan, userID string) (names []string) {
	for l := x.table.first(plan, userID); l != nil; l = l.next {
		names = append(names, l.by.name)
	}
	return names
}

// Bytes returns about how much memory the lists use, with the messages that wait for others.
func (x *Others) Bytes() int {
	n := x.table.bytes
	for _, p := range x.peers {
		n += p.bytes + p.run.bytes
	}
	return n
}
