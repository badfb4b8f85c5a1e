package transport

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

var errOrigin = errors.New("transport: origin not allowed")

// origins is the set of origins whose pages may connect, in canonical form. The same-origin policy of browsers does
// not cover WebSockets: a page of any site can connect, with the visitor's cookies, and only the Origin header
// tells. [http.CrossOriginProtection] does not help, since an upgrade is a GET.
type origins struct {
	any     bool
	allowed map[string]bool
}

// newOrigins panics on an entry that is not scheme://host[:port].
func newOrigins(allowed []string, any bool) origins {
	o := origins{any: any, allowed: make(map[string]bool, len(allowed))}
	for _, a := range allowed {
		c, err := canonicalOrigin(a)
		if err != nil {
			panic(fmt.Sprintf("transport: Options.AllowedOrigins: %q is not scheme://host[:port]", a))
		}
		o.allowed[c] = true
	}
	return o
}

// check returns errOrigin unless the page that made the request may connect. Clients that are no browsers
// send no Origin; ambient says that the request may owe its rights to a cookie, and then it must have one.
func (o origins) check(r *http.Request, ambient bool) error {
	if o.any {
		return nil
	}
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		if ambient {
			return errOrigin
		}
		return nil
	}
	origin, err := canonicalOrigin(values[0])
	if err != nil || len(values) > 1 {
		return errOrigin // "null" among others
	}
	if o.allowed[origin] {
		return nil
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if own, err := canonicalOrigin(scheme + "://" + r.Host); err != nil || own != origin {
		return errOrigin
	}
	return nil
}

// canonicalOrigin returns s in lower case and without a port that is the scheme's own.
func canonicalOrigin(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil {
		return "", errOrigin
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	// Whatever else a URL can have, an origin has not (RFC 6454 section 6.2).
	if u.Scheme == "" || host == "" || s[len(u.Scheme):] != "://"+u.Host || strings.ContainsAny(host, "*%") {
		return "", errOrigin
	}
	if strings.HasSuffix(u.Host, ":") {
		return "", errOrigin
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return "", errOrigin
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
			return "", errOrigin
		}
		host = "[" + ip.String() + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return u.Scheme + "://" + host, nil
}
