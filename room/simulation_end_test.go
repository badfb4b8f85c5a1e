package room_test

import (
	"context"
	"errors"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// shutdown ends the hub with members that read and members that do not: I11.
func (s *sim) shutdown() {
	s.note("shutdown")
	s.broadcasts()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Duration(s.rnd.IntN(4))*time.Second)
	defer cancel()
	err := s.hub.Shutdown(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		s.fail("Shutdown: %v", err)
	}
	synctest.Wait()
	s.mu.Lock()
	calls := s.callbacks
	s.over = true
	s.mu.Unlock()
	time.Sleep(time.Hour)
	synctest.Wait()
	for _, c := range s.clients {
		stalled := c.isStalled()
		wasGone := c.gone
		c.unstall()
		s.receiveAll(c)
		if wasGone || stalled {
			continue
		}
		if err == nil && c.goodbye != protocol.CloseShutdown {
			s.fail("%s: goodbye %d at shutdown", c.who(), c.goodbye)
		}
		for _, id := range s.plans {
			if v := c.view(id); v.joined && v.pos != s.model[id].last && c.goodbye == protocol.CloseShutdown {
				s.fail("%s: %s ended at %d, want %d", c.who(), id, v.pos, s.model[id].last)
			}
		}
	}
	s.mu.Lock()
	if len(s.members) > 0 || len(s.codes) != len(s.clients) || s.callbacks != calls {
		s.failLocked("after Shutdown: members %v, %d of %d disconnected, %d callbacks", s.members, len(s.codes), len(s.clients), s.callbacks-calls)
	}
	s.mu.Unlock()
	_, position := s.hub.Position(ctx, "p")
	for name, err := range map[string]error{
		"Position": position, "Resync": s.hub.Resync(ctx, "p"), "Revoke": errorOf(s.hub.Revoke(ctx, "p", "u")), "Disconnect": errorOf(s.hub.Disconnect(ctx, "u")),
		"Broadcast": errorOf(s.hub.BroadcastTaskDeleted(ctx, "p", "1")), "Notify": errorOf(s.hub.Notify(ctx, "u", protocol.Event{Type: "x"})),
		"Connect": newPeer(1, 1).connect(s.hub, auth.Identity{UserID: "u"}, "", nil),
	} {
		if !errors.Is(err, room.ErrHubClosed) {
			s.fail("%s after Shutdown: %v", name, err)
		}
	}
	if err := s.hub.Shutdown(s.t.Context()); err != nil {
		s.fail("Shutdown again: %v", err)
	}
	s.raise()
}

// baseline ends all connections and waits for the janitor: I10.
func (s *sim) baseline() {
	s.note("baseline")
	for _, c := range s.clients {
		c.end(protocol.CloseAbnormal)
		c.unstall()
	}
	s.settle()
	time.Sleep(time.Hour)
	s.settle()
	if got := s.hub.Stats(); got.Connections+got.Users+got.Rooms+got.HistoryBytes != 0 {
		s.fail("at the end: %+v", got)
	}
	if err := s.hub.Shutdown(s.t.Context()); err != nil {
		s.fail("Shutdown: %v", err)
	}
	s.raise()
}
