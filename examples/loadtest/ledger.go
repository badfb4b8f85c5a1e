package main

import (
	"bytes"
	"crypto/rand"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A ledger holds every change that was made in a run: when it was due, and whether the server has
// accepted it. A change takes 16 bytes. It is safe for concurrent use.
type ledger struct {
	mark  string // begins every mutation id of this run; fixed at creation
	plans []*page
}

// page is the ledger of one plan. Its changes are numbered from 0 in the order in which they were
// sent.
type page struct {
	mu      sync.Mutex // guards the following
	entries []entry
}

type entry struct {
	due   time.Duration // since the start of the run
	state state
}

// state is what is known of a change.
type state uint8

const (
	pending  state = iota
	accepted       // so all have to receive it
	doubtful       // refused, or unknown: it may be received or not
)

func newLedger(plans int) *ledger {
	l := &ledger{mark: "lt" + strings.ToLower(rand.Text()[:10]), plans: make([]*page, plans)}
	for i := range l.plans {
		l.plans[i] = new(page)
	}
	return l
}

// change is one change to a plan.
type change struct {
	plan, index int
	due         time.Duration
}

// begin enters a change that is about to be sent.
func (l *ledger) begin(plan int, due time.Duration) change {
	p := l.plans[plan]
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries = append(p.entries, entry{due: due})
	return change{plan, len(p.entries) - 1, due}
}

func (l *ledger) settle(c change, s state) {
	p := l.plans[c.plan]
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries[c.index].state = s
}

// mutation returns the id with which a change is sent.
func (l *ledger) mutation(c change) string {
	return l.mark + "-" + strconv.Itoa(c.plan) + "-" + strconv.Itoa(c.index)
}

// find returns the change that an event is about. A server that does not pass on mutation ids may
// still have put one into the data.
func (l *ledger) find(mutationID string, data []byte) (c change, ok bool) {
	rest, ok := strings.CutPrefix(mutationID, l.mark+"-")
	if !ok {
		_, after, found := bytes.Cut(data, []byte(l.mark+"-"))
		if !found {
			return change{}, false
		}
		end := bytes.IndexFunc(after, func(r rune) bool { return r != '-' && (r < '0' || r > '9') })
		if end < 0 {
			end = len(after)
		}
		rest = string(after[:end])
	}
	plan, index, _ := strings.Cut(rest, "-")
	var err error
	if c.plan, err = strconv.Atoi(plan); err != nil || c.plan < 0 || c.plan >= len(l.plans) {
		return change{}, false
	}
	p := l.plans[c.plan]
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.index, err = strconv.Atoi(index); err != nil || c.index < 0 || c.index >= len(p.entries) {
		return change{}, false
	}
	c.due = p.entries[c.index].due
	return c, true
}

// next is the number of the plan's next change. Whatever is sent from now on has this number or a
// higher one.
func (p *page) next() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.entries)
}

// A coverage is the set of changes of a plan that one connection has received: one bit for each,
// from the first that it still waits for. The zero value has received none. It is not safe for
// concurrent use.
type coverage struct {
	base int // a multiple of 64; everything below is done with
	bits []uint64
}

// record marks a change, and reports whether it is the first event of that change.
func (h *coverage) record(index int) bool {
	if index < h.base {
		return false
	}
	word, bit := (index-h.base)/64, uint64(1)<<(index%64)
	for len(h.bits) <= word {
		h.bits = append(h.bits, 0)
	}
	if h.bits[word]&bit != 0 {
		return false
	}
	h.bits[word] |= bit
	for len(h.bits) > 0 && h.bits[0] == ^uint64(0) {
		h.bits, h.base = h.bits[1:], h.base+64
	}
	return true
}

// excuse lets the connection off all changes before index: it was away, or got a request to reload.
func (h *coverage) excuse(index int) {
	h.base = index &^ 63
	h.bits = []uint64{1<<(index%64) - 1}
}

// missing counts the accepted changes that the connection has not received.
func (h *coverage) missing(p *page) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := h.base; i < len(p.entries); i++ {
		word := (i - h.base) / 64
		seen := word < len(h.bits) && h.bits[word]&(1<<(i%64)) != 0
		if !seen && p.entries[i].state == accepted {
			n++
		}
	}
	return n
}
