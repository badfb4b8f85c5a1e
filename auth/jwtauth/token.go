package jwtauth

import (
	"encoding/base64"
	"strings"

	"github.com/planrooms/planrooms/auth"
)

// token is one in compact form (RFC 7515, 7.1), taken apart and not yet verified.
type token struct {
	algorithm Algorithm
	kid       string // "": none
	claims    map[string]any
	signed    []byte // what the signature covers
	signature []byte
}

// parse takes a token apart, as far as its header.
func parse(text string) (token, error) {
	if len(text) > auth.MaxTokenBytes {
		return token{}, errTooLong
	}
	// Five parts are an encrypted token; Cut leaves dots in the signature.
	head, rest, _ := strings.Cut(text, ".")
	payload, tail, found := strings.Cut(rest, ".")
	if !found || head == "" || payload == "" || tail == "" {
		return token{}, errForm
	}
	var t token
	header, ok := decodePart(head)
	if !ok {
		return token{}, errForm
	}
	if err := t.readHeader(header); err != nil {
		return token{}, err
	}
	if t.signature, ok = decodePart(tail); !ok {
		return token{}, errForm
	}
	body, ok := decodePart(payload)
	if !ok {
		return token{}, errForm
	}
	if t.claims, ok = decodeObject(body); !ok {
		return token{}, errPayload
	}
	t.signed = []byte(text[:len(head)+1+len(payload)])
	return t, nil
}

// readHeader takes what it needs, alg and kid. Of what is left, it refuses whatever
// changes the meaning of the token, and ignores the rest, above all the headers
// that say where to find a key: jku, jwk, x5u, x5c.
func (t *token) readHeader(b []byte) error {
	header, ok := decodeObject(b)
	if !ok {
		return errHeader
	}
	a, ok := header["alg"].(string)
	if !ok {
		return errHeader
	}
	if !Algorithm(a).known() {
		return errAlgorithm
	}
	t.algorithm = Algorithm(a)
	if kid, present := header["kid"]; present {
		if t.kid, ok = kid.(string); !ok {
			return errHeader
		}
	}
	// b64 (RFC 7797) has to be listed in crit; without that its meaning is open.
	for _, name := range []string{"crit", "b64", "enc", "zip"} {
		if _, present := header[name]; present {
			return errCritical
		}
	}
	if cty, ok := header["cty"].(string); ok && strings.EqualFold(cty, "JWT") {
		return errNested
	}
	return nil
}

// decodePart decodes a part of a token in the one form it can have. The decoder
// itself passes over line breaks.
func decodePart(part string) ([]byte, bool) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	return b, err == nil
}
