package protocol

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxServerDepth bounds the nesting of messages from a server, which contain data of the host.
const maxServerDepth = 10000

// scanner parses JSON (RFC 8259) without building values, so only what the caller keeps is
// allocated. It is stricter than encoding/json, which accepts duplicate keys and ignores the case
// of keys. Its methods consume one element of the grammar and report whether it is well-formed.
type scanner struct {
	b           []byte
	i           int // offset of the next byte
	depth       int
	maxDepth    int
	unique      bool // reject duplicate keys in the outermost object
	uniqueBelow bool // reject duplicate keys in nested objects
}

// validValue reports whether b is one JSON value in UTF-8 that is not nested too deeply for an
// event.
func validValue(b []byte) bool {
	const enclosing = 2 // objects around the value: the message, and its data
	s := scanner{b: b, maxDepth: maxServerDepth - enclosing}
	s.space()
	if !s.value() {
		return false
	}
	s.space()
	return s.i == len(b) && utf8.Valid(b)
}

// object parses b as one object and calls f for each member, with the unescaped key and the raw
// value. It stops when f returns false. It reports whether f returned true each time and b is one
// object, with nothing after it.
func (s *scanner) object(f func(key string, value []byte) bool) bool {
	s.space()
	if !s.members(s.unique, f) {
		return false
	}
	s.space()
	return s.i == len(s.b)
}

// members parses an object and calls f, unless it is nil, for each member. If unique is set, it
// rejects duplicate keys.
func (s *scanner) members(unique bool, f func(key string, value []byte) bool) bool {
	if !s.open('{') {
		return false
	}
	s.space()
	if s.take('}') {
		s.depth--
		return true
	}
	var seen keySet
	for {
		s.space()
		begin := s.i
		if !s.str() {
			return false
		}
		var key string
		if unique || f != nil {
			key, _ = unescape(s.b[begin:s.i])
		}
		if unique && !seen.add(key) {
			return false
		}
		s.space()
		if !s.take(':') {
			return false
		}
		s.space()
		begin = s.i
		if !s.value() || f != nil && !f(key, s.b[begin:s.i]) {
			return false
		}
		s.space()
		if s.take('}') {
			s.depth--
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// open consumes the first byte of an object or array and enters it.
func (s *scanner) open(c byte) bool {
	s.depth++
	return s.depth <= s.maxDepth && s.take(c)
}

// elements parses an array and calls f, unless it is nil, for the raw value of each element.
func (s *scanner) elements(f func(value []byte) bool) bool {
	if !s.open('[') {
		return false
	}
	s.space()
	if s.take(']') {
		s.depth--
		return true
	}
	for {
		s.space()
		start := s.i
		if !s.value() || f != nil && !f(s.b[start:s.i]) {
			return false
		}
		s.space()
		if s.take(']') {
			s.depth--
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

func (s *scanner) value() bool {
	if s.i == len(s.b) {
		return false
	}
	switch s.b[s.i] {
	case '{':
		return s.members(s.uniqueBelow, nil)
	case '[':
		return s.elements(nil)
	case '"':
		return s.str()
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	return s.number()
}

func (s *scanner) word(w string) bool {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return false
	}
	s.i += len(w)
	return true
}

func (s *scanner) number() bool {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return false
	}
	if s.take('.') && !s.digits() {
		return false
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	begin := s.i
	for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > begin
}

// str parses a string, quotes included.
func (s *scanner) str() bool {
	if !s.take('"') {
		return false
	}
	for s.i < len(s.b) {
		c := s.b[s.i]
		s.i++
		switch {
		case c == '"':
			return true
		case c < 0x20:
			return false
		case c == '\\':
			if s.i == len(s.b) {
				return false
			}
			c = s.b[s.i]
			s.i++
			switch c {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if len(s.b)-s.i < 4 {
					return false
				}
				if _, ok := hex4(s.b[s.i:]); !ok {
					return false
				}
				s.i += 4
			default:
				return false
			}
		}
	}
	return false
}

// take consumes the next byte if it is c.
func (s *scanner) take(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) space() {
	for s.i < len(s.b) && isSpace(s.b[s.i]) {
		s.i++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// keySet finds duplicates among the keys of an object. It uses a map only for objects with many
// keys.
type keySet struct {
	few  [8]string
	n    int                 // how many of few are used
	many map[string]struct{} // nil while there are few
}

// add adds a key and reports whether it was absent.
func (k *keySet) add(key string) bool {
	if k.many == nil {
		few := k.few[:k.n]
		if slices.Contains(few, key) {
			return false
		}
		if k.n < len(k.few) {
			k.few[k.n] = key
			k.n++
			return true
		}
		k.many = make(map[string]struct{}, 64)
		for _, other := range few {
			k.many[other] = struct{}{}
		}
	}
	_, present := k.many[key]
	k.many[key] = struct{}{}
	return !present
}

// stringOf returns the value of a JSON string that the scanner has accepted. It returns false for
// other values, and for a string with a lone surrogate, which is not Unicode text: replacing it
// with U+FFFD would make different plan IDs equal.
func stringOf(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	return unescape(raw)
}

// unescape returns the value of a JSON string. It replaces a lone surrogate with U+FFFD; valid is
// false then.
func unescape(raw []byte) (_ string, valid bool) {
	raw = raw[1 : len(raw)-1]
	valid = true
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw), true
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(raw[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if len(raw)-i > 6 && raw[i+1] == '\\' && raw[i+2] == 'u' {
					low, _ = hex4(raw[i+3:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				} else {
					valid = false
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, raw[i])
		}
	}
	return string(out), valid
}

// hex4 parses four hexadecimal digits.
func hex4(b []byte) (rune, bool) {
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// seqOf parses an integer from 0 to 2^53-1.
func seqOf(raw []byte) (uint64, bool) {
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(string(raw), 10, 64)
	return n, err == nil && n < maxSeq
}

// appendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			return appendEscaped(b, s)
		}
	}
	b = append(append(b, '"'), s...)
	return append(b, '"')
}

func appendEscaped(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20 || r == 0x7f:
			b = append(b, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
		case r == '\u2028' || r == '\u2029': // line terminators in JavaScript before ES2019
			b = append(b, `\u202`...)
			b = append(b, digits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// marshal is json.Marshal without the escaping of HTML characters.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
