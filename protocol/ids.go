package protocol

import "unicode/utf8"

// The version of the protocol, and how a connection asks for it.
const (
	// Version is the protocol version that the first message of a connection names.
	Version = 1
	// Subprotocol is the WebSocket subprotocol of this version, the only one
	// a server ever echoes.
	Subprotocol = "planrooms.v1"
	// TokenSubprotocolPrefix, followed by the unpadded base64url of a token,
	// is a subprotocol that a browser offers together with [Subprotocol],
	// because it cannot set an Authorization header.
	TokenSubprotocolPrefix = "base64url.bearer.planrooms."
)

// Limits of the wire. Sizes are bytes of UTF-8.
const (
	MaxPlanIDBytes     = 128       // a planId
	MaxClientIDBytes   = 64        // a clientId
	MaxMutationIDBytes = 64        // a mutationId
	MaxTypeBytes       = 64        // the type of a host's event; also how much of a refused type is repeated in an error
	MaxEpochBytes      = 64        // the epoch of a position
	MaxTokenBytes      = 8192      // a token
	MaxStateBytes      = 1024      // a presence state, as JSON
	MaxMessageBytes    = 32768     // a message from a client, all its fragments together
	MaxDepth           = 32        // objects and arrays inside each other in a message from a client
	MaxSeq             = 1<<53 - 1 // a sequence number; the largest integer that JavaScript holds exactly
)

// ValidPlanID reports whether s can name a plan: 1 to [MaxPlanIDBytes] bytes of
// valid UTF-8 without control characters (C0, DEL, C1). Ids are compared by
// their bytes, without trimming or folding.
func ValidPlanID(s string) bool {
	return validText(s, MaxPlanIDBytes)
}

// ValidClientID reports whether s can name a client: 1 to [MaxClientIDBytes]
// characters of A-Z, a-z, 0-9, '_' and '-'.
func ValidClientID(s string) bool {
	return validToken(s, MaxClientIDBytes)
}

// ValidMutationID reports whether s can name a mutation: 1 to
// [MaxMutationIDBytes] characters of A-Z, a-z, 0-9, '_' and '-'.
func ValidMutationID(s string) bool {
	return validToken(s, MaxMutationIDBytes)
}

func validText(s string, maxBytes int) bool {
	if s == "" || len(s) > maxBytes || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < ' ' || 0x7F <= r && r <= 0x9F {
			return false
		}
	}
	return true
}

func validToken(s string, maxBytes int) bool {
	if s == "" || len(s) > maxBytes {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}
