package client

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Plan is a plan that the client has joined with [Client.Join]. All methods may be called
// concurrently. A Plan remains valid without a connection. It ends with Leave, with the user's
// access to the plan, or with the client.
type Plan struct {
	// Fixed at creation.
	id       string
	client   *Client
	queue    *queue[item]
	answered chan struct{} // closed at the first answer to a join, or when the plan ends

	taken protocol.Position // after the last item that the program took; guarded by queue.mu

	// Guarded by Client.mu.
	phase       phase
	joinQueued  bool              // a join is in the outbox
	sent        bool              // a join was written to this connection
	askedAt     time.Time         // when it was written
	joined      bool              // the server has admitted the client, so Join has returned
	fresh       bool              // the next answer to a join starts the stream, without a position
	chain       protocol.Chain    // after the last message
	gap         protocol.Position // the last position after which events were missing
	versions    versions
	roster      roster
	state       json.RawMessage // the presence state; nil: none
	unsent      bool            // the server may not have state
	stateQueued bool            // state is in the outbox
	showAt      time.Time       // when to send state again; zero: not by time
	retry       backoff
	retryAt     time.Time // when to join a parked plan again; zero: not by time
	liveSince   time.Time
	err         error // why the plan has ended
}

// phase is the phase of a plan on the current connection.
//
//	          hello, time to retry          join-plan {success}
//	parked ─────────────────────────▶ asked ───────────────────▶ live
//	  ▲  ▲  error: unavailable, rate;   │ ▲      a gap             │
//	  │  │  no answer                   │ └────────────────────────┤
//	  │  └──────────────────────────────┘                          │
//	  └────────────────────────────────────────────────────────────┘
//	        the connection is lost; removed {retry}
//
// A lost connection leads to parked from asked as well. A plan can end in each phase. Then it is
// not in Client.plans any more.
type phase int

const (
	parked phase = iota
	asked        // messages before the answer belong to an earlier position and are ignored
	live
)

func newPlan(c *Client, id string, since protocol.Position) *Plan {
	q := newQueue(c.opts.QueueEvents, c.opts.QueueBytes, item.bytes, addItem, overflow)
	q.due = func(i item) time.Time { return i.due }
	p := &Plan{
		id: id, client: c, taken: since, queue: q,
		fresh:    since.Epoch == "",
		answered: make(chan struct{}),
		retry:    backoff{min: c.opts.BackoffMin, max: c.opts.BackoffMax},
	}
	p.chain.Reset(since)
	return p
}

// ID returns the plan's ID.
func (p *Plan) ID() string { return p.id }

// Next waits for the next item of the stream. If ctx ends, it returns the error of ctx. When the
// plan has ended and all items have been taken, it returns the reason: [ErrLeft], [ErrRemoved],
// [ErrForbidden], [ErrClosed], or that of [Client.Err]. If several goroutines call Next, each item
// goes to one of them.
//
// A [Reload] after a resync may be delayed by a few seconds, with the items after it: the server
// spreads the loads of a crowded plan.
func (p *Plan) Next(ctx context.Context) (Event, error) {
	i, err := p.queue.take(ctx, func(i item) { p.taken = i.event.Position })
	return i.event, err
}

// All returns the items of the stream, like Next. The last pair has the error.
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

// Position returns the position of the program in the stream: after the last item that Next
// returned. A change that the client drops, because its version is old, does not move it; the next
// item does. It is zero before the first item of a plan that was joined without a position, and
// before the first one after the client has connected as another user.
func (p *Plan) Position() protocol.Position {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	return p.taken
}

// Participants returns the users in the plan as of the last message received, even if the program
// has not taken its item yet. While the client reconnects, it returns the last known ones. In a
// crowded plan the list is shorter than ParticipantCount. The server does not report each change of
// Connections. Do not modify the states.
func (p *Plan) Participants() []protocol.Participant {
	p.client.mu.Lock()
	defer p.client.mu.Unlock()
	return slices.Clone(p.roster.people)
}

// ParticipantCount returns the number of users in the plan.
func (p *Plan) ParticipantCount() int {
	p.client.mu.Lock()
	defer p.client.mu.Unlock()
	return p.roster.count
}

// SetPresence shows a state of this client to the other participants, such as the task that a user
// is looking at. The state is encoded with encoding/json to at most 1,024 bytes; nil clears it.
// SetPresence does not block. The client sends the state when the rate limit allows it, and again
// after a reconnect as the same user; it skips states that have been replaced before, and a state
// that equals the last one. Errors: [ErrState], and the reason when the plan has ended.
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
	if bytes.Equal(p.state, raw) {
		return nil
	}
	p.state, p.unsent = raw, true
	if c.conn != nil && p.showAt.IsZero() {
		c.conn.showLocked(p)
	}
	return nil
}

// encodeState encodes a state and checks it as the server does.
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

// Leave leaves the plan. It does not block. Queued items are dropped. Further calls do nothing.
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

// endLocked ends the plan. If drop is set, the queued items cannot be taken any more.
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
	if n := p.client.conn; n != nil {
		n.usefulLocked(time.Now())
	}
}

// parkLocked makes the client join the plan again after a wait.
func (p *Plan) parkLocked(now time.Time) {
	p.retry.worked(p.liveSince, now)
	p.phase, p.liveSince, p.retryAt = parked, time.Time{}, now.Add(p.retry.next())
}

// forgetLocked makes the stream start again, for another user. It is called before the first join
// of a connection.
func (p *Plan) forgetLocked() {
	p.fresh = true
	p.chain, p.gap = protocol.Chain{}, protocol.Position{}
	p.roster = roster{}
	p.state, p.unsent = nil, false
	p.queue.drop(func() { p.taken = protocol.Position{} })
}

// detachLocked notes the end of the connection.
func (p *Plan) detachLocked(now time.Time) {
	p.retry.worked(p.liveSince, now)
	p.phase, p.joinQueued, p.sent, p.stateQueued = parked, false, false, false
	p.retryAt, p.liveSince, p.showAt = time.Time{}, time.Time{}, time.Time{}
}
