package main

import (
	"io"
	"net"
	"testing"
	"time"
)

// echo answers each connection with what it gets.
func echo(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return ln.Addr().String()
}

// A link passes bytes while it is open, holds them up while it is stalled, and ends connections
// when it is cut.
func TestLink(t *testing.T) {
	down, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down.Close()
	server := echo(t)
	l, err := newLink([]string{down.Addr().String(), server}) // the first server is down
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", l.addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	send := func(c net.Conn, text string) {
		t.Helper()
		if _, err := c.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	receive := func(c net.Conn, text string) {
		t.Helper()
		buf := make([]byte, len(text))
		if _, err := io.ReadFull(c, buf); err != nil || string(buf) != text {
			t.Fatalf("received %q, %v; want %q", buf, err, text)
		}
	}

	c := dial()
	send(c, "open")
	receive(c, "open")
	if s, to := l.now(); s != linkOpen || to != server {
		t.Errorf("state %s, server %s; want %s", s, to, server)
	}

	l.set(linkStalled)
	send(c, "stalled")
	other := dial()
	send(other, "new")
	l.set(linkOpen)
	receive(c, "stalled")
	receive(other, "new")

	l.set(linkStalled)
	send(c, "held up, and then lost")
	l.set(linkCut)
	for _, c := range []net.Conn{c, other, dial()} {
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("a cut link passes %d bytes", n)
		}
	}
	l.set(linkOpen)
	c = dial()
	send(c, "again")
	receive(c, "again")
}

// A link can delay bytes, and keeps their order when the delay ends.
func TestLinkDelay(t *testing.T) {
	l, err := newLink([]string{echo(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	c, err := net.Dial("tcp", l.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const delay = 30 * time.Millisecond
	l.setDelay(delay)
	begun := time.Now()
	if _, err := c.Write([]byte("first ")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 6)
	if _, err := io.ReadFull(c, buf); err != nil {
		t.Fatal(err)
	}
	if got := time.Since(begun); got < 2*delay || string(buf) != "first " {
		t.Errorf("%q came after %v, want at least %v", buf, got, 2*delay)
	}
	if _, err := c.Write([]byte("second ")); err != nil {
		t.Fatal(err)
	}
	l.setDelay(0)
	if _, err := c.Write([]byte("third")); err != nil {
		t.Fatal(err)
	}
	rest := make([]byte, 12)
	if _, err := io.ReadFull(c, rest); err != nil || string(rest) != "second third" {
		t.Errorf("received %q, %v", rest, err)
	}
}
