package transport

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/planrooms/planrooms/auth"
)

// panicError is what a panic of the host's Verifier or Authenticate becomes: no judgement about the client.
type panicError struct{ value any }

// Error names the kind of the panic, not its text, which could hold anything.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %T", e.value) }

// identify finds out who makes the request.
func (h *handler) identify(r *http.Request, c credentials) (id auth.Identity, err error) {
	ctx, cancel := context.WithTimeout(r.Context(), h.opts.VerifyTimeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			id, err = auth.Identity{}, &panicError{v}
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

// shortestSecret is the length from which a part of a token counts as a secret.
const shortestSecret = 8

// withoutToken returns the text of an error of the host's, for the log. A text that contains a part of the token is
// not returned: the Verifier was told not to do that, but a log is read by many.
func withoutToken(err error, token string) string {
	text := err.Error()
	for part := range strings.SplitSeq(token, ".") {
		if len(part) >= shortestSecret && strings.Contains(text, part) || part == token && token != "" && strings.Contains(text, token) {
			return fmt.Sprintf("an error of type %T whose text contains the token", err)
		}
	}
	return text
}
