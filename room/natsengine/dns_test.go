package natsengine_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/planrooms/planrooms/room/natsengine"
)

// dns is a name server that answers each question for an IPv4 address with 127.0.0.1, until it is
// silent.
type dns struct {
	silent atomic.Bool
	asked  chan struct{} // has a token if it was asked while it was silent
}

// newDNS makes a name server that of this process, until the test ends.
func newDNS(t *testing.T) *dns {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &dns{asked: make(chan struct{}, 1)}
	var done sync.WaitGroup
	done.Go(func() { d.serve(conn) })
	old := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = old
		conn.Close()
		done.Wait()
	})
	return d
}

func (d *dns) serve(conn net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if d.silent.Load() {
			select {
			case d.asked <- struct{}{}:
			default:
			}
			continue
		}
		_, _ = conn.WriteTo(answer(buf[:n]), from)
	}
}

// answer returns the answer to a DNS message with one question.
func answer(q []byte) []byte {
	const header, typeA = 12, 1
	end := header
	for q[end] != 0 {
		end += int(q[end]) + 1
	}
	isA := q[end+2] == typeA
	end += 5 // the end of the name, the type and the class
	a := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[header:end]...)
	if isA {
		a[7] = 1
		a = append(a, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
	}
	return a
}

// While the name of a server cannot be resolved, calls end with their contexts, and Close returns.
func TestNameServerIsSilent(t *testing.T) {
	d := newDNS(t)
	m := one(t, nil)
	o, log := logged(natsengine.Options{
		Servers: []string{fmt.Sprintf("nats://nats.example.:%d", m.options.Port)},
		NATS:    []nats.Option{nats.IgnoreDiscoveredServers()},
	})
	e, _ := open(t, o, "a")
	d.silent.Store(true)
	if err := m.stop(); err != nil {
		t.Fatal(err)
	}
	awaitText(t, log, "is lost")
	select {
	case <-d.asked:
	case <-within(t).Done():
		t.Fatal("the name server was not asked")
	}
	soon := func(what string, f func() error) {
		t.Helper()
		begun := time.Now()
		err := f()
		if d := time.Since(begun); d > 4*time.Second { // a resolver waits for 5 s
			t.Errorf("%s has taken %v: %v", what, d, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	soon("Append", func() error {
		_, err := e.Append(ctx, "id", nil)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Append has returned %v", err)
		}
		return err
	})
	soon("Send", func() error { return e.Send(ctx, "", nil) })
	soon("Close", e.Close)
}
