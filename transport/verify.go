package transport

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/planrooms/planrooms/auth"
)

// identify authenticates the request. It returns a panic of the host's code as an error.
func (h *handler) identify(r *http.Request, c credentials) (id auth.Identity, err error) {
	growStack()
	ctx, cancel := context.WithTimeout(r.Context(), h.opts.VerifyTimeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			id, err = auth.Identity{}, newPanicError(v)
		}
	}()
	if h.opts.Authenticate != nil {
		return h.opts.Authenticate(r.WithContext(ctx))
	}
	if c.err != nil {
		return auth.Identity{}, c.err
	}
	return h.verifier.Verify(ctx, c.token)
}

const (
	// shortestSecret is the minimum length in bytes of a token part that counts as a secret.
	shortestSecret = 8
	// abbreviated is the number of bytes at the beginning or the end of a token that count as a
	// secret.
	abbreviated = 16
)

// withoutToken returns the text of the host's error for the log. If the text contains the token or
// a part of it, withoutToken returns a replacement. Verifiers must not return such errors, but one
// that does must not leak the token into the log.
func withoutToken(err error, token string) string {
	text := err.Error()
	if containsToken(text, token) {
		return fmt.Sprintf("an error of type %T whose text contains the token", err)
	}
	return text
}

// containsToken reports whether text contains the token, one of its parts, or its beginning or end.
// It also finds a token that is escaped as in a URL or a quoted string.
func containsToken(text, token string) bool {
	if len(token) >= abbreviated &&
		(strings.Contains(text, token[:abbreviated]) || strings.Contains(text, token[len(token)-abbreviated:])) {
		return true
	}
	for part := range strings.SplitSeq(token, ".") {
		if len(part) >= shortestSecret && strings.Contains(text, part) {
			return true
		}
	}
	if token == "" || len(token) > len(text) { // escaping makes the token even longer
		return false
	}
	quoted := strconv.Quote(token)
	return slices.ContainsFunc([]string{token, url.QueryEscape(token), url.PathEscape(token), quoted[1 : len(quoted)-1]},
		func(form string) bool { return strings.Contains(text, form) })
}

// cleanError wraps an error of the host. Its text contains no part of the token.
type cleanError struct {
	text string
	err  error
}

func (e cleanError) Error() string { return e.text }

func (e cleanError) Unwrap() error { return e.err }
