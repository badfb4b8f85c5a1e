package main

import "fmt"

// nginx returns nginx with the block of the README on two ports. A third port only forwards
// WebSockets.
func nginx(block string) proxy {
	return proxy{"nginx", "nginx", 3, func(c configuration) (*configured, error) {
		standard, err := withBackend(block, c.standard.addr)
		if err != nil {
			return nil, err
		}
		public, err := withBackend(block, c.public.addr)
		if err != nil {
			return nil, err
		}
		http, https, defaults := c.addrs[0], c.addrs[1], c.addrs[2]
		return &configured{
			text: fmt.Sprintf(`
daemon off;
master_process off;
pid %[1]s/pid;
error_log stderr warn;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen %[2]s;
%[3]s
	}
	server {
		listen %[4]s ssl http2;
		server_name %[5]s;
		ssl_certificate %[6]s;
		ssl_certificate_key %[7]s;
%[8]s
	}
	server {
		listen %[9]s;
		proxy_http_version 1.1;
		proxy_set_header Upgrade $http_upgrade;
		proxy_set_header Connection "upgrade";
		proxy_set_header Host $http_host;
		location = /ws { proxy_pass http://%[10]s; }
		location = /quiet { proxy_pass http://%[11]s/ws; }
	}
}
`, c.dir, http, standard, https, publicHost, c.cert.cert, c.cert.key, public, defaults, c.standard.addr, c.quiet.addr),
			args: []string{"-p", c.dir, "-c", c.file, "-e", "stderr"},
			entrances: []*entrance{
				{name: "nginx http", addr: http, backend: c.standard, checks: everything, idles: stays},
				{name: "nginx https", addr: https, backend: c.public, tls: c.cert.client, checks: everything, idles: stays},
				{name: "nginx defaults", addr: defaults, backend: c.standard, checks: []check{tokenTooLong}, idles: stays},
				{name: "nginx defaults", addr: defaults, backend: c.quiet, path: "/quiet", idles: cut},
			},
		}, nil
	}}
}
