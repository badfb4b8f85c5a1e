package auth

import "context"

// MaxTokenBytes is the maximum length of a token. The verifiers of this module refuse a longer one
// with [ErrInvalidToken] and do not parse it.
const MaxTokenBytes = 8192

// Verifier determines the user that a token authenticates.
//
// Verify returns the identity, or one of the kinds of error that the package documentation lists.
// An implementation must be safe for concurrent use and must return soon after ctx is done. It must
// not retain the token, and must not include any part of it in an error. The claims of an identity
// may be shared between callers, which must not modify them.
type Verifier interface {
	Verify(ctx context.Context, token string) (Identity, error)
}

// VerifierFunc is a function that implements [Verifier].
type VerifierFunc func(ctx context.Context, token string) (Identity, error)

// Verify calls f.
func (f VerifierFunc) Verify(ctx context.Context, token string) (Identity, error) {
	return f(ctx, token)
}

var _ Verifier = VerifierFunc(nil)
