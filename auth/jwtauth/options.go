package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/planrooms/planrooms/auth"
)

// Options says which tokens a [Verifier] accepts. Exactly one of Keys and JWKSURL
// is required; the zero value of every other field is its default. [New] copies
// what it needs.
type Options struct {
	// Keys are the keys of tokens, when the host has them at hand. No two of them
	// may have the same ID and an algorithm in common.
	Keys []Key

	// JWKSURL is where the keys are published as a JWK set. It must be an https
	// URL; http is allowed for a loopback host. Of the set, the keys that
	// [ParseSet] takes are used.
	JWKSURL string

	// Algorithms narrows down the algorithms that the types of the keys allow.
	// Empty allows them all. A host that knows how its tokens are signed should
	// say so here.
	Algorithms []Algorithm

	// Issuer is what the claim iss must be. Empty accepts every issuer, which is
	// right only if nobody else signs with the same keys.
	Issuer string

	// Audience is what the claim aud must be or hold. Empty accepts tokens meant
	// for any service, which is right only if the issuer serves no other.
	Audience string

	// RequiredClaims are further claims and their values: strings, booleans, and
	// numbers of type int or float64. The values must be equal.
	RequiredClaims map[string]any

	// Identify, if not nil, changes the identity of an accepted token, or refuses
	// it with an error that wraps auth.ErrInvalidToken; any other error is an
	// outage. It is given what the claims are mapped to: UserID from sub, Email
	// from email, Name from name (or else the part of the address before the @, or
	// else UserID), ExpiresAt from exp, and all Claims, with numbers as float64. The
	// UserID it returns is bound to the same rule as sub. It may bring ExpiresAt
	// forward, not put it off. It is called in the goroutine that verifies.
	Identify func(ctx context.Context, id auth.Identity) (auth.Identity, error)

	// RefreshInterval is the age from which use has the key set fetched again.
	// The default is 15 minutes. It is also how long a key that was withdrawn goes
	// on being accepted, if there is traffic.
	RefreshInterval time.Duration

	// MaxAge is the age at which the key set is no longer used, because the URL
	// has failed for so long. The default is 24 hours.
	MaxAge time.Duration

	// HTTPClient fetches the key set. The default is a client that keeps no
	// connections. Its timeout applies if it is shorter than 10 s. A redirection
	// to a URL that would not be allowed as JWKSURL is not followed.
	HTTPClient *http.Client

	// Logger is told when the key set could not be renewed and an older one goes
	// on serving. By default nobody is told.
	Logger *slog.Logger

	// InsecureHTTP allows a JWKSURL without TLS on any host. Whoever can touch the
	// network in between can then make tokens for every user.
	InsecureHTTP bool
}

const (
	defaultRefreshInterval = 15 * time.Minute
	defaultMaxAge          = 24 * time.Hour
)

// withDefaults returns a copy with the defaults filled in, or says what is wrong.
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
	var err error
	if c.RequiredClaims, err = jsonValues(c.RequiredClaims); err != nil {
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
		// The parser's error would quote the URL, which may hold a password.
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

// usableKeys returns the keys, each with the algorithms left to it.
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
		for j, other := range keys[:i] {
			if other.id == k.id && k.id != "" && len(intersect(other.algorithms, k.algorithms)) > 0 {
				return nil, fmt.Errorf("jwtauth: Options.Keys[%d] and [%d] have the same ID", j, i)
			}
		}
	}
	return keys, nil
}

// jsonValues returns the values as the JSON decoder would have made them.
func jsonValues(claims map[string]any) (map[string]any, error) {
	values := make(map[string]any, len(claims))
	for name, value := range claims {
		switch value := value.(type) {
		case string, bool:
			values[name] = value
		case int:
			values[name] = float64(value)
		case float64:
			if math.IsNaN(value) {
				return nil, fmt.Errorf("jwtauth: Options.RequiredClaims[%q] is not a number", name)
			}
			values[name] = value
		default:
			return nil, fmt.Errorf("jwtauth: Options.RequiredClaims[%q] has the unsupported type %T", name, value)
		}
	}
	return values, nil
}

// allowedURL reports whether keys may come from u.
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
