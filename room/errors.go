package room

import "errors"

// Errors of a [Hub]. Compare with [errors.Is].
var (
	// ErrHubClosed is returned, once Shutdown has begun, by every other method of a [Hub] that
	// returns an error, if its arguments are valid.
	ErrHubClosed = errors.New("room: hub closed")

	// ErrCallback is returned by [Hub.Shutdown] when a callback of the host has not returned. Its
	// goroutine is left behind.
	ErrCallback = errors.New("room: a callback has not returned, so Shutdown left its goroutine; call Shutdown from a callback only in a new goroutine")

	// ErrForbidden is what Options.Authorize returns for a user who may not see the plan, and
	// equally for a plan that does not exist. Any other error of Authorize means that access could
	// not be checked.
	ErrForbidden = errors.New("room: forbidden")

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

	// ErrTooManyConnections is returned by [Hub.Connect] when the user has
	// Options.ConnectionsPerUser open.
	ErrTooManyConnections = errors.New("room: too many connections of this user")
)
