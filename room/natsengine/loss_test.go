package natsengine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// A node that finds a loss marks the log, so that nodes that have not seen the lost records begin a
// new epoch as well, and those that open the log later see the same epoch.
func TestLossChangesEpoch(t *testing.T) {
	m := one(t, nil)
	o := natsengine.Options{Servers: []string{m.url()}}
	a, before := open(t, o, "a")
	b, _ := open(t, o, "b")
	appendAll(t, a, 1, 5)
	follow(t, a, 0).wait(5)
	loseTail(t, m, "planrooms_log", 2)
	if _, _, err := a.Beat(within(t), nil); !errors.Is(err, room.ErrEpoch) {
		t.Fatalf("Beat has returned %v, want room.ErrEpoch", err)
	}
	after, err := a.Open(within(t), room.OpenOptions{Cluster: "test", Node: "a2"}, func(string, []byte) {})
	if err != nil {
		t.Fatal(err)
	}
	if after.Window.Epoch == before.Window.Epoch || after.Window.Last != 3 || after.Complete {
		t.Errorf("Open has returned %+v after a loss, and %+v before", after, before)
	}
	if _, _, err := b.Beat(within(t), nil); !errors.Is(err, room.ErrEpoch) {
		t.Errorf("Beat of a node that has delivered nothing has returned %v, want room.ErrEpoch", err)
	}
	again, err := b.Open(within(t), room.OpenOptions{Cluster: "test", Node: "b2"}, func(string, []byte) {})
	if err != nil {
		t.Fatal(err)
	}
	if _, later := open(t, o, "c"); again.Window != after.Window || later.Window != after.Window {
		t.Errorf("the windows are %+v, %+v and %+v", after.Window, again.Window, later.Window)
	}
	want := after.Window
	want.MaxRecord = after.MaxRecord
	if _, window, err := a.Beat(within(t), nil); err != nil || window != want {
		t.Errorf("Beat has returned %+v, %v, want %+v", window, err, want)
	}
}

// A log that ends before an acknowledged record has lost it, even if no tail has delivered that
// yet. So has one that has another record at its seq, or gives the seq again.
func TestLossBeforeDelivery(t *testing.T) {
	for name, then := range map[string]func(t *testing.T, a, b *natsengine.Engine) error{
		"the log ends before it": func(t *testing.T, a, _ *natsengine.Engine) error {
			_, _, err := a.Beat(within(t), nil)
			return err
		},
		"the seq has another record": func(t *testing.T, a, b *natsengine.Engine) error {
			appendOthers(t, b, 2)
			_, _, err := a.Beat(within(t), nil)
			return err
		},
		"the seq is given again": func(t *testing.T, a, _ *natsengine.Engine) error {
			appendOthers(t, a, 3) // the last one has a seq that is not given for the second time
			return a.Tail(within(t), 0, func([]room.Record) {})
		},
		"a tail reads on": func(t *testing.T, a, _ *natsengine.Engine) error {
			return a.Tail(within(t), 3, func([]room.Record) {})
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := one(t, nil)
			o := natsengine.Options{Servers: []string{m.url()}}
			a, before := open(t, o, "a")
			b, _ := open(t, o, "b")
			appendAll(t, a, 1, 5)
			loseTail(t, m, "planrooms_log", 2)
			if err := then(t, a, b); !errors.Is(err, room.ErrEpoch) {
				t.Fatalf("the loss of an acknowledged record has returned %v, want room.ErrEpoch", err)
			}
			after, err := a.Open(within(t), room.OpenOptions{Cluster: "test", Node: "a2"}, func(string, []byte) {})
			if err != nil || after.Window.Epoch == before.Window.Epoch {
				t.Errorf("Open has returned %+v, %v after the loss, and %+v before", after, err, before)
			}
		})
	}
}

// appendOthers appends further records.
func appendOthers(t *testing.T, e *natsengine.Engine, n int) {
	t.Helper()
	for i := range n {
		if _, err := e.Append(within(t), fmt.Sprintf("other-%d", i), fmt.Appendf(nil, "another record %d", i)); err != nil {
			t.Fatal(err)
		}
	}
}

// An operator replaces the stream, and no connection is lost. A Tail delivers nothing of the other
// stream.
func TestReplacedStream(t *testing.T) {
	m := one(t, nil)
	a, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	seen := follow(t, a, 0)
	appendAll(t, a, 1, 3)
	seen.wait(3)
	replaceStream(t, m)
	wantLoss(t, seen, 3)
}

// The same, while the replica that answers has only the records of the stream before. The Tail asks
// the leader for the next one.
func TestReplacedStreamBehindAReplica(t *testing.T) {
	m := one(t, nil)
	a, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	appendAll(t, a, 1, 3)
	replica(t, m, "planrooms_log", true, map[uint64]string{1: "record 1", 2: "record 2", 3: "record 3"})
	seen := follow(t, a, 0)
	seen.wait(3)
	replaceStream(t, m)
	admin := newAdmin(t, m)
	admin.retry(func(ctx context.Context) error {
		_, err := admin.js.Publish(ctx, "planrooms.test.log", []byte("rings the bell"))
		return err
	})
	wantLoss(t, seen, 3)
}

// wantLoss fails the test unless a Tail ends with room.ErrEpoch after n records.
func wantLoss(t *testing.T, seen *tail, n int) {
	t.Helper()
	if err := seen.ended(); !errors.Is(err, room.ErrEpoch) {
		t.Errorf("the tail has ended with %v, want room.ErrEpoch", err)
	}
	if got := len(seen.records); got != n {
		t.Errorf("the tail has delivered %d records, want %d", got, n)
	}
}

// replaceStream removes the log, and makes another one with five records.
func replaceStream(t *testing.T, m *machine) {
	t.Helper()
	admin := newAdmin(t, m)
	config := admin.info("planrooms_log").Config
	admin.retry(func(ctx context.Context) error { return admin.js.DeleteStream(ctx, "planrooms_log") })
	// The bell rings only when all are there, so that the Tail reads them at once.
	bell := config.RePublish
	config.RePublish = nil
	admin.retry(func(ctx context.Context) error {
		_, err := admin.js.CreateStream(ctx, config)
		return err
	})
	for i := range 5 {
		admin.retry(func(ctx context.Context) error {
			_, err := admin.js.Publish(ctx, "planrooms.test.log", fmt.Appendf(nil, "of the other stream %d", i))
			return err
		})
	}
	admin.change("planrooms_log", func(c *jetstream.StreamConfig) { c.RePublish = bell })
}
