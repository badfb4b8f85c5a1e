package transporttest_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// TestAppend compares frames with RFC 6455 section 5.7 and with the documentation of the fields.
func TestAppend(t *testing.T) {
	key := "\x37\xfa\x21\x3d"
	zeros := func(n int) string { return string(make([]byte, n)) }
	cases := []struct {
		name string
		f    frame
		want string
	}{
		{"unmasked text", frame{Opcode: opText, Payload: []byte("Hello"), Unmasked: true}, "\x81\x05Hello"},
		{"masked text", frame{Opcode: opText, Payload: []byte("Hello")}, "\x81\x85" + key + "\x7f\x9f\x4d\x51\x58"},
		{"masked pong", frame{Opcode: opPong, Payload: []byte("Hello")}, "\x8a\x85" + key + "\x7f\x9f\x4d\x51\x58"},
		{"first fragment", frame{Opcode: opText, More: true, Payload: []byte("Hel"), Unmasked: true}, "\x01\x03Hel"},
		{"last fragment", frame{Opcode: opContinuation, Payload: []byte("lo"), Unmasked: true}, "\x80\x02lo"},
		{"256 bytes", frame{Opcode: opBinary, Payload: make([]byte, 256), Unmasked: true}, "\x82\x7e\x01\x00" + zeros(256)},
		{"65536 bytes", frame{Opcode: opBinary, Payload: make([]byte, 65536), Unmasked: true}, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + zeros(65536)},
		{"125 bytes", frame{Opcode: opText, Payload: make([]byte, 125), Unmasked: true}, "\x81\x7d" + zeros(125)},
		{"126 bytes", frame{Opcode: opText, Payload: make([]byte, 126), Unmasked: true}, "\x81\x7e\x00\x7e" + zeros(126)},
		{"another key", frame{Opcode: opText, Payload: []byte("ab"), Mask: [4]byte{1}}, "\x81\x82\x01\x00\x00\x00\x60b"},
		{"key of zeros", frame{Opcode: opText, Payload: []byte("ab"), ZeroMask: true}, "\x81\x82\x00\x00\x00\x00ab"},
		{"reserved bits", frame{Opcode: 0xF, Reserved: 0x70, Unmasked: true}, "\xff\x00"},
		{"length in 2 bytes", frame{Opcode: opText, LengthBytes: 2, Payload: []byte("a"), Unmasked: true}, "\x81\x7e\x00\x01a"},
		{"length in 8 bytes", frame{Opcode: opText, LengthBytes: 8, Payload: []byte("a"), Unmasked: true}, "\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x01a"},
		{"another length", frame{Opcode: opText, Length: 200, Payload: []byte("a"), Unmasked: true}, "\x81\x7e\x00\xc8a"},
	}
	for _, c := range cases {
		if got := string(c.f.Append([]byte("before"))); got != "before"+c.want {
			t.Errorf("%s: %.40q, want %.40q", c.name, got, "before"+c.want)
		}
	}
}

// records is a connection that records each write.
type records struct {
	net.Conn
	answer io.Reader
	writes [][]byte
}

func (r *records) Read(b []byte) (int, error)    { return r.answer.Read(b) }
func (r *records) SetDeadline(t time.Time) error { return nil }
func (r *records) Write(b []byte) (int, error) {
	r.writes = append(r.writes, bytes.Clone(b))
	return len(b), nil
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name   string
		split  func([]byte) [][]byte
		writes int // of 1,000 bytes
	}{
		{"not at all", nil, 1},
		{"into bytes", transporttest.Bytes, 1000},
		{"at random", transporttest.Pieces(7, 1), 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			nc := &records{answer: strings.NewReader(upgraded)}
			conn, _, err := transporttest.NewConn(nc, "/", "host", &transporttest.Options{Split: c.split})
			if err != nil {
				t.Fatal(err)
			}
			nc.writes = nil
			b := bytes.Repeat([]byte("0123456789"), 100)
			if n, err := conn.Write(b); n != len(b) || err != nil {
				t.Errorf("Write = %d, %v", n, err)
			}
			if len(nc.writes) != c.writes || !bytes.Equal(bytes.Join(nc.writes, nil), b) {
				t.Errorf("%d writes %q, want the same bytes in %d", len(nc.writes), nc.writes, c.writes)
			}
		})
	}
	once, again, other := transporttest.Pieces(5, 1)(make([]byte, 100)), transporttest.Pieces(5, 1)(make([]byte, 100)), transporttest.Pieces(5, 2)(make([]byte, 100))
	if !cmp.Equal(once, again) || cmp.Equal(once, other) {
		t.Error("equal seeds must cut equally, and different seeds differently")
	}
	if got := transporttest.Pieces(5, 1)([]byte("ab")); len(got) != 2 {
		t.Errorf("two bytes in %d pieces", len(got))
	}
}

// echo accepts one connection and returns each byte. An unmasked frame of the client comes back as
// a frame of a server.
func echo(t *testing.T, l net.Listener) {
	t.Cleanup(func() { l.Close() })
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		c := make([]byte, 4096)
		n, _ := nc.Read(c) // the whole request arrives in one write
		if !strings.HasSuffix(string(c[:n]), "\r\n\r\n") {
			return
		}
		_, _ = io.WriteString(nc, upgraded)
		_, _ = io.Copy(nc, nc)
	}()
}

