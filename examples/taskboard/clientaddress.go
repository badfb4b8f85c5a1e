package main

import (
	"net/http"
	"net/netip"
	"strings"
)

// blockOf returns the address block of the client: a /24 of IPv4 or a /64 of IPv6, which are what
// one subscriber or one small network usually has. It returns the zero Prefix if the address is
// unknown.
//
// Behind a proxy (-origin) the client is the last address of X-Forwarded-For, if the connection
// comes from a loopback or private address, where the proxy is. The entries before it are the
// client's claims.
func (s *service) blockOf(r *http.Request) netip.Prefix {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	address := peer.Addr().Unmap()
	if s.config.origin != "" && (address.IsLoopback() || address.IsPrivate()) {
		lines := r.Header.Values("X-Forwarded-For")
		if len(lines) == 0 {
			return netip.Prefix{} // the proxy does not send it
		}
		list := strings.Split(lines[len(lines)-1], ",")
		if address, err = netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err != nil {
			return netip.Prefix{}
		}
		address = address.Unmap()
	}
	bits := 64
	if address.Is4() {
		bits = 24
	}
	block, err := address.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return block
}
