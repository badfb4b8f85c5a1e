package room_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// severed is a sink that returns errors from some moment on. Its transport does not notice.
type severed struct {
	hooked
	broken atomic.Bool
}

func (k *severed) TryWrite(b []byte) (int, error) {
	if k.broken.Load() {
		return 0, errors.New("broken pipe")
	}
	return len(b), nil
}

// Recheck does not wait for a connection that has broken during its join, although the transport
// has not reported the end yet.
func TestRecheckOfABrokenConnection(t *testing.T) {
	k := &severed{hooked: hooked{framing: roomtest.Lines{}}}
	var h *room.Hub
	opts := &room.Options{Observer: room.Observer{Join: func(room.JoinInfo) {
		k.broken.Store(true)
		_, _ = h.Notify(context.Background(), "u", protocol.Event{Type: "note"})
	}}}
	bubble(t, opts, func(t *testing.T, hub *room.Hub) {
		h = hub
		var err error
		if k.session, err = h.Connect(t.Context(), auth.Identity{UserID: "u"}, k, nil); err != nil {
			t.Fatal(err)
		}
		defer k.session.End(protocol.CloseAbnormal)
		k.join("p")
		synctest.Wait()
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			got, err := h.Recheck(context.Background(), "p")
			wantRechecked(t, got, err, room.Rechecked{})
		}()
		synctest.Wait()
		select {
		case <-returned:
		default:
			t.Error("Recheck waits for a connection that has broken")
		}
	})
}
