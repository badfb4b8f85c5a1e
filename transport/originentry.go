package transport

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// checkOrigin returns an error if an entry of Options.AllowedOrigins does not have the form in
// which browsers send an origin, or if no browser sends it. The error says what to write instead.
func checkOrigin(entry string) error {
	if opaqueOrigin(entry) {
		return nil
	}
	fault := originFault(entry)
	if fault == "" {
		return nil
	}
	write := `write scheme://host or scheme://host:port, such as "https://app.example"`
	switch better := suggestOrigin(entry); {
	case strings.Contains(entry, "*"):
		write = "list each origin, or set AllowOrigin"
	case strings.ContainsAny(entry, listSeparators):
		write = "write one origin per entry"
	case strings.ContainsFunc(entry, func(r rune) bool { return r > '~' }):
		write = `write the form of the host that begins with "xn--", which location.origin shows in a browser`
	case better != "":
		write = fmt.Sprintf("write %q", better)
	}
	return fmt.Errorf("%q %s: %s", redactOrigin(entry), fault, write)
}

// checkPublicOrigin checks Options.PublicOrigin, which must be the origin of an HTTP service.
func checkPublicOrigin(origin string) error {
	if opaqueOrigin(origin) {
		return fmt.Errorf("%q is not the origin of a service: list it in AllowedOrigins", origin)
	}
	if err := checkOrigin(origin); err != nil {
		return err
	}
	if u, err := url.Parse(origin); err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is not an http or https origin: list the origin of an application in AllowedOrigins", origin)
	}
	return nil
}

const listSeparators = ", ;\t\r\n"

// numericHost matches hosts that browsers parse as an IPv4 address (WHATWG URL, "ends in a
// number").
var numericHost = regexp.MustCompile(`(^|\.)(\d+|0x[0-9a-f]*)\.?$`)

// originFault describes what is wrong with an entry, as the end of a sentence, or returns "".
func originFault(entry string) string {
	scheme, rest, hasScheme := strings.Cut(entry, "://")
	switch {
	case entry == "":
		return "is empty"
	case strings.Contains(entry, "*"):
		return "has a wildcard, which is not supported"
	case strings.ContainsAny(entry, listSeparators):
		return "has a space or a separator"
	case strings.EqualFold(entry, "null"):
		return "is not in lower case"
	case !hasScheme:
		return "has no scheme"
	}
	switch strings.ToLower(scheme) {
	case "file":
		return "has a path or a host, which browsers leave out"
	case "ws", "wss":
		return "is the address of a WebSocket and can never match: browsers send the origin of the page"
	case "blob:http", "blob:https":
		return "can never match: browsers send the origin of the page that made the blob"
	}
	u, err := url.Parse(entry)
	canonical, formErr := canonicalOrigin(entry)
	switch {
	case strings.ContainsFunc(rest, func(r rune) bool { return r > '~' }):
		return "has a host outside ASCII and can never match"
	case strings.HasSuffix(entry, "/") && strings.Count(rest, "/") == 1 && !strings.ContainsAny(rest, "@?#"):
		return "ends with a slash"
	case strings.Contains(rest, "@"):
		return "has a user"
	case strings.ContainsAny(rest, "/?#"):
		return "has a path, a query or a fragment"
	case strings.HasSuffix(rest, ":"):
		return "has no port after the colon"
	case err != nil || formErr != nil:
		return "is not an origin"
	case entry != strings.ToLower(entry):
		return "is not in lower case"
	case strings.HasSuffix(canonical, ":0"):
		return "has the port 0 and can never match"
	case numericHost.MatchString(u.Hostname()) && !isAddr(u.Hostname()):
		return "has an address that is not in its usual form and can never match"
	}
	return ""
}

// isAddr reports whether host is an IP address as browsers write it.
func isAddr(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// suggestOrigin returns the origin that an entry probably means, or "".
func suggestOrigin(entry string) string {
	entry = strings.ToLower(entry)
	switch {
	case entry == "null":
		return "null"
	case strings.HasPrefix(entry, "file:"):
		return "file://"
	}
	scheme, rest, ok := strings.Cut(strings.TrimPrefix(entry, "blob:"), "://")
	if !ok {
		scheme, rest = "", strings.TrimPrefix(scheme, "//")
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	rest = strings.TrimSuffix(rest[strings.LastIndexByte(rest, '@')+1:], ":")
	switch scheme {
	case "":
		scheme = "https"
		if loopback("http://" + rest) {
			scheme = "http"
		}
	case "ws":
		scheme = "http"
	case "wss":
		scheme = "https"
	}
	origin, err := canonicalOrigin(scheme + "://" + rest)
	if err != nil || originFault(origin) != "" {
		return ""
	}
	return origin
}

// redactOrigin returns an entry without the user and password that it may contain.
func redactOrigin(entry string) string {
	i := strings.LastIndexByte(entry, '@')
	if i < 0 {
		return entry
	}
	scheme, _, ok := strings.Cut(entry[:i], "://")
	if !ok {
		return "…" + entry[i:]
	}
	return scheme + "://…" + entry[i:]
}
