package natsengine

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/planrooms/planrooms/room"
)

const (
	// tick is how long a record whose bell was lost waits.
	tick = time.Second
	// A tail asks replicas this often, 1 to 8 ms apart, for a record that the bell has rung for and
	// that they do not have yet. Then it asks the leader.
	patience = 20
	// anchorRate is how many bytes a second are read at most, on average, to see whether the last
	// record is still the same while no others come.
	anchorRate = 16 << 10
)

// Tail implements [room.Engine]. It calls apply with at most 512 records. A lost connection does
// not end it: it goes on when the connection is made again.
func (e *Engine) Tail(ctx context.Context, after uint64, apply func([]room.Record)) error {
	c, s, err := e.use()
	if err != nil {
		return err
	}
	ctx, cancel := e.running(ctx)
	defer cancel()
	r := c.newReader(s.names.log)
	defer r.close()
	t := &tail{c: c, s: s, r: r, at: s.mark.at(after), apply: apply, wake: make(chan struct{}, 1)}
	defer s.bell.listen(t.wake)()
	defer c.onReconnect(t.wake)()
	return e.o.redact(t.run(ctx))
}

// tail is one call of Tail.
type tail struct {
	c     *client
	s     *session
	r     *reader
	at    point // the last record that was delivered, or the one to begin after
	apply func([]room.Record)
	wake  chan struct{} // the bell, or a reconnect

	rung  uint64 // what the bell had rung for at the last try
	tries int    // to read it

	lacking time.Time // since when the leader lacks the next record; zero if it does not
	seen    time.Time // when at was last read
}

func (t *tail) run(ctx context.Context) error {
	var verified uint64 // the link at which the leader was asked last; see client.links
	for n := 0; ; n++ {
		if t.s.isLost() {
			return room.ErrEpoch
		}
		if ctx.Err() != nil {
			return whyEnded(ctx)
		}
		links := t.c.links()
		var next time.Duration
		var err error
		if links != verified {
			if _, err = t.verify(ctx); err == nil {
				verified = links
			}
		} else {
			next, err = t.step(ctx)
		}
		switch {
		case err == nil:
			n = 0
		case ends(err):
			return err
		default:
			next = backoff(n)
		}
		t.wait(ctx, next)
	}
}

// ends reports whether an error ends the tail.
func ends(err error) bool {
	return errors.Is(err, room.ErrEpoch) || errors.Is(err, room.ErrTrimmed)
}

// wait waits for a time. If that is a tick, the bell and a reconnect end it.
func (t *tail) wait(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	wake := t.wake
	if d < tick {
		wake = nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-wake:
	case <-timer.C:
	case <-t.s.lost:
	case <-ctx.Done():
	}
}

// step reads what a replica has, and delivers it. It returns how long to wait before the next step,
// which is 0 only if the replica had a record.
func (t *tail) step(ctx context.Context) (time.Duration, error) {
	rung := t.s.bell.rung.Load()
	from, known := t.at.seq, t.anchor()
	peek := t.peeks(rung, time.Now())
	if peek {
		from, known = t.at.seq+1, 0
	}
	list, more, readErr := t.r.read(ctx, from, known)
	if peek && len(list) > 0 {
		t.seen = time.Time{} // they count only if the record before them is the same
		return 0, nil
	}
	records, sums, gap, differs := t.accept(list)
	t.deliver(records, sums)
	progress := len(records) > 0
	switch {
	case differs:
		_, err := t.verify(ctx)
		return tick / 4, err
	case gap:
		return t.bridge(ctx, tick/4)
	case errors.Is(readErr, nats.ErrNoResponders): // no replica, or no stream
		_, err := t.verify(ctx)
		return tick / 4, err
	case readErr != nil:
		return 0, readErr
	case more && progress:
		return 0, nil
	case more:
		return t.bridge(ctx, tick/4)
	case rung > t.at.seq && t.again(rung, progress):
		return time.Millisecond << min(t.tries-1, 3), nil
	case rung > t.at.seq:
		return t.bridge(ctx, tick)
	case len(list) == 0 && t.at.seq > 0 && !peek:
		_, err := t.verify(ctx)
		return tick, err
	}
	return tick, nil
}

