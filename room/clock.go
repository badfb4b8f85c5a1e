package room

import "time"

// Clock is the time by which a node of a cluster measures its tenure: whether it may still write to
// clients, or has been silent for so long that the others do not wait for it any more. Tests
// replace it, to let a clock jump; see Options.Clock.
type Clock interface {
	// Wall is the time of the day. Its monotonic reading is not used.
	Wall() time.Time
	// Monotonic is the time since a fixed moment. It never goes back, and does not change when the
	// wall clock is set.
	Monotonic() time.Duration
}

// systemClock is the clock of the machine.
type systemClock struct{ start time.Time }

func (systemClock) Wall() time.Time            { return time.Now().Round(0) }
func (c systemClock) Monotonic() time.Duration { return time.Since(c.start) }
