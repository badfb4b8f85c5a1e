package natsengine_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// subscribers returns a user without the right to subscribe to some subjects, and one for
// connections without credentials.
func subscribers(deny ...string) []*server.User {
	subscribe := &server.SubjectPermission{Allow: []string{">"}, Deny: deny}
	return []*server.User{
		{Username: "hub", Password: "password", Permissions: &server.Permissions{Subscribe: subscribe}},
		{Username: "admin", Password: "password"},
	}
}

// permit reloads the server with another right to subscribe.
func permit(t *testing.T, m *machine, deny ...string) {
	t.Helper()
	o := m.options.Clone()
	o.Users = subscribers(deny...)
	if err := m.server.ReloadOptions(o); err != nil {
		t.Fatal(err)
	}
}

// A server that refuses a subscription does not make it when it permits it later. The engine then
// connects again: Open succeeds.
func TestSubscriptionIsPermittedLater(t *testing.T) {
	for _, subject := range []string{"_INBOX.>", "planrooms.test.bell"} {
		t.Run(subject, func(t *testing.T) {
			t.Parallel()
			m := one(t, func(o *server.Options) { o.Users, o.NoAuthUser = subscribers(subject), "admin" })
			e := natsengine.New(natsengine.Options{Servers: []string{m.url()}, User: "hub", Password: "password"})
			defer e.Close()
			try := func(ctx context.Context) error {
				_, err := e.Open(ctx, room.OpenOptions{Cluster: "test", Node: "a"}, func(string, []byte) {})
				return err
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // it has connected by then
			defer cancel()
			wantText(t, try(ctx), "Permissions Violation for Subscription")
			permit(t, m)
			for patient := within(t); ; time.Sleep(10 * time.Millisecond) {
				err := try(patient)
				if err == nil {
					break
				}
				if patient.Err() != nil {
					t.Fatal(err)
				}
			}
			appendAll(t, e, 1, 1)
			follow(t, e, 0).wait(1)
		})
	}
}

// An operator takes the right to subscribe from an engine that runs, and gives it back.
func TestSubscriptionIsRefusedForATime(t *testing.T) {
	m := one(t, func(o *server.Options) { o.Users, o.NoAuthUser = subscribers(), "admin" })
	o := natsengine.Options{Servers: []string{m.url()}, User: "hub", Password: "password"}
	e := natsengine.New(o)
	defer e.Close()
	got := make(chan string, 1)
	_, err := e.Open(within(t), room.OpenOptions{Cluster: "test", Node: "a"}, func(_ string, msg []byte) {
		select {
		case got <- string(msg):
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	// A server that is reloaded after direct gets has a data race.
	permit(t, m, "_INBOX.>", "planrooms.test.node.*")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := e.Append(ctx, "id-1", []byte("record 1")); err == nil {
		t.Error("Append without its answer has returned nil")
	}
	permit(t, m)
	if _, err := e.Append(within(t), "id-2", []byte("record 2")); err != nil {
		t.Error(err)
	}
	follow(t, e, 0).wait(1)
	if _, _, err := e.Beat(within(t), nil); err != nil {
		t.Error(err)
	}
	b, _ := open(t, natsengine.Options{Servers: o.Servers}, "b")
	if err := b.Send(within(t), "a", []byte("message")); err != nil {
		t.Error(err)
	}
	select {
	case <-got:
	case <-within(t).Done():
		t.Error("no message")
	}
}
