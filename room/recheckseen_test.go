package room_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// notebook is the output of a logger.
type notebook struct {
	mu  sync.Mutex // guards the following
	buf bytes.Buffer
}

func (n *notebook) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.buf.Write(b)
}

func (n *notebook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(n, nil)) }

// lines returns the lines that hold all of the words.
func (n *notebook) lines(words ...string) (lines []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
next:
	for line := range strings.Lines(n.buf.String()) {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue next
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// Each check is observed, counted, and logged if it failed.
func TestRechecksAreObserved(t *testing.T) {
	g := &authorizer{}
	var log notebook
	var mu sync.Mutex
	var seen []room.RecheckInfo
	opts := &room.Options{
		Authorize: g.authorize, Logger: log.logger(), ReauthorizeEvery: time.Minute, RemoveAfter: time.Minute,
		Observer: room.Observer{Rechecked: func(r room.RecheckInfo) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, r)
		}},
	}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		take := func() (results []string) {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			for _, r := range seen {
				results = append(results, fmt.Sprint(r.Connection.UserID, " ", r.PlanID, " ", r.Result, " ", r.Err))
			}
			seen = nil
			return results
		}
		want := func(step string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, take()); diff != "" {
				t.Errorf("%s: observed (-want +got):\n%s", step, diff)
			}
		}
		wantStats := func(step string, made, undecided, forbidden, unconfirmed uint64) {
			t.Helper()
			s := h.Stats()
			got := []uint64{s.Rechecks, s.RechecksUndecided, s.RemovedForbidden, s.RemovedUnconfirmed}
			if diff := cmp.Diff([]uint64{made, undecided, forbidden, unconfirmed}, got); diff != "" {
				t.Errorf("%s: made, undecided, forbidden, unconfirmed (-want +got):\n%s", step, diff)
			}
		}
		roomtest.Join(t, h, "alice", "p")
		want("at the join")
		time.Sleep(time.Minute)
		want("a yes", "alice p kept <nil>")
		if n := len(log.lines("")); n != 0 {
			t.Errorf("%d lines logged for a yes", n)
		}

		g.answer(errOutage)
		time.Sleep(time.Minute)
		got := take()
		for _, line := range got {
			if line != "alice p undecided the database is down" {
				t.Errorf("an outage: observed %q", line)
			}
		}
		if n := uint64(len(got)); n < 1 || n > 3 {
			t.Errorf("%d checks in an outage of a minute, want one to three", n)
		} else {
			wantStats("an outage", 1+n, n, 0, 0)
		}
		if n := len(log.lines("WARN", "could not be checked", "user=alice", "plan=p", "the database is down")); n != len(got) {
			t.Errorf("%d lines logged for %d failing checks", n, len(got))
		}
		time.Sleep(time.Minute)
		got = take()
		if n := len(got); n == 0 || got[n-1] != "alice p removed the database is down" {
			t.Errorf("at the end of the outage: observed %q", got)
		}
		if h.Stats().RemovedUnconfirmed != 1 || len(log.lines("WARN", "a member was removed", "user=alice", "plan=p", "the database is down")) != 1 {
			t.Errorf("%d removed, log %q", h.Stats().RemovedUnconfirmed, log.lines(""))
		}

		g.answer(nil)
		bob := roomtest.Join(t, h, "bob", "q")
		made, undecided := h.Stats().Rechecks, h.Stats().RechecksUndecided
		g.answer(fmt.Errorf("not on the list: %w", room.ErrForbidden))
		time.Sleep(time.Minute)
		want("a no", "bob q removed not on the list: room: forbidden")
		wantStats("a no", made+1, undecided, 1, 1)
		wantReceived(t, bob, `removed q {"reason":"access ended","retry":false}`)
	})
}

// Many failing checks at once cause a few log lines, at least one of each kind.
func TestLogOfFailingRechecksIsShort(t *testing.T) {
	errs := []error{errOutage, context.DeadlineExceeded}
	var log notebook
	var fail atomic.Bool
	opts := &room.Options{PingEvery: -1, Logger: log.logger(), Authorize: func(_ context.Context, id auth.Identity, _ string) error {
		if fail.Load() {
			return errs[len(id.UserID)%2]
		}
		return nil
	}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		for n := range 1000 {
			newGuest(t, h, fmt.Sprint("user", n), nil).join(fmt.Sprint("plan", n/5))
		}
		synctest.Wait()
		fail.Store(true)
		time.Sleep(5 * time.Minute)
		for _, kind := range []string{errOutage.Error(), context.DeadlineExceeded.Error()} {
			// The checks of the last 30 s of 5 min, at most one line in 10 s.
			if n := len(log.lines("WARN", "could not be checked", kind)); n < 1 || n > 6 {
				t.Errorf("%d lines with %q, want 1 to 6", n, kind)
			}
		}
		if len(log.lines("omitted=")) == 0 {
			t.Error("no line has the number of suppressed lines")
		}
	})
}
