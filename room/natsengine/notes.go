package natsengine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/planrooms/planrooms/room"
)

// numberHeader has the number of a note.
const numberHeader = "Planrooms-Number"

// notes stores the notes of this node, one after the other.
type notes struct {
	turn chan struct{} // has a token while no note is being stored; who has it may use what follows

	number uint64 // of the last note that may be stored
	seq    uint64 // of the last one that is stored, or 0
}

func newNotes() *notes {
	n := &notes{turn: make(chan struct{}, 1)}
	n.turn <- struct{}{}
	return n
}

// store publishes the note until the leader acknowledges it, and returns its seq. A note that is
// held up, and arrives after a later one, is refused: each note names the seq of the one before.
func (n *notes) store(ctx context.Context, c *client, s *session, note []byte) (seq uint64, err error) {
	select {
	case <-n.turn:
		defer func() { n.turn <- struct{}{} }()
	case <-ctx.Done():
		return 0, fmt.Errorf("natsengine: store a note: %w", c.whyUnfinished(ctx))
	}
	number := strconv.FormatUint(n.number+1, 10)
	m := &nats.Msg{Subject: s.names.note(s.node), Data: note, Header: nats.Header{
		numberHeader:                   {number},
		jetstream.MsgIDHeader:          {s.node + "." + number},
		jetstream.ExpectedStreamHeader: {s.names.notes},
	}}
	sent := false // an attempt may have stored it
	err = c.persist(ctx, request{what: "store a note", subject: m.Subject}, func(ctx context.Context) error {
		m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(n.seq, 10))
		ack, err := c.current().js.PublishMsg(ctx, m, jetstream.WithRetryAttempts(0))
		var api *jetstream.APIError
		switch {
		case err == nil:
			seq = ack.Sequence
		case errors.Is(err, jetstream.ErrNoStreamResponse):
			// No leader, or no stream.
			if _, gone := c.current().js.Stream(ctx, s.names.notes); errors.Is(gone, jetstream.ErrStreamNotFound) {
				return gone
			}
		case errors.As(err, &api) && isWrongSeq(api):
			n.correct(api)
			return errWrongSeq
		}
		sent = sent || fateOf(plain(err), m.Subject) == maybeStored
		return err
	})
	if err == nil || sent {
		n.number++
	}
	switch {
	case err == nil:
		n.seq = seq
	case errors.Is(err, jetstream.ErrStreamNotFound):
		s.lose(c.log.Logger, "there is no stream", "stream", s.names.notes)
		return 0, room.ErrEpoch
	}
	return seq, err
}

// errWrongSeq says that the last note of this node in the stream is another one than the last one
// that was acknowledged: a note whose acknowledgement was lost, or none after an hour.
var errWrongSeq = errors.New("the last note is another one")

// Error codes of an expected seq that is another one: with the actual seq in the text, and without
// it, while a note is being stored.
const (
	wrongSeq         = 10071
	wrongSeqInFlight = 10164
)

func isWrongSeq(err *jetstream.APIError) bool {
	return err.ErrorCode == wrongSeq || err.ErrorCode == wrongSeqInFlight
}

// correct takes the seq of the last note of this node from the error of the leader.
func (n *notes) correct(err *jetstream.APIError) {
	_, text, _ := strings.Cut(err.Description, ": ")
	if seq, bad := strconv.ParseUint(text, 10, 64); bad == nil {
		n.seq = seq
	}
}
