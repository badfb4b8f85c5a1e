package main

import "fmt"

// haproxy returns HAProxy with the configuration block of the README.
func haproxy(block string) proxy {
	return proxy{"haproxy", "haproxy", 2, func(c configuration) (*configured, error) {
		http, https := c.addrs[0], c.addrs[1]
		return &configured{
			text: block + haproxyDefaults + fmt.Sprintf(`
frontend http
	bind %s
	default_backend standard
frontend https
	bind %s ssl crt %s alpn h2,http/1.1
	default_backend public
backend standard
	server plans %s
backend public
	server plans %s
`, http, https, c.cert.both, c.standard.addr, c.public.addr),
			args: []string{"-db", "-f", c.file},
			entrances: []*entrance{
				{name: "haproxy http", addr: http, backend: c.standard, checks: everything, idles: stays},
				{name: "haproxy https", addr: https, backend: c.public, tls: c.cert.client, checks: append(everything, overHTTP2), idles: stays},
			},
		}, nil
	}}
}

// haproxyBare returns HAProxy with only a backend and the timeouts of Debian's configuration.
func haproxyBare() proxy {
	return proxy{"haproxy defaults", "haproxy", 2, func(c configuration) (*configured, error) {
		standard, quiet := c.addrs[0], c.addrs[1]
		return &configured{
			text: "defaults" + haproxyDefaults + fmt.Sprintf(`
listen standard
	bind %s
	server plans %s
listen quiet
	bind %s
	server plans %s
`, standard, c.standard.addr, quiet, c.quiet.addr),
			args: []string{"-db", "-f", c.file},
			entrances: []*entrance{
				{name: "haproxy defaults", addr: standard, backend: c.standard, checks: []check{cookiesTooLong}, idles: stays},
				{name: "haproxy defaults", addr: quiet, backend: c.quiet, idles: cut},
			},
		}, nil
	}}
}

// haproxyDefaults continues a section "defaults" with Debian's settings.
const haproxyDefaults = `
	mode http
	timeout connect 5s
	timeout client 50s
	timeout server 50s
`
