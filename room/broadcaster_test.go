package room_test

import (
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// Discard refuses what a hub refuses, with the same errors.
func TestDiscard(t *testing.T) {
	large := strings.Repeat("x", 256<<10-2)
	for name, test := range map[string]struct {
		plan  string
		event protocol.Event
		opts  []room.BroadcastOption
		ok    bool
	}{
		"task":          {"p", protocol.TaskUpdated(1), []room.BroadcastOption{room.By("ann"), room.Version("t1", 1)}, true},
		"large":         {"p", protocol.TaskUpdated(large), nil, true},
		"too large":     {"p", protocol.TaskUpdated(large + "x"), nil, false},
		"no plan":       {"", protocol.TaskUpdated(1), nil, false},
		"reserved type": {"p", protocol.Event{Type: protocol.TypePong}, nil, false},
		"not JSON":      {"p", protocol.TaskUpdated(func() {}), nil, false},
		"no key":        {"p", protocol.Event{Type: protocol.TypeTaskUpdated, Data: 1}, nil, false},
		"task id":       {"p", protocol.TaskDeleted(1.5), nil, false},
		"user":          {"p", protocol.TaskDeleted(1), []room.BroadcastOption{room.By("a\xff")}, false},
		"version":       {"p", protocol.TaskDeleted(1), []room.BroadcastOption{room.Version("", 1)}, false},
	} {
		var hub room.Broadcaster = newHub(t, nil)
		position, err := room.Discard.Broadcast(t.Context(), test.plan, test.event, test.opts...)
		_, want := hub.Broadcast(t.Context(), test.plan, test.event, test.opts...)
		if (err == nil) != test.ok || (want == nil) != test.ok || err != nil && err.Error() != want.Error() {
			t.Errorf("%s: Discard returned %v, a hub %v, want ok %v", name, err, want, test.ok)
		}
		if position != (protocol.Position{}) {
			t.Errorf("%s: position %v, want none", name, position)
		}
	}
}

// A service without its hub must not lose events silently.
func TestANilHubPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Broadcast of a nil *Hub did not panic")
		}
	}()
	var hub *room.Hub
	_, _ = room.Broadcaster(hub).Broadcast(t.Context(), "p", protocol.TaskUpdated(1))
}
