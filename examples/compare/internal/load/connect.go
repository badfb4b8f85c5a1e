package load

import (
	"errors"
	"fmt"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// atOnce is how many handshakes are under way at once, unless they are spread over a time.
const atOnce = 128

// stalledBuffer is the receive buffer of a connection that is going to stop reading: the kernel
// doubles it, and takes no less than it needs for itself.
const stalledBuffer = 4 << 10

// connect opens all connections and returns when all are in their rooms.
func (e *engine) connect() (took time.Duration, err error) {
	e.connections = make([]connection, e.config.Connections)
	e.rooms = make([]room, e.config.Rooms)
	for i := range e.rooms {
		e.rooms[i].name = fmt.Sprintf("plan-%05d", i)
	}
	e.joinTimes = make([]int64, 0, len(e.connections))
	start := now()
	last, opened := start, 0
	for e.joined < len(e.connections) {
		for opened < len(e.connections) && e.mayOpen(opened, now()-start) {
			if err := e.open(opened); err != nil {
				return 0, err
			}
			opened++
		}
		before := e.joined
		wait := 100
		if e.config.JoinWithin > 0 {
			wait = 1
		}
		if err := e.poll(wait); err != nil {
			return 0, err
		}
		if e.joined > before {
			last = now()
		} else if now()-last > silence {
			return 0, fmt.Errorf("%w: %d of %d connections joined", errStalled, e.joined, len(e.connections))
		}
	}
	return time.Duration(now() - start), nil
}

// mayOpen reports whether the next connection is due.
func (e *engine) mayOpen(opened int, elapsed int64) bool {
	if within := int64(e.config.JoinWithin); within > 0 {
		return int64(opened)*within/int64(len(e.connections)) <= elapsed
	}
	return opened-e.joined < atOnce
}

func (e *engine) open(i int) error {
	if e.config.TLS {
		e.openTLS(i)
		return nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("load: socket: %w", err)
	}
	c := &e.connections[i]
	*c = connection{fd: fd, room: i % len(e.rooms), state: dialling, stalls: e.stalls(i), began: now()}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("load: socket: %w", err)
	}
	if c.stalls {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, stalledBuffer); err != nil {
			return fmt.Errorf("load: socket: %w", err)
		}
	} else {
		e.rooms[c.room].readers++
	}
	if err := unix.Connect(fd, e.address); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return fmt.Errorf("load: connect: %w", err)
	}
	return e.poller.add(fd, int32(i), readable|writeable)
}

// stalls reports whether a connection is one of those that stop reading: they are spread evenly
// over each room.
func (e *engine) stalls(i int) bool {
	if e.config.Stalled == 0 {
		return false
	}
	every := int(math.Round(1 / e.config.Stalled))
	return i/len(e.rooms)%every == every-1
}

// stall stops reading those connections. Nothing must be under way.
func (e *engine) stall() error {
	for i := range e.connections {
		if c := &e.connections[i]; c.stalls {
			if err := e.poller.remove(c.fd); err != nil {
				return err
			}
		}
	}
	return nil
}
