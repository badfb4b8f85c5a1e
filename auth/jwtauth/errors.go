package jwtauth

import (
	"errors"
	"fmt"

	"github.com/planrooms/planrooms/auth"
)

var (
	// ErrUnavailable is returned by [Verifier.Verify], wrapped with the cause, when
	// the key that a token needs cannot be had at present: it says nothing about
	// the token.
	ErrUnavailable = errors.New("jwtauth: keys unavailable")

	// ErrClosed is returned by [Verifier.Verify] after [Verifier.Close].
	ErrClosed = errors.New("jwtauth: verifier is closed")
)

// The reasons a token is refused. They are fixed texts: none quotes the token.
var (
	errTooLong      = refusal("too long")
	errForm         = refusal("not a signed token in compact form")
	errHeader       = refusal("malformed header")
	errCritical     = refusal("header with extensions that must be understood")
	errNested       = refusal("nested token")
	errAlgorithm    = refusal("algorithm not allowed")
	errPayload      = refusal("malformed claims")
	errSubject      = refusal("claim sub missing or malformed")
	errIssuer       = refusal("claim iss is not the expected issuer")
	errAudience     = refusal("claim aud does not hold the expected audience")
	errNotBefore    = refusal("claim nbf malformed or in the future")
	errIssuedAt     = refusal("claim iat malformed or in the future")
	errExpiry       = refusal("claim exp missing or malformed")
	errRequired     = refusal("a required claim is missing or different")
	errUnknownKey   = refusal("unknown key")
	errAmbiguousKey = refusal("more than one key fits")
	errSignature    = refusal("signature does not match")
)

func refusal(reason string) error {
	return fmt.Errorf("%w: %s", auth.ErrInvalidToken, reason)
}
