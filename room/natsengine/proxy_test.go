package natsengine_test

import (
	"maps"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy passes the connections of one engine to a server. It can cut them, hold up what the engine
// sends, stop reading it, and pass what the server sends slowly.
type proxy struct {
	listener net.Listener
	servers  []*machine
	done     sync.WaitGroup

	mu      sync.Mutex // guards what follows
	cut     bool
	stalled bool
	changed *sync.Cond // of stalled, and of the queues of pipes
	closed  bool
	open    map[net.Conn]struct{}
	unread  map[net.Conn]struct{} // nothing is read from these any more
	rate    int                   // bytes a second from the server; 0: no limit
	passed  int                   // bytes from the server since rate was set
}

// newProxy returns a proxy to the first of the servers that accepts connections.
func newProxy(t *testing.T, servers ...*machine) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, servers: servers, open: make(map[net.Conn]struct{})}
	p.changed = sync.NewCond(&p.mu)
	p.done.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) url() string { return "nats://" + p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.pass(client) })
	}
}

// pass connects a client with a server.
func (p *proxy) pass(client net.Conn) {
	server := p.dial()
	if server == nil || !p.keep(client, server) {
		client.Close()
		if server != nil {
			server.Close()
		}
		return
	}
	p.done.Go(func() { // from the server to the client
		buf := make([]byte, 32<<10)
		for {
			n, err := server.Read(buf)
			<-time.After(p.takes(n))
			if _, werr := client.Write(buf[:n]); err != nil || werr != nil {
				break
			}
		}
		client.Close()
	})
	var queue []byte
	ended := false
	p.done.Go(func() {
		buf := make([]byte, 32<<10)
		for {
			n, err := client.Read(buf)
			p.mu.Lock()
			for p.isUnread(client) {
				p.changed.Wait()
			}
			queue = append(queue, buf[:n]...)
			ended = err != nil
			p.changed.Broadcast()
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	p.mu.Lock()
	for {
		for !p.closed && (p.stalled || len(queue) == 0 && !ended) {
			p.changed.Wait()
		}
		if p.closed || len(queue) == 0 {
			break
		}
		now := queue
		queue = nil
		p.mu.Unlock()
		_, err := server.Write(now)
		p.mu.Lock()
		if err != nil {
			break
		}
	}
	delete(p.open, client)
	delete(p.open, server)
	p.mu.Unlock()
	client.Close()
	server.Close()
}

func (p *proxy) dial() net.Conn {
	for _, m := range p.servers {
		if c, err := net.Dial("tcp", m.address()); err == nil {
			return c
		}
	}
	return nil
}

// keep notes the connections that cut and close have to close. It returns false if nothing may
// pass.
func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut || p.closed {
		return false
	}
	for _, c := range conns {
		p.open[c] = struct{}{}
	}
	return true
}

// setCut ends all connections and refuses new ones, until it is called with false.
func (p *proxy) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for c := range p.open {
			c.Close()
		}
	}
}

// setRate limits how many bytes a second the server can send.
func (p *proxy) setRate(rate int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate, p.passed = rate, 0
}

// bytes returns how many bytes the server has sent since setRate.
func (p *proxy) bytes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed
}

// takes returns how long n bytes from the server are under way.
func (p *proxy) takes(n int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed += n
	if p.rate == 0 {
		return 0
	}
	return time.Duration(n) * time.Second / time.Duration(p.rate)
}

// stopReading stops reading from the connections that are open. New ones are not affected.
func (p *proxy) stopReading() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unread = maps.Clone(p.open)
}

// goOnReading ends stopReading.
func (p *proxy) goOnReading() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unread = nil
	p.changed.Broadcast()
}

// isUnread reports whether nothing is read from a connection. p.mu is held.
func (p *proxy) isUnread(c net.Conn) bool {
	_, unread := p.unread[c]
	return unread && !p.closed
}

// setStalled holds up what the engine sends, until it is called with false.
func (p *proxy) setStalled(stalled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = stalled
	p.changed.Broadcast()
}

func (p *proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.open {
		c.Close()
	}
	p.changed.Broadcast()
	p.mu.Unlock()
	p.done.Wait()
}
