package protocol

import "unicode/utf8"

// Limits of the protocol, in bytes, and MaxDepth in levels.
const (
	MaxPlanIDBytes     = 128
	MaxUserIDBytes     = 256
	MaxClientIDBytes   = 64
	MaxMutationIDBytes = 64
	MaxTypeBytes       = 64
	MaxEpochBytes      = 64
	MaxMessageBytes    = 32768 // message from a client, all fragments together
	MaxTokenBytes      = 8192
	MaxStateBytes      = 1024 // presence state, as JSON
	MaxDepth           = 32   // nested objects and arrays in a message from a client
)

// ValidPlanID reports whether s is a valid plan ID: 1 to 128 bytes of valid UTF-8 without control
// characters (C0, DEL and C1). IDs are compared byte by byte.
func ValidPlanID(s string) bool {
	return len(s) >= 1 && len(s) <= MaxPlanIDBytes && printable(s)
}

// ValidUserID reports whether s is a valid user ID: 1 to 256 bytes of valid UTF-8. IDs are compared
// byte by byte.
func ValidUserID(s string) bool {
	return len(s) >= 1 && len(s) <= MaxUserIDBytes && utf8.ValidString(s)
}

// ValidClientID reports whether s is a valid client ID: 1 to 64 characters of [A-Za-z0-9_-].
func ValidClientID(s string) bool { return len(s) <= MaxClientIDBytes && isToken(s) }

// ValidMutationID reports whether s is a valid mutation ID: 1 to 64 characters of [A-Za-z0-9_-].
func ValidMutationID(s string) bool { return len(s) <= MaxMutationIDBytes && isToken(s) }

// ValidState reports whether b is a presence state: one JSON value of at most 1,024 bytes that is
// not null.
func ValidState(b []byte) bool {
	return len(b) <= MaxStateBytes && string(b) != "null" && validValue(b)
}

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
