package transport

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// errOrigin is wrapped by the errors of all refused origins. The others give the reason.
var (
	errOrigin         = errors.New("transport: origin not allowed")
	errOriginMissing  = fmt.Errorf("%w: a request with a cookie must have an Origin", errOrigin)
	errOriginRepeated = fmt.Errorf("%w: the request has several Origin headers", errOrigin)
	errOriginForm     = fmt.Errorf("%w: the Origin is not scheme://host[:port]", errOrigin)
	errOriginOpaque   = fmt.Errorf("%w: null and file:// do not count for cookies and Authenticate", errOrigin)
	errOriginCookie   = fmt.Errorf("%w: over plain HTTP, a cookie counts only from an origin that Options list", errOrigin)
)

// origins decides which pages may connect. The same-origin policy of browsers does not cover
// WebSockets: a page of any site can connect, and the browser adds the visitor's cookies. Only the
// Origin header shows which site the page belongs to. [http.CrossOriginProtection] does not help,
// since it accepts every GET, and an upgrade is a GET.
type origins struct {
	// Fixed at creation.
	any          bool
	listed       []string // canonical: Options.PublicOrigin and Options.AllowedOrigins
	allow        func(r *http.Request, origin *url.URL) bool
	authenticate bool // Options.Authenticate is set
}

// newOrigins returns the rule of options that Validate has accepted.
func newOrigins(opts *Options) origins {
	o := origins{any: opts.InsecureAnyOrigin, allow: opts.AllowOrigin, authenticate: opts.Authenticate != nil}
	for _, entry := range append([]string{opts.PublicOrigin}, opts.AllowedOrigins...) {
		if origin, err := canonicalOrigin(entry); err == nil {
			o.listed = append(o.listed, origin)
		}
	}
	return o
}

// check returns an error that wraps errOrigin unless the page that made the request may connect.
// Clients other than browsers need no Origin. cookies reports whether a cookie may authenticate the
// request; an Origin is then required.
func (o *origins) check(r *http.Request, cookies bool) error {
	if o.any {
		return nil
	}
	values := r.Header.Values("Origin")
	switch {
	case len(values) == 0 && cookies:
		return errOriginMissing
	case len(values) == 0:
		return nil
	case len(values) > 1:
		return errOriginRepeated
	}
	origin, err := canonicalOrigin(values[0])
	switch listed := slices.Contains(o.listed, origin); {
	case err != nil:
		return err
	case opaqueOrigin(origin):
		// Any site can create a null origin with a sandboxed frame.
		if listed && (cookies || o.authenticate) {
			return errOriginOpaque
		}
		if listed {
			return nil
		}
		return errOrigin
	case listed, slices.Contains(o.own(r, cookies), origin):
		return nil
	case o.allow != nil:
		return o.callAllowOrigin(r, origin)
	case slices.Contains(o.own(r, false), origin):
		return errOriginCookie
	}
	return errOrigin
}

// own returns the origins at the request's own host that are accepted without being listed.
func (o *origins) own(r *http.Request, cookies bool) []string {
	schemes := []string{"http", "https"} // https where a proxy ends TLS
	switch {
	case r.TLS != nil:
		schemes = []string{"https"}
	case len(o.listed) > 0 || o.allow != nil:
		return nil
	}
	var own []string
	for _, scheme := range schemes {
		origin, err := canonicalOrigin(scheme + "://" + r.Host)
		if err != nil {
			return nil
		}
		if cookies && r.TLS == nil && !loopback(origin) {
			// If a proxy ends TLS, an attacker on the network can forge a page of http://host. The
			// request does not show whether there is a proxy.
			return nil
		}
		own = append(own, origin)
	}
	return own
}

// callAllowOrigin calls Options.AllowOrigin. If it panics, the request is refused.
func (o *origins) callAllowOrigin(r *http.Request, origin string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: AllowOrigin: %w", errOrigin, newPanicError(v))
		}
	}()
	if u, err := url.Parse(origin); err != nil || !o.allow(r, u) {
		return errOrigin
	}
	return nil
}

// expected lists the origins that would have been accepted, for the log.
func (o *origins) expected(r *http.Request, cookies bool) []string {
	const most = 8 // of a long list
	expected := slices.Clone(o.listed)
	if n := len(expected) - most; n > 0 {
		expected = append(expected[:most], fmt.Sprintf("%d more", n))
	}
	expected = append(expected, o.own(r, cookies)...)
	if o.allow != nil {
		expected = append(expected, "what Options.AllowOrigin accepts")
	}
	if len(expected) == 0 {
		expected = append(expected, "an origin in Options.PublicOrigin or Options.AllowedOrigins")
	}
	return expected
}

// opaqueOrigin reports whether an origin in canonical form does not identify a site. Browsers send
// such an origin for sandboxed frames, data: URLs and local files.
func opaqueOrigin(origin string) bool { return origin == "null" || origin == "file://" }

// loopback reports whether an origin in canonical form belongs to the machine on which the browser
// runs.
func loopback(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") // RFC 6761 section 6.3
}

// canonicalOrigin returns s in lower case and without the default port of its scheme. It returns
// errOriginForm unless s has the form scheme://host, scheme://host:port, null or file://.
func canonicalOrigin(s string) (string, error) {
	if opaqueOrigin(s) {
		return s, nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", errOriginForm
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	// An origin has no other parts of a URL (RFC 6454 section 6.2), and its host is ASCII.
	if u.Scheme == "" || host == "" || s[len(u.Scheme):] != "://"+u.Host || strings.ContainsFunc(s, notInOrigin) {
		return "", errOriginForm
	}
	if strings.HasSuffix(u.Host, ":") {
		return "", errOriginForm
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return "", errOriginForm
		}
		port = strconv.FormatUint(n, 10)
	}
	switch {
	case u.Scheme == "http" && port == "80", u.Scheme == "https" && port == "443":
		port = ""
	}
	if strings.Contains(host, ":") {
		ip, err := netip.ParseAddr(host)
		if err != nil {
			return "", errOriginForm
		}
		host = "[" + ip.String() + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return u.Scheme + "://" + host, nil
}

func notInOrigin(r rune) bool { return r > '~' || r == '*' || r == '%' }
