package node

import "time"

// ErrLog is returned by AwaitLog.
var ErrLog = errLog

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

// AwaitLog has a node without viewers wait for its log.
func AwaitLog(seq uint64, applied func(seq uint64) bool) error {
	s := &server{library: logOnly{has: applied}, viewers: newViewers(View{})}
	return s.await(Await{Seq: seq})
}

// logOnly is a node of which only applied is called.
type logOnly struct {
	library
	has func(seq uint64) bool
}

func (l logOnly) applied(seq uint64) bool { return l.has(seq) }
