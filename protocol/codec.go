package protocol

import (
	"bytes"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDecodeDepth bounds the nesting of what a server sends, the host's data
// included. It is the bound of encoding/json, so whatever a host can encode
// can be read back.
const maxDecodeDepth = 10_000

// fault is what the scanner has against a text. It is a number and not an
// error because refusing a message must not cost more than accepting one.
type fault uint8

const (
	faultNone fault = iota
	faultSyntax
	faultEncoding
	faultDepth
	faultRepeatedKey
	faultTrailing
)

func (f fault) String() string {
	switch f {
	case faultNone:
		return "no fault"
	case faultEncoding:
		return "the message is not valid UTF-8"
	case faultDepth:
		return "the message is nested too deeply"
	case faultRepeatedKey:
		return "a key occurs twice in one object"
	case faultTrailing:
		return "more follows after the JSON value"
	default:
		return "the message is not valid JSON"
	}
}

// keyRule says what the scanner makes of a key that an object repeats.
type keyRule uint8

const (
	keysUnique            keyRule = iota // a fault at any depth
	keysUniqueOutsideData                // only noted inside the envelope's data
	keysFree                             // not looked at
)

// container is an object or array that the scanner has entered.
type container struct {
	object bool
	keys   int // where the keys of this object begin in scanner.keys
}

// scanner checks one JSON text. It keeps its own stack, so depth is a number
// to compare and never a stack overflow.
type scanner struct {
	text     []byte
	maxDepth int
	rule     keyRule
	open     []container
	keys     [][]byte // unescaped keys of all open objects, outermost first

	inData         bool // inside the top-level member "data"
	repeatedInData bool // found under keysUniqueOutsideData
}

// scan checks that text is one JSON value by RFC 8259 in valid UTF-8, nested
// no deeper than maxDepth, with nothing after it and no key repeated against
// rule. Keys are compared unescaped and case-sensitively: what two readers
// could understand differently is refused.
//
// Everything else in this package that reads JSON works on text that scan has
// passed and therefore has no errors of its own to report.
func scan(text []byte, maxDepth int, rule keyRule) (repeatedInData bool, f fault) {
	if !utf8.Valid(text) {
		return false, faultEncoding
	}
	var (
		open [MaxDepth]container
		keys [16][]byte
	)
	s := scanner{text: text, maxDepth: maxDepth, rule: rule, open: open[:0], keys: keys[:0]}
	f = s.run()
	return s.repeatedInData, f
}

func (s *scanner) run() fault {
	i := 0
	for {
		// A value has to start here.
		i = skipSpace(s.text, i)
		if i == len(s.text) {
			return faultSyntax
		}
		switch c := s.text[i]; {
		case c == '{' || c == '[':
			if len(s.open) == s.maxDepth {
				return faultDepth
			}
			s.open = append(s.open, container{object: c == '{', keys: len(s.keys)})
			i = skipSpace(s.text, i+1)
			if i < len(s.text) && s.text[i] == c+2 { // '}' and ']' are two above their partners
				break // empty; closed below
			}
			if c == '{' {
				var f fault
				if i, f = s.key(i); f != faultNone {
					return f
				}
			}
			continue
		case c == '"':
			end, _, ok := scanString(s.text, i)
			if !ok {
				return faultSyntax
			}
			i = end
		default:
			end := scanScalar(s.text, i)
			if end == i {
				return faultSyntax
			}
			i = end
		}
		// A value is complete: close what ends here, or go on to its sibling.
		var (
			done bool
			f    fault
		)
		if i, done, f = s.after(i); done || f != faultNone {
			return f
		}
	}
}

// after goes on behind a complete value, or at the end of an empty container.
// It reports done at the end of the text, and otherwise the place where the
// next value has to start.
func (s *scanner) after(i int) (next int, done bool, f fault) {
	for {
		i = skipSpace(s.text, i)
		if len(s.open) == 0 {
			if i < len(s.text) {
				return i, true, faultTrailing
			}
			return i, true, faultNone
		}
		if i == len(s.text) {
			return i, false, faultSyntax
		}
		top := s.open[len(s.open)-1]
		switch c := s.text[i]; {
		case c == ',':
			if !top.object {
				return i + 1, false, faultNone
			}
			i, f = s.key(skipSpace(s.text, i+1))
			return i, false, f
		case c == '}' && top.object:
			if f := s.closeObject(top); f != faultNone {
				return i, false, f
			}
		case c == ']' && !top.object:
		default:
			return i, false, faultSyntax
		}
		s.open = s.open[:len(s.open)-1]
		i++
	}
}

// key reads a key and its colon.
func (s *scanner) key(i int) (next int, f fault) {
	if i == len(s.text) || s.text[i] != '"' {
		return i, faultSyntax
	}
	end, escaped, ok := scanString(s.text, i)
	if !ok {
		return i, faultSyntax
	}
	if s.rule != keysFree {
		name := s.text[i+1 : end-1]
		if escaped {
			name, _ = unescape(name)
		}
		s.keys = append(s.keys, name)
		if len(s.open) == 1 {
			s.inData = string(name) == "data"
		}
	}
	i = skipSpace(s.text, end)
	if i == len(s.text) || s.text[i] != ':' {
		return i, faultSyntax
	}
	return i + 1, faultNone
}

// closeObject looks for a repeated key among those of an object that ends.
// Sorting bounds the work of a message that is nothing but keys: 32 KiB hold
// 6,500 of them, which compared pairwise are 21 million comparisons.
func (s *scanner) closeObject(c container) fault {
	keys := s.keys[c.keys:]
	s.keys = s.keys[:c.keys]
	if !repeats(keys) {
		return faultNone
	}
	if s.rule == keysUniqueOutsideData && s.inData && len(s.open) > 1 {
		s.repeatedInData = true
		return faultNone
	}
	return faultRepeatedKey
}

func repeats(keys [][]byte) bool {
	if len(keys) > 12 {
		slices.SortFunc(keys, bytes.Compare)
		for i := 1; i < len(keys); i++ {
			if bytes.Equal(keys[i-1], keys[i]) {
				return true
			}
		}
		return false
	}
	for i := 1; i < len(keys); i++ {
		for _, k := range keys[:i] {
			if bytes.Equal(k, keys[i]) {
				return true
			}
		}
	}
	return false
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r'
}

// scanString reads the string that starts with the quote at text[i]. The end
// is behind its closing quote.
func scanString(text []byte, i int) (end int, escaped, ok bool) {
	for i++; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i + 1, escaped, true
		case c < ' ':
			return i, escaped, false
		case c == '\\':
			escaped = true
			i++
			if i == len(text) {
				return i, escaped, false
			}
			switch text[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if _, ok := hex4(text[i+1:]); !ok {
					return i, escaped, false
				}
				i += 4
			default:
				return i, escaped, false
			}
		}
	}
	return i, escaped, false
}

