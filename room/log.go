package room

import "slices"

// log is the bounded history of one room and, between its events, the presence notices that some
// member has not received. One index orders both; a cursor is an index.
//
// Events are bounded by number, bytes and age. The oldest are dropped first, whether they have been
// delivered or not: a cursor before tail has missed some. Notices are not missed: they stay until
// every cursor has passed them, or a newer notice of the same user has replaced them.
type log struct {
	events  ring
	notices []*notice // ordered; superseded ones are nil
	latest  map[string]*latestNotices
	live    int    // notices that are not nil
	next    uint64 // index of the next entry
	tail    uint64 // every event with a lower index is gone
	base    uint64 // seq before the oldest event held
	last    uint64 // seq of the newest event ever appended
	bytes   int    // cost of all events
}

// end is the place after the newest entry.
func (l *log) end() mark { return mark{l.next, l.last} }

// held returns how many bytes of memory the events take, with the free slots of the ring.
func (l *log) held() int { return l.bytes + l.events.slack() }

// latestNotices is what a newer notice of the same user supersedes.
type latestNotices struct{ membership, state uint64 } // index+1 in the log; 0 is none

func (l *log) appendEvent(e entry) {
	e.index, e.prev = l.next, l.last
	l.next++
	l.last = e.seq
	l.bytes += e.cost()
	l.events.push(e)
}

func (l *log) appendNotice(e *notice) {
	e.index = l.next
	l.next++
	if l.latest == nil {
		l.latest = make(map[string]*latestNotices)
	}
	ln := l.latest[e.subject]
	if ln == nil {
		ln = &latestNotices{}
		l.latest[e.subject] = ln
	}
	switch e.kind {
	case noticeState:
		l.dropNotice(ln.state)
		ln.state = e.index + 1
	default: // a join or a leave supersedes all of its user before it; a count, the count before it
		l.dropNotice(ln.state)
		l.dropNotice(ln.membership)
		ln.state, ln.membership = 0, e.index+1
	}
	if len(l.notices) > 2*l.live+32 { // mostly superseded ones
		l.notices = slices.DeleteFunc(l.notices, func(n *notice) bool { return n == nil })
	}
	l.notices = append(l.notices, e)
	l.live++
}

// dropNotice drops the notice at index place-1, if it is still there.
func (l *log) dropNotice(place uint64) {
	if place == 0 {
		return
	}
	i := search(l.notices, place-1)
	for i < len(l.notices) && l.notices[i] == nil {
		i++ // search stops at a superseded notice that stands before it
	}
	if i < len(l.notices) && l.notices[i].index == place-1 {
		l.notices[i] = nil
		l.live--
	}
}

// passed drops the notices before index, which every cursor has passed.
func (l *log) passed(index uint64) {
	if len(l.notices) == 0 {
		return
	}
	if index >= l.next {
		l.notices, l.latest, l.live = nil, nil, 0
		return
	}
	kept := l.notices[:0]
	for _, n := range l.notices {
		switch {
		case n == nil:
		case n.index >= index:
			kept = append(kept, n)
		default:
			l.live--
			if ln := l.latest[n.subject]; ln != nil {
				if ln.membership == n.index+1 {
					ln.membership = 0
				}
				if ln.state == n.index+1 {
					ln.state = 0
				}
				if *ln == (latestNotices{}) {
					delete(l.latest, n.subject)
				}
			}
		}
	}
	clear(l.notices[len(kept):])
	l.notices = kept
}

// trim drops the n oldest events.
func (l *log) trim(n int) {
	if n <= 0 {
		return
	}
	for i := range n {
		l.bytes -= l.events.at(i).cost()
	}
	newest := l.events.at(n - 1)
	l.tail, l.base = newest.index+1, newest.seq
	l.events.drop(n)
}

// restart is the start of another log, of whose events up to floor none is held: every cursor has
// missed some.
func (l *log) restart(floor uint64) {
	l.trim(l.events.len)
	l.next++
	l.tail, l.base, l.last = l.next, floor, floor
}

// trimTo drops the oldest events until the others are within the limits. maxEvents does not apply
// from index keep on, which a pump or a member that lags has yet to read: maxEvents bounds how far
// clients can resume, not how far they may be behind.
func (l *log) trimTo(maxEvents, maxBytes int, oldest int64, keep uint64) {
	n, bytes := 0, l.bytes
	for n < l.events.len {
		e := l.events.at(n)
		over := l.events.len-n > maxEvents && e.index < keep || bytes > maxBytes
		// The newest event is kept whatever its size: it may not have been written yet.
		if !(over && n < l.events.len-1) && e.at >= oldest {
			break
		}
		bytes -= e.cost()
		n++
	}
	l.trim(n)
}

// since returns the index after the event with that seq. It reports false if seq is too old, ahead
// of the end, or not a position of this log, or if more than maxEvents follow it. With an engine,
// every seq up to applied is a position of this log: that of any plan, or of none.
func (l *log) since(seq, applied uint64, maxEvents int) (index uint64, ok bool) {
	if applied != 0 {
		i := l.events.search(func(e *entry) bool { return e.seq > seq })
		if seq < l.base || seq > max(applied, l.last) || l.events.len-i > maxEvents {
			return 0, false
		}
		if i == l.events.len {
			return l.next, true
		}
		return l.events.at(i).index, true
	}
	if seq == l.base {
		return l.tail, l.events.len <= maxEvents
	}
	i := l.events.search(func(e *entry) bool { return e.seq >= seq })
	if i == l.events.len || l.events.at(i).seq != seq {
		return 0, false
	}
	return l.events.at(i).index + 1, l.events.len-1-i <= maxEvents
}

// cursor is a member's place in a log.
type cursor struct {
	next    uint64 // index of the first entry not yet written
	seq     uint64 // every event up to it was written, is not for the member, or was replaced by a resync
	events  uint64 // events before this index are not for the member
	notices uint64 // notices before this index are not for the member
}

// missed reports whether events that c needs have been dropped.
func (l *log) missed(c cursor) bool { return max(c.next, c.events) < l.tail }

// read appends the entries after c to dst, in order: at least one, and then until their payloads
// would exceed maxBytes. Everything before the index through has been read.
func (l *log) read(dst []entry, c cursor, maxBytes int) (_ []entry, through uint64) {
	from := max(c.next, c.events)
	ei := l.events.search(func(e *entry) bool { return e.index >= from })
	ni := search(l.notices, max(c.next, c.notices))
	size := 0
	for {
		for ni < len(l.notices) && l.notices[ni] == nil {
			ni++
		}
		var e *entry
		switch {
		case ei < l.events.len && (ni == len(l.notices) || l.events.at(ei).index < l.notices[ni].index):
			e = l.events.at(ei)
			ei++
		case ni < len(l.notices):
			e = &l.notices[ni].entry
			ni++
		default:
			return dst, l.next
		}
		if size > 0 && size+len(e.payload) > maxBytes {
			return dst, e.index
		}
		size += len(e.payload)
		dst = append(dst, *e)
	}
}

// search returns the place of the first notice with that index or a higher one. It steps over nil
// entries, which are superseded notices, to the right.
func search(notices []*notice, index uint64) int {
	lo, hi := 0, len(notices)
	for lo < hi {
		mid := (lo + hi) / 2
		probe := mid
		for probe < hi && notices[probe] == nil {
			probe++
		}
		switch {
		case probe == hi:
			hi = mid
		case notices[probe].index < index:
			lo = probe + 1
		default:
			hi = mid
		}
	}
	return lo
}
