package transport_test

import "sync"

// pace counts the events that have been sent. Goroutines wait for a number of events instead of a
// time.
type pace struct {
	stopped chan struct{} // closed under mu when no more events will be sent

	mu    sync.Mutex // guards the following
	sent  map[string]tally
	marks map[*mark]struct{}
}

// tally counts events whose Broadcast has returned, and the bytes of their tasks.
type tally struct{ events, bytes int }

// mark is a tally that a goroutine waits for.
type mark struct {
	plan    string
	at      tally
	reached chan struct{}
}

func newPace() *pace {
	return &pace{stopped: make(chan struct{}), sent: map[string]tally{}, marks: map[*mark]struct{}{}}
}

// count records an event.
func (p *pace) count(plan string, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sent[plan]
	s.events++
	s.bytes += bytes
	p.sent[plan] = s
	for m := range p.marks {
		if m.plan == plan && s.events >= m.at.events && s.bytes >= m.at.bytes {
			delete(p.marks, m)
			close(m.reached)
		}
	}
}

// await waits until the given number of events and bytes have been sent to a plan. It reports false
// if the load stops before that.
func (p *pace) await(plan string, more tally) bool {
	p.mu.Lock()
	s := p.sent[plan]
	m := &mark{plan, tally{s.events + more.events, s.bytes + more.bytes}, make(chan struct{})}
	p.marks[m] = struct{}{}
	p.mu.Unlock()
	select {
	case <-m.reached:
		return true
	case <-p.stopped:
		return false
	}
}

// stop records that no more events will be sent.
func (p *pace) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.isStopped() {
		close(p.stopped)
	}
}

func (p *pace) isStopped() bool { return isClosed(p.stopped) }
