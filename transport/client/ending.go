package client

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// ending is how a connection, or an attempt at one, has ended and what that asks of the client.
type ending struct {
	err         error
	reconnect   bool
	reauth      bool          // the token was refused
	unlessFirst bool          // reconnect holds only for a client that has been connected before
	retryAfter  time.Duration // what the server asks for; 0: nothing
	stableSince time.Time     // since when it was of use; zero: it was not
}

// tokenError is the error of a TokenFunc.
type tokenError struct{ error }

func (e tokenError) Unwrap() error { return e.error }

// endingOf says what to do after err. A goodbye, if there was one, is the server's own word.
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

// ending says what a close frame without a goodbye asks for. A server says goodbye before every close of its own, except for broken framing;
// 1000 and 1001 come from something in between, such as a proxy that is being restarted. Another connection may do better.
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
		end.retryAfter += rand.N(time.Second) // the header knows whole seconds, and many may have got the same
	}
	switch {
	case e.Status == http.StatusUnauthorized:
		end.reauth = true
	case e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooEarly, e.Status == http.StatusTooManyRequests, e.Status >= 500:
	default:
		end.unlessFirst = true
	}
	return end
}
