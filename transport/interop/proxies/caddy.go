package main

import (
	"fmt"
	"net"
)

// caddy returns Caddy with its default settings. The configuration has only the addresses.
func caddy() proxy {
	return proxy{"caddy", "caddy", 2, func(c configuration) (*configured, error) {
		http, https := c.addrs[0], c.addrs[1]
		return &configured{
			text: fmt.Sprintf(`
{
	admin off
	auto_https off
}
http://:%s {
	bind 127.0.0.1
	reverse_proxy /ws %s
}
https://%s:%s {
	bind 127.0.0.1
	tls %s %s
	reverse_proxy /ws %s
}
`, port(http), c.standard.addr, publicHost, port(https), c.cert.cert, c.cert.key, c.public.addr),
			args: []string{"run", "--config", c.file, "--adapter", "caddyfile"},
			entrances: []*entrance{
				{name: "caddy http", addr: http, backend: c.standard, checks: everything, idles: stays},
				{name: "caddy https", addr: https, backend: c.public, tls: c.cert.client, checks: everything, idles: stays},
			},
		}, nil
	}}
}

func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}
