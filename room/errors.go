package room

import "errors"

// Errors of a [Hub]. Compare with [errors.Is].
var (
	// ErrHubClosed is returned, once Shutdown has begun, by every method of a [Hub] that returns an
	// error, except Shutdown and Explain, if its arguments are valid. With Options.Engine, the
	// methods that broadcast or end access, and Resync, go on until Shutdown closes the engine,
	// after the connections have ended.
	ErrHubClosed = errors.New("room: hub closed")

	// ErrCallback is returned by [Hub.Shutdown] when a callback of the host has not returned. Its
	// goroutine is left behind.
	ErrCallback = errors.New("room: a callback has not returned, so Shutdown left its goroutine; call Shutdown from a callback only in a new goroutine")

	// ErrForbidden is what Options.Authorize returns for a user who may not see the plan, and
	// equally for a plan that does not exist. Any other error of Authorize, except
	// ErrUnauthenticated, means that access could not be checked.
	ErrForbidden = errors.New("room: forbidden")

	// ErrUnauthenticated is what Options.Authorize returns if the login behind the identity is no
	// longer valid, for example because its session has ended. It closes the connection with
	// [protocol.CloseUnauthorized] (4401): the client asks for a new token and connects again. An
	// error of package auth does not have this effect, since it may be about a token with which
	// Authorize called another service.
	ErrUnauthenticated = errors.New("room: unauthenticated")

	// ErrUndecided is returned by [Hub.Recheck] and [Hub.RecheckUser] if the access of some members
	// could not be checked. The error also wraps the cause for one of them: an error of Authorize,
	// or that of the context.
	ErrUndecided = errors.New("room: access could not be checked")

	// ErrNotReady is returned by [Hub.Ready], and by calls that need the engine before it is open.
	// The cause is in the text.
	ErrNotReady = errors.New("room: the node is not ready")

	// ErrOnce is returned for an ID of [Once] of more than 256 bytes.
	ErrOnce = errors.New("room: the ID of Once is too long")

	// ErrPlanID is returned for a plan ID that is not 1 to 128 bytes of valid UTF-8 without control
	// characters.
	ErrPlanID = errors.New("room: invalid plan id")

	// ErrUserID is returned for a user ID that is not 1 to 256 bytes of valid UTF-8.
	ErrUserID = errors.New("room: invalid user id")

	// ErrClientID is returned by [Hub.Connect] for a client id that is not 1 to 64 of
	// [A-Za-z0-9_-].
	ErrClientID = errors.New("room: invalid client id")

	// ErrExpired is returned by [Hub.Connect] for an identity that is past its ExpiresAt.
	ErrExpired = errors.New("room: identity expired")

	// ErrSessionID is returned by [Hub.Disconnect] for an empty session ID in [OnlySession].
	ErrSessionID = errors.New("room: empty session id")

	// ErrDisconnected is returned by [Hub.Connect] if [Hub.Disconnect] was called for the user or
	// the session after the verification of its credentials had begun.
	ErrDisconnected = errors.New("room: disconnected")

	// ErrSignInAgain is ErrDisconnected for a call of Disconnect with [SignInAgain].
	ErrSignInAgain = errors.New("room: disconnected, and has to sign in again")

	// ErrVerification is returned by [Hub.Connect] if the verification of the credentials took so
	// long that the hub has forgotten a call of [Hub.Disconnect] that came after it began. The
	// client should connect again.
	ErrVerification = errors.New("room: the verification took too long")

	// ErrTooManyConnections is returned by [Hub.Connect] when the user has
	// Options.ConnectionsPerUser open.
	ErrTooManyConnections = errors.New("room: too many connections of this user")
)
