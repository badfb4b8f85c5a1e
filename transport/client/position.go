package client

import (
	"net/http"

	"github.com/planrooms/planrooms/protocol"
)

// PositionOf returns the position of a plan from the header X-Plan-Position of the response that
// the plan came with, for JoinOptions.Since. It reports false if the header is missing, malformed
// or repeated; then the position may be in the body. It does not read the body.
func PositionOf(resp *http.Response) (protocol.Position, bool) {
	values := resp.Header.Values("X-Plan-Position")
	if len(values) != 1 {
		return protocol.Position{}, false
	}
	var p protocol.Position
	if err := p.UnmarshalText([]byte(values[0])); err != nil {
		return protocol.Position{}, false
	}
	return p, p.Valid()
}
