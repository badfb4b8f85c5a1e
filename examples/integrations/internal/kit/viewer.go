package kit

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/client"
)

// Viewer is a program that shows a plan: it loads the plan, joins it, and applies each event. Its
// methods fail the test on an error.
type Viewer struct {
	Client *client.Client
	Tasks  map[string]string // as Load returns them

	t       testing.TB
	plan    *client.Plan
	url     string
	planURL string
	user    User
	opened  atomic.Int64 // connections that the client has had
	skip    uint64       // events up to this one are in Tasks
}

// Watch returns a viewer of a plan. The URLs are those of the service and of the plan's snapshot.
func Watch(t testing.TB, url, planURL, planID string, u User) *Viewer {
	t.Helper()
	v := &Viewer{t: t, url: url, planURL: planURL, user: u}
	v.Client = dial(t, url, u, &v.opened)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	position, tasks := u.Load(t, planURL)
	v.Tasks, v.skip = tasks, position.Seq
	var err error
	if v.plan, err = v.Client.Join(ctx, planID, &client.JoinOptions{Since: position}); err != nil {
		t.Fatalf("join %q: %v", planID, err)
	}
	return v
}

// Dial connects a user. The connection ends with the test.
func Dial(t testing.TB, url string, u User) *client.Client { return dial(t, url, u, new(atomic.Int64)) }

func dial(t testing.TB, url string, u User, opened *atomic.Int64) *client.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Dial(ctx, url+"/ws", &client.Options{Header: http.Header(u), OnState: func(s client.State, _ error) {
		if s == client.StateConnected {
			opened.Add(1)
		}
	}})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() }) // returns no error
	return c
}

// next returns the next item that is not about presence, or the error that ends the plan.
func (v *Viewer) next() (client.Event, error) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	defer cancel()
	for {
		e, err := v.plan.Next(ctx)
		if err != nil || e.Kind != client.Presence {
			return e, err
		}
	}
}

// Want returns the next item, which must be an event of the type or, for protocol.TypeReceipt, a
// receipt. It applies an event to Tasks.
func (v *Viewer) Want(typ protocol.Type) protocol.Message {
	v.t.Helper()
	e, err := v.next()
	if err != nil || e.Type != typ {
		v.t.Fatalf("%s %s with data %s (error %v), want %s", e.Kind, e.Type, e.Data, err, typ)
	}
	v.apply(e)
	return e.Message
}

// WantEnd returns when the viewer has left the plan because of the error. An item before
// that fails the test.
func (v *Viewer) WantEnd(want error) {
	v.t.Helper()
	if e, err := v.next(); !errors.Is(err, want) {
		v.t.Fatalf("%s %s with data %s (error %v), want error %v", e.Kind, e.Type, e.Data, err, want)
	}
}

// lastEvent is broadcast after the events that a test is about. It has no version, so no client
// drops it.
const lastEvent protocol.Type = "last-event"

// WantSame applies what has been published to the viewers of the hub's plan so far, and then fails
// the test if a viewer does not show the plan as the database has it.
func WantSame(t testing.TB, hub *room.Hub, viewers ...*Viewer) {
	t.Helper()
	if _, err := hub.Broadcast(t.Context(), viewers[0].plan.ID(), protocol.Event{Type: lastEvent, Data: struct{}{}}); err != nil {
		t.Fatal(err)
	}
	_, want := viewers[0].user.Load(t, viewers[0].planURL)
	for i, v := range viewers {
		for e := (client.Event{}); e.Type != lastEvent; v.apply(e) {
			var err error
			if e, err = v.next(); err != nil {
				t.Fatalf("viewer %d: %v", i, err)
			}
		}
		if !maps.Equal(v.Tasks, want) {
			t.Errorf("viewer %d shows %v, the database has %v", i, v.Tasks, want)
		}
	}
}

// apply applies an item to Tasks. A program whose own changes come as receipts applies the answers
// of its requests; viewers make none.
func (v *Viewer) apply(e client.Event) {
	v.t.Helper()
	var data struct{ Task, TaskID json.RawMessage }
	if e.Kind == client.Reload {
		var position protocol.Position
		position, v.Tasks = v.user.Load(v.t, v.planURL)
		v.skip = position.Seq
		return
	}
	if e.Kind != client.Change || e.Seq <= v.skip {
		return
	}
	if err := json.Unmarshal(e.Data, &data); err != nil {
		v.t.Fatal(err)
	}
	switch e.Type {
	case protocol.TypeTaskCreated, protocol.TypeTaskUpdated:
		put(v.t, v.Tasks, data.Task)
	case protocol.TypeTaskDeleted:
		delete(v.Tasks, string(data.TaskID))
	}
}

// JoinSince joins a plan and returns its first item that is not about presence.
func JoinSince(t testing.TB, c *client.Client, planID string, since protocol.Position) client.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	plan, err := c.Join(ctx, planID, &client.JoinOptions{Since: since})
	if err != nil {
		t.Fatalf("join %q: %v", planID, err)
	}
	v := Viewer{t: t, plan: plan}
	e, err := v.next()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// WantForbidden fails the test unless the client may not join the plan.
func WantForbidden(t testing.TB, c *client.Client, planID string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := c.Join(ctx, planID, nil); !errors.Is(err, client.ErrForbidden) {
		t.Errorf("join %q: error %v, want %v", planID, err, client.ErrForbidden)
	}
}

// WantRefused fails the test unless the server refuses the credentials.
func WantRefused(t testing.TB, url string, u User) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Dial(ctx, url+"/ws", &client.Options{Header: http.Header(u)})
	if err == nil {
		_ = c.Close() // returns no error
	}
	if !errors.Is(err, client.ErrUnauthorized) {
		t.Errorf("dial: error %v, want %v", err, client.ErrUnauthorized)
	}
}
