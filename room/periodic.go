package room

import "time"

// periodic runs a function at regular times while there is something to look after.
type periodic struct {
	// Fixed at creation.
	timers *timers
	every  time.Duration
	round  func()

	next *timer // nil if no round is scheduled. Guarded by Hub.mu
}

// startLocked schedules the next round, unless one is scheduled.
func (p *periodic) startLocked() {
	if p.next == nil {
		p.next = p.timers.after(p.every, p.round)
	}
}
