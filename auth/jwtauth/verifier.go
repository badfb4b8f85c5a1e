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

// Verifier verifies signed JSON Web Tokens. It is safe for concurrent use.
//
// The host must close a Verifier with a JWKSURL when it no longer needs it. A Verifier has no
// goroutine except, while it fetches a key set, the one that does so.
type Verifier struct {
	// Fixed at creation.
	algorithms     []Algorithm // of all keys
	userIDClaim    string
	errUserID      error // for a token without a valid userIDClaim
	sessionIDClaim string
	errSessionID   error // for a token whose sessionIDClaim is not valid
	issuer         string
	audience       string
	required       map[string]any
	identify       func(context.Context, auth.Identity) (auth.Identity, error)

	keys   keySet  // from Options.Keys
	remote *remote // used instead of keys, unless nil

	lastHeader atomic.Pointer[header] // the last valid header, of a valid or invalid token
}

var _ auth.Verifier = (*Verifier)(nil)

// New returns a verifier for the tokens that opts describes, or an error that says what is wrong
// with opts. It does not fetch the key set.
func New(opts *Options) (*Verifier, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	v := &Verifier{
		userIDClaim:    o.UserIDClaim,
		errUserID:      refusal(fmt.Sprintf("claim %s missing or malformed", o.UserIDClaim)),
		sessionIDClaim: o.SessionIDClaim,
		errSessionID:   refusal(fmt.Sprintf("claim %s malformed", o.SessionIDClaim)),
		issuer:         o.Issuer,
		audience:       o.Audience,
		required:       o.RequiredClaims,
		identify:       o.Identify,
		keys:           o.Keys,
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

// Verify returns the identity in a token that passes the checks in the package documentation. It
// does not detect a token that was revoked before its expiry; Options.Identify can.
//
// Verify waits for the network only if no key of the current set matches the token and the set may
// be fetched again, and then until the fetch ends (after at most 10 s) or ctx is done.
//
// The error is auth.ErrNoToken for an empty token. It wraps auth.ErrInvalidToken for a token that
// is refused. It is an *auth.ExpiredError for a token that would have been accepted earlier, and an
// *auth.UnavailableError that wraps [ErrUnavailable] while Verify cannot decide, with a RetryAfter
// of 1 to 30 s, or 0 if ctx is done. Other errors are [ErrClosed] and those of Options.Identify.
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
	// The claims are not trusted before the signature is verified. They are checked first so that
	// tokens of other issuers are refused without keys, and cause no fetch.
	now := time.Now()
	exp, err := v.checkClaims(t.claims, now)
	if err != nil {
		return auth.Identity{}, err
	}
	if v.remote != nil {
		err = v.remote.verify(ctx, &t, now.Before(exp))
	} else {
		_, err = v.keys.verify(&t)
	}
	if err != nil {
		return auth.Identity{}, err
	}
	if !time.Now().Before(exp) {
		return auth.Identity{}, &auth.ExpiredError{At: exp}
	}
	id := v.newIdentity(t.claims, exp)
	if v.identify == nil {
		return id, nil
	}
	return v.callIdentify(ctx, id)
}

// Close cancels a fetch in flight, waits for its goroutine, and makes all later calls of Verify
// return [ErrClosed], as well as those that wait for the fetch. It always returns nil. Without a
// JWKSURL it does nothing. It may be called more than once.
func (v *Verifier) Close() error {
	if v.remote != nil {
		v.remote.close()
	}
	return nil
}

// callIdentify calls Options.Identify and checks what it returns.
func (v *Verifier) callIdentify(ctx context.Context, id auth.Identity) (auth.Identity, error) {
	exp := id.ExpiresAt
	id, err := v.identify(ctx, id)
	if err != nil {
		return auth.Identity{}, fmt.Errorf("jwtauth: identify: %w", err)
	}
	if !validText(id.UserID) {
		return auth.Identity{}, errors.New("jwtauth: Options.Identify returned an Identity without a valid UserID")
	}
	if id.SessionID != "" && !validText(id.SessionID) {
		return auth.Identity{}, errors.New("jwtauth: Options.Identify returned an Identity with an invalid SessionID")
	}
	if id.ExpiresAt.IsZero() || id.ExpiresAt.After(exp) {
		id.ExpiresAt = exp
	}
	return id, nil
}
