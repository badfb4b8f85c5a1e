package room

import (
	"time"

	"github.com/planrooms/planrooms/room/internal/tenure"
)

// Clock is the time by which a node of a cluster measures its tenure: whether it may still write to
// clients, or has stored no note for so long that the others do not wait for it any more. Tests
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

// momentBy returns a function that reads both times of a clock. That of the machine it reads once.
func momentBy(clock Clock) func() tenure.Moment {
	if c, ok := clock.(systemClock); ok {
		return func() tenure.Moment {
			now := time.Now()
			return tenure.Moment{Mono: int64(now.Sub(c.start)), Wall: now.UnixNano()}
		}
	}
	return func() tenure.Moment {
		return tenure.Moment{Mono: int64(clock.Monotonic()), Wall: clock.Wall().UnixNano()}
	}
}
