package main

import (
	"errors"
	"fmt"
	"net/http"
	"syscall"

	"github.com/planrooms/planrooms/protocol"
)

// explain adds to an error what to do about it, where that is known. t is nil before there are
// tokens.
func explain(err error, s *settings, t *target) error {
	if hint := hintFor(err, s, t); hint != "" {
		return fmt.Errorf("%w\n%s", err, hint)
	}
	return err
}

func hintFor(err error, s *settings, t *target) string {
	var refused *refusedError
	var closed *closedError
	var join *joinError
	status := 0
	switch {
	case errors.As(err, &join):
		switch join.code {
		case protocol.ErrorForbidden:
			return "The plan does not exist, or this user has no access to it: see -plans, -rooms and -user."
		case protocol.ErrorUnavailable:
			return "Authorize of the server returned an error that is not room.ErrForbidden, or took too long: see its log."
		}
		return ""
	case errors.Is(err, syscall.EMFILE):
		return "This process has too few descriptors: see ulimit -n."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "No server listens at this address: start one (go run ./examples/quickstart), or omit -url to run one in this process."
	case errors.As(err, &refused):
		status = refused.Status
	case errors.As(err, &closed):
		status = map[protocol.CloseCode]int{
			protocol.CloseUnauthorized: http.StatusUnauthorized, protocol.CloseRateLimited: http.StatusTooManyRequests,
			protocol.CloseInternal: http.StatusServiceUnavailable, protocol.CloseShutdown: http.StatusServiceUnavailable,
		}[closed.code]
	}
	switch status {
	case http.StatusUnauthorized:
		return "The server does not accept the token: see -token, -tokens, -login, -token-path."
	case http.StatusForbidden:
		return "The server does not allow this: check the Origin of a WebSocket (see -header), or the rights of the user of a request."
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusMovedPermanently, http.StatusFound, http.StatusPermanentRedirect, http.StatusTemporaryRedirect:
		return "The server has no such route. -preset quickstart is the default; set -login or -token, -publish and -plans for another server."
	case http.StatusTooManyRequests:
		if t == nil || t.credentials == nil {
			return "The server limits the rate of requests."
		}
		return fmt.Sprintf("The server limits how many connections a user may have: %d by default (room.Options.ConnectionsPerUser). %s share %s, "+
			"which is enough for %d. Add users or tokens (-user, -tokens), or raise the limit for the test.",
			perUser, several(s.conns, "connection"), several(t.credentials.count(), "token"), perUser*t.credentials.count())
	case http.StatusServiceUnavailable:
		return "The server is full (transport.Options.MaxConnections), is shutting down, or cannot check tokens: see its log."
	}
	return ""
}
