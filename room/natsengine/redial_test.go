package natsengine_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// logged returns options of an engine whose log is in the lines.
func logged(o natsengine.Options) (natsengine.Options, *lines) {
	var log lines
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	return o, &log
}

// awaitText waits until the log has a text.
func awaitText(t *testing.T, log *lines, text string) {
	t.Helper()
	for ctx := within(t); !strings.Contains(log.String(), text); time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatalf("the log does not have %q:\n%s", text, log.String())
		}
	}
}

// restart stops a server, and starts it again with other options.
func (m *machine) restart(change func(*server.Options)) {
	m.t.Helper()
	if err := m.stop(); err != nil {
		m.t.Fatal(err)
	}
	change(&m.options)
	m.start()
}

// A server that reloads a lower max_payload does not say so, and closes the connection when a
// record is larger. The engine makes another connection, with the subscriptions of the session.
func TestMaxPayloadIsLoweredByReload(t *testing.T) {
	m := one(t, nil)
	servers := []string{m.url()}
	e := natsengine.New(natsengine.Options{Servers: servers})
	defer e.Close()
	got := make(chan string, 10)
	_, err := e.Open(within(t), room.OpenOptions{Cluster: "test", Node: "a"}, func(_ string, msg []byte) { got <- string(msg) })
	if err != nil {
		t.Fatal(err)
	}
	o := m.options.Clone()
	o.MaxPayload = 128 << 10
	// A server that is reloaded while it answers requests has a data race.
	if err := m.server.ReloadOptions(o); err != nil {
		t.Fatal(err)
	}
	seen := follow(t, e, 0)
	appendAll(t, e, 1, 1)
	seen.wait(1)
	if _, err := e.Append(within(t), "large", make([]byte, 200<<10)); err == nil {
		t.Error("a record beyond max_payload is stored")
	}
	if _, err := e.Append(within(t), "small", []byte("small")); err != nil {
		t.Error(err)
	}
	seen.wait(2)
	if _, _, err := e.Beat(within(t), nil); err != nil {
		t.Error(err)
	}
	b, _ := open(t, natsengine.Options{Servers: servers}, "b")
	if err := b.Send(within(t), "a", []byte("message")); err != nil {
		t.Error(err)
	}
	select {
	case text := <-got:
		if text != "message" {
			t.Errorf("received %q", text)
		}
	case <-within(t).Done():
		t.Error("no message on the second connection")
	}
	if _, err := e.Open(within(t), room.OpenOptions{Cluster: "test", Node: "a2"}, func(string, []byte) {}); err != nil {
		t.Error(err)
	}
}

// While a server refuses the password, the engine tries on, and the log has few lines. The engine
// connects once the password is accepted again.
func TestPasswordIsRefusedForATime(t *testing.T) {
	m := one(t, func(o *server.Options) { o.Username, o.Password = "user", "old" })
	o, log := logged(natsengine.Options{Servers: []string{m.url()}, User: "user", Password: "old"})
	e, _ := open(t, o, "a")
	refusals := func(n uint64) {
		t.Helper()
		for ctx := within(t); ; time.Sleep(10 * time.Millisecond) {
			v, err := m.server.Varz(nil)
			if err != nil || ctx.Err() != nil {
				t.Fatal(err, ctx.Err())
			}
			if v.TotalConnections >= n {
				return
			}
		}
	}
	begun := time.Now()
	m.restart(func(o *server.Options) { o.Password = "new" })
	refusals(20)
	const kinds, every = 6, 10 * time.Second
	if n := strings.Count(log.String(), "\n"); n > kinds*(1+int(time.Since(begun)/every)) {
		t.Errorf("%d lines after 20 attempts in %v:\n%s", n, time.Since(begun), log.String())
	}
	m.restart(func(o *server.Options) { o.Password = "old" })
	if _, err := e.Append(within(t), "id", nil); err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("the log is:\n%s", log.String())
	}
}

// An nkey file may be replaced by one with another key.
func TestNKeyFileIsReplaced(t *testing.T) {
	old, next := newKey(t, nkeys.CreateUser), newKey(t, nkeys.CreateUser)
	name := file(t, seed(t, old))
	m := one(t, func(o *server.Options) { o.Nkeys = []*server.NkeyUser{{Nkey: public(t, old)}} })
	e, _ := open(t, natsengine.Options{Servers: []string{m.url()}, NKeyFile: name}, "a")
	if err := os.WriteFile(name, seed(t, next), 0o600); err != nil {
		t.Fatal(err)
	}
	m.restart(func(o *server.Options) { o.Nkeys = []*server.NkeyUser{{Nkey: public(t, next)}} })
	if _, err := e.Append(within(t), "id", nil); err != nil {
		t.Error(err)
	}
}

// The log has one line every 10 s for attempts that fail, although their errors name other ports.
func TestConnectionIsResetForATime(t *testing.T) {
	m := one(t, func(o *server.Options) { o.Username, o.Password = "user", "old" })
	o, log := logged(natsengine.Options{Servers: []string{m.url()}, User: "user", Password: "old"})
	open(t, o, "a")
	begun := time.Now()
	m.restart(func(o *server.Options) { o.Password = "new" })
	awaitText(t, log, "another one is made")
	if err := m.stop(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", m.address())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 10 {
		c, err := l.Accept()
		if err == nil {
			err = c.(*net.TCPConn).SetLinger(0)
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	awaitText(t, log, "not connected again")
	const every = 10 * time.Second
	if n := strings.Count(log.String(), "not connected again"); n > 1+int(time.Since(begun)/every) {
		t.Errorf("%d lines in %v:\n%s", n, time.Since(begun), log.String())
	}
}

// Close ends an engine that is making another connection.
func TestCloseDuringRedial(t *testing.T) {
	m := one(t, func(o *server.Options) { o.Username, o.Password = "user", "old" })
	o, log := logged(natsengine.Options{Servers: []string{m.url()}, User: "user", Password: "old"})
	e, _ := open(t, o, "a")
	m.restart(func(o *server.Options) { o.Password = "new" })
	awaitText(t, log, "another one is made")
	closed := make(chan error, 1)
	go func() { closed <- e.Close() }()
	select {
	case <-closed:
	case <-within(t).Done():
		t.Fatal("Close does not return")
	}
	if _, err := e.Append(context.Background(), "id", nil); err == nil {
		t.Error("Append after Close has returned nil")
	}
}
