package load

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// engine is one run. It is owned by one goroutine.
type engine struct {
	config  Config
	dialect dialect
	address *unix.SockaddrInet4
	tokens  []string
	poller  *poller
	shaken  chan shaken // TLS handshakes that have ended
	stop    int64       // time at which the run fails

	connections []connection
	rooms       []room
	joined      int
	joinTimes   []int64
	publisher   publisher
	buffer      []byte // for reading: every connection's in turn
	// Bytes that the implementation adds to a task in a message; 0 until the first has come back.
	overhead int

	received  int64 // bytes of frames
	delivered int64
	disorder  int64
	dropped   int64
	deliver   func(c *connection, seq, sent, now int64) // called for each delivery; may be nil
}

// room is a room and what was published in it.
type room struct {
	name    string
	readers int64   // connections in it that read
	seq     int64   // of the last event published
	reached []int64 // closed loop: how many connections have an event, by its seq modulo ringSize
	sent    []int64 // closed loop: when it was published
}

// ringSize is more than any number of events under way in a room.
const ringSize = 1 << 8

// tagPublisher is the tag of the stream of events; those of connections are their indexes.
const tagPublisher = -1

var (
	errLimit   = errors.New("load: the run exceeds its time limit")
	errStalled = errors.New("load: no progress")
)

// silence is how long nothing may happen while something is expected.
const silence = int64(10 * time.Second)

func newEngine(c Config) (*engine, error) {
	address, err := parseAddress(c.Addr)
	if err != nil {
		return nil, err
	}
	e := &engine{
		config:    c,
		dialect:   dialectOf(c.Impl),
		address:   address,
		shaken:    make(chan shaken, atOnce),
		stop:      now() + int64(c.Limit),
		buffer:    make([]byte, 2*maxFrame),
		publisher: publisher{fd: -1},
	}
	if e.dialect.token {
		if e.tokens, err = makeTokens(c.TokenKey, c.Connections, c.TokenBytes); err != nil {
			return nil, err
		}
	}
	e.poller, err = newPoller(c.Spin)
	return e, err
}

// parseAddress parses the host and port of an IPv4 address.
func parseAddress(s string) (*unix.SockaddrInet4, error) {
	address, err := netip.ParseAddrPort(s)
	if err != nil || !address.Addr().Is4() {
		return nil, fmt.Errorf("%w: address %q", errConfig, s)
	}
	return &unix.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}, nil
}

func now() int64 { return time.Now().UnixNano() }

// poll waits once for something to happen, and handles it.
func (e *engine) poll(milliseconds int) error {
	if now() > e.stop {
		return errLimit
	}
	if e.config.TLS && e.joined < len(e.connections) {
		milliseconds = min(milliseconds, 1)
		if err := e.takeShaken(); err != nil {
			return err
		}
	}
	events, err := e.poller.wait(milliseconds)
	for i := 0; i < len(events) && err == nil; i++ {
		if tag := events[i].Fd; tag == tagPublisher {
			err = e.publisher.handle(e.poller, events[i].Events)
		} else {
			err = e.handle(&e.connections[tag], tag, events[i].Events)
		}
	}
	return err
}

// crowded is the number of members above which a server may notify less often.
const crowded = 100

// settle is how long the server may take, after the last join, to notify all members.
func (e *engine) settle() time.Duration {
	if e.config.Connections > crowded*e.config.Rooms {
		return max(e.dialect.settle, e.dialect.crowds)
	}
	return e.dialect.settle
}

// serve handles what happens for a while: joins, pings.
func (e *engine) serve(d time.Duration) error {
	for end := now() + int64(d); ; {
		left := end - now()
		if left <= 0 {
			return nil
		}
		if err := e.poll(int(min(left/1e6+1, 100))); err != nil {
			return err
		}
	}
}

// close resets all connections, which leaves no port waiting.
func (e *engine) close() {
	for i := range e.connections {
		if c := &e.connections[i]; c.tls != nil {
			c.tls.reset()
		} else if c.state != gone && c.state != unopened && c.fd > 0 {
			unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
			unix.Close(c.fd)
		}
	}
	e.publisher.close()
	e.poller.close()
}
