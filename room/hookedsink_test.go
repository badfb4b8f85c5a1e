package room_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// hooked is a connection that asks the test how much each call of TryWrite takes. Write takes
// everything.
type hooked struct {
	framing room.Framing
	take    func(call int, b []byte) int
	session *room.Session

	mu      sync.Mutex // guards the following
	calls   int
	largest int // bytes of a call
	written []byte
}

func openHooked(t *testing.T, h *room.Hub, userID string, framing room.Framing, take func(call int, b []byte) int) *hooked {
	t.Helper()
	k := &hooked{framing: framing, take: take}
	var err error
	if k.session, err = h.Connect(context.Background(), auth.Identity{UserID: userID, Name: userID}, k, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.session.End(protocol.CloseAbnormal) })
	return k
}

// all takes everything.
func all(_ int, b []byte) int { return len(b) }

func (k *hooked) Framing() room.Framing { return k.framing }

func (k *hooked) Finish() { go k.session.End(protocol.CloseNormal) }

func (k *hooked) Close() error { return nil }

func (k *hooked) TryWrite(b []byte) (int, error) {
	k.mu.Lock()
	k.calls++
	call := k.calls
	k.mu.Unlock()
	return k.put(b, k.take(call, b)), nil
}

func (k *hooked) Write(b []byte, _ time.Time) (int, error) { return k.put(b, len(b)), nil }

func (k *hooked) put(b []byte, n int) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.largest = max(k.largest, len(b))
	k.written = append(k.written, b[:n]...)
	return n
}

// read returns what was written since the last call.
func (k *hooked) read() string {
	synctest.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.written
	k.written = nil
	return string(b)
}

func (k *hooked) join(planID string) {
	k.session.Receive(fmt.Appendf(nil, `{"type":"join-plan","planId":%q}`, planID))
}

// kinds returns the types of the messages in a text of lines.
func kinds(t *testing.T, text string) string {
	t.Helper()
	var list []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "(") {
			list = append(list, strings.TrimSpace(line))
			continue
		}
		msg, err := protocol.Decode([]byte(line))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, string(msg.Type))
	}
	return strings.Join(list, " ")
}

// stop is a point at which a goroutine of the hub stops.
type stop struct {
	reached, release chan struct{}

	armed bool // of openStopped: the next write stops
}

func newStop() *stop { return &stop{reached: make(chan struct{}), release: make(chan struct{})} }

// openStopped connects a user. Once writing is armed, the next write stops there and then succeeds.
func openStopped(t *testing.T, h *room.Hub, userID string) (k *hooked, writing *stop) {
	t.Helper()
	writing = newStop()
	return openHooked(t, h, userID, roomtest.Lines{}, func(_ int, b []byte) int {
		if writing.armed {
			writing.armed = false
			writing.pass()
		}
		return len(b)
	}), writing
}

func (s *stop) pass() {
	close(s.reached)
	<-s.release
}
