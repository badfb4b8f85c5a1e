package client

import (
	"errors"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Errors of a [Client] and its plans. Compare with [errors.Is].
var (
	// ErrClosed is returned by every method once Close has been called.
	ErrClosed = errors.New("client: closed")

	// ErrUnauthorized is why a client has ended whose token was refused twice in a row. A TokenFunc returns it, wrapped or not, to
	// end the client because there will be no token any more.
	ErrUnauthorized = errors.New("client: unauthorized")
	// ErrDisconnected is why a client has ended whose user was disconnected by the host.
	ErrDisconnected = errors.New("client: disconnected by the host")
	// ErrReplaced is why a client has ended when another of the same user has connected with its client id. In the minute after a handshake of its own that
	// got no answer a client takes that one for the other, and comes back.
	ErrReplaced = errors.New("client: replaced by a newer connection")

	// ErrPlanID is returned by Join for a plan id that is not 1 to 128 bytes of valid UTF-8 without control characters.
	ErrPlanID = errors.New("client: invalid plan id")
	// ErrPosition is returned by Join for a Since that no server can have given out.
	ErrPosition = errors.New("client: invalid position")
	// ErrJoined is returned by Join for a plan that the client is in already.
	ErrJoined = errors.New("client: already in the plan")
	// ErrForbidden is returned by Join, and ends a plan when the client comes back to it: there is no such plan, or not for this user.
	ErrForbidden = errors.New("client: no such plan, or not for this user")
	// ErrTooManyPlans is returned by Join when the client is in as many plans as the server allows.
	ErrTooManyPlans = errors.New("client: in too many plans")
	// ErrRemoved ends a plan to which the user's access has ended.
	ErrRemoved = errors.New("client: access to the plan has ended")
	// ErrLeft ends a plan when Leave is called.
	ErrLeft = errors.New("client: left the plan")
	// ErrState is returned by SetPresence for what is no JSON of at most 1,024 bytes.
	ErrState = errors.New("client: not a presence state")
)

// Reasons why a connection was given up by the client; the client comes back.
var (
	errNoHello  = errors.New("client: the server did not say hello")
	errSilent   = errors.New("client: the server is silent")
	errTooBig   = errors.New("client: a message over Options.MaxMessageBytes")
	errNoClose  = errors.New("client: no close frame after goodbye")
	errBadToken = errors.New("client: the renewed token was not accepted")
)

// CloseError says why a connection was closed. With [errors.Is] a code of 4401 is [ErrUnauthorized], 4403 [ErrDisconnected] and
// 4409 [ErrReplaced].
type CloseError struct {
	Code   protocol.CloseCode
	Reason string // as the server put it
	Remote bool   // the server closed, or refused to open
}

func (e *CloseError) Error() string {
	by := "closed by the client"
	if e.Remote {
		by = "closed by the server"
	}
	return fmt.Sprintf("client: %s: %d %q", by, e.Code, e.Reason)
}

// Is reports whether target is the sentinel that stands for the code.
func (e *CloseError) Is(target error) bool {
	switch e.Code {
	case protocol.CloseUnauthorized:
		return target == ErrUnauthorized
	case protocol.CloseForbidden:
		return target == ErrDisconnected
	case protocol.CloseReplaced:
		return target == ErrReplaced
	}
	return false
}

// HandshakeError is a handshake that was answered with something other than an upgrade. One that no repetition can cure, such as 404, ends
// [Dial]; after the first connection it does not end the client, since a proxy may answer while a server is being replaced.
type HandshakeError struct {
	Status     int // of HTTP
	retryAfter time.Duration
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("client: the handshake was answered with HTTP status %d", e.Status)
}

// Is reports whether target is [ErrUnauthorized] and the status 401.
func (e *HandshakeError) Is(target error) bool { return target == ErrUnauthorized && e.Status == 401 }
