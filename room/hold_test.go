package room_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestHold connects a transport that can accept writes only later. The hub writes nothing before
// Open. Then it writes everything in order, including the close frame if the connection was closed
// meanwhile.
func TestHold(t *testing.T) {
	for _, disconnect := range []bool{false, true} {
		bubble(t, nil, func(t *testing.T, h *room.Hub) {
			p := pipe{Sink: roomtest.NewSink(nil)}
			if err := p.Connect(h, auth.Identity{UserID: "ann"}, &room.ConnectOptions{Hold: true}); err != nil {
				t.Fatal(err)
			}
			p.send(`{"type":"join-plan","planId":"p"}`)
			synctest.Wait()
			update(t, h, "p", 1)
			if disconnect {
				// It waits for the connection.
				go func() { _, _ = h.Disconnect(context.Background(), "ann") }()
			}
			if got := p.read(); got != "" {
				t.Errorf("wrote %q before Open", got)
			}
			p.Session().Open()
			got := strings.Split(strings.TrimSpace(p.read()), "\n")
			want := []string{`"type":"pong"`, `"type":"join-plan"`, `"type":"task-updated"`}
			if disconnect {
				want = []string{`"type":"pong"`, `"code":4403`, "(close 4403 disconnected)"}
			}
			if len(got) != len(want) {
				t.Fatalf("wrote %q, want %q", got, want)
			}
			for i := range want {
				if !strings.Contains(got[i], want[i]) {
					t.Errorf("message %d is %q, want %q", i, got[i], want[i])
				}
			}
		})
	}
}
