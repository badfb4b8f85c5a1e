package jwtauth

import (
	"errors"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/auth"
)

var (
	// ErrUnavailable is the cause of every auth.UnavailableError that [Verifier.Verify] returns,
	// except one of Options.Identify: the key set could not be fetched, or not yet.
	ErrUnavailable = errors.New("jwtauth: keys unavailable")

	// ErrClosed is returned by [Verifier.Verify] after [Verifier.Close].
	ErrClosed = errors.New("jwtauth: verifier is closed")
)

// The reasons for which a token is refused are fixed texts. They contain no part of the token.
var (
	errTooLong     = refusal("too long")
	errForm        = refusal("not a signed token in compact form")
	errHeader      = refusal("malformed header")
	errCritical    = refusal("header with extensions that must be understood")
	errNested      = refusal("nested token")
	errAlgorithm   = refusal("algorithm not allowed")
	errPayload     = refusal("malformed claims")
	errIssuer      = refusal("claim iss is not the expected issuer")
	errAudience    = refusal("claim aud does not contain the expected audience")
	errNotBefore   = refusal("claim nbf malformed or in the future")
	errIssuedAt    = refusal("claim iat malformed or in the future")
	errExpiry      = refusal("claim exp missing or malformed")
	errRequired    = refusal("a required claim is missing or different")
	errUnknownKey  = refusal("unknown key")
	errSignature   = refusal("signature does not match")
	errTooManyKeys = refusal("signature does not match the first 4 of the keys that fit")
)

func refusal(reason string) error {
	return fmt.Errorf("%w: %s", auth.ErrInvalidToken, reason)
}

// unavailable returns the error for a token about which only a later fetch can decide.
func unavailable(cause error, retryAfter time.Duration) error {
	return &auth.UnavailableError{RetryAfter: retryAfter, Err: cause}
}
