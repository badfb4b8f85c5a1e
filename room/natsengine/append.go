package natsengine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/planrooms/planrooms/room"
)

// Error codes of the leader that say that it did not store the message, whatever happens later.
// Others, such as that of a full disk, come from a leader whose followers may have stored it.
const (
	tooLarge      = 10054 // larger than max_msg_size
	anotherStream = 10060 // Nats-Expected-Stream names another stream
	sealed        = 10109
)

// Append implements [room.Engine]. It publishes the record again, with the same ID, until the
// leader acknowledges it or ctx ends. Errors other than [room.ErrUncertain]: the record is larger
// than Opened.MaxRecord, the server does not permit it, the subject belongs to another stream, the
// engine is closed, or ctx ended before the record was sent.
func (e *Engine) Append(ctx context.Context, id string, data []byte) (uint64, error) {
	c, s, err := e.use()
	if err != nil {
		return 0, err
	}
	ctx, cancel := e.running(ctx)
	defer cancel()
	if ctx.Err() != nil {
		return 0, whyEnded(ctx)
	}
	if largest := s.largest.Load(); int64(len(data)) > largest {
		return 0, fmt.Errorf("natsengine: append: the record has %d bytes, the largest has %d", len(data), largest)
	}
	seq, err := c.append(ctx, s, id, data)
	return seq, e.o.redact(err)
}

// plainID matches an ID that a header can have as it is.
var plainID = regexp.MustCompile(`^[!-~]([ -~]{0,126}[!-~])?$`)

// messageID returns the Nats-Msg-Id for an ID: the same or, if a header cannot have it, a hash of
// it.
func messageID(id string) string {
	const hashed = "sha256:"
	if plainID.MatchString(id) && !strings.HasPrefix(id, hashed) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hashed + hex.EncodeToString(sum[:])
}

// append publishes a record until it is certain what became of it.
func (c *client) append(ctx context.Context, s *session, id string, data []byte) (uint64, error) {
	m := &nats.Msg{Subject: s.names.record, Data: data, Header: nats.Header{
		jetstream.MsgIDHeader:          {messageID(id)},
		jetstream.ExpectedStreamHeader: {s.names.log},
	}}
	var since time.Time // when the first attempt began that may have stored the record
	denied := false     // an attempt has ended because the server refused it or another one
	for n := 0; ; n++ {
		begun, before := time.Now(), max(s.mark.last(), s.acks.last().seq)
		ack, err := c.publish(ctx, m)
		if err == nil {
			if ack.Sequence <= before && !ack.Duplicate {
				s.lose(c.log.Logger, "it gave a seq for the second time", "seq", ack.Sequence, "before", before)
			}
			// What has the same ID may have other data.
			s.acks.add(point{ack.Sequence, fingerprintOf(data), !ack.Duplicate})
			s.bell.ring(ack.Sequence) // that of the stream comes later, or is lost
			return ack.Sequence, nil
		}
		fate := fateOf(err, s.names.record)
		if fate == maybeStored && since.IsZero() {
			since = begun
		}
		uncertain := !since.IsZero()
		again := fate != refused
		if isDenied(err, s.names.record) {
			again, denied = again && !denied, true
		}
		switch {
		case fate == refused && !uncertain:
			return 0, fmt.Errorf("natsengine: append: %w", err)
		case !again, uncertain && !mayRepeat(since, time.Now()):
		case pause(ctx, n) == nil:
			continue
		}
		if uncertain {
			return 0, fmt.Errorf("%w: %w", room.ErrUncertain, err)
		}
		return 0, fmt.Errorf("natsengine: append: %w; last: %w", whyEnded(ctx), err)
	}
}

// publish makes one attempt to publish a record.
func (c *client) publish(ctx context.Context, m *nats.Msg) (ack *jetstream.PubAck, err error) {
	l, done := c.beginAppend(m.Subject)
	err = c.attemptOn(ctx, l, func(ctx context.Context) (err error) {
		ack, err = c.current().js.PublishMsg(ctx, m, jetstream.WithRetryAttempts(0))
		return err
	})
	var api *jetstream.APIError
	done(err == nil || errors.As(err, &api) || fateOf(err, m.Subject) == notStored)
	return ack, err
}

// mayRepeat reports whether an attempt at now has the same effect as the first one that may have
// stored the record, at since. After the window it would store another record.
func mayRepeat(since, now time.Time) bool { return elapsed(since, now) <= room.DedupWindow/2 }

// elapsed returns the time from since to now. The monotonic clock stops while a machine is
// suspended, and the wall clock may be set back: it is the longer time of both.
func elapsed(since, now time.Time) time.Duration {
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

// fate is what an error says about a record that was published.
type fate int

const (
	maybeStored fate = iota
	notStored        // and another attempt may succeed
	refused          // and another attempt would fail as well
)

func fateOf(err error, subject string) fate {
	var api *jetstream.APIError
	var denied *deniedError
	switch {
	case errors.As(err, &api):
		switch api.ErrorCode {
		case tooLarge, anotherStream, sealed:
			return refused
		}
		return maybeStored // among them 10158: a message with the same ID is being stored
	case errors.As(err, &denied) && denied.isPublish(subject) && denied.sole:
		return refused
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrHeadersNotSupported):
		return refused
	case errors.Is(err, errUnconnected), errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders):
		return notStored
	}
	return maybeStored
}

// isDenied reports whether the server does not permit to publish to a subject.
func isDenied(err error, subject string) bool {
	var denied *deniedError
	return errors.As(err, &denied) && denied.isPublish(subject)
}
