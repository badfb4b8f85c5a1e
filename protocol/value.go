package protocol

import "bytes"

// The functions of this file read text that scan has passed.

// walker goes over the members of one object.
type walker struct {
	text []byte
	pos  int
}

// walk starts at the first member. It reports false if value is no object.
func walk(value []byte) (walker, bool) {
	start := skipSpace(value, 0)
	return walker{text: value, pos: start + 1}, start < len(value) && value[start] == '{'
}

// next returns the unescaped name and the raw value of the next member. Both
// may share memory with the text.
func (w *walker) next() (name, value []byte, ok bool) {
	w.pos = skipSpace(w.text, w.pos)
	if w.text[w.pos] == ',' {
		w.pos = skipSpace(w.text, w.pos+1)
	}
	if w.text[w.pos] == '}' {
		return nil, nil, false
	}
	end, escaped, _ := scanString(w.text, w.pos)
	name = w.text[w.pos+1 : end-1]
	if escaped {
		name, _ = unescape(name)
	}
	start := skipSpace(w.text, skipSpace(w.text, end)+1) // over the colon
	w.pos = valueEnd(w.text, start)
	return name, w.text[start:w.pos:w.pos], true
}

// valueEnd returns where the value that starts at text[i] ends.
func valueEnd(text []byte, i int) int {
	for depth := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"':
			i, _, _ = scanString(text, i)
		case c == '{' || c == '[':
			depth++
			i++
		case c == '}' || c == ']':
			depth--
			i++
		case c == ',' || c == ':' || isSpace(c):
			i++
		default:
			i = scanScalar(text, i)
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

// trimSpace removes the whitespace around a value.
func trimSpace(value []byte) []byte {
	return bytes.Trim(value, " \t\n\r")
}

// stringValue returns the text of a string. It reports false for any other
// value and for a string with half a surrogate pair.
func stringValue(value []byte) (string, bool) {
	if value[0] != '"' {
		return "", false
	}
	body := value[1 : len(value)-1]
	if bytes.IndexByte(body, '\\') < 0 {
		return string(body), true
	}
	text, ok := unescape(body)
	if !ok {
		return "", false
	}
	return string(text), true
}

// seqValue returns a sequence number. Only digits are one: neither -0 nor 1.0
// nor 1e3, and nothing above [MaxSeq], where JavaScript begins to round.
func seqValue(value []byte) (uint64, bool) {
	if len(value) > len("9007199254740991") {
		return 0, false
	}
	var n uint64
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, n <= MaxSeq
}

func isNull(value []byte) bool {
	return string(value) == "null"
}
