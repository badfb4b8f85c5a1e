package transporttest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"

	"github.com/planrooms/planrooms/protocol"
)

// TokenSubprotocols returns the value of Sec-WebSocket-Protocol with which a browser sends a token.
func TokenSubprotocols(token string) string {
	return protocol.Subprotocol + ", " + protocol.TokenSubprotocolPrefix + base64.RawURLEncoding.EncodeToString([]byte(token))
}

// DataOf decodes the data of a message. It fails the test on an error.
func DataOf[T any](t testing.TB, m protocol.Message) T {
	t.Helper()
	var data T
	if err := json.Unmarshal(m.Data, &data); err != nil {
		t.Fatalf("data of %q: %v", m.Type, err)
	}
	return data
}

// Join joins a plan, since a position if that is not nil, and returns the answer. It skips other
// messages before the answer. It fails the test if the server refuses.
func (c *Client) Join(planID string, since *protocol.Position) protocol.JoinAnswer {
	c.t.Helper()
	c.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: planID, Since: since})
	for {
		m := c.Next()
		switch {
		case m.Type == protocol.TypeError:
			c.t.Fatalf("join %q: %s", planID, m.Data)
		case m.Type == protocol.TypeJoinPlan && m.PlanID == planID:
			if answer := DataOf[protocol.JoinAnswer](c.t, m); answer.Success {
				return answer
			}
		}
	}
}

// Await reads the next message, which must have one of the types. It skips messages about the
// presence of users, unless they are wanted.
func (c *Client) Await(want ...protocol.Type) protocol.Message {
	c.t.Helper()
	for {
		m := c.Next()
		switch {
		case slices.Contains(want, m.Type):
			return m
		case m.Type == protocol.TypeJoinPlan, m.Type == protocol.TypeLeavePlan, m.Type == protocol.TypePresenceUpdated:
		default:
			c.t.Fatalf("message %q with data %s, want %q", m.Type, m.Data, want)
		}
	}
}

// WantClose reads a goodbye and a close frame, which it answers. It skips messages about the
// presence of users before the goodbye. It does not close the connection: the server waits up to a
// second for that. To go on at once, call Close, or use [Client.WantEnd].
func (c *Client) WantClose() (protocol.Goodbye, protocol.CloseCode) {
	c.t.Helper()
	goodbye := DataOf[protocol.Goodbye](c.t, c.Await(protocol.TypeGoodbye))
	f, err := c.ReadMessage()
	if err != nil || f.Opcode != OpClose || len(f.Payload) < 2 {
		c.t.Fatalf("frame of opcode %#x with %q (%v), want a close frame with a code", f.Opcode, f.Payload, err)
	}
	_ = c.Send(Frame{Opcode: OpClose, Payload: f.Payload[:2]}) // the server may have closed
	return goodbye, protocol.CloseCode(binary.BigEndian.Uint16(f.Payload))
}
