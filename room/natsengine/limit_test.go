package natsengine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// A server is started again with a max_payload that is too low for the largest events of a hub. The
// hub is not ready, and says why, until the server has its limit again. Smaller events are stored.
func TestMaxPayloadThatIsLowered(t *testing.T) {
	m := one(t, nil)
	h := room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil },
		Engine:    natsengine.New(natsengine.Options{Servers: []string{m.url()}}), Cluster: "test",
	})
	defer h.Shutdown(context.Background())
	restart := func(limit int32) {
		t.Helper()
		if err := m.stop(); err != nil {
			t.Fatal(err)
		}
		m.options.MaxPayload = limit
		m.start()
	}
	ready := func(want func(error) bool) {
		t.Helper()
		for ctx := within(t); !want(h.Ready()); time.Sleep(10 * time.Millisecond) {
			if ctx.Err() != nil {
				t.Fatalf("Ready = %v", h.Ready())
			}
		}
	}
	is := func(err error) bool { return err == nil }
	ready(is)
	const low = 128 << 10
	restart(low)
	ready(func(err error) bool {
		return err != nil && strings.Contains(err.Error(), fmt.Sprint(low-1<<10)) && strings.Contains(err.Error(), fmt.Sprint(256<<10+4<<10))
	})
	if _, err := h.BroadcastTaskDeleted(within(t), "p", "1"); err != nil {
		t.Errorf("Broadcast of a small event: %v", err)
	}
	if _, err := h.BroadcastTaskUpdated(within(t), "p", strings.Repeat("x", low)); err == nil {
		t.Error("Broadcast of an event beyond the limit has returned nil")
	}
	restart(1 << 20)
	ready(is)
}

// A server is started again with a higher max_payload. Append takes what Beat says.
func TestMaxPayloadThatIsRaised(t *testing.T) {
	m := one(t, func(o *server.Options) { o.MaxPayload = 128 << 10 })
	e, opened := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	m.restart(func(o *server.Options) { o.MaxPayload = 1 << 20 })
	_, window, err := e.Beat(within(t), nil)
	if err != nil || window.MaxRecord <= opened.MaxRecord {
		t.Fatalf("Beat has returned a limit of %d, %v; that of Open is %d", window.MaxRecord, err, opened.MaxRecord)
	}
	if _, err := e.Append(within(t), "id", make([]byte, window.MaxRecord)); err != nil {
		t.Error(err)
	}
}
