package auth

import "context"

// MaxTokenBytes is the length of the longest token that is looked at. Verifiers
// of this module refuse a longer one unparsed, with [ErrInvalidToken].
const MaxTokenBytes = 8192

// Verifier finds out whom a token speaks for.
//
// Verify returns the identity, or an error of one of the four kinds that the
// package comment lists. An implementation must be safe for concurrent use, must
// return soon after ctx ends, must not keep the token, and must not put it, or a
// part of it, into an error. The caller must not modify the identity's claims,
// which several callers may share.
type Verifier interface {
	Verify(ctx context.Context, token string) (Identity, error)
}

// VerifierFunc is a function used as a [Verifier].
type VerifierFunc func(ctx context.Context, token string) (Identity, error)

// Verify calls f.
func (f VerifierFunc) Verify(ctx context.Context, token string) (Identity, error) {
	return f(ctx, token)
}

var _ Verifier = VerifierFunc(nil)
