package client_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/client"
)

// row is a task of a host's database, with the version that the database counts up.
type row struct {
	ID, Title string
	Version   int64
}

// Two writers change the same task 50 times. They commit in one order and publish in whatever order
// comes, at times in the other one for certain. Every viewer is left with the last state, also one
// that lost its connection meanwhile.
func TestTwoWritersInARace(t *testing.T) {
	s := newServer(t, config{})
	viewers := map[string]*client.Plan{}
	for _, user := range []string{"ann", "bob", "carol"} {
		viewers[user] = join(t, s.dial(user), "demo")
		want(t, viewers[user], "reload joined")
	}
	var mu sync.Mutex // guards the database
	database := map[string]row{}
	commit := func(id, title string) row {
		mu.Lock()
		defer mu.Unlock()
		task := row{id, title, database[id].Version + 1}
		database[id] = task
		return task
	}
	publish := func(task row) {
		if _, err := s.hub.BroadcastTaskUpdated(t.Context(), "demo", task, room.Version(task.ID, task.Version)); err != nil {
			t.Error(err)
		}
	}
	const rounds = 50
	for n := range rounds {
		id := fmt.Sprint("task-", n)
		if n%2 == 0 {
			first, second := commit(id, "first"), commit(id, "second")
			publish(second)
			publish(first)
		} else {
			var writers sync.WaitGroup
			for _, title := range []string{"ben", "eve"} {
				writers.Go(func() { publish(commit(id, title)) })
			}
			writers.Wait()
		}
		if n == rounds/2 {
			s.proxy.point("")
			s.proxy.point(s.http.Listener.Addr().String())
		}
	}
	publish(commit("end", ""))
	for user, plan := range viewers {
		shown := map[string]row{}
		for shown["end"].Version == 0 {
			e := next(t, plan)
			if e.Kind != client.Change {
				continue
			}
			var data struct{ Task row }
			if err := json.Unmarshal(e.Data, &data); err != nil {
				t.Fatal(err)
			}
			if data.Task.Version < shown[data.Task.ID].Version {
				t.Errorf("%s got %+v after %+v", user, data.Task, shown[data.Task.ID])
			}
			shown[data.Task.ID] = data.Task
		}
		for id, task := range database {
			if shown[id] != task {
				t.Errorf("%s is left with %+v, the database has %+v", user, shown[id], task)
			}
		}
	}
}
