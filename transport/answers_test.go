package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
)

// The server does not close a client that reads, no matter how many answers and notices it queues
// at once. It answers every message of a burst and delivers 300 events of Notify. The test uses 60
// connections of each kind.
func TestReaderIsNotClosed(t *testing.T) {
	const connections = 60
	for name, tls := range map[string]bool{"TCP": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, config{tls: tls})
			for n := range connections {
				user := fmt.Sprint("user", n)
				c := dial(t, s.Server, user)

				plan := func(n int) string { return fmt.Sprint(user, "-", n) }
				c.joinAll(126, plan)
				joined, full := map[string]bool{}, map[string]bool{}
				for len(joined)+len(full) < 126 {
					switch m := c.nextOpen(); m.Type {
					case protocol.TypeJoinPlan:
						joined[m.PlanID] = decodeData[protocol.JoinAnswer](t, m).Success
					case protocol.TypeError:
						full[m.PlanID] = decodeData[protocol.Error](t, m).Code == protocol.ErrorTooManyRooms
					}
				}
				if len(joined) != 64 {
					t.Fatalf("connection %d: %d joins were answered, and %d refused, want 64 and 62", n, len(joined), len(full))
				}
				// One answer may replace earlier answers to the same join.
				again := dial(t, s.Server, user+"-again")
				again.joinAll(126, func(n int) string { return plan(n % 2) })
				for answered := map[string]bool{}; len(answered) < 2; {
					if m := again.nextOpen(); m.Type == protocol.TypeJoinPlan {
						answered[m.PlanID] = true
					}
				}
				_ = again.nc.Close()

				event := protocol.Event{Type: "note", Data: json.RawMessage(`"` + strings.Repeat("x", 1000) + `"`)}
				done := make(chan error, 1)
				go func() {
					for range 300 {
						if queued, err := s.hub.Notify(context.Background(), user, event); queued != 1 || err != nil {
							done <- fmt.Errorf("queued for %d connections, %w", queued, err)
							return
						}
					}
					done <- nil
				}()
				for got := 0; got < 300; {
					f, err := c.read()
					if err != nil || f.Opcode != opText || bytes.HasPrefix(f.Payload, []byte(`{"type":"goodbye"`)) {
						t.Fatalf("connection %d: after %d events of Notify: %.200q, %v", n, got, f.Payload, err)
					}
					if bytes.HasPrefix(f.Payload, []byte(`{"type":"note"`)) {
						got++
					}
				}
				if err := <-done; err != nil {
					t.Fatalf("connection %d: Notify: %v", n, err)
				}
				_ = c.nc.Close()
			}
			if got := s.hub.Stats(); got.TooSlow != 0 || got.NotifiesDropped != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// joinAll sends n joins in one write.
func (c *client) joinAll(n int, plan func(int) string) {
	c.t.Helper()
	var all []byte
	for i := range n {
		b, err := protocol.EncodeRequest(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: plan(i)})
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, clientFrame(fin|opText, b)...)
	}
	c.write(all)
}

// nextOpen calls next, and fails the test if the server closes the connection.
func (c *client) nextOpen() protocol.Message {
	c.t.Helper()
	m := c.next()
	if m.Type == protocol.TypeGoodbye {
		c.t.Fatalf("the connection was closed: %s", m.Data)
	}
	return m
}
