package protocol

import (
	"math/rand/v2"
	"time"
)

// CloseCode is the status code of a WebSocket close frame (RFC 6455 section 7.4).
type CloseCode uint16

// The codes that a connection can end with. Those below 4000 are of RFC 6455.
const (
	CloseNormal          CloseCode = 1000 // only from a client
	CloseGoingAway       CloseCode = 1001 // only from a client
	CloseProtocolError   CloseCode = 1002 // broken framing; no goodbye before it
	CloseUnsupportedData CloseCode = 1003 // a binary message
	CloseNoStatus        CloseCode = 1005 // never sent: the peer's close frame had no code
	CloseAbnormal        CloseCode = 1006 // never sent: no close frame came
	CloseInvalidPayload  CloseCode = 1007 // text that is not UTF-8
	CloseTooBig          CloseCode = 1009 // a message over MaxMessageBytes

	CloseBadRequest   CloseCode = 4400 // reserved for a client that breaks the protocol beyond repair
	CloseUnauthorized CloseCode = 4401 // token missing, invalid, expired, or not renewed in time
	CloseForbidden    CloseCode = 4403 // the host disconnected the user
	CloseTimeout      CloseCode = 4408 // no message after connecting, no answer to a ping, or a message that arrived too slowly
	CloseReplaced     CloseCode = 4409 // a newer connection of the same user and client id
	CloseRateLimited  CloseCode = 4429 // too many messages or connections
	CloseInternal     CloseCode = 4500 // a fault of the server, or it could not check the token
	CloseShutdown     CloseCode = 4503 // the server is shutting down
	CloseTooSlow      CloseCode = 4508 // a write waited too long
)

// Advice tells a client what to do after a close.
type Advice struct {
	Reconnect bool // come back
	Reauth    bool // with a new token
	// RetryAfterMin and RetryAfterMax bound how long to wait first; a server draws a value between them.
	RetryAfterMin, RetryAfterMax time.Duration
}

// closings is the one table of what each code means.
var closings = map[CloseCode]struct {
	reason string
	advice Advice
}{
	CloseNormal:          {"", Advice{}},
	CloseGoingAway:       {"", Advice{}},
	CloseProtocolError:   {"protocol error", Advice{}},
	CloseUnsupportedData: {"binary messages are not supported", Advice{}},
	CloseInvalidPayload:  {"text is not valid UTF-8", Advice{}},
	CloseTooBig:          {"message too big", Advice{}},
	CloseBadRequest:      {"bad request", Advice{}},
	CloseUnauthorized:    {"token missing, invalid or expired", Advice{Reconnect: true, Reauth: true}},
	CloseForbidden:       {"disconnected", Advice{}},
	CloseTimeout:         {"timed out", Advice{Reconnect: true}},
	CloseReplaced:        {"replaced by a newer connection", Advice{}},
	CloseRateLimited:     {"too many messages or connections", Advice{Reconnect: true, RetryAfterMin: 10 * time.Second, RetryAfterMax: 15 * time.Second}},
	CloseInternal:        {"internal error", Advice{Reconnect: true, RetryAfterMin: time.Second, RetryAfterMax: 5 * time.Second}},
	CloseShutdown:        {"shutting down", Advice{Reconnect: true}},
	CloseTooSlow:         {"too slow", Advice{Reconnect: true}},
}

// Advice returns what a client does after c. A code that is not of this protocol is like a lost connection: reconnect.
func (c CloseCode) Advice() Advice {
	if row, ok := closings[c]; ok {
		return row.advice
	}
	return Advice{Reconnect: true}
}

// RetryAfter draws a time to wait before coming back.
func (a Advice) RetryAfter() time.Duration {
	if a.RetryAfterMax <= a.RetryAfterMin {
		return a.RetryAfterMin
	}
	return a.RetryAfterMin + rand.N(a.RetryAfterMax-a.RetryAfterMin)
}

// Reason is the usual text that goes with c, below 123 bytes; "" for a code that a server does not
// send. A server that knows more sends a text of its own: with CloseRateLimited it names the limit.
func (c CloseCode) Reason() string { return closings[c].reason }

// Goodbye returns the announcement of a close with c, after which the client may come back in retryAfter, or later if
// the advice for c says so.
func (c CloseCode) Goodbye(retryAfter time.Duration) Goodbye {
	a := c.Advice()
	retryAfter = max(retryAfter, a.RetryAfterMin)
	return Goodbye{Code: c, Reason: c.Reason(), Reconnect: a.Reconnect, Reauth: a.Reauth, RetryAfterMs: retryAfter.Milliseconds()}
}
