package client

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Plan is a plan that the client is in. Get one from [Client.Join]. All methods are safe for concurrent use. It stays until Leave, until
// access to it ends, or until the client ends; no connection is needed for that.
type Plan struct {
	// Fixed at creation.
	id       string
	client   *Client
	queue    *queue[Event]
	answered chan struct{} // closed with the first answer to a join, or when the plan has ended

	taken protocol.Position // after what the program took last; guarded by queue.mu

	// Guarded by Client.mu.
	phase     phase
	asking    bool              // a join is in the outbox
	sent      bool              // a join was written to this connection
	joined    bool              // answered is closed
	received  protocol.Position // after what came last
	gap       protocol.Position // after which something was missing
	roster    roster
	state     json.RawMessage // what SetPresence was given
	unsent    bool            // the server does not know state
	queued    bool            // it is in the outbox
	retry     backoff
	retryAt   time.Time // when a parked plan is joined again; zero: not by time
	liveSince time.Time
	err       error // why it has ended
}

// phase is where a plan stands on the connection of the moment.
//
//	          hello, time to retry          join-plan {success}
//	parked ─────────────────────────▶ asked ───────────────────▶ live
//	  ▲  ▲   error: unavailable, rate   │ ▲      a hole            │
//	  │  └──────────────────────────────┘ └────────────────────────┤
//	  └────────────────────────────────────────────────────────────┘
//	        the connection is lost; removed {retry}
//
// A plan also ends, from wherever it stands: it is then no longer in Client.plans.
type phase int

const (
	parked phase = iota
	asked        // what comes before the answer belongs to an earlier position, and is ignored
	live
)

func newPlan(c *Client, id string, since protocol.Position) *Plan {
	return &Plan{
		id: id, client: c, received: since, taken: since,
		queue:    newQueue(c.opts.QueueEvents, c.opts.QueueBytes, Event.bytes),
		answered: make(chan struct{}),
		retry:    backoff{min: c.opts.BackoffMin, max: c.opts.BackoffMax},
	}
}

// ID returns the plan's id.
func (p *Plan) ID() string { return p.id }

// Next waits for the next item of the stream. It returns ctx's error if that ends first, and the reason once the plan has ended and
// what had come before has been taken: [ErrLeft], [ErrRemoved], [ErrForbidden], [ErrClosed], or that of [Client.Err].
// When several goroutines call it each item goes to one of them.
func (p *Plan) Next(ctx context.Context) (Event, error) {
	return p.queue.take(ctx, func(e Event) { p.taken = e.Position })
}

// All returns the items of the stream, as Next does. It ends with an error, which is its last pair.
func (p *Plan) All(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			e, err := p.Next(ctx)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Position is where the program stands: after the last item that Next has returned. Its zero value means that there is none yet.
func (p *Plan) Position() protocol.Position {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	return p.taken
}

// Participants returns who is in the plan, as far as is known by now, those included whose item has not been taken yet. In a crowded plan it is
// shorter than ParticipantCount. Connections is as the server told it last, which it does not do for each one. States must not be modified.
func (p *Plan) Participants() []protocol.Participant {
	p.client.mu.Lock()
	defer p.client.mu.Unlock()
	return slices.Clone(p.roster.people)
}

// ParticipantCount returns how many people are in the plan.
func (p *Plan) ParticipantCount() int {
	p.client.mu.Lock()
	defer p.client.mu.Unlock()
	return p.roster.count
}

// SetPresence tells the others a state of this client, such as what it is looking at: a value for encoding/json, at most 1,024 bytes of
// it. Nil clears. It does not wait: the state is sent as soon as the connection allows, and again after it was
// lost; one that has been replaced by then is never sent. Errors: [ErrState], and why the plan has ended.
func (p *Plan) SetPresence(state any) error {
	raw, err := encodeState(p.id, state)
	if err != nil {
		return err
	}
	c := p.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	p.state, p.unsent = raw, true
	if c.conn != nil {
		c.conn.showLocked(p)
	}
	return nil
}

// encodeState checks a state as the server will.
func encodeState(planID string, state any) (json.RawMessage, error) {
	raw, err := json.Marshal(state)
	if err != nil {
		return nil, ErrState
	}
	b, err := protocol.EncodeRequest(protocol.Request{Type: protocol.TypeUpdatePresence, PlanID: planID, State: raw})
	if err != nil {
		return nil, ErrState
	}
	req, err := protocol.DecodeRequest(b)
	if err != nil {
		return nil, ErrState
	}
	return req.State, nil
}

// Leave takes the client out of the plan. It does not wait. What has not been taken is dropped. A second call does nothing.
func (p *Plan) Leave() {
	p.client.mu.Lock()
	defer p.client.mu.Unlock()
	p.leaveLocked(ErrLeft)
}

func (p *Plan) leaveLocked(err error) {
	if p.err != nil {
		return
	}
	if n := p.client.conn; n != nil && p.sent {
		n.leaveLocked(p.id)
	}
	p.endLocked(err, true)
}

// endLocked ends the plan. drop says that what waits in the queue is not to be taken any more.
func (p *Plan) endLocked(err error, drop bool) {
	if p.err != nil {
		return
	}
	p.err = err
	delete(p.client.plans, p.id)
	if !p.joined {
		close(p.answered)
	}
	p.queue.end(err, drop)
}

// parkLocked has the plan joined again after a wait.
func (p *Plan) parkLocked(now time.Time) {
	p.retry.worked(p.liveSince, now)
	p.phase, p.liveSince, p.retryAt = parked, time.Time{}, now.Add(p.retry.next())
}

// detachLocked notes that the connection is gone.
func (p *Plan) detachLocked(now time.Time) {
	p.retry.worked(p.liveSince, now)
	p.phase, p.asking, p.sent, p.queued, p.retryAt, p.liveSince = parked, false, false, false, time.Time{}, time.Time{}
}

func (p *Plan) put(e Event) {
	e.Position = p.received
	p.queue.put(e, overflow)
}
