package jwtauth

import (
	"bytes"
	"encoding/json"
	"io"
	"unicode/utf8"
)

// maxDepth is the maximum nesting of arrays and objects.
const maxDepth = 32

// decodeObject decodes b, which must be exactly one JSON object. Numbers become json.Number, so
// none loses precision. It is stricter than package json: an object must not contain a name twice,
// or two readers of the same token could see different claims, and text must be valid UTF-8.
func decodeObject(b []byte) (map[string]any, bool) {
	if !utf8.Valid(b) {
		return nil, false
	}
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if d.Decode(&object) != nil || object == nil {
		return nil, false
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, false
	}
	// The decoder keeps one of two members with the same name, so the counts differ.
	members := 0
	return object, addMembers(&members, object, maxDepth) && members == writtenMembers(b)
}

// addMembers adds to n the number of members of all objects in a decoded value. It reports false if
// the value is nested deeper than depth.
func addMembers(n *int, value any, depth int) bool {
	switch value := value.(type) {
	case map[string]any:
		if depth == 0 {
			return false
		}
		*n += len(value)
		for _, v := range value {
			if !addMembers(n, v, depth-1) {
				return false
			}
		}
	case []any:
		if depth == 0 {
			return false
		}
		for _, v := range value {
			if !addMembers(n, v, depth-1) {
				return false
			}
		}
	}
	return true
}

// writtenMembers counts the members of all objects in valid JSON: the colons outside of strings.
func writtenMembers(b []byte) (n int) {
	inString := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++ // an escaped character does not end the string
		case c == '"':
			inString = !inString
		case c == ':' && !inString:
			n++
		}
	}
	return n
}
