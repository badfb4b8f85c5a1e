package client_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// proxy passes TCP connections on to a server. It can cut them all, and freeze: take nothing more and give nothing more while
// the connections stay open.
type proxy struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu      sync.Mutex // guards the following
	target  string     // "": every connection is closed at once
	pairs   map[net.Conn]net.Conn
	frozen  chan struct{} // closed when no longer frozen; nil: not frozen
	accepts int
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target, pairs: make(map[net.Conn]net.Conn)}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.thaw()
		p.point("")
		p.wg.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.accepts++
		target := p.target
		p.mu.Unlock()
		var out net.Conn
		if target != "" {
			out, err = net.Dial("tcp", target)
		}
		if target == "" || err != nil {
			_ = in.Close()
			continue
		}
		p.mu.Lock()
		if p.target != target { // cut meanwhile
			p.mu.Unlock()
			_, _ = in.Close(), out.Close()
			continue
		}
		p.pairs[in] = out
		p.wg.Go(func() { p.pass(in, in, out) })
		p.wg.Go(func() { p.pass(in, out, in) })
		p.mu.Unlock()
	}
}

// pass copies from one end to the other until either is closed.
func (p *proxy) pass(key, from, to net.Conn) {
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		frozen := p.frozen
		p.mu.Unlock()
		if frozen != nil {
			<-frozen
		}
		if n > 0 {
			if _, werr := to.Write(b[:n]); werr != nil {
				err = werr
			}
		}
		if err == io.EOF {
			_ = to.(*net.TCPConn).CloseWrite() // the other direction may have more to say
			return
		}
		if err != nil {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if out := p.pairs[key]; out != nil {
		_, _ = key.Close(), out.Close()
		delete(p.pairs, key)
	}
}

// cut tears all connections; new ones go on.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutLocked()
}

func (p *proxy) cutLocked() {
	for in, out := range p.pairs {
		_ = in.(*net.TCPConn).SetLinger(0) // RST
		_ = out.(*net.TCPConn).SetLinger(0)
		_, _ = in.Close(), out.Close()
		delete(p.pairs, in)
	}
}

// point tears all connections and leads new ones to another target; "" to none.
func (p *proxy) point(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
	p.cutLocked()
}

// freeze holds everything up.
func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen == nil {
		p.frozen = make(chan struct{})
	}
}

func (p *proxy) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen != nil {
		close(p.frozen)
		p.frozen = nil
	}
}

// accepted is how many connections have come.
func (p *proxy) accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepts
}
