package room_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// lines counts the lines of a log by level and message.
type lines struct {
	slog.Handler // for the methods that nothing calls

	mu    sync.Mutex // guards count
	count map[string]int
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count[r.Level.String()+" "+r.Message]++
	return nil
}

// want checks how many lines have a part.
func (l *lines) want(t *testing.T, part string, want int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	got := 0
	for line, n := range l.count {
		if strings.Contains(line, part) {
			got += n
		}
	}
	if got != want {
		t.Errorf("%d lines have %q, not %d: %v", got, part, want, l.count)
	}
}

// The log says when a node becomes ready, when it no longer is, and when it is again. A join that
// waits in vain does not look like a failed check of access.
func TestLogSaysWhenReadinessChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &lines{count: make(map[string]int)}
		m := enginetest.NewMemory(nil)
		n := newNode(t, m, "a", room.Options{Logger: slog.New(log)})
		n.engine.Cut()
		n.start(t)
		want := func(ready, unready int) {
			t.Helper()
			time.Sleep(15 * time.Second)
			synctest.Wait()
			log.want(t, "INFO room: the node is ready", ready)
			log.want(t, "WARN room: the node is not ready any more", unready)
		}
		want(0, 0)
		n.engine.Heal()
		want(1, 0)
		n.engine.Cut()
		want(1, 1)
		if err := n.Ready(); !errors.Is(err, room.ErrNotReady) || !strings.Contains(err.Error(), "the connection is cut") {
			t.Errorf("Ready = %v, which is not what the engine says", err)
		}
		connect(t, n.Hub, "ann", "").Send(`{"type":"join-plan","planId":"p"}`)
		want(1, 1)
		log.want(t, "authorization unavailable", 0)
		log.want(t, "WARN room: a join was refused, because the node is not ready", 1)
		n.engine.Heal()
		want(2, 1)
		if err := n.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(2, 1) // Shutdown is not an outage
	})
}
