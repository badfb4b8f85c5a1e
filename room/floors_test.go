package room_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
)

// While the host changes plans that no user has open, whose logs are deleted all the time, the
// position that a page was loaded with is still valid when the page joins: it does not load the
// plan twice.
func TestPositionsOfUnwatchedPlans(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		changes := 0
		wait := func(d time.Duration) { // with ten changes a second
			for range d / (100 * time.Millisecond) {
				update(t, h, fmt.Sprint("unwatched", changes), changes)
				changes++
				time.Sleep(100 * time.Millisecond)
			}
			synctest.Wait()
		}
		wait(3 * time.Minute)
		twice := 0
		for n := range 100 {
			plan := fmt.Sprint("opened", n)
			since := position(t, h, plan)
			wait(2 * time.Second) // the page loads, and connects
			m := connect(t, h, fmt.Sprint("user", n), "")
			if m.Join(plan, &since); !m.Joined.Recovered {
				twice++
			}
			m.Cut()
		}
		t.Logf("%d of 100 pages loaded their plan twice", twice)
		if twice > 3 {
			t.Errorf("%d of 100 pages loaded their plan twice, want at most 3", twice)
		}
	})
}
