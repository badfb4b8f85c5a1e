package natsengine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// An engine that reaches no server says which ones it has tried, without the passwords.
func TestConnectErrorNamesServers(t *testing.T) {
	err := openError(t, within(t), natsengine.Options{Servers: []string{"nats://user:hidden@127.0.0.1:1", "nats://127.0.0.1:2"}}, "test")
	wantText(t, err, "natsengine: connect to 127.0.0.1:1, 127.0.0.1:2: nats: no servers available")
	if err != nil && strings.Contains(err.Error(), "hidden") {
		t.Errorf("the error has a password: %v", err)
	}
}

// Without a connection, errors say that, and not which buffer of the client is full.
func TestErrorsWithoutConnection(t *testing.T) {
	m := one(t, nil)
	e, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	if err := m.stop(); err != nil {
		t.Fatal(err)
	}
	for patient := within(t); e.Send(patient, "", nil) == nil; time.Sleep(time.Millisecond) {
		if patient.Err() != nil {
			t.Fatal("Send succeeds although the server has stopped")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, appended := e.Append(ctx, "id", nil)
	_, _, beaten := e.Beat(ctx, nil)
	for name, err := range map[string]error{"Append": appended, "Beat": beaten, "Send": e.Send(t.Context(), "", nil)} {
		if err == nil || !strings.Contains(err.Error(), "not connected to NATS") || strings.Contains(err.Error(), "buffer") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An operator raises max_payload and reloads the server. It does not say so to connections that it
// has, so the engine makes another one.
func TestMaxPayloadIsRaisedByReload(t *testing.T) {
	m := one(t, func(o *server.Options) { o.MaxPayload = 32 << 10 })
	e := natsengine.New(natsengine.Options{Servers: []string{m.url()}})
	defer e.Close()
	try := func() error {
		_, err := e.Open(within(t), room.OpenOptions{Cluster: "test", Node: "a"}, func(string, []byte) {})
		return err
	}
	wantText(t, try(), "max_payload of the server is 32768 bytes")
	o := m.options.Clone()
	o.MaxPayload = 1 << 20
	if err := m.server.ReloadOptions(o); err != nil {
		t.Fatal(err)
	}
	if err := try(); err != nil {
		t.Errorf("Open after the reload: %v", err)
	}
}

// An error about permissions names the package once.
func TestPermissionErrorHasOnePrefix(t *testing.T) {
	err := openError(t, within(t), restricted(t, "$JS.API.STREAM.INFO.planrooms_log"), "taskboard")
	wantText(t, err, "Permissions Violation")
	if err != nil && strings.Count(err.Error(), "natsengine: ") != 1 {
		t.Error(err)
	}
}

// A short password does not remove its letters from errors, but is in none of them.
func TestShortPassword(t *testing.T) {
	m := one(t, func(o *server.Options) { o.Username, o.Password = "user", "p" })
	o := natsengine.Options{Servers: []string{m.url()}, User: "user", Password: "p", Replicas: 3}
	wantText(t, openError(t, within(t), o, "test"), "create the stream planrooms_log", "replicas")
	o = natsengine.Options{Servers: []string{"nats://user:p@127.0.0.1:1"}}
	err := openError(t, within(t), o, "test")
	wantText(t, err, "natsengine: connect to 127.0.0.1:1")
	if err != nil && strings.Contains(err.Error(), "user:p") {
		t.Errorf("the error has a password: %v", err)
	}
}
