package jwtauth

import (
	"encoding/base64"
	"strings"

	"github.com/planrooms/planrooms/auth"
)

// token is one in compact form (RFC 7515, 7.1), taken apart and not yet verified.
type token struct {
	header
	claims    map[string]any
	signed    []byte // what the signature covers
	signature []byte
}

// header is what is used of a token's header.
type header struct {
	encoded   string // as it stands in the token
	algorithm Algorithm
	kid       string // "": none
}

// maxKeptHeader is the length of the longest header that a Verifier keeps.
const maxKeptHeader = 512

// parse takes a token apart.
func (v *Verifier) parse(text string) (token, error) {
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
	var err error
	if t.header, err = v.readHeader(head); err != nil {
		return token{}, err
	}
	var ok bool
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

// readHeader decodes a header, or returns the last good one if it is the same: all tokens that one key has signed have the
// same header, as a rule.
func (v *Verifier) readHeader(encoded string) (header, error) {
	if last := v.lastHeader.Load(); last != nil && last.encoded == encoded {
		return *last, nil
	}
	b, ok := decodePart(encoded)
	if !ok {
		return header{}, errForm
	}
	h, err := decodeHeader(b)
	if err == nil && len(encoded) <= maxKeptHeader {
		h.encoded = strings.Clone(encoded) // not the token
		v.lastHeader.Store(&h)
	}
	return h, err
}

// decodeHeader takes what it needs, alg and kid. Of what is left, it refuses whatever
// changes the meaning of the token, and ignores the rest, above all the headers
// that say where to find a key: jku, jwk, x5u, x5c.
func decodeHeader(b []byte) (h header, err error) {
	object, ok := decodeObject(b)
	if !ok {
		return header{}, errHeader
	}
	a, ok := object["alg"].(string)
	if !ok {
		return header{}, errHeader
	}
	if h.algorithm = Algorithm(a); !h.algorithm.known() {
		return header{}, errAlgorithm
	}
	if kid, present := object["kid"]; present {
		if h.kid, ok = kid.(string); !ok {
			return header{}, errHeader
		}
	}
	// b64 (RFC 7797) has to be listed in crit; without that its meaning is open.
	for _, name := range []string{"crit", "b64", "enc", "zip"} {
		if _, present := object[name]; present {
			return header{}, errCritical
		}
	}
	if cty, ok := object["cty"].(string); ok && strings.EqualFold(cty, "JWT") {
		return header{}, errNested
	}
	return h, nil
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
