package room

import (
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// entry is one message of a room's log. It never changes once it was appended, so it is shared by
// everybody who writes it.
type entry struct {
	index   uint64 // place in the log, notices counted too
	payload []byte
	size    int // bytes reserved for it in the budgets
	at      time.Time

	// Events only.
	event     bool
	seq, prev uint64
	meta      protocol.EventMeta

	// Notices only.
	kind    noticeKind
	subject string // the user it is about

	audience
}

// audience is everybody in the room but those named.
type audience struct {
	except []exclusion
	sender *Session // a connection that does not hear its own state; nil if none
}

// excepts reports whether s is excepted: it hears nothing of a notice, and gets a receipt for an event.
func (a *audience) excepts(s *Session) bool {
	if a.sender == s {
		return true
	}
	for _, x := range a.except {
		if x.userID == s.userID && (x.clientID == "" || x.clientID == s.clientID) {
			return true
		}
	}
	return false
}

// exclusion names those who do not get an event: all connections of a user, or those of one client id.
type exclusion struct {
	userID   string
	clientID string // "" means every connection of the user
}

// noticeKind tells which notices of one user supersede each other.
type noticeKind uint8

const (
	noticeMembership noticeKind = iota + 1 // joined or left
	noticeState                            // presence state
	noticeCount                            // count alone, of a crowded room
)

// log is the bounded history of one room and, between the events, the presence notices that somebody still has
// to hear. Both are ordered by one index; a cursor is an index.
//
// Events are bounded by number, bytes and age and are dropped from the oldest, whoever has read them: one
// whose cursor is before tail has missed something. Notices are never missed: they stay until every cursor
// has passed them or a newer one of the same user has taken their place.
type log struct {
	events  []*entry // ordered; the oldest first
	notices []*entry // ordered; superseded ones are nil
	latest  map[string]*latestNotices
	live    int     // notices that are not nil
	next    uint64  // index of the next entry
	tail    uint64  // every event with a lower index is gone
	base    uint64  // seq before the oldest event held
	last    uint64  // seq of the newest event ever appended
	bytes   int     // size of all events held
	spare   []entry // for the next events
}

// entryBatch is how many entries a log allocates at once, at the most: a broadcast then allocates little besides its payload. They are
// freed together, when the last of them has been dropped.
const entryBatch = 8

// newEvent returns the entry of an event that is about to be appended. A log that holds few gets no more at once than it holds.
func (l *log) newEvent(at time.Time) *entry {
	if len(l.spare) == 0 {
		l.spare = make([]entry, min(max(len(l.events), 1), entryBatch))
	}
	e := &l.spare[0]
	l.spare = l.spare[1:]
	e.event, e.at = true, at
	return e
}

// latestNotices is what a newer notice of the same user supersedes.
type latestNotices struct{ membership, state uint64 } // index+1 in the log; 0 is none

func (l *log) appendEvent(e *entry) {
	e.index = l.next
	l.next++
	l.last = e.seq
	l.bytes += e.size
	l.events = append(l.events, e)
}

func (l *log) appendNotice(e *entry) {
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
	default: // a join or a leave makes all before it void
		l.dropNotice(ln.state)
		l.dropNotice(ln.membership)
		ln.state, ln.membership = 0, e.index+1
	}
	if len(l.notices) > 2*l.live+32 { // mostly superseded ones
		l.notices = slices.DeleteFunc(l.notices, func(n *entry) bool { return n == nil })
	}
	l.notices = append(l.notices, e)
	l.live++
}

// dropNotice forgets the notice at index place-1, if it is still there.
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

// passed forgets the notices before index: every cursor is behind them.
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

// trim drops the n oldest events and returns the bytes that it freed.
func (l *log) trim(n int) (freed int) {
	if n <= 0 {
		return 0
	}
	for _, e := range l.events[:n] {
		freed += e.size
	}
	newest := l.events[n-1]
	l.tail, l.base = newest.index+1, newest.seq
	l.bytes -= freed
	clear(l.events[:n])
	l.events = l.events[n:]
	if len(l.events) == 0 {
		l.events, l.spare = nil, nil
	}
	return freed
}

// trimTo drops what is over the limits, always the oldest first, and returns the bytes that it freed. What a pump has yet to
// take, from index keep on, is not held to maxEvents: a burst must not outrun those who read as fast as they can.
func (l *log) trimTo(maxEvents, maxBytes int, oldest time.Time, keep uint64) (freed int) {
	n, bytes := 0, l.bytes
	for n < len(l.events) {
		e := l.events[n]
		over := len(l.events)-n > maxEvents && e.index < keep || bytes > maxBytes
		// The newest event is kept whatever its size: it may not have been written to anybody yet.
		if !(over && n < len(l.events)-1) && !e.at.Before(oldest) {
			break
		}
		bytes -= e.size
		n++
	}
	return l.trim(n)
}

// since returns the index after the event with that seq. It is false where the chain from seq on is not all
// here or is longer than maxEvents: too old, ahead of the end, or not a position of this log at all.
func (l *log) since(seq uint64, maxEvents int) (index uint64, ok bool) {
	if seq == l.base {
		return l.tail, len(l.events) <= maxEvents
	}
	lo, hi := 0, len(l.events)
	for lo < hi {
		mid := (lo + hi) / 2
		if l.events[mid].seq < seq {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(l.events) || l.events[lo].seq != seq {
		return 0, false
	}
	return l.events[lo].index + 1, len(l.events)-1-lo <= maxEvents
}

// cursor is a place in a log.
type cursor struct {
	next    uint64 // index of the first entry not yet written
	events  uint64 // events before this index are not for it
	notices uint64 // notices before this index are not for it
}

// missed reports whether events that c still needs have been dropped.
func (l *log) missed(c cursor) bool { return max(c.next, c.events) < l.tail }

// read appends the entries after c to dst, in order, until their payloads sum to maxBytes (at least one entry).
// through is the index up to which everything has been read.
func (l *log) read(dst []*entry, c cursor, maxBytes int) (_ []*entry, through uint64) {
	ei := search(l.events, max(c.next, c.events))
	ni := search(l.notices, max(c.next, c.notices))
	size := 0
	for {
		for ni < len(l.notices) && l.notices[ni] == nil {
			ni++
		}
		var e *entry
		switch {
		case ei < len(l.events) && (ni == len(l.notices) || l.events[ei].index < l.notices[ni].index):
			e = l.events[ei]
			ei++
		case ni < len(l.notices):
			e = l.notices[ni]
			ni++
		default:
			return dst, l.next
		}
		if size > 0 && size+len(e.payload) > maxBytes {
			return dst, e.index
		}
		size += len(e.payload)
		dst = append(dst, e)
	}
}

// search returns the position of the first entry with that index or a higher one. Nil entries (superseded
// notices) are stepped over to the right.
func search(entries []*entry, index uint64) int {
	lo, hi := 0, len(entries)
	for lo < hi {
		mid := (lo + hi) / 2
		probe := mid
		for probe < hi && entries[probe] == nil {
			probe++
		}
		switch {
		case probe == hi:
			hi = mid
		case entries[probe].index < index:
			lo = probe + 1
		default:
			hi = mid
		}
	}
	return lo
}
