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

	// ErrUnauthorized ends a client when the server has refused two tokens in a row. A TokenFunc
	// returns it, wrapped or not, to end the client because no token is available any more.
	ErrUnauthorized = errors.New("client: unauthorized")
	// ErrDisconnected ends a client when the host has disconnected the user.
	ErrDisconnected = errors.New("client: disconnected by the host")
	// ErrReplaced ends a client when a newer connection uses the same user and client ID. For a
	// minute after a handshake without an answer, the client assumes that the newer connection is
	// its own, and reconnects instead.
	ErrReplaced = errors.New("client: replaced by a newer connection")

	// ErrPlanID is returned by Join for a plan ID that is not 1 to 128 bytes of valid UTF-8 without
	// control characters.
	ErrPlanID = errors.New("client: invalid plan ID")
	// ErrPosition is returned by Join for a Since that is not the zero value and not valid.
	ErrPosition = errors.New("client: invalid position")
	// ErrJoined is returned by Join for a plan that the client has joined already.
	ErrJoined = errors.New("client: already in the plan")
	// ErrForbidden is returned by Join if the plan does not exist or the user has no access to it.
	// It ends a plan if the server refuses to let the client join again after a reconnect.
	ErrForbidden = errors.New("client: no such plan, or no access to it")
	// ErrTooManyPlans is returned by Join when the client has joined as many plans as the server
	// allows.
	ErrTooManyPlans = errors.New("client: too many plans")
	// ErrRemoved ends a plan when the user's access to it has ended.
	ErrRemoved = errors.New("client: access to the plan has ended")
	// ErrLeft ends a plan when Leave is called.
	ErrLeft = errors.New("client: left the plan")
	// ErrState is returned by SetPresence for a state that is not JSON of at most 1,024 bytes.
	ErrState = errors.New("client: invalid presence state")
)

// Reasons for which the client ends a connection, to reconnect.
var (
	errNoHello   = errors.New("client: the server did not send a hello")
	errSilent    = errors.New("client: the server does not respond")
	errTooBig    = errors.New("client: a message exceeds Options.MaxMessageBytes")
	errNoClose   = errors.New("client: no close frame after goodbye")
	errBadToken  = errors.New("client: the server refused the renewed token")
	errReconnect = errors.New("client: reconnecting")
)

// CloseError is the error of a connection that was closed. [errors.Is] reports 4401 as
// [ErrUnauthorized], 4403 as [ErrDisconnected] and 4409 as [ErrReplaced].
type CloseError struct {
	Code   protocol.CloseCode
	Reason string // from the peer
	Remote bool   // the server closed the connection, or refused it
}

func (e *CloseError) Error() string {
	by := "closed by the client"
	if e.Remote {
		by = "closed by the server"
	}
	return fmt.Sprintf("client: %s: %d %q", by, e.Code, e.Reason)
}

// Is reports whether target is the error variable for the code.
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

// HandshakeError is the error of a handshake that the server answered with an HTTP status other
// than 101. A status for which retrying cannot help, such as 404, ends [Dial]. It does not end a
// client of [Open], or one that was connected before, because a proxy may give such answers while
// the server is being replaced.
type HandshakeError struct {
	Status     int // HTTP status
	retryAfter time.Duration
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("client: the handshake was answered with HTTP status %d", e.Status)
}

// Is reports whether target is [ErrUnauthorized] and the status is 401.
func (e *HandshakeError) Is(target error) bool { return target == ErrUnauthorized && e.Status == 401 }
