package node

import (
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/process"
)

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

// Hub is a node of ours without a broker, in this process.
type Hub struct{ hub *hub }

// NewHub returns a hub.
func NewHub() (Hub, error) {
	h, err := newHub(Config{Library: Planrooms})
	return Hub{h}, err
}

// View connects viewers to plans.
func (h Hub) View(plans ...string) error {
	return h.hub.view(plans, newViewers(View{Plans: len(plans)}).list)
}

// Present waits until plans have a number of viewers.
func (h Hub) Present(viewers int, plans ...string) error { return h.hub.present(plans, viewers) }

// People counts the users in a plan.
func (h Hub) People(plan string) int { return h.hub.people(plan) }

// Seat is the connection of a viewer without a hub.
type Seat struct{ seat *seat }

// NewSeat returns a seat.
func NewSeat() Seat { return Seat{newSeat(newViewers(View{Plans: 1}).list[0], "plan-0")} }

// Receive has the viewer receive a message.
func (s Seat) Receive(message string) { s.seat.TryWrite([]byte(message + "\n")) }

// Known counts the users of whom the viewer has been told.
func (s Seat) Known() int { return s.seat.known() }

// NewProcess returns a node for a process that has been started.
func NewProcess(p *process.Process) *Process { return &Process{p} }
