package metrics_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/metrics"
	"github.com/planrooms/planrooms/room/roomtest"
)

func newHub(o room.Observer) *room.Hub {
	return room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil }, Observer: o, PingEvery: -1,
	})
}

func broadcast(t testing.TB, h *room.Hub, planID string) {
	t.Helper()
	if _, err := h.BroadcastTaskUpdated(t.Context(), planID, map[string]string{"id": "1"}); err != nil {
		t.Fatal(err)
	}
}

// 10,000 plans, each with a user, an event type and a close code that no other plan has, have as
// many series as one plan.
func TestSeriesDoNotDependOnPlans(t *testing.T) {
	series := func(plans int) (names map[string]bool) {
		synctest.Test(t, func(t *testing.T) {
			m := metrics.New(nil)
			h := newHub(m.Observer(room.Observer{}))
			m.Watch(h)
			for n := range plans {
				plan := fmt.Sprint("plan", n)
				member := roomtest.Join(t, h, fmt.Sprint("user", n), plan)
				if _, err := h.Broadcast(t.Context(), plan, protocol.Event{Type: protocol.Type(fmt.Sprint("type-", n)), Data: map[string]int{"n": n}}); err != nil {
					t.Fatal(err)
				}
				h.ReportRefusal(room.RefusalInfo{Reason: room.RefusalReason(plan)})
				member.Sink().SendClose(protocol.CloseCode(3000 + n%2000))
			}
			synctest.Wait()
			got := gather(t, register(t, m))
			if n := int(got["planrooms_broadcasts_total"]); n != plans {
				t.Errorf("%d broadcasts, want %d", n, plans)
			}
			names = map[string]bool{}
			for name := range got {
				names[name] = true
			}
			if err := h.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
		return names
	}
	one := series(1)
	if diff := cmp.Diff(one, series(10_000)); diff != "" {
		t.Errorf("series with one plan and with 10,000 (-one +10,000):\n%s", diff)
	}
	if len(one) > 100 {
		t.Errorf("%d series, want at most 100", len(one))
	}
}
