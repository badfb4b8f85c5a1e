package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// FirstOf returns a verifier that calls each of verifiers in order, for a host with more than one
// kind of token. The first verifier that accepts the token determines the identity.
//
// FirstOf continues with the next verifier after [ErrNoToken], [ErrInvalidToken] and
// [UnavailableError]. Two kinds of error end the search, because the verifier may have recognized
// the token as its own: an [ExpiredError], and any other error, for example one of the host's
// database or the error of a done context.
//
// If no verifier accepts the token and none ended the search, the error is an UnavailableError if
// there was one; of several, it is the one with the shortest RetryAfter. Otherwise the error
// matches ErrInvalidToken and wraps the reason of each verifier that gave one.
//
// FirstOf panics if there are no verifiers, or if one is nil.
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
	var undecided soonest
	for _, v := range f {
		id, err := v.Verify(ctx, token)
		if err == nil {
			return id, nil
		}
		var expired *ExpiredError
		var unavailable *UnavailableError
		switch {
		case errors.As(err, &expired):
			return Identity{}, err
		case errors.As(err, &unavailable):
			undecided.add(err, unavailable)
		case errors.Is(err, ErrInvalidToken):
			reasons = append(reasons, err)
		case !errors.Is(err, ErrNoToken):
			return Identity{}, err
		}
	}
	switch {
	case undecided.err != nil:
		return Identity{}, undecided.err
	case len(reasons) == 0:
		// Each verifier returned ErrNoToken, but there is a token.
		return Identity{}, ErrInvalidToken
	case len(reasons) == 1:
		return Identity{}, reasons[0]
	default:
		return Identity{}, &reasons
	}
}

// soonest keeps the error of the verifier that expects to decide first.
type soonest struct {
	err         error // wraps unavailable; nil: no error yet
	unavailable *UnavailableError
}

func (s *soonest) add(err error, unavailable *UnavailableError) {
	if s.err == nil || unavailable.RetryAfter < s.unavailable.RetryAfter {
		s.err, s.unavailable = err, unavailable
	}
}

// refusals holds the errors of several verifiers. Unlike errors.Join, it prints them on one line.
type refusals []error

func (r *refusals) Error() string {
	texts := make([]string, len(*r))
	for i, err := range *r {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (r *refusals) Unwrap() []error { return *r }
