package client

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// ending is how a connection or an attempt to connect has ended, and what the client does next.
type ending struct {
	err         error
	reconnect   bool
	reauth      bool          // the server refused the token
	unlessFirst bool          // do not reconnect if the client of Dial was never connected
	retryAfter  time.Duration // wait that the server asks for; 0: none
	stableSince time.Time     // since when the connection was useful; zero: it was not
}

// tokenError is the error of a TokenFunc.
type tokenError struct{ error }

func (e tokenError) Unwrap() error { return e.error }

// endingOf returns what to do after err. If the server has sent a goodbye, that decides.
func endingOf(err error, g *protocol.Goodbye) ending {
	if g != nil {
		return ending{
			err:       &CloseError{Code: g.Code, Reason: g.Reason, Remote: true},
			reconnect: g.Reconnect, reauth: g.Reauth,
			retryAfter: time.Duration(min(max(g.RetryAfterMs, 0), maxRetryAfter.Milliseconds())) * time.Millisecond,
		}
	}
	var closed *CloseError
	var refused *HandshakeError
	var token tokenError
	switch {
	case errors.Is(err, errFarewell):
		return ending{err: ErrClosed}
	case errors.Is(err, errBadToken):
		return ending{err: err, reconnect: true, reauth: true}
	case errors.As(err, &token):
		return ending{err: err, reconnect: !errors.Is(err, ErrUnauthorized)}
	case errors.As(err, &refused):
		return refused.ending()
	case errors.As(err, &closed):
		return closed.ending()
	}
	return ending{err: err, reconnect: true}
}

// ending returns what to do after a close frame without a goodbye. A server sends goodbye before it
// closes a connection, except after invalid frames. So 1000 and 1001 come from an intermediary,
// such as a proxy that restarts, and another connection may succeed.
func (e *CloseError) ending() ending {
	a := e.Code.Advice()
	switch e.Code {
	case protocol.CloseNormal, protocol.CloseGoingAway, protocol.CloseProtocolError:
		a.Reconnect = true
	}
	return ending{err: e, reconnect: a.Reconnect, reauth: a.Reauth, retryAfter: a.RetryAfter()}
}

func (e *HandshakeError) ending() ending {
	end := ending{err: e, reconnect: true, retryAfter: e.retryAfter}
	if e.retryAfter > 0 {
		end.retryAfter += rand.N(time.Second) // spreads clients that received the same whole second
	}
	switch {
	case e.Status == http.StatusUnauthorized:
		end.reauth = true
	case e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooEarly,
		e.Status == http.StatusTooManyRequests, e.Status >= 500:
	default:
		end.unlessFirst = true
	}
	return end
}
