package load

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/planrooms/planrooms/examples/compare/internal/event"
	"github.com/planrooms/planrooms/examples/compare/internal/target"
)

// publisher is the stream of events to the server.
type publisher struct {
	fd      int // -1 if there is none
	pending []byte
	payload []byte // of the event that is being made
	waiting bool   // for the socket to take more
}

var errPublisher = errors.New("load: stream of events")

func (e *engine) openPublisher() error {
	p := &e.publisher
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%w: %w", errPublisher, err)
	}
	p.fd = fd
	if err := unix.Connect(fd, e.address); err != nil {
		return fmt.Errorf("%w: %w", errPublisher, err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("%w: %w", errPublisher, err)
	}
	request := "GET /publish HTTP/1.1\r\nHost: " + e.config.Addr + "\r\nConnection: Upgrade\r\nUpgrade: stream\r\n\r\n"
	if _, err := unix.Write(fd, []byte(request)); err != nil {
		return fmt.Errorf("%w: %w", errPublisher, err)
	}
	answer := make([]byte, 1<<10)
	n, err := unix.Read(fd, answer)
	if err != nil || !bytes.HasPrefix(answer[:max(n, 0)], []byte("HTTP/1.1 101 ")) {
		return fmt.Errorf("%w: %q (%v)", errPublisher, answer[:max(n, 0)], err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("%w: %w", errPublisher, err)
	}
	return e.poller.add(fd, tagPublisher, readable)
}

// publish adds the next event of a room to the stream; flush sends it.
func (e *engine) publish(r *room, at int64) {
	r.seq++
	if r.sent != nil {
		r.sent[r.seq%ringSize] = at
	}
	p := &e.publisher
	p.payload = event.Append(p.payload[:0], event.Mark{Seq: r.seq, Time: at, Size: e.config.FrameBytes - e.overhead})
	p.pending = target.AppendEvent(p.pending, r.name, p.payload)
}

func (p *publisher) flush(poller *poller) error {
	for len(p.pending) > 0 {
		n, err := unix.Write(p.fd, p.pending)
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errPublisher, err)
		}
		p.pending = p.pending[:copy(p.pending, p.pending[n:])]
	}
	if waiting := len(p.pending) > 0; waiting != p.waiting {
		p.waiting = waiting
		events := uint32(readable)
		if waiting {
			events |= writeable
		}
		return poller.change(p.fd, tagPublisher, events)
	}
	return nil
}

func (p *publisher) handle(poller *poller, events uint32) error {
	if events&(readable|broken) != 0 {
		return fmt.Errorf("%w: the server has ended it", errPublisher) // it never says anything
	}
	return p.flush(poller)
}

func (p *publisher) close() {
	if p.fd >= 0 {
		unix.Close(p.fd)
	}
}
