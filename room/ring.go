package room

import (
	"slices"
	"unsafe"
)

// ring is a queue of the events that a room keeps. It holds them by value, so that an event that is dropped is freed at once,
// whatever happens to its neighbours.
type ring struct {
	slots []entry // their length is their capacity
	first int     // slot of the oldest event
	len   int
}

// at returns event i, counted from the oldest. It is valid until the ring is changed.
func (r *ring) at(i int) *entry {
	if i += r.first; i >= len(r.slots) {
		i -= len(r.slots)
	}
	return &r.slots[i]
}

// push appends an event.
func (r *ring) push(e entry) {
	if r.len == len(r.slots) {
		r.resize(max(2*r.len, 1))
	}
	r.len++
	*r.at(r.len - 1) = e
}

// drop removes the n oldest events, and slots that are not needed.
func (r *ring) drop(n int) {
	for i := range n {
		*r.at(i) = entry{}
	}
	r.len -= n
	switch {
	case r.len == 0:
		*r = ring{}
	case 4*r.len <= len(r.slots):
		r.first = (r.first + n) % len(r.slots)
		r.resize(2 * r.len)
	default:
		r.first = (r.first + n) % len(r.slots)
	}
}

// resize moves the events to n slots, or to a few more if these take no more memory.
func (r *ring) resize(n int) {
	slots := slices.Grow([]entry(nil), n)
	slots = slots[:cap(slots)]
	for i := range r.len {
		slots[i] = *r.at(i)
	}
	r.slots, r.first = slots, 0
}

// slack is how many bytes the slots without an event take.
func (r *ring) slack() int { return (len(r.slots) - r.len) * entryBytes }

const entryBytes = int(unsafe.Sizeof(entry{}))

// search returns the first event of which after is true, as it is of all that follow, or len if there is none.
func (r *ring) search(after func(*entry) bool) int {
	lo, hi := 0, r.len
	for lo < hi {
		mid := (lo + hi) / 2
		if after(r.at(mid)) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}
