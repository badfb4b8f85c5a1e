package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/planrooms/planrooms/auth"
)

// Options describes the tokens that a [Verifier] accepts, and where its keys come from. Exactly one
// of Keys and JWKSURL is required. The zero value of every other field is its default. [New] copies
// what it needs.
type Options struct {
	// Keys are the keys of tokens, for a host that has them. Several keys may have the same ID and
	// algorithm, so that a new key can replace an old one: at most 4, which is the number of keys
	// that Verify tries.
	Keys []Key

	// JWKSURL is where the issuer publishes its keys, as a JWK set. It must be an https URL, or an
	// http URL of a loopback host. The verifier uses those of the keys that [ParseSet] returns.
	JWKSURL string

	// Algorithms restricts the algorithms that the types of the keys allow. Empty means no
	// restriction. A host that knows how its tokens are signed should set it.
	Algorithms []Algorithm

	// Issuer is the required value of the claim iss. Empty accepts every issuer, which is safe only
	// if no other issuer signs with the same keys.
	Issuer string

	// Audience is a value that the claim aud must be or contain. Empty accepts tokens for any
	// service, which is safe only if the issuer serves no other.
	Audience string

	// UserIDClaim is the name of the claim that identifies the user. The default is sub. Every
	// token must have this claim: a string of 1 to 256 bytes of UTF-8 without control characters,
	// or an integer in plain decimal form (no fraction, no exponent, not -0). The integer 42 and
	// the string "42" are the same user.
	UserIDClaim string

	// SessionIDClaim is the name of the claim that identifies the login (auth.Identity.SessionID).
	// The default is sid, which OpenID Connect and most issuers use. It must stay the same when a
	// token is renewed, so New refuses jti. A token without the claim has no session. A claim that
	// is present must be one that would be valid as UserIDClaim. If the claim sid of an issuer is
	// something else, Identify can clear the SessionID.
	SessionIDClaim string

	// RequiredClaims are further claims with their required values: strings, booleans, and numbers
	// of type int, int64 or float64. Numbers are compared exactly and by value, so 42 accepts 42,
	// 42.0 and 4.2e1 in a token. A float64 counts as the shortest decimal that denotes it, so 0.1
	// accepts 0.1.
	RequiredClaims map[string]any

	// Identify, if not nil, changes the identity of a valid token, or refuses the token with an
	// error that wraps auth.ErrInvalidToken. Verify returns other errors as they are, wrapped; see
	// package auth for what they mean to a client.
	//
	// The identity that it receives has the UserID of UserIDClaim, the Email of the claim email,
	// and the Name of the claim name, or else the part of the address before the @, or else the
	// UserID. SessionID is that of SessionIDClaim. ExpiresAt is exp. Claims has all claims; numbers
	// are of type json.Number, so that those beyond 2^53 are exact.
	//
	// The identity that it returns must have a UserID that is a valid string for UserIDClaim, and a
	// SessionID that is empty or one, too. It may expire earlier than exp, but not later. Verify
	// calls Identify in its own goroutine.
	Identify func(ctx context.Context, id auth.Identity) (auth.Identity, error)

	// RefreshInterval is the age at which the key set is fetched again, when a token arrives. The
	// default is 15 minutes; less than 30 s has the effect of 30 s. As long as tokens arrive, it is
	// also the time for which a withdrawn key remains valid.
	RefreshInterval time.Duration

	// MaxAge is the age from which a key set is not used any more because the URL has failed for so
	// long. The default is 24 hours.
	MaxAge time.Duration

	// HTTPClient fetches the key set. The default is a client without keep-alive connections. Its
	// timeout applies if it is shorter than 10 s. The verifier does not follow a redirect to a URL
	// that it would not accept as JWKSURL.
	HTTPClient *http.Client

	// Logger receives a warning when the key set cannot be refreshed and the previous one remains
	// in use. Default: no logging.
	Logger *slog.Logger

	// InsecureHTTP allows a JWKSURL without TLS on any host. An attacker on the network path can
	// then make tokens for every user.
	InsecureHTTP bool
}

