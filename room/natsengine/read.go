package natsengine

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// A read asks for this many messages, or for these bytes if that is less.
	readMessages = 512
	readBytes    = 1 << 20
	minReadBytes = 16 << 10
)

// message is a message of a stream, as a direct get returns it.
type message struct {
	seq    uint64
	header nats.Header
	data   []byte
}

// reader reads messages of a stream by batches of direct gets. Any replica of the stream answers,
// so a reader may get less than the leader has. It is used by one goroutine.
type reader struct {
	c       *client
	subject string // of the requests
	k       *conn  // that sub is of; nil before the first read
	inbox   string // the beginning of the subjects of the answers
	sub     *nats.Subscription
	reads   uint64
	bytes   int // of the next read; less than readBytes if the connection is slow
}

// newReader returns a reader of a stream. Call close at the end.
func (c *client) newReader(stream string) *reader {
	return &reader{c: c, subject: c.api + "DIRECT.GET." + stream, bytes: readBytes}
}

// subscribe subscribes to the answers, once in each connection.
func (r *reader) subscribe() (err error) {
	if k := r.c.current(); r.k != k {
		r.k = k
		r.inbox = k.nc.NewInbox() + "." // the options of the connection may have a prefix
		r.sub, err = k.nc.SubscribeSync(r.inbox + "*")
	}
	if err != nil {
		r.k = nil
		return fmt.Errorf("natsengine: subscribe to an inbox: %w", err)
	}
	return nil
}

func (r *reader) close() {
	if r.k != nil {
		_ = r.sub.Unsubscribe() // fails only if the connection is closed
	}
}

// read returns the next messages with a seq of at least from, in order. known is the size of those
// among them that the caller has already. more is whether the replica has further ones. What it has
// returned before an error is valid.
func (r *reader) read(ctx context.Context, from uint64, known int) (list []message, more bool, err error) {
	began := time.Now()
	err = r.c.attemptWhile(ctx, r.c.currentLink(), func(ctx context.Context, progress func()) (err error) {
		list, more, err = r.readOnce(ctx, max(from, 1), r.bytes+known, progress)
		return err
	})
	// A batch must not hold up the answers to beats and pings, which come behind it.
	switch took := time.Since(began); {
	case took > tryTimeout/2:
		r.bytes = max(r.bytes/2, minReadBytes)
	case took < tryTimeout/8:
		r.bytes = min(r.bytes*2, readBytes)
	}
	return list, more, err
}

func (r *reader) readOnce(ctx context.Context, from uint64, bytes int, progress func()) (list []message, more bool, err error) {
	if err := r.subscribe(); err != nil {
		return nil, false, err
	}
	r.reads++
	answer := r.inbox + strconv.FormatUint(r.reads, 10)
	request := fmt.Appendf(nil, `{"seq":%d,"batch":%d,"max_bytes":%d}`, from, readMessages, bytes)
	if err := r.k.nc.PublishRequest(r.subject, answer, request); err != nil {
		return nil, false, err
	}
	for {
		m, err := r.sub.NextMsgWithContext(ctx)
		if err != nil {
			return list, false, err
		}
		progress()
		if m.Subject != answer {
			continue // of an earlier read that was given up
		}
		if text := m.Header.Get(jetstream.SequenceHeader); text != "" {
			seq, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return list, false, fmt.Errorf("natsengine: a direct get has the seq %q", text)
			}
			list = append(list, message{seq, m.Header, m.Data})
			continue
		}
		switch status := m.Header.Get("Status"); status {
		case "204":
			return list, m.Header.Get("Nats-Num-Pending") != "0", nil
		case "404":
			return list, false, nil
		default:
			return list, false, fmt.Errorf("natsengine: a direct get failed: %s %s", status, strings.TrimSpace(m.Header.Get("Description")))
		}
	}
}
