package room

import (
	"slices"
	"unsafe"
)

// ring is the events that a room keeps, oldest first. It holds them by value, so that no event
// keeps another one in memory.
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

// drop removes the n oldest events. It gives up slots when at most a quarter of them is used.
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

// resize moves the events to n slots, or to a few more where these take no more memory.
func (r *ring) resize(n int) {
	slots := slices.Grow([]entry(nil), n)
	slots = slots[:cap(slots)]
	for i := range r.len {
		slots[i] = *r.at(i)
	}
	r.slots, r.first = slots, 0
}

// slack returns the number of bytes in slots without an event.
func (r *ring) slack() int { return (len(r.slots) - r.len) * entryBytes }

const entryBytes = int(unsafe.Sizeof(entry{}))

// search returns the place of the first event for which after is true, or len if there is none.
// after must be true for all events behind that one.
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
