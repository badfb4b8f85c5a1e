package transport_test

import "sync"

// pace counts what has been sent, for those who wait for something to have happened meanwhile. It stands in for time.
type pace struct {
	silenced chan struct{} // closed, under mu, when nothing more will be sent

	mu    sync.Mutex // guards the following
	sent  map[string]tally
	marks map[*mark]struct{}
}

// tally is events whose Broadcast has returned, and the bytes of their tasks.
type tally struct{ events, bytes int }

// mark is a tally that somebody waits for.
type mark struct {
	plan    string
	at      tally
	reached chan struct{}
}

func newPace() *pace {
	return &pace{silenced: make(chan struct{}), sent: map[string]tally{}, marks: map[*mark]struct{}{}}
}

// count notes an event.
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

// await waits until so much more has been sent to a plan. It reports false if it never will be.
func (p *pace) await(plan string, more tally) bool {
	p.mu.Lock()
	s := p.sent[plan]
	m := &mark{plan, tally{s.events + more.events, s.bytes + more.bytes}, make(chan struct{})}
	p.marks[m] = struct{}{}
	p.mu.Unlock()
	select {
	case <-m.reached:
		return true
	case <-p.silenced:
		return false
	}
}

// silence notes that nothing more will be sent.
func (p *pace) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.isSilent() {
		close(p.silenced)
	}
}

func (p *pace) isSilent() bool { return isClosed(p.silenced) }
