package transport_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// dialMany opens n connections at once. It returns the accepted ones and the statuses of the
// others.
func dialMany(t *testing.T, s *server, n int, user func(i int) string) (in []*client, refused []int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			c, resp, err := tryOpen(t, s.Server, handshake{token: tokenOf(user(i))})
			if err != nil {
				t.Errorf("handshake: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if resp.StatusCode == http.StatusSwitchingProtocols {
				in = append(in, c)
			} else {
				refused = append(refused, resp.StatusCode)
			}
		})
	}
	wg.Wait()
	return in, refused
}

func TestMaxConnections(t *testing.T) {
	const most, more = 20, 50
	gone := make(chan protocol.CloseCode, most+10)
	s := newServer(t, config{options: transport.Options{MaxConnections: most}, hub: room.Options{Observer: room.Observer{
		Disconnect: func(i room.DisconnectInfo) { gone <- i.Code },
	}}})
	everybody := func(i int) string { return fmt.Sprintf("user%d", i) }
	in, refused := dialMany(t, s, most+more, everybody)
	if len(in) != most || len(refused) != more {
		t.Fatalf("%d of %d were accepted, want %d", len(in), most+more, most)
	}
	for _, status := range refused {
		if status != http.StatusServiceUnavailable {
			t.Errorf("refused with %d, want 503", status)
		}
	}
	// A closed connection frees its slot.
	for _, c := range in[:3] {
		c.send(opClose, closePayload(1000, ""))
		c.end()
		receive(t, gone)
	}
	in, _ = dialMany(t, s, 10, everybody)
	if len(in) != 3 {
		t.Errorf("%d were accepted after 3 had left", len(in))
	}
}

func TestConnectionsPerUser(t *testing.T) {
	const most = 5
	s := newServer(t, config{hub: room.Options{ConnectionsPerUser: most}})
	in, refused := dialMany(t, s, most+20, func(int) string { return "ann" })
	if len(in) != most {
		t.Errorf("%d were accepted, want %d", len(in), most)
	}
	for _, status := range refused {
		if status != http.StatusTooManyRequests {
			t.Errorf("refused with %d, want 429", status)
		}
	}
}

// TestLargestMessage sends a message of the maximum size, unfragmented and in fragments with a ping
// in between.
func TestLargestMessage(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		message := []byte(`{"type":"ping"}` + strings.Repeat(" ", protocol.MaxMessageBytes-15))
		s := newServer(t, config{kinds: []kind{k}})
		c := dial(t, s.Server, "ann")
		c.send(opText, message)
		if m := c.next(); m.Type != protocol.TypePong {
			t.Errorf("got %q, want pong", m.Type)
		}
		const piece = 1000
		first := byte(opText)
		for rest := message; len(rest) > 0; first = opContinuation {
			n := min(piece, len(rest))
			if n == len(rest) {
				first |= fin
			}
			c.write(clientFrame(first, rest[:n]))
			rest = rest[n:]
			if len(rest) < 2*piece && len(rest) >= piece {
				c.send(opPing, []byte("between"))
			}
		}
		if m := c.next(); m.Type != protocol.TypePong {
			t.Errorf("in fragments: got %q, want pong", m.Type)
		}
		if pongs := c.Pongs(); len(pongs) != 1 || pongs[0] != "between" {
			t.Errorf("pongs %q, want one to the ping between the fragments", pongs)
		}
	})
}

// TestFlood sends an endless stream of frames that cost the server more than the client. The server
// must still serve other clients.
func TestFlood(t *testing.T) {
	s := newServer(t, config{})
	bob := dial(t, s.Server, "bob")
	bob.join("p")
	ours := func(code protocol.CloseCode) ending { return ending{code, code.Reason(), code} }
	tooMany := ending{protocol.CloseRateLimited, "too many messages", protocol.CloseRateLimited}
	cases := []struct {
		name  string
		first []byte
		more  []byte // repeated
		want  ending
	}{
		{"pings", nil, clientFrame(fin|opPing, []byte("flood")), tooMany},
		{"pongs", nil, clientFrame(fin|opPong, nil), tooMany},
		{"empty fragments", clientFrame(opText, nil), clientFrame(opContinuation, nil), tooMany},
		{"small fragments", clientFrame(opText, nil), clientFrame(opContinuation, []byte("x")), tooMany},
		{"messages", nil, clientFrame(fin|opText, []byte(`{"type":"ping"}`)), tooMany},
		{"large fragments", clientFrame(opText, nil), clientFrame(opContinuation, make([]byte, 10_000)), ours(protocol.CloseTooBig)},
		{"one frame", binary.BigEndian.AppendUint64([]byte{fin | opText, 0x80 | 127}, 1<<62), make([]byte, 1000), ours(protocol.CloseTooBig)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ann := dial(t, s.Server, "ann")
			var wg sync.WaitGroup
			defer wg.Wait()
			wg.Go(func() {
				if _, err := ann.nc.Write(c.first); err != nil {
					return
				}
				for { // until the server closes
					if _, err := ann.nc.Write(c.more); err != nil {
						return
					}
				}
			})
			for range 20 {
				if _, err := s.hub.BroadcastTaskDeleted(context.Background(), "p", "x"); err != nil {
					t.Fatal(err)
				}
				if m := bob.next(); m.Type != protocol.TypeTaskDeleted {
					t.Fatalf("bob got %q", m.Type)
				}
			}
			if diff := cmp.Diff(c.want, ann.end()); diff != "" {
				t.Errorf("connection ended (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStalledReader uses a member that stops reading, over each kind of connection. It must not
// delay other members, and the server must close it as too slow.
func TestStalledReader(t *testing.T) {
	codes := make(chan protocol.CloseCode, 2*len(kinds))
	s := newServer(t, config{kinds: kinds, hub: room.Options{
		WriteTimeout: 3 * time.Second, // long enough for bob on a busy machine
		Observer: room.Observer{Disconnect: func(i room.DisconnectInfo) {
			if i.Connection.UserID == "ann" {
				codes <- i.Code
			}
		}},
	}})
	var bobs []*client
	for _, k := range kinds {
		dialWith(t, s.of[k], handshake{token: tokenOf("ann"), buffer: 16 << 10}).join("p")
		bob := dial(t, s.of[k], "bob")
		bob.join("p")
		bobs = append(bobs, bob)
	}
	large := map[string]string{"text": strings.Repeat("x", 50_000)}
	change := func() {
		if _, err := s.hub.BroadcastTaskUpdated(context.Background(), "p", large); err != nil {
			t.Fatal(err)
		}
		for _, bob := range bobs {
			for bob.next().Type != protocol.TypeTaskUpdated {
			}
		}
	}
	for range 40 {
		change()
	}
	// The kernel may accept the remaining bytes just before the timeout. The member then has to
	// reload and is not slow any more. So the test keeps changing the plan.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for closed := 0; closed < len(kinds); {
		select {
		case got := <-codes:
			closed++
			if got != protocol.CloseTooSlow {
				t.Errorf("stalled reader: disconnected with %d, want 4508", got)
			}
		case <-tick.C:
			change()
		}
	}
}
