package room

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
)

// errPanicked is what guard returns for a callback that panicked.
var errPanicked = errors.New("room: callback panicked")

// errRevoking is why a join is refused that was revoked each time it had been allowed.
var errRevoking = errors.New("room: access was revoked again and again while it was asked for")

// guard calls f, a host's callback, in a goroutine of its own: so that it is over for the caller after
// AuthorizeTimeout even if f does not listen to its context, and a panic ends nothing but the call.
func (h *Hub) guard(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(h.ctx, h.opts.AuthorizeTimeout)
	defer cancel()
	result := make(chan error, 1)
	h.wg.Go(func() { result <- h.survive(func() error { return f(ctx) }) })
	select {
	case err := <-result:
		if err == nil {
			err = ctx.Err() // a yes that came too late: both channels may be ready
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// survive calls f, a host's callback, and returns errPanicked if it panics.
func (h *Hub) survive(f func() error) (err error) {
	err = errPanicked
	defer func() {
		if v := recover(); v != nil {
			h.opts.Logger.Error("room: callback panicked", panicAttrs(v)...)
		}
	}()
	return f()
}

// authorize asks whether the identity may see the plan.
func (h *Hub) authorize(id auth.Identity, planID string) error {
	return h.guard(func(ctx context.Context) error { return h.opts.Authorize(ctx, id, planID) })
}

// authorizeJoin asks for a join, in the goroutine of the session's worker: joins come by the thousand, when all clients are back at once, and
// a goroutine and a timer for each would cost as much as the rest of the join. If it takes longer than AuthorizeTimeout the worker is
// given up: another one takes its place, which refuses the join and goes on with the inbox, and gone is true.
func (s *Session) authorizeJoin(req protocol.Request) (gone bool, err error) {
	h := s.hub
	ctx := &callContext{Context: h.ctx, deadline: time.Now().Add(h.opts.AuthorizeTimeout)}
	var decided atomic.Bool // by who goes on
	t := h.timers.after(h.opts.AuthorizeTimeout, func() {
		if !decided.Swap(true) {
			h.wg.Go(func() {
				s.deny(req, context.DeadlineExceeded)
				s.work()
			})
		}
	})
	err = h.survive(func() error { return h.opts.Authorize(ctx, s.Identity(), req.PlanID) })
	h.timers.stop(t)
	if late := ctx.end(); err == nil {
		err = late // a yes that came too late
	}
	return decided.Swap(true), err
}

// recheckLocked has m asked about again, d from now less a random tenth.
func (m *member) recheckLocked(d time.Duration) {
	if m.gone.Load() {
		return // endRechecks comes after gone, under the same lock
	}
	h := m.room.hub
	d -= rand.N(d/10 + 1)
	if m.recheck == nil {
		m.recheck = h.timers.after(d, func() { h.recheckSoon(m) })
	} else {
		h.timers.reset(m.recheck, d)
	}
}

// endRechecks is called once m is gone.
func (m *member) endRechecks() {
	m.checkMu.Lock()
	defer m.checkMu.Unlock()
	m.room.hub.timers.stop(m.recheck)
}

// recheckSoon queues m for one of the few goroutines that ask.
func (h *Hub) recheckSoon(m *member) {
	h.recheckMu.Lock()
	defer h.recheckMu.Unlock()
	h.rechecks = append(h.rechecks, m)
	if h.asking < reauthorizeParallel {
		h.asking++
		h.wg.Go(h.askAgain)
	}
}

func (h *Hub) askAgain() {
	for {
		h.recheckMu.Lock()
		if len(h.rechecks) == 0 {
			h.rechecks = nil
			h.asking--
			h.recheckMu.Unlock()
			return
		}
		m := h.rechecks[0]
		h.rechecks[0] = nil
		h.rechecks = h.rechecks[1:]
		h.recheckMu.Unlock()
		if !m.gone.Load() {
			m.s.recheck(m)
		}
	}
}

// recheck asks whether m may still be where it is, and removes it if not. An Authorize that can't tell is asked again
// for RemoveAfter: one failure of a database does not empty every room.
func (s *Session) recheck(m *member) {
	h := s.hub
	err := h.authorize(s.Identity(), m.room.id)
	if m.gone.Load() {
		return
	}
	switch {
	case errors.Is(err, ErrForbidden):
		s.expel(m, protocol.Removed{Reason: "access ended"})
	case errors.Is(err, errPanicked):
		s.Close(protocol.CloseInternal)
	case m.undecided(err):
		s.expel(m, protocol.Removed{Reason: "access could not be checked", Retry: true})
	}
}

// undecided reports whether Authorize has not been able to tell for too long. If not, m is asked about again.
func (m *member) undecided(err error) bool {
	h := m.room.hub
	m.checkMu.Lock()
	defer m.checkMu.Unlock()
	if err == nil {
		m.failing = time.Time{}
		m.recheckLocked(h.opts.ReauthorizeEvery)
		return false
	}
	now := time.Now()
	if m.failing.IsZero() {
		m.failing = now
	}
	if now.Sub(m.failing) >= h.opts.RemoveAfter {
		return true
	}
	m.recheckLocked(min(reauthorizeRetry, h.opts.ReauthorizeEvery))
	return false
}

// expel removes m from its room and tells its connection why.
func (s *Session) expel(m *member, why protocol.Removed) {
	if !s.depart(m, departNow) {
		return
	}
	s.out.confine(m.room.id, time.Now().Add(confineTimeout))
	s.out.answer(answer{payload: mustEncode(protocol.TypeRemoved, m.room.id, why)})
}
