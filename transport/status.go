package transport

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

var (
	// errFull means that Options.MaxConnections has been reached.
	errFull = errors.New("transport: too many connections")
	// errGone means that the client closed the connection while its request was handled.
	errGone = errors.New("transport: the client has gone")
)

// refusal is the answer to a refused client. The texts are fixed and do not say what is wrong with
// a token.
type refusal struct {
	reason room.RefusalReason
	status int
	text   string
	// close code for a browser, whose page cannot read an HTTP status; 0: HTTP only
	code protocol.CloseCode
}

// closeReason returns the reason of the close frame. For 4429 it names the limit.
func (r refusal) closeReason() string {
	if r.code == protocol.CloseRateLimited {
		return r.text
	}
	return r.code.Reason()
}

// refusals maps errors to answers. The first match counts.
var refusals = []struct {
	err error
	refusal
}{
	{errOrigin, refusal{room.RefusedOrigin, http.StatusForbidden, "origin not allowed", 0}},
	{errClientID, refusal{room.RefusedHandshake, http.StatusBadRequest, "malformed client id", 0}},
	{auth.ErrNoToken, unauthorized(room.RefusedNoToken)},
	{auth.ErrInvalidToken, unauthorized(room.RefusedInvalidToken)},
	{errTokenForm, unauthorized(room.RefusedInvalidToken)},
	{room.ErrExpired, unauthorized(room.RefusedExpiredToken)},
	{room.ErrSignInAgain, unauthorized(room.RefusedDisconnected)},
	{room.ErrDisconnected, refusal{room.RefusedDisconnected, http.StatusForbidden, "disconnected", protocol.CloseForbidden}},
	{room.ErrTooManyConnections, refusal{room.RefusedUserLimit, http.StatusTooManyRequests,
		"too many connections of this user", protocol.CloseRateLimited}},
	{errFull, refusal{room.RefusedServerLimit, http.StatusServiceUnavailable, "too many connections", protocol.CloseRateLimited}},
	{room.ErrHubClosed, refusal{room.RefusedShutdown, http.StatusServiceUnavailable, "shutting down", protocol.CloseShutdown}},
	{errGone, refusal{room.RefusedGone, http.StatusServiceUnavailable, "unavailable", 0}},
}

// unavailable is the answer when the verifier fails or cannot decide yet.
var unavailable = refusal{room.RefusedUnavailable, http.StatusServiceUnavailable, "unavailable", protocol.CloseInternal}

func unauthorized(reason room.RefusalReason) refusal {
	return refusal{reason, http.StatusUnauthorized, "unauthorized", protocol.CloseUnauthorized}
}

// refusalFor returns the answer to err and the level at which err is logged.
func refusalFor(err error) (refusal, slog.Level) {
	var (
		upgrade        *upgradeError
		handshake      *handshakeError
		expired        *auth.ExpiredError
		unavailableErr *auth.UnavailableError
	)
	switch {
	case errors.As(err, &upgrade):
		return refusal{room.RefusedUpgrade, http.StatusInternalServerError, "internal error", 0}, slog.LevelError
	case errors.As(err, &handshake):
		return refusal{room.RefusedHandshake, handshake.status, handshake.text, 0}, slog.LevelDebug
	case errors.As(err, &expired):
		return unauthorized(room.RefusedExpiredToken), slog.LevelDebug
	case errors.As(err, &unavailableErr):
		return unavailable, slog.LevelWarn
	}
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.refusal, slog.LevelDebug
		}
	}
	// The error says nothing about the client: the verifier failed.
	return unavailable, slog.LevelWarn
}
