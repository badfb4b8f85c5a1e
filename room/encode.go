package room

import (
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// mustEncode encodes a message that consists only of values of the hub.
func mustEncode(t protocol.Type, planID string, data any) []byte {
	b, err := protocol.Encode(t, planID, data, time.Now())
	if err != nil {
		// Unreachable: IDs and states were validated when they arrived.
		panic("room: " + string(t) + ": " + err.Error())
	}
	return b
}
