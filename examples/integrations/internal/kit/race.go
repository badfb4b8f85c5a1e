package kit

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// Race has two users change the title of a task at the same time, 3 times each, in 50 rounds. After
// each round, when all requests have been answered and drain has returned, all viewers must show
// the task as the database has it. No event may have an older version than the one before: the
// viewers drop such an event, but a viewer that loads the plan between the two would not.
func Race(t *testing.T, hub *room.Hub, taskURL string, users [2]User, drain func(), viewers ...*Viewer) {
	t.Helper()
	order := watchOrder(t, viewers[0])
	for round := range 50 {
		var both sync.WaitGroup
		failed := make(chan string, len(users))
		start := make(chan struct{})
		for n, u := range users {
			both.Go(func() {
				<-start
				for change := range 3 {
					title := fmt.Sprintf("round %d, writer %d, change %d", round, n, change)
					status, _, answer, err := u.send(t.Context(), http.MethodPatch, taskURL, map[string]string{"title": title})
					if err != nil || status != http.StatusOK {
						failed <- fmt.Sprintf("%s: status %d with %s (error %v)", title, status, answer, err)
						return
					}
				}
			})
		}
		close(start)
		both.Wait()
		close(failed)
		for text := range failed {
			t.Fatal(text)
		}
		drain()
		WantSame(t, hub, viewers...)
		if order.want(); t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

// order is a connection that gets all events of a plan, and drops none.
type order struct {
	*transporttest.Client
	t    testing.TB
	last map[string]int64 // versions by key
}

// watchOrder connects as the user of a viewer, and joins the plan.
func watchOrder(t testing.TB, v *Viewer) *order {
	t.Helper()
	c := transporttest.Connect(t, v.url+"/ws", &transporttest.Options{Header: http.Header(v.user)})
	c.Join(v.plan.ID(), nil)
	return &order{c, t, map[string]int64{}}
}

// want reads up to the last event of WantSame. The versions of a key must not decrease.
func (o *order) want() {
	o.t.Helper()
	for m := o.Next(); m.Type != lastEvent; m = o.Next() {
		if v := m.Version; v.N < o.last[v.Key] {
			o.t.Errorf("an event with version %d of %q comes after one with version %d", v.N, v.Key, o.last[v.Key])
		} else {
			o.last[v.Key] = v.N
		}
	}
}
