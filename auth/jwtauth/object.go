package jwtauth

import (
	"bytes"
	"encoding/json"
	"io"
	"unicode/utf8"
)

// maxDepth is how deep arrays and objects may be nested.
const maxDepth = 32

// decodeObject decodes a JSON object and nothing after it. It is stricter than
// json.Unmarshal: no name may come twice in an object, or two readers of the same
// token could see different claims, and text must be UTF-8.
func decodeObject(b []byte) (map[string]any, bool) {
	if !utf8.Valid(b) {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	value, ok := decodeValue(dec, maxDepth)
	if !ok {
		return nil, false
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, false
	}
	object, ok := value.(map[string]any)
	return object, ok
}

func decodeValue(dec *json.Decoder, depth int) (any, bool) {
	first, err := dec.Token()
	if err != nil {
		return nil, false
	}
	delim, ok := first.(json.Delim)
	if !ok {
		return first, true
	}
	if depth == 0 {
		return nil, false
	}
	var value any
	if delim == '{' {
		value, ok = decodeMembers(dec, depth-1)
	} else {
		value, ok = decodeElements(dec, depth-1)
	}
	if !ok {
		return nil, false
	}
	_, err = dec.Token() // the closing delimiter
	return value, err == nil
}

func decodeMembers(dec *json.Decoder, depth int) (map[string]any, bool) {
	object := make(map[string]any)
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, false
		}
		name, ok := token.(string)
		if !ok {
			return nil, false
		}
		if _, twice := object[name]; twice {
			return nil, false
		}
		if object[name], ok = decodeValue(dec, depth); !ok {
			return nil, false
		}
	}
	return object, true
}

func decodeElements(dec *json.Decoder, depth int) ([]any, bool) {
	array := []any{}
	for dec.More() {
		value, ok := decodeValue(dec, depth)
		if !ok {
			return nil, false
		}
		array = append(array, value)
	}
	return array, true
}
