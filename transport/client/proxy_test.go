package client_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// proxy forwards TCP connections to a server. It can cut all of them, and freeze: then it forwards
// nothing, and the connections stay open.
type proxy struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu      sync.Mutex // guards the following
	target  string     // "": the proxy closes new connections
	pairs   map[net.Conn]net.Conn
	frozen  chan struct{} // closed at the end of the freeze; nil: not frozen
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
		if p.target != target { // cut in between
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

// pass copies from one connection to the other until one of them is closed.
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
			_ = to.(*net.TCPConn).CloseWrite() // the other direction may still be open
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

// cut resets all connections. New ones work.
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

// point resets all connections and forwards new ones to another target. With "" it closes new ones.
func (p *proxy) point(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
	p.cutLocked()
}

// freeze stops forwarding.
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

// accepted returns the number of connections so far.
func (p *proxy) accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepts
}
