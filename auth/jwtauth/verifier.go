package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/auth"
)

// Verifier accepts signed JSON Web Tokens. It is safe for concurrent use.
//
// A Verifier with a JWKSURL must be closed when it is no longer needed. It has no
// goroutine of its own but, at times, the one that fetches the key set.
type Verifier struct {
	// Fixed at creation.
	algorithms []Algorithm // those that any key serves
	issuer     string
	audience   string
	required   map[string]any
	identify   func(context.Context, auth.Identity) (auth.Identity, error)

	keys   keySet  // those of Options.Keys
	remote *remote // instead of keys, or nil

	lastHeader atomic.Pointer[header] // of the last token whose header was good, whoever had signed it
}

var _ auth.Verifier = (*Verifier)(nil)

// New returns a verifier for the tokens that opts describes, or an error that
// names what is wrong with opts. It fetches nothing.
func New(opts *Options) (*Verifier, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	v := &Verifier{
		issuer:   o.Issuer,
		audience: o.Audience,
		required: o.RequiredClaims,
		identify: o.Identify,
		keys:     o.Keys,
	}
	for _, k := range v.keys {
		v.algorithms = append(v.algorithms, k.algorithms...)
	}
	if o.JWKSURL != "" {
		v.algorithms = intersect(publicAlgorithms(), o.Algorithms)
		v.remote = newRemote(o)
	}
	return v, nil
}

// Verify returns the identity in a token that passes the checks that the package
// comment lists.
//
// It does not know of tokens withdrawn before they expire; Options.Identify can
// ask. It waits for the network only if the key that the token names is not there:
// then until the key set has been fetched, ctx ends, or 10 s have passed.
//
// The error is auth.ErrNoToken for an empty token, it wraps auth.ErrInvalidToken
// for one that is refused, and is an *auth.ExpiredError for one that would have
// been accepted earlier. Everything else is an outage: [ErrUnavailable],
// [ErrClosed], or what Options.Identify returned.
func (v *Verifier) Verify(ctx context.Context, token string) (auth.Identity, error) {
	if token == "" {
		return auth.Identity{}, auth.ErrNoToken
	}
	t, err := v.parse(token)
	if err != nil {
		return auth.Identity{}, err
	}
	if !slices.Contains(v.algorithms, t.algorithm) {
		return auth.Identity{}, errAlgorithm
	}
	// The claims come before the key, although they are not to be believed yet: a
	// token of another issuer is then refused even while no key can be had, and a
	// stranger's token does not make us fetch keys.
	if err := v.checkClaims(t.claims, time.Now()); err != nil {
		return auth.Identity{}, err
	}
	key, err := v.key(ctx, t.kid, t.algorithm)
	if err != nil {
		return auth.Identity{}, err
	}
	if key.verify(t.algorithm, t.signed, t.signature) != nil {
		return auth.Identity{}, errSignature
	}
	exp, _ := numericDate(t.claims["exp"])
	if !time.Now().Before(exp) {
		return auth.Identity{}, &auth.ExpiredError{At: exp}
	}
	id := identify(t.claims, exp)
	if v.identify == nil {
		return id, nil
	}
	return v.identifyFurther(ctx, id)
}

// Close stops a fetch under way, waits for its goroutine, and makes every later
// Verify return [ErrClosed], also those that wait now. It always returns nil.
// Without a JWKSURL it does nothing. It may be called more than once.
func (v *Verifier) Close() error {
	if v.remote != nil {
		v.remote.close()
	}
	return nil
}

func (v *Verifier) key(ctx context.Context, kid string, a Algorithm) (Key, error) {
	if v.remote != nil {
		return v.remote.find(ctx, kid, a)
	}
	return v.keys.find(kid, a)
}

// identifyFurther applies Options.Identify within its bounds.
func (v *Verifier) identifyFurther(ctx context.Context, id auth.Identity) (auth.Identity, error) {
	exp := id.ExpiresAt
	id, err := v.identify(ctx, id)
	if err != nil {
		return auth.Identity{}, fmt.Errorf("jwtauth: identify: %w", err)
	}
	if !validText(id.UserID) {
		return auth.Identity{}, errors.New("jwtauth: Options.Identify returned an Identity without a valid UserID")
	}
	if id.ExpiresAt.IsZero() || id.ExpiresAt.After(exp) {
		id.ExpiresAt = exp
	}
	return id, nil
}
