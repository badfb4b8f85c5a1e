package protocol

import (
	"time"
	"unicode/utf8"
)

// timeLayout is RFC 3339 in UTC with milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// appendString appends s as a JSON string. What is not UTF-8 becomes U+FFFD,
// so the result is always valid. Markup is left alone: the message is JSON in
// a socket, not in a page.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		invalid := r == utf8.RuneError && size == 1
		// U+2028 and U+2029 end a line in old JavaScript, even within a string.
		if c >= utf8.RuneSelf && !invalid && r != '\u2028' && r != '\u2029' {
			i += size
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		}
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// appendField appends a member with a string value, unless it is empty.
func appendField(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return appendString(dst, value)
}

// appendTimestamp appends the member timestamp, unless t is zero or no
// RFC 3339 time.
func appendTimestamp(dst []byte, t time.Time) []byte {
	if t = t.UTC(); t.IsZero() || !fourDigitYear(t) {
		return dst
	}
	dst = append(dst, `,"timestamp":`...)
	return appendTime(dst, t)
}

func appendTime(dst []byte, t time.Time) []byte {
	dst = append(dst, '"')
	dst = t.UTC().AppendFormat(dst, timeLayout)
	return append(dst, '"')
}

func fourDigitYear(t time.Time) bool {
	return 0 <= t.Year() && t.Year() <= 9999
}

// appendHead opens an envelope.
func appendHead(dst []byte, t Type, planID string) []byte {
	dst = append(dst, `{"type":`...)
	dst = appendString(dst, string(t))
	return appendField(dst, "planId", planID)
}
