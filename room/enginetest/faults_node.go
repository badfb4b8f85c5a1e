package enginetest

import (
	"sync"
	"time"
)

// Pause stops the node: its calls do not return, even if their context ends, and it gets no records
// or messages, as if its process was stopped. Resume ends that; the messages that were sent
// meanwhile then arrive. Close works as ever, and ends the calls.
func (e *MemoryEngine) Pause() { e.link.change(func(f *faults) { f.paused = true }) }

// Resume ends the effect of Pause.
func (e *MemoryEngine) Resume() { e.link.change(func(f *faults) { f.paused = false }) }

// Cut cuts the connection of the node: what it sends is lost, and so is what is sent to it. Open,
// Beat and Send fail. Append repeats its attempts until its context ends, then it fails with
// [room.ErrUncertain]. Tail waits.
func (e *MemoryEngine) Cut() { e.link.change(func(f *faults) { f.requests, f.answers = true, true }) }

// CutAnswers is like Cut, but the store gets what the node sends: the record of an Append and the
// note of a Beat are stored, although the call fails.
func (e *MemoryEngine) CutAnswers() {
	e.link.change(func(f *faults) { f.requests, f.answers = false, true })
}

// Heal ends the effect of Cut and CutAnswers.
func (e *MemoryEngine) Heal() {
	e.link.change(func(f *faults) { f.requests, f.answers = false, false })
}

// HoldTail holds records back, so that the node lags. All other calls work. ReleaseTail ends that.
func (e *MemoryEngine) HoldTail() { e.link.change(func(f *faults) { f.tail = true }) }

// ReleaseTail ends the effect of HoldTail.
func (e *MemoryEngine) ReleaseTail() { e.link.change(func(f *faults) { f.tail = false }) }

// SetDelay sets how long the requests of later calls and their answers take. Records and messages
// are not delayed.
func (e *MemoryEngine) SetDelay(request, answer time.Duration) {
	e.link.change(func(f *faults) { f.toStore, f.toNode = request, answer })
}

// Stall holds up the record of the next Append between the node and the store.
func (e *MemoryEngine) Stall() *Stalled {
	s := &Stalled{held: make(chan struct{}), stored: make(chan uint64, 1)}
	e.link.mu.Lock()
	defer e.link.mu.Unlock()
	e.link.stall = s
	return s
}

// Unstall ends the effect of Stall on Appends that have not come yet.
func (e *MemoryEngine) Unstall() { e.link.takeStall() }

// Stalled is a record on its way to the store. The Append that has sent it waits for its answer
// until its context ends, and then fails with [room.ErrUncertain]. A Stalled that is not delivered
// is lost.
type Stalled struct {
	held   chan struct{} // closed when an Append has come
	stored chan uint64

	once  sync.Once
	store func() uint64 // set before held is closed
}

func (s *Stalled) hold(store func() uint64) {
	s.store = store
	close(s.held)
}

// Wait waits until an Append has sent the record.
func (s *Stalled) Wait() { <-s.held }

// Held reports whether an Append has sent the record.
func (s *Stalled) Held() bool {
	select {
	case <-s.held:
		return true
	default:
		return false
	}
}

// Deliver waits for the record and stores it, whether the Append still waits for it or not. Further
// calls do nothing.
func (s *Stalled) Deliver() {
	s.Wait()
	s.once.Do(func() { s.stored <- s.store() })
}
