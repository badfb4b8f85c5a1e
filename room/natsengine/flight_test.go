package natsengine_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// held passes what is published to a subject to the test instead of the stream, until pass.
type held struct {
	t       *testing.T
	nc      *nats.Conn
	sub     *nats.Subscription
	account *server.Account
	subject string
}

func hold(t *testing.T, m *machine, subject string) *held {
	t.Helper()
	nc, err := nats.Connect(m.url())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	sub, err := nc.SubscribeSync("held")
	if err == nil {
		err = nc.Flush()
	}
	account := m.server.GlobalAccount()
	if err == nil {
		err = account.AddMapping(subject, "held")
	}
	if err != nil {
		t.Fatal(err)
	}
	return &held{t, nc, sub, account, subject}
}

// next returns the next message.
func (h *held) next() *nats.Msg {
	h.t.Helper()
	m, err := h.sub.NextMsgWithContext(within(h.t))
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

// pass ends the hold for later messages.
func (h *held) pass() { h.account.RemoveMapping(h.subject) }

// deliver passes a message that was held to the stream, and waits until the server has it.
func (h *held) deliver(m *nats.Msg) {
	h.t.Helper()
	err := h.nc.PublishMsg(&nats.Msg{Subject: h.subject, Reply: m.Reply, Header: m.Header, Data: m.Data})
	if err == nil {
		err = h.nc.Flush()
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// users returns a user without rights to publish to some subjects, and one for connections without
// credentials.
func users(deny ...string) []*server.User {
	publish := &server.SubjectPermission{Allow: []string{">"}, Deny: deny}
	return []*server.User{
		{Username: "hub", Password: "password", Permissions: &server.Permissions{Publish: publish}},
		{Username: "admin", Password: "password"},
	}
}

// refusable starts a server that refuses records after a call of refuse.
func refusable(t *testing.T) (*machine, natsengine.Options) {
	t.Helper()
	m := one(t, func(o *server.Options) { o.Users, o.NoAuthUser = users(), "admin" })
	return m, natsengine.Options{Servers: []string{m.url()}, User: "hub", Password: "password"}
}

func refuse(t *testing.T, m *machine) {
	t.Helper()
	o := m.options.Clone()
	o.Users = users("planrooms.test.log")
	if err := m.server.ReloadOptions(o); err != nil {
		t.Fatal(err)
	}
}

// unanswered removes the log. The test gets the records instead, which nothing answers.
func unanswered(t *testing.T, m *machine) *nats.Subscription {
	t.Helper()
	admin := newAdmin(t, m)
	admin.retry(func(ctx context.Context) error { return admin.js.DeleteStream(ctx, "planrooms_log") })
	sub, err := admin.js.Conn().SubscribeSync("planrooms.test.log")
	if err == nil {
		err = admin.js.Conn().Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// A server that refuses a record does not say which one. Another one that is in flight may be
// stored.
func TestAppendIsRefusedBesideAnother(t *testing.T) {
	m, o := refusable(t)
	e, _ := open(t, o, "a")
	records := unanswered(t, m)
	first := make(chan error, 1)
	go func() {
		_, err := e.Append(within(t), "first", []byte("first"))
		first <- err
	}()
	if _, err := records.NextMsgWithContext(within(t)); err != nil {
		t.Fatal(err)
	}
	refuse(t, m)
	_, second := e.Append(within(t), "second", []byte("second"))
	for name, err := range map[string]error{"first": <-first, "second": second} {
		if !errors.Is(err, room.ErrUncertain) {
			t.Errorf("the %s Append has returned %v, want room.ErrUncertain", name, err)
		}
	}
}

// A refusal of a later attempt does not prove that an earlier one has not stored the record.
func TestAppendIsRefusedAfterAnAttempt(t *testing.T) {
	m, o := refusable(t)
	p := newProxy(t, m)
	o.Servers = []string{p.url()}
	o.NATS = []nats.Option{nats.IgnoreDiscoveredServers()}
	e, _ := open(t, o, "a")
	records := unanswered(t, m)
	result := make(chan error, 1)
	go func() {
		_, err := e.Append(within(t), "id", []byte("record"))
		result <- err
	}()
	if _, err := records.NextMsgWithContext(within(t)); err != nil {
		t.Fatal(err)
	}
	p.setCut(true)
	refuse(t, m)
	p.setCut(false)
	if err := <-result; !errors.Is(err, room.ErrUncertain) {
		t.Errorf("Append has returned %v, want room.ErrUncertain", err)
	}
}

// An attempt is repeated while the stream certainly recognizes the ID.
func TestRepetitionWithinWindow(t *testing.T) {
	since := time.Now()
	for after, want := range map[time.Duration]bool{0: true, room.DedupWindow / 2: true, room.DedupWindow/2 + 1: false} {
		if got := natsengine.MayRepeat(since, since.Add(after)); got != want {
			t.Errorf("an attempt after %v may be repeated: %v", after, got)
		}
	}
}

// A record that is stored by an Append that began before a second Open may be lost as well.
func TestAppendDuringOpen(t *testing.T) {
	m := one(t, nil)
	e, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	h := hold(t, m, "planrooms.test.log")
	result := make(chan error, 1)
	go func() {
		_, err := e.Append(within(t), "first", []byte("first"))
		result <- err
	}()
	record := h.next()
	h.pass()
	if _, err := e.Open(within(t), room.OpenOptions{Cluster: "test", Node: "a2"}, func(string, []byte) {}); err != nil {
		t.Fatal(err)
	}
	h.deliver(record)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	loseTail(t, m, "planrooms_log", 1)
	if _, _, err := e.Beat(within(t), nil); !errors.Is(err, room.ErrEpoch) {
		t.Errorf("Beat has returned %v after the loss of an acknowledged record, want room.ErrEpoch", err)
	}
}

// Close during Open waits for receive, which is not called any more once Close has returned.
func TestCloseDuringOpen(t *testing.T) {
	m := one(t, nil)
	a, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	for patient := within(t); !closeDuringOpen(t, m, a); {
		if patient.Err() != nil {
			t.Fatal("Open has always returned before the first message")
		}
	}
}

// closeDuringOpen closes an engine whose Open is running, during the first call of receive. It
// returns false if Open has returned before.
func closeDuringOpen(t *testing.T, m *machine, a *natsengine.Engine) bool {
	t.Helper()
	p := newProxy(t, m)
	e := natsengine.New(natsengine.Options{Servers: []string{p.url()}})
	defer e.Close()
	received, release, opened := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var once sync.Once
	var running atomic.Bool
	go func() {
		defer close(opened)
		_, _ = e.Open(within(t), room.OpenOptions{Cluster: "test", Node: "b"}, func(string, []byte) {
			running.Store(true)
			defer running.Store(false)
			once.Do(func() {
				p.setStalled(true) // Open waits for an answer
				close(received)
			})
			<-release
		})
	}()
	for got := false; !got; {
		if err := a.Send(within(t), "", []byte("message")); err != nil {
			t.Fatal(err)
		}
		select {
		case <-received:
			got = true
		case <-opened:
			close(release)
			return false
		default:
		}
	}
	time.AfterFunc(100*time.Millisecond, func() { close(release) }) // Close has returned by then, or waits
	e.Close()
	if running.Load() {
		t.Error("receive is running after Close")
	}
	<-opened
	return true
}
