package main

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// outsideServer starts a NATS server in this process. Without users it needs no password.
func outsideServer(t *testing.T, users ...*server.User) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		ServerName: "outside", Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
		Users: users,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the NATS server does not accept connections")
	}
	return s
}

// oneNode runs a node until it has stored an event, and ends it.
func oneNode(t *testing.T, url string) {
	t.Helper()
	hub := room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil },
		Engine:    natsengine.New(natsengine.Options{Servers: []string{url}}), Cluster: "demo", Node: "n1",
	})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for hub.Ready() != nil && ctx.Err() == nil {
		<-tick.C
	}
	if _, err := hub.Broadcast(ctx, planID, protocol.TaskUpdated(task{})); err != nil {
		t.Fatal(err)
	}
	if err := hub.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
}

// The command nodes stores nothing. Any other node would begin an epoch in this log, which has lost
// its first records while no node is alive.
func TestNodesStoresNothing(t *testing.T) {
	t.Parallel()
	s := outsideServer(t)
	oneNode(t, s.ClientURL())
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	look := func(name string) *jetstream.StreamInfo {
		stream, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return stream.CachedInfo()
	}
	before, notes := look(logStream), look(noteStream)
	settings := before.Config
	settings.MaxMsgs = 1
	for _, config := range []jetstream.StreamConfig{settings, before.Config} {
		if _, err := js.UpdateStream(t.Context(), config); err != nil {
			t.Fatal(err)
		}
	}

	var stdout, stderr bytes.Buffer
	if err := command(t.Context(), []string{"nodes", "-nats", s.ClientURL(), "-wait", "60s", "-v"}, &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	want := regexp.MustCompile(`^epoch \w+, records \d+ to \d+\n\nNODE +GATE.*\nn1 +(silent|ended) .*\n\nno node is alive\n$`)
	if !want.MatchString(stdout.String()) {
		t.Errorf("want %s\n%s%s", want, &stdout, &stderr)
	}
	if after := look(logStream); after.State.LastSeq != before.State.LastSeq {
		t.Errorf("the log ends with record %d, before with %d", after.State.LastSeq, before.State.LastSeq)
	}
	if after := look(noteStream); after.State.LastSeq != notes.State.LastSeq {
		t.Errorf("the last note is %d, before %d", after.State.LastSeq, notes.State.LastSeq)
	}
}

// The command nodes needs no other permissions than the nodes: those that the README of natsengine
// lists.
func TestNodesWithFewPermissions(t *testing.T) {
	t.Parallel()
	s := outsideServer(t, &server.User{Username: "planner", Password: "secret", Permissions: &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			"planrooms.demo.>", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.MSG.GET.planrooms_log", "$JS.API.DIRECT.GET.*",
			"$JS.API.STREAM.CREATE.*", "$JS.API.STREAM.UPDATE.*",
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{"planrooms.demo.>", "_INBOX.>"}},
	}})
	at := "nats://planner:secret@" + s.Addr().String()
	oneNode(t, at)
	var stdout, stderr bytes.Buffer
	if err := command(t.Context(), []string{"nodes", "-nats", at, "-wait", "30s", "-v"}, &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if !strings.Contains(stdout.String(), "\nn1 ") || strings.Contains(stderr.String(), "the others wait") {
		t.Errorf("want n1, and no warning of the end\n%s%s", &stdout, &stderr)
	}
}

// If the notes cannot be read, the command says so.
func TestNotesCannotBeRead(t *testing.T) {
	t.Parallel()
	s := outsideServer(t, &server.User{Username: "ada", Password: "secret"}, &server.User{
		Username: "ben", Password: "secret",
		Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"$JS.API.DIRECT.GET.planrooms_notes"}}},
	})
	oneNode(t, "nats://ada:secret@"+s.Addr().String())
	var stdout, stderr bytes.Buffer
	err := command(t.Context(), []string{"nodes", "-nats", "nats://ben:secret@" + s.Addr().String(), "-wait", "10s"}, &stdout, &stderr)
	if err == nil || !strings.Contains(err.Error(), "read the notes") || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v, want that the notes cannot be read\n%s%s", err, &stdout, &stderr)
	}
}
