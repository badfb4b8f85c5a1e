package transport

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/planrooms/planrooms/auth"
)

// Options configure the handler of [NewHandler], which copies them. The zero value is safe.
type Options struct {
	// Authenticate finds out who makes the request, in place of a token and the Verifier: for a host whose own middleware has
	// done it already, or that has sessions of its own. It returns errors as [auth.Verifier] does,
	// without a secret in them. The request's context ends after VerifyTimeout. The request must not be kept.
	//
	// Such a session usually rests on a cookie, which a browser sends whoever wrote the page; a request that carries any
	// cookie therefore needs an allowed Origin. Default none: the token is looked up and given to the Verifier.
	Authenticate func(r *http.Request) (auth.Identity, error)

	// AllowedOrigins lists the origins whose pages may connect, as scheme://host or scheme://host:port and
	// nothing else: "https://app.example". The port may be left out where it is the scheme's own.
	//
	// By default the page must have the scheme, host and port of the request itself. The scheme is https only where this server itself
	// ends TLS: X-Forwarded-Proto and its like are not read, since anybody can send them. Behind a proxy that ends TLS,
	// list the public origin here, also when page and socket share it. Origins listed are allowed besides the default one.
	AllowedOrigins []string

	// InsecureAnyOrigin lets the pages of all origins connect, "null" included, and cookies count without an Origin.
	// With a token in a cookie every page in the world can then open connections in the name of its visitors.
	InsecureAnyOrigin bool

	// CookieName is the cookie in which a token may come if it comes nowhere else. Such a request must have an
	// Origin. Default none: cookies are not looked at.
	CookieName string

	// MaxConnections is how many connections the handler has at once, those included whose socket is still being
	// closed. One more is answered 503, or 4429 to a browser. Default no limit.
	MaxConnections int

	// VerifyTimeout ends the context of one call of the Verifier or of Authenticate. Default 5 s.
	VerifyTimeout time.Duration

	// WriteBuffer is the send buffer of a connection's socket, in bytes. What a reader has not taken waits there,
	// invisible to the hub, so a large one hides slow readers. Default 64 KiB.
	WriteBuffer int

	// Logger gets what a person should look at, and at debug level every refusal. No token is ever logged. Default
	// [slog.DiscardHandler].
	Logger *slog.Logger
}

const (
	defaultVerifyTimeout = 5 * time.Second
	defaultWriteBuffer   = 64 << 10
)

// withDefaults returns a copy of o with every zero field filled in. It panics on what can only be a mistake.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	switch {
	case c.MaxConnections < 0:
		panic("transport: Options.MaxConnections is negative")
	case c.VerifyTimeout < 0:
		panic("transport: Options.VerifyTimeout is negative")
	case c.WriteBuffer < 0:
		panic("transport: Options.WriteBuffer is negative")
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