// TestReadMessage reads back the client's own frames, including its pongs.
func TestReadMessage(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	echo(t, l)
	c, _, err := transporttest.Dial("ws://"+l.Addr().String()+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.NetConn().RemoteAddr().String() != l.Addr().String() {
		t.Error("NetConn is another connection")
	}
	pong := frame{Opcode: opPong, Payload: []byte("x")}
	if _, err := c.Write(server(frame{Opcode: opText, More: true, Payload: []byte("a")}, pong, frame{Opcode: opContinuation, Payload: []byte("b")}, closing(1000, ""))); err != nil {
		t.Fatal(err)
	}
	for _, want := range []frame{{Opcode: opText, Payload: []byte("ab")}, closing(1000, "")} {
		got, err := c.ReadMessage()
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v, message (-want +got):\n%s", err, diff)
		}
	}
	if !slices.Equal(c.Pongs(), []string{"x"}) || c.Pings() != 0 {
		t.Errorf("pongs %q, pings %d, want one pong", c.Pongs(), c.Pings())
	}
	if err := c.CloseWrite(); err != nil {
		t.Error(err)
	}
	if _, err := c.ReadMessage(); err != io.EOF {
		t.Errorf("after CloseWrite: %v, want io.EOF", err)
	}
}

// TestPing reads a ping. The client's pong comes back masked, which a server must not send.
func TestPing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	echo(t, l)
	c, _, err := transporttest.Dial("http://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(server(frame{Opcode: opPing, Payload: []byte("p")})); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadMessage(); !transporttest.IsViolation(err) || !strings.Contains(err.Error(), "masked") {
		t.Errorf("%v, want the pong of the client", err)
	}
	if c.Pings() != 1 {
		t.Errorf("%d pings, want 1", c.Pings())
	}
}

// TestKinds sends each kind of message to a test server.
func TestKinds(t *testing.T) {
	own, peer := net.Pipe()
	received := make(chan []byte)
	go func() {
		defer close(received)
		b := make([]byte, 4096)
		if _, err := own.Read(b); err != nil {
			return
		}
		_, _ = io.WriteString(own, upgraded)
		for {
			n, err := own.Read(b)
			if err != nil {
				return
			}
			received <- bytes.Clone(b[:n])
		}
	}()
	c, _, err := transporttest.NewConn(peer, "/", "host", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		send func() error
		want []frame
	}{
		{func() error { return c.SendText("t") }, []frame{{Opcode: opText, Payload: []byte("t")}}},
		{func() error { return c.SendBinary([]byte{1}) }, []frame{{Opcode: opBinary, Payload: []byte{1}}}},
		{func() error { return c.SendPing("i") }, []frame{{Opcode: opPing, Payload: []byte("i")}}},
		{func() error { return c.SendPong("o") }, []frame{{Opcode: opPong, Payload: []byte("o")}}},
		{func() error { return c.SendClose(1000, "bye") }, []frame{closing(1000, "bye")}},
		{func() error { return c.SendClose(protocol.CloseNoStatus, "") }, []frame{{Opcode: opClose}}},
		{func() error { return c.Send(transporttest.Fragments(opText, "a", "", "b")...) }, []frame{
			{Opcode: opText, More: true, Payload: []byte("a")}, {Opcode: opContinuation, More: true}, {Opcode: opContinuation, Payload: []byte("b")},
		}},
	} {
		sent := make(chan error, 1)
		go func() { sent <- k.send() }()
		var want []byte
		for _, f := range k.want {
			want = f.Append(want)
		}
		if got := <-received; !bytes.Equal(got, want) {
			t.Errorf("sent %x, want %x in one write", got, want)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}
	if err := c.CloseWrite(); err == nil {
		t.Error("CloseWrite of a pipe: no error")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	<-received
}

func TestUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "") // t.TempDir can be too long for a socket address
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	echo(t, l)
	nc, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := transporttest.NewConn(nc, "/", "host", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(server(frame{Opcode: opText, Payload: []byte("x")})); err != nil {
		t.Fatal(err)
	}
	if f, err := c.ReadMessage(); err != nil || string(f.Payload) != "x" {
		t.Errorf("message %v, %v", f, err)
	}
}

func TestDialErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, url := range []string{"ftp://127.0.0.1/", "ws://[", "http://" + l.Addr().String()} {
		if c, _, err := transporttest.Dial(url, nil); c != nil || err == nil {
			t.Errorf("Dial(%q) = %v, %v, want an error", url, c, err)
		}
	}
	closed, peer := net.Pipe()
	closed.Close()
	peer.Close()
	if _, _, err := transporttest.NewConn(peer, "/", "host", nil); err == nil {
		t.Error("NewConn on a closed connection: no error")
	}
}

// TestTimeout uses a server that does not answer, and one that stops sending.
func TestTimeout(t *testing.T) {
	silent, peer := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, silent) }()
	if _, _, err := transporttest.NewConn(peer, "/", "host", &transporttest.Options{Timeout: time.Nanosecond}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v, want a deadline exceeded", err)
	}
	// The server keeps its end open, because a pipe whose other end is closed has no deadline.
	own, peer := net.Pipe()
	defer own.Close()
	go func() {
		r := bufio.NewReader(own)
		if _, err := http.ReadRequest(r); err == nil {
			_, _ = io.WriteString(own, upgraded) // the test reports an error
			_, _ = io.Copy(io.Discard, r)
		}
	}()
	c, _, err := transporttest.NewConn(peer, "/", "host", &transporttest.Options{Timeout: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.NetConn().SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.End(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("End: %v, want a deadline exceeded", err)
	}
}