// scanScalar reads the number or literal at text[i]; the end is i if there is none.
func scanScalar(text []byte, i int) (end int) {
	for _, literal := range [...]string{"true", "false", "null"} {
		if n := len(literal); len(text)-i >= n && string(text[i:i+n]) == literal {
			return i + n
		}
	}
	start := i
	if text[i] == '-' {
		i++
	}
	integer := scanDigits(text, i)
	if integer == i || integer > i+1 && text[i] == '0' {
		return start
	}
	i = integer
	if i < len(text) && text[i] == '.' {
		fraction := scanDigits(text, i+1)
		if fraction == i+1 {
			return start
		}
		i = fraction
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		exponent := scanDigits(text, i)
		if exponent == i {
			return start
		}
		i = exponent
	}
	return i
}

func scanDigits(text []byte, i int) (end int) {
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return i
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
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

// unescape resolves the escapes between the quotes of a scanned string into
// memory of its own. Half a surrogate pair becomes U+FFFD and makes ok false:
// two texts that differ only there would otherwise become the same id.
func unescape(body []byte) (text []byte, ok bool) {
	text, ok = make([]byte, 0, len(body)), true
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			text = append(text, body[i])
			continue
		}
		i++
		switch c := body[i]; c {
		case 'b':
			text = append(text, '\b')
		case 'f':
			text = append(text, '\f')
		case 'n':
			text = append(text, '\n')
		case 'r':
			text = append(text, '\r')
		case 't':
			text = append(text, '\t')
		case 'u':
			r, _ := hex4(body[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				pair := rune(utf8.RuneError)
				if rest := body[i+1:]; len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
					low, _ := hex4(rest[2:])
					pair = utf16.DecodeRune(r, low)
				}
				if r = pair; r == utf8.RuneError {
					ok = false
				} else {
					i += 6
				}
			}
			text = utf8.AppendRune(text, r)
		default:
			text = append(text, c)
		}
	}
	return text, ok
}
