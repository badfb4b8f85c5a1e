package natsengine

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/planrooms/planrooms/room"
)

// How the engine finds that the log has lost records: it asks the leader for those that it knows.

// verify asks the leader of the log for its state, for a record that was delivered, and for the
// last one that this session has stored. It returns room.ErrEpoch if the log has lost one of them.
func (s *session) verify(ctx context.Context, c *client, p point) (*state, error) {
	stored := s.acks.last() // before the leader is asked
	found, err := s.compare(ctx, c, p)
	if err != nil {
		return nil, err
	}
	now, err := c.state(ctx, &s.names)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		s.lose(c.log.Logger, "there is no stream", "stream", s.names.log)
		return nil, room.ErrEpoch
	case err != nil:
		return nil, err
	case now.epoch != s.epoch:
		s.lose(c.log.Logger, "the stream was created again, or another node has found a loss", "stream", s.names.log)
		return nil, room.ErrEpoch
	}
	if found == same && now.last < p.seq {
		// The log has lost p, or the leader has not applied it yet. In the second case all that it
		// has is the same.
		if found, err = s.compare(ctx, c, s.mark.at(now.last)); err != nil {
			return nil, err
		}
		if found == same {
			found = missing
		}
	}
	if found == same && stored.seq > p.seq {
		if found, err = s.compare(ctx, c, stored); err != nil {
			return nil, err
		}
		if found == same && now.last < stored.seq {
			found = missing
		}
	}
	if s.mark.judge(found, now.single()) {
		s.lose(c.log.Logger, "a record that was delivered or acknowledged is gone or another one",
			"delivered", p.seq, "acknowledged", stored.seq, "last", now.last)
		return nil, room.ErrEpoch
	}
	return now, nil
}

// compare asks the leader for a record that was delivered. Without a fingerprint, and if the leader
// does not have it, it counts as the same.
func (s *session) compare(ctx context.Context, c *client, p point) (finding, error) {
	if !p.known {
		return same, nil
	}
	data, err := c.leaderRecord(ctx, &s.names, p.seq)
	switch {
	case err == nil && fingerprintOf(data) != p.sum:
		return another, nil
	case err == nil, errors.Is(err, nats.ErrMsgNotFound), errors.Is(err, nats.ErrStreamNotFound):
		return same, nil
	}
	return same, err
}
