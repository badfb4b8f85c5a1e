package protocol

import (
	"math/rand/v2"
	"time"
)

// CloseCode is the status code of a WebSocket close frame (RFC 6455 section 7.4).
type CloseCode uint16

// Close codes. RFC 6455 section 7.4.1 defines those below 4000.
const (
	CloseNormal          CloseCode = 1000 // sent by clients only
	CloseGoingAway       CloseCode = 1001 // sent by clients only
	CloseProtocolError   CloseCode = 1002 // violation of RFC 6455; not preceded by goodbye
	CloseUnsupportedData CloseCode = 1003 // binary message
	CloseNoStatus        CloseCode = 1005 // never sent; the close frame of the peer has no code
	CloseAbnormal        CloseCode = 1006 // never sent; the connection ended without a close frame
	CloseInvalidPayload  CloseCode = 1007 // text message that is not valid UTF-8
	CloseTooBig          CloseCode = 1009 // message longer than 32,768 bytes

	CloseBadRequest   CloseCode = 4400 // reserved for clients that violate the protocol
	CloseUnauthorized CloseCode = 4401 // token missing, invalid or expired
	CloseForbidden    CloseCode = 4403 // disconnected by the host
	CloseTimeout      CloseCode = 4408 // no first message, no answer to a ping, or a slow message
	CloseReplaced     CloseCode = 4409 // newer connection of the same user and client ID
	CloseRateLimited  CloseCode = 4429 // too many messages or connections
	CloseInternal     CloseCode = 4500 // internal error, or the token could not be checked
	CloseShutdown     CloseCode = 4503 // server shutting down
	CloseTooSlow      CloseCode = 4508 // client reads too slowly
)

// Advice is what a client does after a connection has been closed.
type Advice struct {
	Reconnect bool // connect again
	Reauth    bool // get a new token first
	// RetryAfterMin and RetryAfterMax bound the time to wait before connecting again. The server
	// picks a random time between them for each client.
	RetryAfterMin, RetryAfterMax time.Duration
}

// closings has the reason and the advice of each code.
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
	CloseRateLimited: {"too many messages or connections", Advice{
		Reconnect: true, RetryAfterMin: 10 * time.Second, RetryAfterMax: 15 * time.Second,
	}},
	CloseInternal: {"internal error", Advice{
		Reconnect: true, RetryAfterMin: time.Second, RetryAfterMax: 5 * time.Second,
	}},
	CloseShutdown: {"shutting down", Advice{Reconnect: true}},
	CloseTooSlow:  {"too slow", Advice{Reconnect: true}},
}

// Advice returns what a client does after a close with code c. After a code that the protocol does
// not define it reconnects, as after a lost connection.
func (c CloseCode) Advice() Advice {
	if row, ok := closings[c]; ok {
		return row.advice
	}
	return Advice{Reconnect: true}
}

// RetryAfter returns a random time between RetryAfterMin and RetryAfterMax.
func (a Advice) RetryAfter() time.Duration {
	if a.RetryAfterMax <= a.RetryAfterMin {
		return a.RetryAfterMin
	}
	return a.RetryAfterMin + rand.N(a.RetryAfterMax-a.RetryAfterMin)
}

// Reason returns the usual reason text of a close frame with code c, of at most 123 bytes, or ""
// for a code that a server does not send. A server may send a more specific text: with
// CloseRateLimited it names the limit.
func (c CloseCode) Reason() string { return closings[c].reason }

// Goodbye returns the message that announces a close with code c. The client waits for retryAfter
// before it reconnects, or for the RetryAfterMin of the advice if that is longer.
func (c CloseCode) Goodbye(retryAfter time.Duration) Goodbye {
	a := c.Advice()
	retryAfter = max(retryAfter, a.RetryAfterMin)
	return Goodbye{
		Code: c, Reason: c.Reason(), Reconnect: a.Reconnect, Reauth: a.Reauth,
		RetryAfterMs: retryAfter.Milliseconds(),
	}
}
