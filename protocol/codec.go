package protocol

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxServerDepth bounds the nesting of a server's message: the host's data may be deep.
const maxServerDepth = 10000

// scanner reads JSON (RFC 8259) without building values: it is stricter than encoding/json, which keeps the last of
// duplicate keys and matches keys whatever their case, and it allocates only what is kept.
type scanner struct {
	b          []byte
	i          int
	depth      int
	maxDepth   int
	duplicates bool // refuse duplicate keys of the outermost object
	deep       bool // and of all objects within
}

// validValue reports whether b is one JSON value in UTF-8 that an event can carry.
func validValue(b []byte) bool {
	const around = 2 // the message, and its data
	s := scanner{b: b, maxDepth: maxServerDepth - around}
	s.space()
	if !s.value() {
		return false
	}
	s.space()
	return s.i == len(b) && utf8.Valid(b)
}

// object reads b as one object, calls f for each member with its unescaped key and its value as it stands, and reports
// whether b is one object and nothing else. It stops when f returns false.
func (s *scanner) object(f func(key string, value []byte) bool) bool {
	s.space()
	if !s.members(s.duplicates, f) {
		return false
	}
	s.space()
	return s.i == len(s.b)
}

// members reads an object, from its opening to its closing brace. f may be nil.
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

func (s *scanner) open(c byte) bool {
	s.depth++
	return s.depth <= s.maxDepth && s.take(c)
}

func (s *scanner) elements() bool {
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
		if !s.value() {
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
		return s.members(s.deep, nil)
	case '[':
		return s.elements()
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

// str reads a string with its quotes.
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

// keySet finds duplicates among the keys of one object.
type keySet struct {
	few  []string
	many map[string]struct{}
}

// add reports whether key was not there yet.
func (k *keySet) add(key string) bool {
	if k.many == nil {
		for _, other := range k.few {
			if other == key {
				return false
			}
		}
		if k.few = append(k.few, key); len(k.few) < 16 {
			return true
		}
		k.many = make(map[string]struct{}, 64)
		for _, other := range k.few {
			k.many[other] = struct{}{}
		}
		return true
	}
	_, there := k.many[key]
	k.many[key] = struct{}{}
	return !there
}

// stringOf returns the value of a JSON string that was scanned. It is false for another value, and for a string with a lone
// surrogate: that is no Unicode text, and putting U+FFFD in its place would make different plan ids one.
func stringOf(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	return unescape(raw)
}

// unescape is stringOf for what is known to be a string. A lone surrogate becomes U+FFFD, and whole false.
func unescape(raw []byte) (_ string, whole bool) {
	raw = raw[1 : len(raw)-1]
	whole = true
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
					whole = false
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, raw[i])
		}
	}
	return string(out), whole
}

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

// seqOf reads an integer from 0 to 2^53-1.
func seqOf(raw []byte) (uint64, bool) {
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(string(raw), 10, 64)
	return n, err == nil && n < maxSeq
}

// appendString appends s as a JSON string; what is not UTF-8 in it becomes U+FFFD.
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
		case r == '\u2028' || r == '\u2029': // legal in JSON, not in JavaScript before 2019
			b = append(b, `\u202`...)
			b = append(b, digits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// marshal is json.Marshal without the escaping that is meant for HTML.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