// anchor is the size of the last record that was delivered, with what the server counts besides: it
// ends a batch once that has the size that was asked for, and each batch begins with this record.
func (t *tail) anchor() int {
	if !t.at.known {
		return 0
	}
	return int(t.at.sum.size) + overhead
}

// peeks reports whether to ask only whether there are records after the last one, without that one:
// it is large, it was read a short time ago, and it is not known that there are others, or they
// were asked for in vain.
func (t *tail) peeks(rung uint64, now time.Time) bool {
	if t.anchor() <= anchorRate || rung > t.at.seq && (rung != t.rung || t.tries == 0) {
		return false
	}
	return now.Sub(t.seen) < time.Duration(t.anchor())*time.Second/anchorRate
}

// again reports whether to ask replicas soon for the record that the bell has rung for.
func (t *tail) again(rung uint64, progress bool) bool {
	if progress || rung != t.rung {
		t.rung, t.tries = rung, 0
	}
	t.tries++
	return t.tries <= patience
}

// accept returns the records of list that come next, and their fingerprints. gap is whether one is
// missing between, differs whether the last record that was delivered is another one.
func (t *tail) accept(list []message) (records []room.Record, sums []fingerprint, gap, differs bool) {
	for _, m := range list {
		p := point{m.seq, fingerprintOf(m.data), true}
		switch {
		case m.seq < t.at.seq:
		case m.seq == t.at.seq:
			if t.at.known && p != t.at {
				return records, sums, false, true
			}
			t.at, t.seen = p, time.Now()
		case m.seq == t.at.seq+1:
			t.at, t.seen = p, time.Now()
			records = append(records, room.Record{Seq: m.seq, Data: m.data})
			sums = append(sums, p.sum)
		default:
			return records, sums, true, false
		}
	}
	return records, sums, false, false
}

// deliver passes records to the hub.
func (t *tail) deliver(records []room.Record, sums []fingerprint) {
	if len(records) > 0 {
		t.lacking, t.tries = time.Time{}, 0
		t.apply(records)
		t.s.mark.deliver(t.at.seq, sums)
	}
}

// bridge delivers the next record if the leader has it, although a replica had only later ones, or
// none. It returns how long to wait before the next step: wait, if the leader does not have it.
func (t *tail) bridge(ctx context.Context, wait time.Duration) (time.Duration, error) {
	data, err := t.c.leaderRecord(ctx, &t.s.names, t.at.seq+1)
	switch {
	case err == nil:
		// The last record of the replica may not be that of the leader.
		if _, err := t.verify(ctx); err != nil {
			return 0, err
		}
		records, sums, _, _ := t.accept([]message{{seq: t.at.seq + 1, data: data}})
		t.deliver(records, sums)
		return 0, nil
	case !errors.Is(err, nats.ErrMsgNotFound):
		return 0, err
	}
	now, err := t.verify(ctx)
	switch {
	case err != nil:
		return 0, err
	case now.last <= t.at.seq: // it has none, or has not applied it yet
		t.lacking = time.Time{}
	case now.single():
		return 0, t.skip(ctx, now)
	case t.lacking.IsZero():
		t.lacking = time.Now()
	case time.Since(t.lacking) >= absence:
		return 0, t.skip(ctx, now)
	}
	return wait, nil
}

// skip returns a room.TrimmedError with the seq of a later record that the leader has: its file is
// damaged where the next one was, and the server does not count that as a gap. Each try goes twice
// as far, so it skips at most as many good records as damaged ones.
func (t *tail) skip(ctx context.Context, now *state) error {
	for step := uint64(1); ; step *= 2 {
		seq := t.at.seq + 1 + step
		if seq > now.last {
			return &room.TrimmedError{First: now.last + 1}
		}
		if _, err := t.c.leaderRecord(ctx, &t.s.names, seq); err == nil {
			return &room.TrimmedError{First: seq}
		} else if !errors.Is(err, nats.ErrMsgNotFound) {
			return err
		}
	}
}

// verify asks the leader for the last record that was delivered, and for its state. It returns
// room.ErrEpoch or a room.TrimmedError if the tail has to end.
func (t *tail) verify(ctx context.Context) (*state, error) {
	now, err := t.s.verify(ctx, t.c, t.at)
	if err != nil {
		return nil, err
	}
	t.s.bell.ring(now.last)
	if t.at.seq+1 < now.first {
		return nil, &room.TrimmedError{First: now.first}
	}
	return now, nil
}
