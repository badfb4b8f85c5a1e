package jwtauth

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"unicode/utf8"
)

// maxDepth is how deep arrays and objects may be nested.
const maxDepth = 32

// decodeObject decodes a JSON object and nothing after it. It is stricter than
// json.Unmarshal: no name may come twice in an object, or two readers of the same
// token could see different claims, and text must be UTF-8.
func decodeObject(b []byte) (map[string]any, bool) {
	var object map[string]any
	if !utf8.Valid(b) || json.Unmarshal(b, &object) != nil || object == nil {
		return nil, false
	}
	// Of a name that comes twice one member is left, so fewer are decoded than are written.
	members, ok := countMembers(object, maxDepth)
	return object, ok && members == writtenMembers(b)
}

// countMembers counts the members of all objects in a decoded value. It reports false if that is nested too deep.
func countMembers(value any, depth int) (n int, ok bool) {
	var below iter.Seq[any]
	switch v := value.(type) {
	case map[string]any:
		n, below = len(v), maps.Values(v)
	case []any:
		below = slices.Values(v)
	default:
		return 0, true
	}
	if depth == 0 {
		return 0, false
	}
	for value := range below {
		members, ok := countMembers(value, depth-1)
		if !ok {
			return 0, false
		}
		n += members
	}
	return n, true
}

// writtenMembers counts the members of all objects in valid JSON, by the colons outside of strings.
func writtenMembers(b []byte) (n int) {
	inString := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++ // whatever is escaped, it does not end the string
		case c == '"':
			inString = !inString
		case c == ':' && !inString:
			n++
		}
	}
	return n
}
