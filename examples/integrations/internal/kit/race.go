package kit

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/planrooms/planrooms/room"
)

// Race has two users change the title of a task at the same time, 3 times each, in 50 rounds. After
// each round, when all requests have been answered and drain has returned, all viewers must show
// the task as the database has it.
func Race(t *testing.T, hub *room.Hub, taskURL string, users [2]User, drain func(), viewers ...*Viewer) {
	t.Helper()
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
		if WantSame(t, hub, viewers...); t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}
