package client

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

const (
	// maxSpread bounds how long a resync can delay a Reload.
	maxSpread = time.Minute
	// showAgainAfter is when the client sends a presence state again after rate_limited.
	showAgainAfter = time.Second
)

// refusedLocked handles the error that answers a join.
func (p *Plan) refusedLocked(e protocol.Error, now time.Time) {
	switch e.Code {
	case protocol.ErrorForbidden:
		p.endLocked(ErrForbidden, false)
	case protocol.ErrorTooManyRooms:
		p.endLocked(ErrTooManyPlans, false)
	case protocol.ErrorBadMessage, protocol.ErrorBadPlanID, protocol.ErrorUnknownType: // permanent
		p.endLocked(fmt.Errorf("client: join refused: %q", e.Code), false)
	default:
		p.parkLocked(now)
	}
}

// receiveLocked handles a message of the plan. Positions come only from join answers, events,
// receipts and resyncs.
func (p *Plan) receiveLocked(m protocol.Message, now time.Time) {
	switch m.Type {
	case protocol.TypeRemoved:
		r, ok := data[protocol.Removed](m)
		switch {
		case !ok:
		case !r.Retry:
			p.endLocked(fmt.Errorf("%w: %q", ErrRemoved, r.Reason), false)
		case p.phase == live: // otherwise a join is under way, and its answer decides
			p.parkLocked(now)
			p.client.conn.signal()
		}
		return
	case protocol.TypeJoinPlan:
		if a, ok := data[protocol.JoinAnswer](m); ok && a.Success {
			if p.phase == asked && !p.joinQueued && a.Position.Valid() {
				p.enteredLocked(m, a, now)
			}
			return
		}
	}
	if p.phase != live {
		return
	}
	switch {
	case m.Type == protocol.TypeResync:
		if r, ok := data[protocol.Resync](m); ok && p.chain.Resync(r) == protocol.PlaceStart {
			p.reloadLocked(ReloadResync, now.Add(spreadOf(r)))
		}
	case m.Type == protocol.TypeReceipt:
		p.moveLocked(Receipt, m)
	case m.Type.Reserved():
		p.presenceLocked(m)
	default:
		p.moveLocked(Change, m)
	}
}

// spreadOf returns a random part of the time over which the server wants clients to load the plan.
func spreadOf(r protocol.Resync) time.Duration {
	spread := time.Duration(min(max(r.SpreadMs, 0), maxSpread.Milliseconds())) * time.Millisecond
	return rand.N(spread + 1)
}

// enteredLocked handles the answer to a join.
func (p *Plan) enteredLocked(m protocol.Message, a protocol.JoinAnswer, now time.Time) {
	first, resumed := !p.joined, p.chain.Join(a) == protocol.PlaceNext
	p.phase, p.liveSince = live, now
	p.roster.reset(a.Participants, a.ParticipantCount)
	switch {
	case !resumed:
		reason := ReloadNotRecovered
		if p.fresh {
			reason = ReloadJoined
		}
		p.reloadLocked(reason, now)
	case !first:
		p.put(Event{Kind: Presence, Message: m})
	}
	p.fresh = false
	if first {
		p.joined = true
		close(p.answered)
	}
	n := p.client.conn
	if n.stableSince.IsZero() {
		n.stableSince = now
	}
	p.unsent = p.unsent || p.state != nil // the server has forgotten the state
	n.showLocked(p)
}

// moveLocked handles an event or a receipt. At the first gap after a position, the client joins
// again; at the second one, the program loads the plan.
func (p *Plan) moveLocked(kind Kind, m protocol.Message) {
	place := p.chain.Take(m)
	if place == protocol.PlaceGap {
		if at := p.chain.Position(); p.gap != at { // the server may still have what is missing
			p.gap = at
			p.client.conn.logLocked(slog.LevelDebug, "client: events are missing", slog.String("plan", p.id))
			p.client.conn.askLocked(p)
			return
		}
		p.chain.Skip(m)
		p.putReload(ReloadGap, time.Time{})
		place = p.chain.Take(m)
	}
	switch {
	case place != protocol.PlaceNext: // not an event, or a duplicate
	case p.versions.outdated(m.Version) && kind == Change:
		p.skipLocked()
	default:
		p.put(Event{Kind: kind, Message: m})
	}
}

// presenceLocked handles a presence notice.
func (p *Plan) presenceLocked(m protocol.Message) {
	ok := false
	switch m.Type {
	case protocol.TypeJoinPlan:
		var j protocol.Joined
		if j, ok = data[protocol.Joined](m); ok && j.UserID == "" {
			p.roster.crowded(j.ParticipantCount, p.client.userID)
		} else if ok {
			p.roster.joined(j)
		}
	case protocol.TypeLeavePlan:
		var l protocol.Left
		if l, ok = data[protocol.Left](m); ok && l.UserID == "" {
			return // an answer to leave-plan, but this plan was not left
		} else if ok {
			p.roster.left(l)
		}
	case protocol.TypePresenceUpdated:
		var u protocol.PresenceUpdated
		if u, ok = data[protocol.PresenceUpdated](m); ok {
			p.roster.updated(u.UserID, u.State)
		}
	}
	if ok {
		p.put(Event{Kind: Presence, Message: m})
	}
}

// put queues an item at the position of the plan.
func (p *Plan) put(e Event) {
	e.Position = p.chain.Position()
	p.queue.put(item{event: e})
}

// reloadLocked queues a Reload after which the stream starts again. The host may have restored an
// older plan, so earlier versions do not count after it.
func (p *Plan) reloadLocked(reason ReloadReason, due time.Time) {
	p.versions = versions{}
	p.putReload(reason, due)
}

// putReload queues a Reload that the program gets at due.
func (p *Plan) putReload(reason ReloadReason, due time.Time) {
	p.queue.put(item{event: Event{Kind: Reload, Reason: reason, Position: p.chain.Position()}, due: due})
}

// skipLocked moves the position over an event that the program does not get. Otherwise the server
// would replay the event to a program that resumes at its position.
func (p *Plan) skipLocked() {
	p.queue.last(func(last *item) {
		if last != nil {
			last.event.Position = p.chain.Position()
		} else {
			p.taken = p.chain.Position()
		}
	})
}
