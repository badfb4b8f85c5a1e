package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/client"
)

func TestEventsComeInOrder(t *testing.T) {
	s := newServer(t, config{})
	c := s.dial("ann")
	p := join(t, c, "demo")
	want(t, p, "reload joined")
	s.broadcast("demo", 1, 3)
	want(t, p, "task 1", "task 2", "task 3")

	at, err := s.hub.Position(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Position(); got != at {
		t.Errorf("Position() = %v, want %v", got, at)
	}
	if got := c.UserID(); got != "ann" {
		t.Errorf("UserID() = %q, want %q", got, "ann")
	}
	if got := p.ID(); got != "demo" {
		t.Errorf("ID() = %q, want %q", got, "demo")
	}
}

func TestEventCarriesItsPosition(t *testing.T) {
	s := newServer(t, config{})
	p := join(t, s.dial("ann"), "demo")
	if _, err := s.hub.BroadcastTaskDeleted(t.Context(), "demo", "milk", room.By("bob"), room.Mutation("m1")); err != nil {
		t.Fatal(err)
	}
	start := next(t, p)
	e := next(t, p)
	if e.Type != protocol.TypeTaskDeleted || e.By != "bob" || e.MutationID != "m1" || e.Timestamp.IsZero() {
		t.Errorf("event %+v", e)
	}
	if e.Prev != start.Position.Seq || e.Seq != e.Position.Seq || e.Position.Epoch != start.Position.Epoch {
		t.Errorf("event at %v with prev %d after %v", e.Position, e.Prev, start.Position)
	}
}

func TestJoinSince(t *testing.T) {
	s := newServer(t, config{})
	s.broadcast("demo", 1, 1)
	at, err := s.hub.Position(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	s.broadcast("demo", 2, 2)
	c := s.dial("ann")
	p := joinSince(t, c, "demo", at)
	if got := p.Position(); got != at {
		t.Errorf("Position() before the first item = %v, want %v", got, at)
	}
	want(t, p, "task 2", "task 3")

	for name, since := range map[string]protocol.Position{
		"another epoch": {Epoch: "another", Seq: at.Seq},
		"the future":    {Epoch: at.Epoch, Seq: at.Seq + 1000},
	} {
		t.Run(name, func(t *testing.T) {
			p := joinSince(t, s.dial("bob"), "demo", since)
			want(t, p, "reload not_recovered")
		})
	}
}

func TestJoinRefuses(t *testing.T) {
	s := newServer(t, config{hub: room.Options{
		RoomsPerConnection: 2,
		Authorize: func(_ context.Context, _ auth.Identity, plan string) error {
			if plan == "secret" {
				return room.ErrForbidden
			}
			return nil
		},
	}})
	c := s.dial("ann")
	join(t, c, "demo")
	for _, tt := range []struct {
		plan  string
		since protocol.Position
		want  error
	}{
		{plan: "secret", want: client.ErrForbidden},
		{plan: "", want: client.ErrPlanID},
		{plan: "a\nb", want: client.ErrPlanID},
		{plan: "demo", want: client.ErrJoined},
		{plan: "other", since: protocol.Position{Seq: 3}, want: client.ErrPosition},
		{plan: "other", since: protocol.Position{Epoch: "e", Seq: 1 << 53}, want: client.ErrPosition},
	} {
		_, err := c.Join(t.Context(), tt.plan, &client.JoinOptions{Since: tt.since})
		if !errors.Is(err, tt.want) {
			t.Errorf("Join(%q, %v) = %v, want %v", tt.plan, tt.since, err, tt.want)
		}
	}
	join(t, c, "other")
	if _, err := c.Join(t.Context(), "third", nil); !errors.Is(err, client.ErrTooManyPlans) {
		t.Errorf("Join over the limit = %v, want %v", err, client.ErrTooManyPlans)
	}
}

func TestJoinEndsWithItsContext(t *testing.T) {
	asked, answer := make(chan struct{}, 1), make(chan struct{})
	s := newServer(t, config{hub: room.Options{Authorize: func(ctx context.Context, _ auth.Identity, plan string) error {
		if plan == "slow" {
			asked <- struct{}{}
			<-answer
		}
		return nil
	}}})
	c := s.dial("ann")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := c.Join(ctx, "slow", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Join = %v, want %v", err, context.Canceled)
	}
	go func() { <-asked }()
	close(answer)
	p := join(t, c, "slow") // after the server has answered the first join
	s.broadcast("slow", 1, 1)
	want(t, p, "reload joined", "task 1")
}

func TestReceiptOfOwnChange(t *testing.T) {
	s := newServer(t, config{})
	c := s.dial("ann")
	mine, other := join(t, c, "demo"), join(t, s.dial("ann"), "demo")
	_, err := s.hub.BroadcastTaskUpdated(t.Context(), "demo", 1, room.ExceptClient("ann", c.ClientID()), room.Mutation("m1"))
	if err != nil {
		t.Fatal(err)
	}
	s.broadcast("demo", 2, 1)
	want(t, mine, "reload joined", "receipt m1", "task 2")
	want(t, other, "reload joined", "task 1", "task 2")
}

func TestPresence(t *testing.T) {
	s := newServer(t, config{})
	ann := join(t, s.dial("ann"), "demo")
	want(t, ann, "reload joined")
	bobs := s.dial("bob")
	bob := join(t, bobs, "demo")
	want(t, ann, "join-plan bob  2")
	if err := bob.SetPresence(map[string]int{"task": 7}); err != nil {
		t.Fatal(err)
	}
	want(t, ann, `presence-updated bob {"task":7} 0`)
	if got, want := ann.Participants(), []protocol.Participant{
		{UserID: "ann", UserName: "ANN", Connections: 1},
		{UserID: "bob", UserName: "BOB", Connections: 1, State: json.RawMessage(`{"task":7}`)},
	}; !cmp.Equal(got, want) {
		t.Errorf("Participants():\n%s", cmp.Diff(want, got))
	}
	if err := bob.SetPresence(nil); err != nil {
		t.Fatal(err)
	}
	want(t, ann, "presence-updated bob null 0")
	if got := ann.Participants()[1].State; got != nil {
		t.Errorf("state after it was cleared = %s, want none", got)
	}
	bob.Leave()
	want(t, ann, "leave-plan bob  1")
	if got := ann.ParticipantCount(); got != 1 {
		t.Errorf("ParticipantCount() = %d, want 1", got)
	}
	if err := bob.SetPresence(1); !errors.Is(err, client.ErrLeft) {
		t.Errorf("SetPresence after Leave = %v, want %v", err, client.ErrLeft)
	}
	if err := ended(t, bob); !errors.Is(err, client.ErrLeft) {
		t.Errorf("stream after Leave ended with %v, want %v", err, client.ErrLeft)
	}
	bob.Leave() // does nothing

	bob = join(t, bobs, "demo")
	want(t, ann, "join-plan bob  2")
	want(t, bob, "reload joined")
}

func TestSetPresenceRefuses(t *testing.T) {
	s := newServer(t, config{})
	p := join(t, s.dial("ann"), "demo")
	deep := json.RawMessage(`[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]`)
	for name, state := range map[string]any{
		"no JSON":        make(chan int),
		"too long":       string(make([]byte, 1025)),
		"too deep":       deep,
		"duplicate keys": json.RawMessage(`{"a":1,"a":2}`),
	} {
		if err := p.SetPresence(state); !errors.Is(err, client.ErrState) {
			t.Errorf("SetPresence(%s) = %v, want %v", name, err, client.ErrState)
		}
	}
}

func TestRevokedPlanEnds(t *testing.T) {
	s := newServer(t, config{})
	c := s.dial("ann")
	demo, other := join(t, c, "demo"), join(t, c, "other")
	s.broadcast("demo", 1, 1)
	want(t, demo, "reload joined", "task 1")
	if _, err := s.hub.Revoke(t.Context(), "demo", "ann"); err != nil {
		t.Fatal(err)
	}
	if err := ended(t, demo); !errors.Is(err, client.ErrRemoved) {
		t.Errorf("stream ended with %v, want %v", err, client.ErrRemoved)
	}
	s.broadcast("other", 1, 1)
	want(t, other, "reload joined", "task 1")
}

func TestResyncAsksToReload(t *testing.T) {
	s := newServer(t, config{})
	p := join(t, s.dial("ann"), "demo")
	want(t, p, "reload joined")
	if err := s.hub.Resync(t.Context(), "demo"); err != nil {
		t.Fatal(err)
	}
	want(t, p, "reload resync")
	s.broadcast("demo", 1, 1)
	want(t, p, "task 1")
}

func TestNotices(t *testing.T) {
	s := newServer(t, config{})
	c := s.dial("ann")
	notify := func(text string) {
		if _, err := s.hub.Notify(t.Context(), "ann", protocol.Event{Type: "assigned", Data: text}); err != nil {
			t.Fatal(err)
		}
	}
	notify("a")
	for m, err := range c.Notices(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if m.Type != "assigned" || string(m.Data) != `"a"` {
			t.Errorf("notice %s %s", m.Type, m.Data)
		}
		break
	}
	_ = c.Close()
	for _, err := range c.Notices(t.Context()) {
		if !errors.Is(err, client.ErrClosed) {
			t.Errorf("notices ended with %v, want %v", err, client.ErrClosed)
		}
	}
}
