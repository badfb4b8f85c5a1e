package transport

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/planrooms/planrooms/auth"
)

// Options configure the handler of [NewHandler], which copies them. The zero value is safe.
//
// # Origins
//
// A page of any site can open a WebSocket. Only the Origin header, which the browser adds, shows
// which site the page belongs to. A page whose origin is not accepted gets 403.
//
// If none of PublicOrigin, AllowedOrigins and AllowOrigin is set, a page must come from the host
// and port of the request (its Host header). The scheme must be https if this server itself ends
// TLS; otherwise it may be http or https, since a proxy may end TLS. If any of the three is set,
// they alone decide, except that a server that ends TLS itself always accepts https://Host.
//
// Behind a proxy that ends TLS, set PublicOrigin. Without it, pages of http://Host are accepted as
// well, and an attacker on a visitor's network can forge such a page. X-Forwarded-Proto,
// X-Forwarded-Host and Forwarded are not read, since any client can send them.
//
// Browsers add cookies no matter which site opens the connection. So where a cookie may
// authenticate the request (CookieName, or Authenticate and any cookie), an Origin is required.
// Over plain HTTP it must also be an origin that is listed or that AllowOrigin accepts. If none of
// the three options is set, the host of the request is enough if it is localhost or a loopback
// address.
//
// Clients other than browsers send no Origin. They are accepted, unless a cookie authenticates
// them.
type Options struct {
	// Authenticate returns the identity of the client, and replaces the token and the Verifier. It
	// is for a host whose own middleware has authenticated the request, or that has sessions. It
	// returns errors as [auth.Verifier] does, without a secret in them. The request's context ends
	// after VerifyTimeout. Authenticate must not keep the request. It is called concurrently.
	//
	// [room.Hub.Disconnect] refuses a connection whose verification began before it. The
	// verification begins with the call of Authenticate, so a host with sessions should look the
	// session up there: middleware may have found it just before it was deleted. The SessionID of
	// the identity lets Disconnect close the connections of one session.
	//
	// A session usually depends on a cookie, so a request with any cookie needs an accepted Origin.
	// Default: nil, the Verifier checks the token of the request.
	Authenticate func(r *http.Request) (auth.Identity, error)

	// PublicOrigin is the origin under which browsers see this service, as scheme://host or
	// scheme://host:port, where it is not that of the requests: behind a proxy that ends TLS, for
	// example "https://plans.example". Default: none.
	PublicOrigin string

	// AllowedOrigins lists further origins whose pages may connect, in the form in which browsers
	// send them and which location.origin shows: scheme://host or scheme://host:port, in lower
	// case, with a host outside ASCII in its form that begins with "xn--". The default port of a
	// scheme may be left out. There are no wildcards: see AllowOrigin. Default: none.
	//
	// "null" (sandboxed frames, data: URLs) and "file://" (local files, some applications) may be
	// listed too. Any site can make a page with the origin null, so these two never count for a
	// token in a cookie or for Authenticate.
	AllowedOrigins []string

	// AllowOrigin reports whether the pages of an origin that is not listed may connect. It is for
	// sets that no list can hold, such as a subdomain per customer. Compare whole labels of the
	// host: strings.HasSuffix(host, "plans.example") also accepts evilplans.example.
	//
	// origin has Scheme and Host alone, in lower case and without the default port of the scheme.
	// AllowOrigin is not called if the request has no Origin, several, one that cannot be parsed,
	// null or file://. A panic refuses the request. AllowOrigin is called concurrently, before the
	// request is authenticated, and must not keep the request. Default: nil.
	AllowOrigin func(r *http.Request, origin *url.URL) bool

	// InsecureAnyOrigin accepts the pages of all origins, including "null", and cookies without an
	// Origin. If a cookie authenticates, any page can then connect as its visitor.
	InsecureAnyOrigin bool

	// CookieName is the cookie that may hold the token. It is read only if the request has no token
	// elsewhere. Such a request needs an accepted Origin. Default: "", cookies are not read.
	CookieName string

	// MaxConnections is the maximum number of open connections, including those whose socket is
	// still being closed. A further client gets 503, or 4429 in a browser. Default: no limit.
	MaxConnections int

	// VerifyTimeout ends the context of one call of the Verifier or of Authenticate. At least 1 ms.
	// Default: 5 s.
	VerifyTimeout time.Duration

	// WriteBuffer is the size of a connection's socket send buffer in bytes. The hub cannot see how
	// much data in it a slow reader has not received, so a large buffer hides slow readers.
	// Default: 64 KiB.
	WriteBuffer int

	// Logger receives warnings and errors for operators, and every refusal at level DEBUG. Clients
	// can cause some of the lines above DEBUG: refused origins (INFO), requests whose token could
	// not be verified (WARN), upgrades that middleware prevented (ERROR) and panics of AllowOrigin
	// (ERROR). At most 10 lines of each kind are logged per minute; the next line has the number of
	// suppressed ones. No token is ever logged. Default: [slog.DiscardHandler].
	Logger *slog.Logger
}

const (
	defaultVerifyTimeout = 5 * time.Second
	defaultWriteBuffer   = 64 << 10
)

// Validate returns an error that lists each field with an invalid value, one per line, and says
// what to write instead. It accepts nil, which means the defaults. [NewHandler] panics with this
// error; a host that reads origins from its configuration can call Validate first.
func (o *Options) Validate() error {
	if o == nil {
		return nil
	}
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("transport: Options."+format, args...))
	}
	if o.PublicOrigin != "" {
		if err := checkPublicOrigin(o.PublicOrigin); err != nil {
			wrong("PublicOrigin: %w", err)
		}
	}
	for i, origin := range o.AllowedOrigins {
		if err := checkOrigin(origin); err != nil {
			wrong("AllowedOrigins[%d]: %w", i, err)
		}
	}
	if o.MaxConnections < 0 {
		wrong("MaxConnections: %d is negative", o.MaxConnections)
	}
	switch {
	case o.VerifyTimeout < 0:
		wrong("VerifyTimeout: %v is negative", o.VerifyTimeout)
	case o.VerifyTimeout > 0 && o.VerifyTimeout < time.Millisecond:
		wrong("VerifyTimeout: %v is below 1ms: write a unit, such as 5*time.Second", o.VerifyTimeout)
	}
	if o.WriteBuffer < 0 {
		wrong("WriteBuffer: %d is negative", o.WriteBuffer)
	}
	return errors.Join(errs...)
}

// withDefaults returns a copy of o with every zero field filled in. It panics if Validate returns
// an error.
func (o *Options) withDefaults() Options {
	if err := o.Validate(); err != nil {
		panic(err)
	}
	var c Options
	if o != nil {
		c = *o
	}
	if c.VerifyTimeout == 0 {
		c.VerifyTimeout = defaultVerifyTimeout
	}
	if c.WriteBuffer == 0 {
		c.WriteBuffer = defaultWriteBuffer
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
