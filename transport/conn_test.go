package transport_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// socketPair returns both ends of a TCP connection. The peer has a receive buffer of the given
// size.
func socketPair(t testing.TB, receiveBuffer int) (own, peer net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	peer, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := peer.(*net.TCPConn).SetReadBuffer(receiveBuffer); err != nil {
		t.Fatal(err)
	}
	own, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = own.Close(); _ = peer.Close() })
	return own, peer
}

// fillSocket writes until the sink accepts no more bytes, and returns how many it accepted.
func fillSocket(t testing.TB, s room.Sink) int {
	t.Helper()
	b := make([]byte, 64<<10)
	for total := 0; ; {
		n, err := s.TryWrite(b)
		if err != nil {
			t.Fatalf("TryWrite: %v", err)
		}
		if n == 0 {
			return total
		}
		total += n
	}
}

// TestSinkStaleDeadline checks that later writes do not fail after a deadline has passed.
func TestSinkStaleDeadline(t *testing.T) {
	own, peer := socketPair(t, 4<<10)
	s := transport.NewSink(own, 4<<10, nil)
	total := fillSocket(t, s)
	if n, err := s.Write([]byte("x"), time.Now().Add(time.Millisecond)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("Write to a full socket = %d, %v, want 0 and a deadline exceeded", n, err)
	}
	if n, err := s.TryWrite([]byte("x")); n != 0 || err != nil {
		t.Fatalf("TryWrite after a deadline = %d, %v, want 0, nil", n, err)
	}
	read := make(chan error)
	go func() {
		_, err := io.CopyN(io.Discard, peer, int64(total))
		read <- err
	}()
	if n, err := s.Write([]byte("x"), time.Now().Add(testTimeout)); n != 1 || err != nil {
		t.Errorf("Write after the peer has read = %d, %v, want 1, nil", n, err)
	}
	if err := receive(t, read); err != nil {
		t.Error(err)
	}
	// A write that succeeds must clear its deadline as well.
	if n, err := s.TryWrite([]byte("y")); n != 1 || err != nil {
		t.Errorf("TryWrite = %d, %v, want 1, nil", n, err)
	}
}

func TestSinkCloseFreesWriter(t *testing.T) {
	own, _ := socketPair(t, 4<<10)
	for _, c := range []struct {
		name string
		conn net.Conn
	}{{"socket", own}, {"any connection", pipeEnd(t)}} {
		t.Run(c.name, func(t *testing.T) {
			s := transport.NewSink(c.conn, 4<<10, nil)
			if c.conn == own {
				fillSocket(t, s)
			}
			wrote := make(chan error)
			go func() {
				_, err := s.Write([]byte("x"), time.Now().Add(testTimeout))
				wrote <- err
			}()
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			if err := receive(t, wrote); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Write: %v, want an error other than a deadline exceeded", err)
			}
			_ = s.Close() // Close may be called twice
		})
	}
}

func pipeEnd(t testing.TB) net.Conn {
	a, b := net.Pipe()
	t.Cleanup(func() { _ = a.Close(); _ = b.Close() })
	return a
}

// embedded is a connection with its own Write method, which the sink must not bypass.
type embedded struct {
	*net.TCPConn
	writes int
}

func (e *embedded) Write(b []byte) (int, error) {
	e.writes++
	return e.TCPConn.Write(b)
}

func TestSinkRespectsWrappers(t *testing.T) {
	own, peer := socketPair(t, 4<<10)
	e := &embedded{TCPConn: own.(*net.TCPConn)}
	s := transport.NewSink(e, 4<<10, nil)
	if n, err := s.TryWrite([]byte("x")); n != 0 || err != nil {
		t.Errorf("TryWrite = %d, %v, want 0, nil", n, err)
	}
	if n, err := s.Write([]byte("x"), time.Now().Add(testTimeout)); n != 1 || err != nil || e.writes != 1 {
		t.Errorf("Write = %d, %v with %d writes, want 1, nil with 1", n, err, e.writes)
	}
	if _, err := io.ReadFull(peer, make([]byte, 1)); err != nil {
		t.Error(err)
	}
}

// TestSinkShortWrites writes a head and a stream in pieces of random sizes through the smallest
// possible send buffer.
func TestSinkShortWrites(t *testing.T) {
	for _, c := range []struct {
		name string
		pair func(testing.TB) (net.Conn, net.Conn)
	}{
		{"TCP", func(t testing.TB) (net.Conn, net.Conn) { return socketPair(t, 64<<10) }},
		{"pipe", func(testing.TB) (net.Conn, net.Conn) { return net.Pipe() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			own, peer := c.pair(t)
			r := rand.NewChaCha8([32]byte{1})
			data := make([]byte, 1<<20)
			_, _ = r.Read(data)  // cannot fail
			const head = 300_000 // too large for one write
			s := transport.NewSink(own, 1, bytes.Clone(data[:head]))
			got := make([]byte, len(data))
			read := make(chan error)
			go func() {
				_, err := io.ReadFull(peer, got)
				read <- err
			}()
			sizes := rand.New(r)
			for rest := data[head:]; len(rest) > 0; {
				n, err := s.TryWrite(rest[:min(len(rest), 1+sizes.IntN(100_000))])
				if err != nil {
					t.Fatalf("TryWrite: %v", err)
				}
				if rest = rest[n:]; n > 0 || len(rest) == 0 {
					continue
				}
				if n, err = s.Write(rest, time.Now().Add(testTimeout)); n == 0 || err != nil {
					t.Fatalf("Write = %d, %v", n, err)
				}
				rest = rest[n:]
			}
			if err := receive(t, read); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, data) {
				t.Error("the peer read other bytes than were written")
			}
			_ = s.Close()
		})
	}
}

// TestTryWriteAllocatesNothing checks that TryWrite does not allocate, because the hub calls it for
// each connection and event.
func TestTryWriteAllocatesNothing(t *testing.T) {
	own, peer := socketPair(t, 4<<10)
	s := transport.NewSink(own, 64<<10, nil)
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	b := make([]byte, 16)
	if got := testing.AllocsPerRun(100, func() {
		if _, err := s.TryWrite(b); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("TryWrite allocates %v times, want 0", got)
	}
}
