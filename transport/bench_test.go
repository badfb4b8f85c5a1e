package transport_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// benchViewers connects n viewers over real sockets, which join plan p. It counts the bytes that
// they receive.
func benchViewers(b *testing.B, s *server, n int) *atomic.Int64 {
	b.Helper()
	total := new(atomic.Int64)
	for i := range n {
		c := dial(b, s.Server, fmt.Sprint("viewer", i))
		c.join("p")
		_ = c.nc.SetReadDeadline(time.Time{})
		go func() { // ends when the connection ends
			buf := make([]byte, 16<<10)
			for {
				n, err := c.nc.Read(buf)
				total.Add(int64(n))
				if err != nil {
					return
				}
			}
		}()
		b.Cleanup(func() { _ = c.nc.Close() })
	}
	return total
}

// BenchmarkBroadcast measures one event to n viewers, until the last viewer has received it. The
// viewers run in the same process and take about half of the time. examples/compare runs them in
// another process.
func BenchmarkBroadcast(b *testing.B) {
	task := json.RawMessage(`{"id":"task-4711","title":"Write the benchmark before the claim","done":false,"order":17}`)
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newServer(b, config{hub: room.Options{PresenceLimit: 1}})
			total := benchViewers(b, s, n)
			broadcast := func() {
				if _, err := s.hub.BroadcastTaskUpdated(b.Context(), "p", task); err != nil {
					b.Fatal(err)
				}
			}
			quiet := func() int64 {
				for {
					before := total.Load()
					time.Sleep(20 * time.Millisecond)
					if total.Load() == before {
						return before
					}
				}
			}
			before := quiet()
			broadcast()
			each := quiet() - before
			b.ReportAllocs()
			for b.Loop() {
				want := total.Load() + each
				broadcast()
				for total.Load() < want {
					time.Sleep(time.Microsecond)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}

// BenchmarkConnect measures opening a connection over a real socket, joining a plan, and closing.
func BenchmarkConnect(b *testing.B) {
	s := newServer(b, config{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c := dial(b, s.Server, fmt.Sprint("user", i))
		c.join("p")
		c.send(opClose, nil)
		_, _ = io.Copy(io.Discard, c.nc)
		_ = c.nc.Close()
	}
}

// pingSession answers control frames like the hub, but does not limit their rate.
type pingSession struct {
	transport.Session
	sink room.Sink
}

func (pingSession) Seen()                    {}
func (pingSession) ControlFrame()            {}
func (s pingSession) WriteControl(b []byte)  { _, _ = s.sink.TryWrite(b) }
func (s pingSession) End(protocol.CloseCode) {}

// BenchmarkPing measures a client's ping and the answer to it, over a real socket.
func BenchmarkPing(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		transport.Serve(w, r, testLogger(b), func(sink room.Sink) transport.Session { return pingSession{sink: sink} })
	}))
	defer server.Close()
	c, _, err := transporttest.Dial(server.URL, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	nc := c.NetConn() // nothing is buffered
	ping, answer := clientFrame(fin|opPing, []byte("ping")), make([]byte, 6)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nc.Write(ping); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(nc, answer); err != nil {
			b.Fatal(err)
		}
	}
}
