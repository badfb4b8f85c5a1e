package node

import "time"

// Viewers are viewers without a node.
type Viewers struct{ viewers *viewers }

// NewViewers returns the viewers of a View.
func NewViewers(v View) Viewers { return Viewers{newViewers(v)} }

// Receive has a viewer receive a message.
func (s Viewers) Receive(viewer int, message []byte) bool {
	return s.viewers.list[viewer].receive(message)
}

// Interrupt interrupts a viewer.
func (s Viewers) Interrupt(viewer int) { s.viewers.list[viewer].interrupt() }

// Await waits until the viewers have a number of events, or nothing has arrived for a time.
func (s Viewers) Await(count int64, quiet time.Duration) Viewed {
	s.viewers.await(count, quiet)
	return s.viewers.viewed()
}

// Run publishes what p says with a function.
func Run(p Publish, publish func(plan string, task []byte) (uint64, error)) (Published, error) {
	return (&publisher{publish: publish}).run(p)
}
