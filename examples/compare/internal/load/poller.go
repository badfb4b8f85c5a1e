package load

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// poller is an epoll descriptor. A descriptor in it has a tag, which an event carries.
type poller struct {
	fd     int
	events []unix.EpollEvent
	spin   bool // never wait
}

const (
	readable  = unix.EPOLLIN
	writeable = unix.EPOLLOUT
	broken    = unix.EPOLLERR | unix.EPOLLHUP
)

func newPoller(spin bool) (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("load: epoll: %w", err)
	}
	return &poller{fd: fd, events: make([]unix.EpollEvent, 1024), spin: spin}, nil
}

func (p *poller) close() { unix.Close(p.fd) }

func (p *poller) add(fd int, tag int32, events uint32) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, tag, events)
}

func (p *poller) change(fd int, tag int32, events uint32) error {
	return p.control(unix.EPOLL_CTL_MOD, fd, tag, events)
}

func (p *poller) remove(fd int) error { return p.control(unix.EPOLL_CTL_DEL, fd, 0, 0) }

func (p *poller) control(op, fd int, tag int32, events uint32) error {
	if err := unix.EpollCtl(p.fd, op, fd, &unix.EpollEvent{Events: events, Fd: tag}); err != nil {
		return fmt.Errorf("load: epoll: %w", err)
	}
	return nil
}

// wait returns what has happened, after milliseconds at most. The result is valid until the next
// call.
func (p *poller) wait(milliseconds int) ([]unix.EpollEvent, error) {
	if p.spin {
		milliseconds = 0
	}
	n, err := unix.EpollWait(p.fd, p.events, milliseconds)
	if errors.Is(err, unix.EINTR) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load: epoll: %w", err)
	}
	return p.events[:n], nil
}
