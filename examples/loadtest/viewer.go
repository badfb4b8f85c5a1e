package main

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// A viewer is a connection that follows one plan, checks what it receives, and resumes from its
// position when it is lost.
type viewer struct {
	// Fixed at creation.
	number  int
	client  string // its client id
	plan    int
	beside  bool // there are stalled readers in its plan
	target  *target
	ledger  *ledger
	tally   *tally
	backoff time.Duration // the longest wait before a reconnect, unless the server sets the delay

	mu       sync.Mutex // guards the following
	chain    chain
	coverage coverage
	socket   *socket // nil: none that has joined
	over     bool    // it will not reconnect
	pongs    int
}

// ending is how a connection has ended and what that asks of the viewer.
type ending struct {
	err   error
	code  protocol.CloseCode // 0: there was no connection
	final bool               // do not reconnect
	// refused reports that the token was not accepted.
	refused bool
	wait    time.Duration // as the server asks; 0: it does not
}

// joinError is the server's answer to a join that it refuses.
type joinError struct{ code protocol.ErrorCode }

func (e *joinError) Error() string { return "join refused: " + string(e.code) }

var errRemoved = errors.New("removed from the plan")

// follow keeps the viewer connected until ctx ends. arrived is called once: with nil when it has
// joined for the first time, or with the error that kept it from that, and it does not try again
// then.
func (v *viewer) follow(ctx context.Context, arrived func(error)) {
	refusals, first := 0, true
	for {
		token := v.target.credentials.token(v.number)
		end := v.connect(ctx, token, func() {
			refusals = 0
			if first {
				first = false
				arrived(nil)
			}
		})
		if first {
			arrived(end.err)
			return
		}
		if ctx.Err() != nil {
			return
		}
		if end.code != 0 {
			v.tally.closed(end.code)
		} else {
			v.tally.failed("connect", end.err)
		}
		if end.refused && !end.final {
			refusals++
			if err := v.target.credentials.renew(ctx, v.number, token); err != nil || refusals > 1 {
				v.tally.failed("token", errors.Join(err, end.err))
				end.final = true
			}
		}
		if end.final {
			v.mu.Lock()
			v.over = true
			v.mu.Unlock()
			return
		}
		wait := end.wait
		if wait == 0 {
			wait = rand.N(v.backoff + 1)
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// connect makes one connection and listens to its end.
func (v *viewer) connect(ctx context.Context, token string, joined func()) ending {
	began := v.tally.now()
	s, err := dialSocket(ctx, v.target.endpointFor(v.client), v.target.headerFor(token), 0)
	if err != nil {
		return endingOf(err)
	}
	stop := context.AfterFunc(ctx, func() {
		_ = s.write(opClose, []byte{1001 >> 8, 1001 & 0xff}) // no answer is waited for
		s.cut()
	})
	defer func() {
		if stop() {
			s.cut()
		}
		v.mu.Lock()
		v.socket = nil
		v.mu.Unlock()
	}()
	q := protocol.Request{Type: protocol.TypeJoinPlan, PlanID: v.target.plans[v.plan]}
	if since := v.chain.Position(); since.Epoch != "" { // only this goroutine moves it
		q.Since = &since
	}
	s.expect(joinTimeout)
	if err := s.request(q); err != nil {
		return endingOf(err)
	}
	return v.listen(s, began, joined)
}

// listen takes messages until there are no more.
func (v *viewer) listen(s *socket, began time.Duration, joined func()) ending {
	var goodbye *protocol.Goodbye
	for {
		b, err := s.read()
		now := v.tally.now()
		if err != nil {
			end := endingOf(err)
			if goodbye != nil {
				end = ending{
					err: &closedError{goodbye.Code}, code: goodbye.Code, final: !goodbye.Reconnect, refused: goodbye.Reauth,
					wait: time.Duration(goodbye.RetryAfterMs) * time.Millisecond,
				}
			} else if end.code == 0 {
				end.code = protocol.CloseAbnormal
			}
			return end
		}
		m, err := protocol.Decode(b)
		if err != nil {
			v.tally.failed("message", err)
			continue
		}
		switch {
		case m.Type == protocol.TypeGoodbye:
			goodbye = new(protocol.Goodbye)
			if err := json.Unmarshal(m.Data, goodbye); err != nil {
				goodbye = nil
			}
		case m.Type == protocol.TypePong:
			v.mu.Lock()
			v.pongs++
			v.mu.Unlock()
		case m.PlanID != v.target.plans[v.plan]:
			// The hello, or a notice to the user.
		case m.Type == protocol.TypeError:
			var e protocol.Error
			if err := json.Unmarshal(m.Data, &e); err == nil && e.Re == protocol.TypeJoinPlan {
				final := e.Code != protocol.ErrorUnavailable && e.Code != protocol.ErrorRateLimited
				return ending{err: &joinError{e.Code}, final: final, wait: time.Second}
			}
		case m.Type == protocol.TypeRemoved:
			var r protocol.Removed
			err := json.Unmarshal(m.Data, &r)
			return ending{err: errRemoved, final: err != nil || !r.Retry}
		case m.Type == protocol.TypeJoinPlan:
			if v.enter(s, m, now-began) {
				joined()
			}
		case m.Type == protocol.TypeResync:
			var r protocol.Resync
			if err := json.Unmarshal(m.Data, &r); err != nil {
				v.tally.failed("message", err)
				continue
			}
			v.mu.Lock()
			v.chain.resync(r)
			v.coverage.excuse(v.ledger.plans[v.plan].next())
			v.mu.Unlock()
			v.tally.reloaded("resync")
		case m.Seq > 0:
			v.receive(m, now)
		}
	}
}

// enter takes the answer to the join, and reports whether it was one: others come in messages of
// the same type.
func (v *viewer) enter(s *socket, m protocol.Message, took time.Duration) bool {
	var a protocol.JoinAnswer
	if err := json.Unmarshal(m.Data, &a); err != nil || !a.Success {
		return false
	}
	v.mu.Lock()
	how := v.chain.joined(a)
	if how != arrivedResumed {
		v.coverage.excuse(v.ledger.plans[v.plan].next())
	}
	v.socket = s
	v.mu.Unlock()
	s.expect(0)
	v.tally.joined(took, how)
	return true
}

// receive takes an event or a receipt.
func (v *viewer) receive(m protocol.Message, now time.Duration) {
	c, ours := v.ledger.find(m.MutationID, m.Data)
	v.mu.Lock()
	verdict := v.chain.event(m)
	ours = ours && c.plan == v.plan && v.coverage.record(c.index) // a change may have several events
	v.mu.Unlock()
	v.tally.event(verdict)
	if ours {
		v.tally.delivered(now-c.due, v.beside)
	}
}

// standing is the state of a viewer at the end.
type standing struct {
	missing int // changes that it should have received
	away    bool
	over    bool
	pongs   int
}

func (v *viewer) standing() standing {
	v.mu.Lock()
	defer v.mu.Unlock()
	return standing{v.coverage.missing(v.ledger.plans[v.plan]), v.socket == nil, v.over, v.pongs}
}

// ping asks for a pong, to distinguish a silent server from a dead connection.
func (v *viewer) ping() {
	v.mu.Lock()
	s := v.socket
	v.mu.Unlock()
	if s != nil {
		_ = s.request(protocol.Request{Type: protocol.TypePing}) // a missing pong shows it, too
	}
}

// endingOf says what to do after err where the server has said nothing.
func endingOf(err error) ending {
	if closed := (*closedError)(nil); errors.As(err, &closed) {
		a := closed.code.Advice()
		final := !a.Reconnect && closed.code >= 4000
		return ending{err: err, code: closed.code, final: final, refused: a.Reauth, wait: a.RetryAfter()}
	}
	if refused := (*refusedError)(nil); errors.As(err, &refused) {
		return ending{err: err, refused: refused.Status == http.StatusUnauthorized, wait: refused.RetryAfter}
	}
	return ending{err: err}
}
