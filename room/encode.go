package room

import (
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// mustEncode encodes a message whose parts are all the hub's own.
func mustEncode(t protocol.Type, planID string, data any) []byte {
	b, err := protocol.Encode(t, planID, data, time.Now())
	if err != nil {
		// Unreachable: ids and states were validated when they came in.
		panic("room: " + string(t) + ": " + err.Error())
	}
	return b
}
