package roomtest

import (
	"sync"
	"testing"
)

// Hold is a place at which a test stops the hub: while it writes to a [Sink], or while it frames a
// message (see [Lines]). Until Arm is called, it stops nothing. Methods may be called from any
// goroutine.
type Hold struct {
	mu      sync.Mutex // guards the following
	armed   bool
	reached chan struct{} // closed when a goroutine of the hub is stopped
	release chan struct{} // closed when it may continue
}

// NewHold returns a Hold. When the test ends, it releases what is stopped.
func NewHold(t testing.TB) *Hold {
	h := &Hold{}
	t.Cleanup(h.Release)
	return h
}

// Arm makes the Hold stop the next goroutine that reaches it, and no later one.
func (h *Hold) Arm() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.armed, h.reached, h.release = true, make(chan struct{}), make(chan struct{})
}

// Wait blocks until a goroutine is stopped. Call Arm first.
func (h *Hold) Wait() {
	h.mu.Lock()
	reached := h.reached
	h.mu.Unlock()
	<-reached
}

// Release lets the stopped goroutine continue. If there is none, the next one is not stopped.
func (h *Hold) Release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.armed = false
	if h.release != nil {
		close(h.release)
		h.release = nil
	}
}

// pass stops if h is armed. A nil Hold stops nothing.
func (h *Hold) pass() {
	if h == nil {
		return
	}
	h.mu.Lock()
	stop, reached, release := h.armed, h.reached, h.release
	h.armed = false
	h.mu.Unlock()
	if stop {
		close(reached)
		<-release
	}
}
