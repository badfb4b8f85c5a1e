package client

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Token is a credential for the server.
type Token struct {
	Value string
	// ExpiresAt is when the token expires. The client renews it before that. Zero means never or
	// unknown: the client then asks for another token when the server refuses this one.
	ExpiresAt time.Time
}

// String returns a text without the token.
func (Token) String() string { return "client.Token" }

// GoString returns a text without the token.
func (Token) GoString() string { return "client.Token{}" }

// TokenReason is why the client asks for a token.
type TokenReason string

// The reasons. Only for TokenConnect may the token come from a cache.
const (
	TokenConnect  TokenReason = "connect"  // the client has none, or one that expires within 30 s
	TokenRenew    TokenReason = "renew"    // the token of the open connection expires soon
	TokenRejected TokenReason = "rejected" // the server refused the last one
	TokenChanged  TokenReason = "changed"  // the program called Client.Renew
)

// TokenFunc returns a token. Calls never overlap. If the error is [ErrUnauthorized], the client
// ends; after any other error it calls the function again later.
//
// ctx ends after 30 s, and with Close. The function should return soon after that. If it does not,
// the client goes on without its result: at most one goroutine stays behind, until the function
// returns, and the function is not called again before.
type TokenFunc func(ctx context.Context, reason TokenReason) (Token, error)

// StaticToken returns a TokenFunc that always returns the same token. If the server refuses it, the
// client ends.
func StaticToken(value string) TokenFunc {
	return func(_ context.Context, reason TokenReason) (Token, error) {
		if reason == TokenRejected {
			return Token{}, ErrUnauthorized
		}
		return Token{Value: value}, nil
	}
}

const (
	// renewBefore is how long before its expiry a token is renewed. A token that expires sooner is
	// not used to connect.
	renewBefore = 30 * time.Second
	// tokenTimeout bounds one call of a TokenFunc.
	tokenTimeout = 30 * time.Second
	// tokenGrace is how long after the end of its context a TokenFunc may take to return.
	tokenGrace = time.Second
)

var (
	errEmptyToken = errors.New("client: Options.Token returned an empty token")
	errTokenLate  = errors.New("client: Options.Token has not returned in time")
)

// usable reports whether a connection can be opened with t.
func (t Token) usable(now time.Time) bool {
	return t.Value != "" && (t.ExpiresAt.IsZero() || t.ExpiresAt.Sub(now) > renewBefore)
}

// renewAt returns when to renew t, at earliest or later. Zero means never.
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

// tokenCalls calls a TokenFunc, one call at a time.
type tokenCalls struct {
	f    TokenFunc     // nil: no token
	turn chan struct{} // holds a value while no call is under way
}

func newTokenCalls(f TokenFunc) *tokenCalls {
	t := &tokenCalls{f: f, turn: make(chan struct{}, 1)}
	t.turn <- struct{}{}
	return t
}

// ask calls the function and waits for the result, until ctx ends or the call takes too long.
func (t *tokenCalls) ask(ctx context.Context, reason TokenReason) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	select {
	case <-t.turn:
	case <-ctx.Done():
		return Token{}, fmt.Errorf("%w: %w", errTokenLate, ctx.Err())
	}
	type result struct {
		token Token
		err   error
	}
	results := make(chan result, 1)
	go func() { // ends when the function returns, which is up to the program
		defer func() { t.turn <- struct{}{} }()
		token, err := t.f(ctx, reason)
		results <- result{token, err}
	}()
	var r result
	select {
	case r = <-results:
	case <-ctx.Done():
		grace := time.NewTimer(tokenGrace)
		defer grace.Stop()
		select {
		case r = <-results:
		case <-grace.C:
			return Token{}, fmt.Errorf("%w: %w", errTokenLate, ctx.Err())
		}
	}
	if r.err == nil && r.token.Value == "" {
		r.err = errEmptyToken
	}
	return r.token, r.err
}

// tokenForConnect returns the token to connect with.
func (c *Client) tokenForConnect(ctx context.Context) (Token, error) {
	if c.opts.Token == nil {
		return Token{}, nil
	}
	c.mu.Lock()
	if c.attempted = c.offer; c.offer != nil {
		c.token, c.refused = c.offer.token, false
	}
	token, refused := c.token, c.refused
	c.mu.Unlock()
	if !refused && token.usable(time.Now()) {
		return token, nil
	}
	reason := TokenConnect
	if refused {
		reason = TokenRejected
	}
	token, err := c.tokens.ask(ctx, reason)
	if err != nil {
		return Token{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token, c.refused = token, false
	return token, nil
}
