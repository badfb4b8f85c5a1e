package room_test

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// guest is a connection for tests with thousands of connections. It reads everything immediately
// and only counts messages.
type guest struct {
	session *room.Session

	mu      sync.Mutex // guards the following
	answers map[protocol.Type]int
}

// got returns the number of messages received, by type.
func (g *guest) got() map[protocol.Type]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.answers)
}

func (g *guest) take(m roomtest.Received) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answers[m.Type]++
}

// newGuest connects a guest. It ends with the hub. It may be called in any goroutine.
func newGuest(t *testing.T, h *room.Hub, userID string, opts *room.ConnectOptions) *guest {
	t.Helper()
	g := &guest{answers: make(map[protocol.Type]int)}
	k := roomtest.NewSink(&roomtest.SinkOptions{OnMessage: g.take, Discard: true, Mute: true})
	if err := k.Connect(h, auth.Identity{UserID: userID}, opts); err != nil {
		t.Error(err)
		runtime.Goexit()
	}
	g.session = k.Session()
	return g
}

func (g *guest) join(plan string) {
	g.session.Receive(fmt.Appendf(nil, `{"type":"join-plan","planId":%q}`, plan))
}

// allMembers counts the connections in all rooms.
func allMembers(h *room.Hub) (n int) {
	for _, r := range h.Rooms() {
		n += r.Connections
	}
	return n
}

// load is an Options.Authorize that measures how many calls run at once.
type load struct {
	call func(ctx context.Context, id auth.Identity, planID string) error // what a call does

	mu      sync.Mutex // guards the following
	calls   int
	running map[string]int // by user; "" for all
	most    map[string]int // the highest values of running
}

func newLoad(call func(ctx context.Context, id auth.Identity, planID string) error) *load {
	return &load{call: call, running: make(map[string]int), most: make(map[string]int)}
}

// takes returns an Authorize that takes some time and then allows.
func takes(d time.Duration) func(context.Context, auth.Identity, string) error {
	return func(ctx context.Context, _ auth.Identity, _ string) error {
		pause(ctx, d)
		return ctx.Err()
	}
}

func (l *load) authorize(ctx context.Context, id auth.Identity, planID string) error {
	l.add(id.UserID, 1)
	defer l.add(id.UserID, -1)
	return l.call(ctx, id, planID)
}

func (l *load) add(userID string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n > 0 {
		l.calls++
	}
	for _, key := range []string{"", userID} {
		if l.running[key] += n; l.running[key] == 0 {
			delete(l.running, key)
		}
		l.most[key] = max(l.most[key], l.running[key])
	}
}

// counts returns the number of calls, the most at once, and the most at once for one user.
func (l *load) counts(userID string) (calls, most, mostOfUser int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls, l.most[""], l.most[userID]
}
