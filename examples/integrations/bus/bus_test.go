package bus_test

import (
	"encoding/json"
	"testing"

	"github.com/planrooms/planrooms/examples/integrations/bus"
	"github.com/planrooms/planrooms/examples/integrations/internal/kit"
	"github.com/planrooms/planrooms/transport/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m) }

type host struct {
	*kit.Host
	store    *bus.Store
	messages *bus.Bus
}

func start(t *testing.T) host {
	store, messages := bus.NewStore(), &bus.Bus{}
	live := bus.NewLive(store, messages)
	return host{store: store, messages: messages, Host: &kit.Host{
		URL:       kit.Serve(t, bus.New(store, messages, live), live.Hub),
		Plans:     "/lists/",
		Hub:       live.Hub,
		Move:      func(listID string) any { return map[string]json.Number{"listId": json.Number(listID)} },
		Drain:     messages.Wait,
		Ann:       kit.Bearer("token-of-ann"),
		Bob:       kit.Bearer("token-of-bob"),
		BobsPhone: kit.Bearer("token-of-bobs-phone"),
		Cleo:      kit.Bearer("token-of-cleo"),
		Visitor:   kit.Bearer("link-5"),
	}}
}

func TestBus(t *testing.T) {
	kit.TestHost(t, func(t *testing.T) *kit.Host { return start(t).Host })
}

// The bus delivers the messages about two tasks in the wrong order. The tasks were moved to another
// list, and there one was changed and moved back, and the other was deleted. The viewers of both
// lists end with the tasks of the database.
func TestWrongOrder(t *testing.T) {
	h, ann := start(t), bus.Login{UserID: "ann"}
	added, err := h.store.Add(ann, 1, []string{"To be deleted"})
	if err != nil {
		t.Fatal(err)
	}
	moved, deleted := []int64{7}, added
	one := kit.Watch(t, h.URL, h.URL+"/lists/1", "1", h.Bob)
	two := kit.Watch(t, h.URL, h.URL+"/lists/2", "2", h.Bob)
	for _, change := range []struct {
		id    int64
		apply func(*bus.Task)
	}{
		{7, func(t *bus.Task) { t.ListID = 2 }},
		{7, func(t *bus.Task) { t.Title = "Oat milk" }},
		{7, func(t *bus.Task) { t.ListID = 1 }},
		{deleted[0], func(t *bus.Task) { t.ListID = 2 }},
	} {
		if _, _, err := h.store.Change(ann, change.id, change.apply); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.store.Delete(ann, deleted[0]); err != nil {
		t.Fatal(err)
	}
	for _, m := range []bus.Message{
		{Kind: bus.TaskDeleted, ListID: 2, TaskIDs: deleted},
		{Kind: bus.TaskMoved, ListID: 1, TaskIDs: deleted},
		{Kind: bus.TaskMoved, ListID: 2, TaskIDs: moved},
		{Kind: bus.TaskChanged, ListID: 2, TaskIDs: moved},
		{Kind: bus.TaskMoved, ListID: 1, TaskIDs: moved},
	} {
		h.messages.Publish(t.Context(), m)
		h.messages.Wait()
	}
	kit.WantSame(t, h.Hub, one)
	kit.WantSame(t, h.Hub, two)
}

// A message about the end of a membership is late: the user is a member again, and stays.
func TestLateMessage(t *testing.T) {
	h := start(t)
	bob := kit.Watch(t, h.URL, h.URL+"/lists/1", "1", h.Bob)
	h.messages.Publish(t.Context(), bus.Message{Kind: bus.MemberRemoved, ListID: 1, Subject: "bob"})
	h.messages.Wait()
	kit.WantSame(t, h.Hub, bob)
}
