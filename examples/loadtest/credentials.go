package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// credentials are the tokens that connections and requests take in turn. They are safe for
// concurrent use.
type credentials struct {
	// Nil: the tokens were given.
	login func(ctx context.Context, user string) (token string, err error)
	// One for each token, if there is a login.
	users []string

	renewing sync.Mutex // held during another login; taken before mu

	mu     sync.Mutex // guards the following
	tokens []string
}

var errNoLogin = errors.New("the server refused the token, and -login is not set to get another one")

// loginAll makes credentials of a token for each user.
func loginAll(ctx context.Context, users []string, login func(context.Context, string) (string, error)) (*credentials, error) {
	c := &credentials{login: login, users: users, tokens: make([]string, len(users))}
	for i, user := range users {
		token, err := login(ctx, user)
		if err != nil {
			return nil, fmt.Errorf("log in as %s: %w", user, err)
		}
		c.tokens[i] = token
	}
	return c, nil
}

// count returns how many tokens there are.
func (c *credentials) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.tokens)
}

// token returns that of the connection or request with a number.
func (c *credentials) token(number int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tokens[number%len(c.tokens)]
}

// renew replaces a token that was refused. Of several who ask at once one logs in.
func (c *credentials) renew(ctx context.Context, number int, refused string) error {
	if c.login == nil {
		return errNoLogin
	}
	c.renewing.Lock()
	defer c.renewing.Unlock()
	if c.token(number) != refused {
		return nil
	}
	i := number % len(c.users)
	token, err := c.login(ctx, c.users[i])
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens[i] = token
	return nil
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4 << 20

// fetch makes a request and returns the body of its answer, which is a *refusedError unless the
// status is 2xx.
func fetch(c *http.Client, req *http.Request) ([]byte, error) {
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, newRefusedError(resp)
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
}