const (
	defaultRefreshInterval = 15 * time.Minute
	defaultMaxAge          = 24 * time.Hour
)

// withDefaults returns a copy with the defaults filled in, or an error that says what is wrong.
func (o *Options) withDefaults() (*Options, error) {
	if o == nil || len(o.Keys) == 0 && o.JWKSURL == "" {
		return nil, errors.New("jwtauth: Options needs Keys or JWKSURL")
	}
	if len(o.Keys) > 0 && o.JWKSURL != "" {
		return nil, errors.New("jwtauth: Options has both Keys and JWKSURL")
	}
	if o.RefreshInterval < 0 || o.MaxAge < 0 {
		return nil, errors.New("jwtauth: Options.RefreshInterval or MaxAge is negative")
	}
	c := *o
	for _, a := range c.Algorithms {
		if !a.known() {
			return nil, fmt.Errorf("jwtauth: Options.Algorithms: unknown algorithm %q", string(a))
		}
	}
	c.Algorithms = slices.Clone(c.Algorithms)
	if c.UserIDClaim == "" {
		c.UserIDClaim = "sub"
	}
	switch c.SessionIDClaim {
	case "":
		c.SessionIDClaim = "sid"
	case "jti":
		return nil, errors.New("jwtauth: Options.SessionIDClaim is jti, which changes at each renewal")
	}
	var err error
	if c.RequiredClaims, err = requiredValues(c.RequiredClaims); err != nil {
		return nil, err
	}
	if c.JWKSURL == "" {
		c.Keys, err = usableKeys(c.Keys, c.Algorithms)
		return &c, err
	}
	if len(intersect(publicAlgorithms(), c.Algorithms)) == 0 {
		return nil, errors.New("jwtauth: Options.Algorithms: none is for the public keys of JWKSURL")
	}
	u, err := url.Parse(c.JWKSURL)
	if err != nil || u.Host == "" {
		// The parser's error would quote the URL, which may contain a password.
		return nil, errors.New("jwtauth: Options.JWKSURL is not a URL")
	}
	if !allowedURL(u, c.InsecureHTTP) {
		return nil, errors.New("jwtauth: Options.JWKSURL must be https")
	}
	if c.RefreshInterval == 0 {
		c.RefreshInterval = defaultRefreshInterval
	}
	if c.MaxAge == 0 {
		c.MaxAge = max(defaultMaxAge, c.RefreshInterval)
	}
	if c.MaxAge < c.RefreshInterval {
		return nil, errors.New("jwtauth: Options.MaxAge is shorter than RefreshInterval")
	}
	return &c, nil
}

// usableKeys returns the keys, each with the algorithms that are allowed.
func usableKeys(keys []Key, allowed []Algorithm) ([]Key, error) {
	keys = slices.Clone(keys)
	for i := range keys {
		k := &keys[i]
		if k.err != nil {
			return nil, fmt.Errorf("jwtauth: Options.Keys[%d]: %w", i, k.err)
		}
		if k.verify == nil {
			return nil, fmt.Errorf("jwtauth: Options.Keys[%d] is empty", i)
		}
		if k.algorithms = intersect(k.algorithms, allowed); len(k.algorithms) == 0 {
			return nil, fmt.Errorf("jwtauth: Options.Keys[%d]: Algorithms has none for it", i)
		}
		same := 1
		for _, other := range keys[:i] {
			if other.id == k.id && len(intersect(other.algorithms, k.algorithms)) > 0 {
				same++
			}
		}
		if same > maxTriedKeys {
			return nil, fmt.Errorf("jwtauth: Options.Keys[%d]: more than %d keys have its ID and algorithm", i, maxTriedKeys)
		}
	}
	return keys, nil
}

// allowedURL reports whether keys may be fetched from u.
func allowedURL(u *url.URL, insecure bool) bool {
	switch u.Scheme {
	case "https":
		return true
	case "http":
		host := u.Hostname()
		return insecure || host == "localhost" || net.ParseIP(host).IsLoopback()
	}
	return false
}
