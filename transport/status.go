package transport

import (
	"errors"
	"net/http"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// errFull is why a connection over Options.MaxConnections is refused.
var errFull = errors.New("transport: too many connections")

// refusal is what a client is told in place of being served. The texts are fixed: why exactly a token is bad is nobody's business.
type refusal struct {
	status int
	text   string
	code   protocol.CloseCode // for a browser, which is told nothing of an HTTP status; 0: HTTP alone
}

// refusals maps errors to what is answered. The first that matches counts; what is not in it is our fault, or that of
// whoever verifies.
var refusals = []struct {
	err error
	refusal
}{
	{errOrigin, refusal{http.StatusForbidden, "origin not allowed", 0}},
	{errClientID, refusal{http.StatusBadRequest, "malformed client id", 0}},
	{errSubprotocol, refusal{http.StatusBadRequest, "a token as subprotocol needs " + protocol.Subprotocol + " beside it", 0}},
	{auth.ErrNoToken, refusal{http.StatusUnauthorized, "unauthorized", protocol.CloseUnauthorized}},
	{auth.ErrInvalidToken, refusal{http.StatusUnauthorized, "unauthorized", protocol.CloseUnauthorized}},
	{errTokenForm, refusal{http.StatusUnauthorized, "unauthorized", protocol.CloseUnauthorized}},
	{room.ErrExpired, refusal{http.StatusUnauthorized, "unauthorized", protocol.CloseUnauthorized}},
	{room.ErrTooManyConnections, refusal{http.StatusTooManyRequests, "too many connections", protocol.CloseRateLimited}},
	{errFull, refusal{http.StatusServiceUnavailable, "too many connections", protocol.CloseRateLimited}},
	{room.ErrHubClosed, refusal{http.StatusServiceUnavailable, "shutting down", protocol.CloseShutdown}},
}

// unavailable is the refusal for every error that says nothing about the client.
var unavailable = refusal{http.StatusServiceUnavailable, "unavailable", protocol.CloseInternal}

// refusalFor returns what is answered for err, and whether err is the client's.
func refusalFor(err error) (_ refusal, clients bool) {
	if expired := (*auth.ExpiredError)(nil); errors.As(err, &expired) {
		err = auth.ErrInvalidToken
	}
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.refusal, true
		}
	}
	return unavailable, false
}
