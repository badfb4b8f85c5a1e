package protocol

import "time"

// CloseCode is the status code of a WebSocket close frame, and of the goodbye
// before it.
type CloseCode uint16

// The codes of this protocol. Those below 4000 are RFC 6455's own.
const (
	CloseNormal          CloseCode = 1000 // the client is done
	CloseGoingAway       CloseCode = 1001 // the client's page is gone; a proxy stops
	CloseProtocolError   CloseCode = 1002 // broken framing; there is no goodbye before it
	CloseUnsupportedData CloseCode = 1003 // a binary message
	CloseAbnormal        CloseCode = 1006 // no close frame at all; never sent
	CloseInvalidPayload  CloseCode = 1007 // a message that is not UTF-8
	CloseTooBig          CloseCode = 1009 // a message over MaxMessageBytes

	CloseBadRequest   CloseCode = 4400 // reserved for a client that breaks the protocol beyond repair
	CloseUnauthorized CloseCode = 4401 // token missing, invalid, expired, or not renewed in time
	CloseForbidden    CloseCode = 4403 // the host disconnected this user
	CloseTimeout      CloseCode = 4408 // no message after connecting, or no sign of life
	CloseReplaced     CloseCode = 4409 // a newer connection of the same user and client id
	CloseRateLimited  CloseCode = 4429 // too many messages or connections
	CloseInternal     CloseCode = 4500 // the server's fault
	CloseShutdown     CloseCode = 4503 // the server shuts down
	CloseTooSlow      CloseCode = 4508 // the client does not read
)

// Advice is what a client does after a connection has ended.
type Advice struct {
	Reconnect bool // connecting again makes sense
	Reauth    bool // but only with a new token; a second time in a row is final

	// How long the server asks to wait, drawn between the two. Both zero:
	// the client's own back-off. [CloseShutdown] has no range, because the
	// server gives every connection a slot of its own.
	RetryAfterMin, RetryAfterMax time.Duration
}

// closing is the one table of what each code means.
var closing = map[CloseCode]struct {
	reason string
	advice Advice
}{
	CloseNormal:          {"closed normally", Advice{}},
	CloseGoingAway:       {"going away", Advice{Reconnect: true}},
	CloseProtocolError:   {"the WebSocket protocol was broken", Advice{}},
	CloseUnsupportedData: {"only text messages are understood", Advice{}},
	CloseAbnormal:        {"the connection was lost", Advice{Reconnect: true}},
	CloseInvalidPayload:  {"a message was not valid UTF-8", Advice{}},
	CloseTooBig:          {"a message was too long", Advice{}},
	CloseBadRequest:      {"the client broke the protocol", Advice{}},
	CloseUnauthorized:    {"the token is missing, invalid or expired", Advice{Reconnect: true, Reauth: true}},
	CloseForbidden:       {"disconnected by the application", Advice{}},
	CloseTimeout:         {"no sign of life in time", Advice{Reconnect: true}},
	CloseReplaced:        {"replaced by a newer connection of this client", Advice{}},
	CloseRateLimited:     {"too many messages or connections", Advice{Reconnect: true, RetryAfterMin: 10 * time.Second, RetryAfterMax: 20 * time.Second}},
	CloseInternal:        {"the server has a problem", Advice{Reconnect: true, RetryAfterMin: time.Second, RetryAfterMax: 5 * time.Second}},
	CloseShutdown:        {"the server is shutting down", Advice{Reconnect: true}},
	CloseTooSlow:         {"the client reads too slowly", Advice{Reconnect: true}},
}

// Advice returns what a client does after a close with code c that no goodbye
// explained. A code that is not in the table comes from something in between,
// such as a proxy that restarts: reconnect.
func (c CloseCode) Advice() Advice {
	if row, ok := closing[c]; ok {
		return row.advice
	}
	return Advice{Reconnect: true}
}

// Reason returns the fixed text of the close frame, at most 123 bytes.
func (c CloseCode) Reason() string {
	if row, ok := closing[c]; ok {
		return row.reason
	}
	return "closed for an unknown reason"
}

// String returns the reason.
func (c CloseCode) String() string {
	return c.Reason()
}

// Goodbye returns the data of the goodbye for code c. A retryAfter below the
// minimum that [CloseCode.Advice] gives is raised to it.
func (c CloseCode) Goodbye(retryAfter time.Duration) Goodbye {
	advice := c.Advice()
	return Goodbye{
		Code:         c,
		Reason:       c.Reason(),
		Reconnect:    advice.Reconnect,
		Reauth:       advice.Reauth,
		RetryAfterMs: max(retryAfter, advice.RetryAfterMin, 0).Milliseconds(),
	}
}
