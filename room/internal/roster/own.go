package roster

// Own is what this node lists, and what it has yet to send about it. Create it with [NewOwn].
type Own struct {
	table table
	self  source

	number  uint64 // of the last delta
	runs    uint64 // counts calls of Pages
	changed []Change
	queued  map[Change]struct{} // the elements of changed
	encoder encoder
}

// NewOwn returns an empty list.
func NewOwn() *Own {
	return &Own{table: newTable(false), queued: make(map[Change]struct{})}
}

// Set makes p the person of this node in a plan. Nothing is sent for a person that is unchanged.
// It keeps p.State.
func (o *Own) Set(plan string, p Person) {
	if l, changed := o.table.put(&o.self, plan, &p); changed {
		o.queue(Change{plan, l.userID})
	}
}

// Remove removes a user of a plan from the list.
func (o *Own) Remove(plan, userID string) {
	if l := o.table.first(plan, userID); l != nil {
		o.table.remove(l)
		o.queue(Change{plan, userID})
	}
}

func (o *Own) queue(c Change) {
	if _, queued := o.queued[c]; !queued {
		o.queued[c] = struct{}{}
		o.changed = append(o.changed, c)
	}
}

// Delta returns the next delta: what has changed since the one before. Several changes of a person
// are one. A delta has at most maxBytes, or one entry: the caller calls Delta until ok is false,
// which means that nothing is left. It sends the deltas to all other nodes.
func (o *Own) Delta(maxBytes int) (body []byte, ok bool) {
	if len(o.changed) == 0 {
		return nil, false
	}
	o.number++
	o.encoder.start(o.number)
	n := 0
	for _, c := range o.changed {
		if !o.encoder.add(c.Plan, c.UserID, o.table.first(c.Plan, c.UserID), maxBytes) {
			break
		}
		delete(o.queued, c)
		n++
	}
	if o.changed = o.changed[n:]; len(o.changed) == 0 {
		o.changed, o.queued = nil, make(map[Change]struct{}) // releases the memory of a burst
	}
	return o.encoder.body, true
}

// Number returns the number of the last delta, 0 before the first. The node puts it in its notes.
func (o *Own) Number() uint64 { return o.number }

// Pages returns the whole list as it is after the last delta, in pages of at most maxBytes or one
// entry each. There is at least one page. The caller sends them to the node that asked.
func (o *Own) Pages(maxBytes int) [][]byte {
	// Changes that are not in a delta yet are in the list already. The next delta repeats them,
	// which changes nothing.
	o.runs++
	const header = 4 * 10 // bytes of the four numbers, at most
	var parts [][]byte
	e := &o.encoder
	e.start()
	for _, p := range o.table.plans {
		for _, l := range p.people {
			if !e.add(p.id, l.userID, l, maxBytes-header) {
				parts = append(parts, e.body)
				e.start()
				e.add(p.id, l.userID, l, maxBytes-header)
			}
		}
	}
	parts = append(parts, e.body)
	for i, entries := range parts {
		e.start(o.runs, o.number, uint64(i+1), uint64(len(parts)))
		parts[i] = append(e.body, entries...)
	}
	e.start()
	return parts
}

// Bytes returns about how much memory the list uses.
func (o *Own) Bytes() int {
	return o.table.bytes + len(o.changed)*changeBytes
}

// changeBytes is the memory of a queued change, with its place in a map.
const changeBytes = 32 + 44
