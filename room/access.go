package room

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/auth"
)

var (
	// errAbandoned is returned for a call whose holder continues without it: the goroutine that
	// made the call must do nothing more.
	errAbandoned = errors.New("room: the call of Authorize took too long")

	// errRevoking refuses a join during which Revoke, Recheck or a similar method was called each
	// time Authorize had allowed it.
	errRevoking = errors.New("room: access was revoked or rechecked repeatedly during the join")
)

// denied reports whether err, an answer of Authorize, is a no. Any other error means that access
// could not be checked.
func denied(err error) bool {
	return errors.Is(err, ErrForbidden) || errors.Is(err, ErrUnauthenticated)
}

// access asks Options.Authorize whether a user may see a plan: with its timeout, in the slots that
// it has, and so that a panic ends the call alone.
type access struct {
	authorize func(ctx context.Context, id auth.Identity, planID string) error // fixed at creation
	guard     *guard                                                           // fixed at creation
	slots     slots
	flights   flights
}

// permit is a yes of Authorize. It holds as long as neither the user's access nor the identity that
// was asked about has changed meanwhile.
type permit struct {
	at      time.Time // of the yes
	renewal uint32    // which identity of the connection Authorize got; see Session.renewals
	revoked *atomic.Bool
}

// stale reports whether access may have changed since Authorize was called: Revoke, Recheck, or a
// similar method was. It is decisive under the room's lock: these methods mark the calls before
// they look for members, so either the join sees the mark, or the method sees the member.
func (p *permit) stale() bool { return p.revoked.Load() }

// request is ask for a join. renewal is the number of id among the identities of the connection.
func (a *access) request(c *call, id *auth.Identity, renewal uint32, planID string) (p permit, err error) {
	if err = a.ask(c, id, planID); err == nil {
		p = permit{at: time.Now(), renewal: renewal, revoked: &c.revoked}
	}
	return p, err
}

// ask calls Authorize in the slot of c and returns its answer. c is over afterwards. Errors: that
// of Authorize; errPanicked; context.DeadlineExceeded or context.Canceled for an answer that came
// too late; errAbandoned if holder.lost has been called, or will be.
func (a *access) ask(c *call, id *auth.Identity, planID string) error {
	returned := false
	defer func() {
		if !returned { // Authorize called runtime.Goexit, which ends this goroutine
			if !c.finish() {
				c.holder.lost(c, errExited)
			}
			c.lost = true
			_ = c.end() // the error is errExited
		}
	}()
	c.revoked.Store(false)
	err := a.guard.call(func() error { return a.authorize(&c.lazyDeadline, *id, planID) })
	returned = true
	c.lost = c.finish()
	late := c.end()
	switch {
	case c.lost:
		return errAbandoned
	case err == nil:
		return late // nil, but too late
	}
	return err
}

// errorKind sorts the errors of callbacks into a few kinds.
func errorKind(err error) string {
	switch {
	case errors.Is(err, errPanicked):
		return "panic"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, errNoSlot):
		return "no slot"
	case errors.Is(err, errRevoking):
		return "revoked"
	}
	return "error"
}
