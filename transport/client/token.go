package client

import (
	"context"
	"errors"
	"time"
)

// Token is what the server is shown.
type Token struct {
	Value string
	// ExpiresAt is the first moment at which the token no longer holds, so that the client can renew it in time. Zero: never, or
	// not known; the client then asks for another one when the server refuses this one.
	ExpiresAt time.Time
}

// String returns a text without the token.
func (Token) String() string { return "client.Token" }

// GoString returns a text without the token.
func (Token) GoString() string { return "client.Token{}" }

// TokenReason is why a token is asked for.
type TokenReason string

// The reasons. For TokenRejected a token from a cache will not do.
const (
	TokenConnect  TokenReason = "connect"  // there is none, or it is near its end
	TokenRenew    TokenReason = "renew"    // the connection is open, and its token is near its end
	TokenRejected TokenReason = "rejected" // the server did not accept the last one
)

// TokenFunc returns a token. It is never called twice at once. It must return soon after ctx ends: Close waits for it. An error that is
// [ErrUnauthorized] ends the client; after any other it is called again later.
type TokenFunc func(ctx context.Context, reason TokenReason) (Token, error)

// StaticToken returns a TokenFunc that always returns the same token. When the server refuses it, the client ends.
func StaticToken(value string) TokenFunc {
	return func(_ context.Context, reason TokenReason) (Token, error) {
		if reason == TokenRejected {
			return Token{}, ErrUnauthorized
		}
		return Token{Value: value}, nil
	}
}

const (
	// renewBefore is how long before its end a token is renewed, and before which it is not used to connect.
	renewBefore = 30 * time.Second
	// authenticateEvery is more than the 10 s in which a server takes one authenticate.
	authenticateEvery = 10500 * time.Millisecond
	// tokenTimeout bounds one call of a TokenFunc.
	tokenTimeout = 30 * time.Second
)

var errEmptyToken = errors.New("client: Options.Token returned an empty token")

// usable reports whether a connection can be opened with t.
func (t Token) usable(now time.Time) bool {
	return t.Value != "" && (t.ExpiresAt.IsZero() || t.ExpiresAt.Sub(now) > renewBefore)
}

// renewAt returns when to renew t, not before earliest; zero means never.
func (t Token) renewAt(now, earliest time.Time) time.Time {
	left := t.ExpiresAt.Sub(now)
	if t.ExpiresAt.IsZero() || left <= 0 {
		return time.Time{}
	}
	at := now.Add(left / 2)
	if left > 2*renewBefore {
		at = now.Add(left - renewBefore)
	}
	if at.Before(earliest) {
		at = earliest
	}
	return at
}

// ask calls the TokenFunc.
func (c *Client) ask(ctx context.Context, reason TokenReason) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	t, err := c.opts.Token(ctx, reason)
	if err == nil && t.Value == "" {
		err = errEmptyToken
	}
	return t, err
}

// tokenForConnect returns the token to connect with.
func (c *Client) tokenForConnect() (Token, error) {
	if c.opts.Token == nil {
		return Token{}, nil
	}
	c.mu.Lock()
	token, refused := c.token, c.refused
	c.mu.Unlock()
	if !refused && token.usable(time.Now()) {
		return token, nil
	}
	reason := TokenConnect
	if refused {
		reason = TokenRejected
	}
	token, err := c.ask(c.ctx, reason)
	if err != nil {
		return Token{}, err
	}
	c.mu.Lock()
	c.token, c.refused = token, false
	c.mu.Unlock()
	return token, nil
}
