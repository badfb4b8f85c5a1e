package natsengine_test

import (
	"context"
	"errors"
	"net"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// restricted starts a server with a user who may do what the README lists for the cluster
// "taskboard", except for one subject.
func restricted(t *testing.T, without string) natsengine.Options {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	list := func(name string) (subjects []string) {
		line := regexp.MustCompile(`(?s)\n- ` + name + `: (.*?)[;.]\n`).FindSubmatch(text)
		if line == nil {
			t.Fatalf("README.md does not list what a user may %s", name)
		}
		for _, m := range regexp.MustCompile("`([^`]*[.>*][^`]*)`").FindAllSubmatch(line[1], -1) {
			subjects = append(subjects, string(m[1]))
		}
		return subjects
	}
	publish := &server.SubjectPermission{Allow: list("publish")}
	if without != "" {
		publish.Deny = []string{without}
	}
	m := one(t, func(o *server.Options) {
		o.Users = []*server.User{{Username: "hub", Password: "password", Permissions: &server.Permissions{
			Publish: publish, Subscribe: &server.SubjectPermission{Allow: list("subscribe")},
		}}}
	})
	return natsengine.Options{Servers: []string{m.url()}, User: "hub", Password: "password"}
}

func openTaskboard(t *testing.T, o natsengine.Options) *natsengine.Engine {
	t.Helper()
	e := natsengine.New(o)
	t.Cleanup(func() { e.Close() })
	if _, err := e.Open(within(t), room.OpenOptions{Cluster: "taskboard", Node: "a"}, func(string, []byte) {}); err != nil {
		t.Fatal(err)
	}
	return e
}

// The permissions that the README lists are enough.
func TestPermissions(t *testing.T) {
	e := openTaskboard(t, restricted(t, ""))
	appendAll(t, e, 1, 3)
	follow(t, e, 0).wait(3)
	if _, _, err := e.Beat(within(t), []byte("note")); err != nil {
		t.Error(err)
	}
	if err := e.Send(within(t), "", []byte("message")); err != nil {
		t.Error(err)
	}
}

// If the server does not permit an append, it is certain that the record is not stored.
func TestAppendIsRefused(t *testing.T) {
	e := openTaskboard(t, restricted(t, "planrooms.taskboard.log"))
	_, err := e.Append(within(t), "id", []byte("record"))
	wantText(t, err, "Permissions Violation")
	if errors.Is(err, room.ErrUncertain) {
		t.Errorf("the error is %v", err)
	}
}

// A subject of the log in another stream is refused at once.
func TestAppendToAnotherStream(t *testing.T) {
	m := one(t, nil)
	e, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	admin := newAdmin(t, m)
	admin.retry(func(ctx context.Context) error { return admin.js.DeleteStream(ctx, "planrooms_log") })
	admin.retry(func(ctx context.Context) error {
		_, err := admin.js.CreateStream(ctx, jetstream.StreamConfig{Name: "other", Subjects: []string{"planrooms.test.log"}})
		return err
	})
	_, err := e.Append(within(t), "id", []byte("record"))
	if err == nil || errors.Is(err, room.ErrUncertain) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
	if _, _, err := e.Beat(within(t), nil); !errors.Is(err, room.ErrEpoch) {
		t.Errorf("Beat has returned %v, want room.ErrEpoch", err)
	}
}

// Without the bell, a Tail delivers a record of another node with the next tick.
func TestTailWithoutBell(t *testing.T) {
	m := one(t, nil)
	a, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	b, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "b")
	newAdmin(t, m).change("planrooms_log", func(c *jetstream.StreamConfig) { c.RePublish = nil })
	seen := follow(t, b, 0)
	for i := 1; i <= 3; i++ {
		appendAll(t, a, i, i)
		seen.wait(i)
	}
}

// Open ends with its context while a server accepts connections and is silent.
func TestOpenSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := openError(t, ctx, natsengine.Options{Servers: []string{"nats://" + l.Addr().String()}}, "test"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
}
