package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// FirstOf returns a verifier that asks each of verifiers in turn, for a host with
// more than one kind of token. The first that accepts a token decides.
//
// It goes on to the next only after [ErrNoToken] or [ErrInvalidToken]. An
// [ExpiredError] ends the search, since the token has found its verifier, and so
// does an outage, since nobody knows whether it has: otherwise a verifier that
// cannot answer would turn a good token into a bad one. If all refuse, the error
// matches ErrInvalidToken and holds the reason of each that gave one.
//
// FirstOf panics without verifiers, and for one that is nil.
func FirstOf(verifiers ...Verifier) Verifier {
	if len(verifiers) == 0 {
		panic("auth: FirstOf without verifiers")
	}
	for i, v := range verifiers {
		if f, ok := v.(VerifierFunc); v == nil || ok && f == nil {
			panic(fmt.Sprintf("auth: FirstOf: verifier %d is nil", i))
		}
	}
	return firstOf(slices.Clone(verifiers))
}

type firstOf []Verifier

func (f firstOf) Verify(ctx context.Context, token string) (Identity, error) {
	if token == "" {
		return Identity{}, ErrNoToken
	}
	var reasons refusals
	for _, v := range f {
		id, err := v.Verify(ctx, token)
		if err == nil {
			return id, nil
		}
		var expired *ExpiredError
		switch {
		case errors.As(err, &expired):
			return Identity{}, err
		case errors.Is(err, ErrInvalidToken):
			reasons = append(reasons, err)
		case !errors.Is(err, ErrNoToken):
			return Identity{}, err
		}
	}
	switch len(reasons) {
	case 0:
		// Each said that the token is nothing for it to look at, but there is one.
		return Identity{}, ErrInvalidToken
	case 1:
		return Identity{}, reasons[0]
	default:
		return Identity{}, &reasons
	}
}

// refusals are the errors of verifiers that all refused a token, on one line,
// where errors.Join would make several.
type refusals []error

func (r *refusals) Error() string {
	texts := make([]string, len(*r))
	for i, err := range *r {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (r *refusals) Unwrap() []error { return *r }
