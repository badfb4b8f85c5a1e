package main

import (
	"net"
	"sync"
	"time"
)

// link is the network between a node and the NATS servers: a TCP proxy, whose connections can be
// cut, stalled or delayed. It connects to the first server that accepts a connection.
type link struct {
	listener net.Listener
	servers  []string // addresses; the preferred one is the first
	done     sync.WaitGroup
	end      chan struct{} // closed by close

	mu      sync.Mutex // guards the following
	changed *sync.Cond // of state
	state   linkState
	delay   time.Duration // of each byte, in both directions
	closed  bool
	open    map[net.Conn]string // both ends of each connection, with the server's address
}

type linkState string

const (
	linkOpen    linkState = "open"
	linkCut     linkState = "cut"     // connections are closed, and new ones refused
	linkStalled linkState = "stalled" // bytes are held up in both directions, as by a lost route
)

// newLink returns a link that passes connections to one of the servers until close.
func newLink(servers []string) (*link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &link{listener: listener, servers: servers, state: linkOpen, open: make(map[net.Conn]string), end: make(chan struct{})}
	l.changed = sync.NewCond(&l.mu)
	l.done.Go(l.accept)
	return l, nil
}

// addr is where the node connects.
func (l *link) addr() string { return l.listener.Addr().String() }

// set changes the state.
func (l *link) set(s linkState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = s
	if s == linkCut {
		l.closeAllLocked()
	}
	l.changed.Broadcast()
}

// setDelay delays the bytes that come from now on.
func (l *link) setDelay(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay = d
}

func (l *link) due() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Add(l.delay)
}

// now returns the state, and the address of the server that the node is connected with, or "".
func (l *link) now() (s linkState, server string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, server = range l.open {
		break
	}
	return l.state, server
}

// close ends all connections.
func (l *link) close() {
	l.listener.Close()
	l.mu.Lock()
	if !l.closed {
		close(l.end)
	}
	l.closed = true
	l.closeAllLocked()
	l.changed.Broadcast()
	l.mu.Unlock()
	l.done.Wait()
}

func (l *link) closeAllLocked() {
	for c := range l.open {
		c.Close()
	}
}

func (l *link) accept() {
	for {
		c, err := l.listener.Accept()
		if err != nil {
			return // closed
		}
		l.done.Go(func() { l.serve(c) })
	}
}

// serve passes the bytes of one connection of the node.
func (l *link) serve(node net.Conn) {
	defer node.Close()
	if !l.await() {
		return
	}
	server := l.dial()
	if server == nil {
		return
	}
	defer server.Close()
	if !l.enter(node, server) {
		return
	}
	defer l.leave(node, server)
	var back sync.WaitGroup
	back.Go(func() { l.pass(node, server) })
	l.pass(server, node)
	back.Wait()
}

func (l *link) dial() net.Conn {
	for _, addr := range l.servers {
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			return c
		}
	}
	return nil
}

// await waits while the link is stalled. It reports whether bytes may pass.
func (l *link) await() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.state == linkStalled && !l.closed {
		l.changed.Wait()
	}
	return l.state == linkOpen && !l.closed
}

func (l *link) enter(node, server net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.state == linkCut {
		return false
	}
	addr := server.RemoteAddr().String()
	l.open[node], l.open[server] = addr, addr
	return true
}

func (l *link) leave(node, server net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, node)
	delete(l.open, server)
}

// chunk is a part of what passes.
type chunk struct {
	data []byte
	due  time.Time
}

// pass copies bytes until one of the connections ends, and then closes both.
func (l *link) pass(to, from net.Conn) {
	const queued = 256
	defer to.Close()
	defer from.Close()
	chunks, written := make(chan chunk, queued), make(chan struct{})
	go func() { // ends with chunks, or when a connection or the link ends
		defer close(written)
		defer to.Close()
		defer from.Close()
		for c := range chunks {
			if !l.until(c.due) || !l.await() {
				return
			}
			if _, err := to.Write(c.data); err != nil {
				return
			}
		}
	}()
	defer func() { close(chunks); <-written }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			select {
			case chunks <- chunk{append([]byte(nil), buf[:n]...), l.due()}:
			case <-written:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// until waits for a moment. It returns false if the link ends before.
func (l *link) until(due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return true
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.end:
		return false
	}
}
