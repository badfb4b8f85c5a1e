package protocol

import "unicode/utf8"

// Bounds of what may stand on the wire, in bytes.
const (
	MaxPlanIDBytes     = 128
	MaxUserIDBytes     = 256
	MaxClientIDBytes   = 64
	MaxMutationIDBytes = 64
	MaxTypeBytes       = 64
	MaxEpochBytes      = 64
	MaxMessageBytes    = 32768 // a message of a client, the sum of its fragments
	MaxTokenBytes      = 8192
	MaxStateBytes      = 1024 // a presence state, as JSON
	MaxDepth           = 32   // nesting of a client's message
)

// ValidPlanID reports whether s may name a plan: 1 to 128 bytes of valid UTF-8 without C0, DEL and C1 control characters.
// Ids are compared by their bytes.
func ValidPlanID(s string) bool {
	return len(s) >= 1 && len(s) <= MaxPlanIDBytes && printable(s)
}

// ValidUserID reports whether s may identify a user: 1 to 256 bytes of valid UTF-8. IDs are compared
// byte by byte.
func ValidUserID(s string) bool {
	return len(s) >= 1 && len(s) <= MaxUserIDBytes && utf8.ValidString(s)
}

// ValidClientID reports whether s may name a client: 1 to 64 of [A-Za-z0-9_-].
func ValidClientID(s string) bool { return len(s) <= MaxClientIDBytes && isToken(s) }

// ValidMutationID reports whether s may name a mutation: 1 to 64 of [A-Za-z0-9_-].
func ValidMutationID(s string) bool { return len(s) <= MaxMutationIDBytes && isToken(s) }

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return s != ""
}

// printable reports whether s is valid UTF-8 without control characters.
func printable(s string) bool {
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return false
		}
	}
	return utf8.ValidString(s)
}
