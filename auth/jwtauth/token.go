package jwtauth

import (
	"encoding/base64"
	"strings"

	"github.com/planrooms/planrooms/auth"
)

// token is a parsed token in compact form (RFC 7515, section 7.1). It has not been verified.
type token struct {
	header
	claims    map[string]any
	signed    []byte // what the signature covers
	signature []byte
}

// header holds the parts of a token's header that Verify uses.
type header struct {
	encoded   string // as in the token
	algorithm Algorithm
	kid       string // empty: none
}

// maxKeptHeader is the maximum length of a header that a Verifier keeps.
const maxKeptHeader = 512

func (v *Verifier) parse(text string) (token, error) {
	if len(text) > auth.MaxTokenBytes {
		return token{}, errTooLong
	}
	// An encrypted token has five parts. Here, their dots make the signature malformed.
	head, remainder, _ := strings.Cut(text, ".")
	payload, tail, found := strings.Cut(remainder, ".")
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

// readHeader decodes a header. It keeps the last valid one, because the tokens that were signed
// with the same key usually have the same header.
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
		h.encoded = strings.Clone(encoded) // does not retain the token
		v.lastHeader.Store(&h)
	}
	return h, err
}

// decodeHeader reads alg and kid. It refuses every other parameter that changes the meaning of the
// token, and ignores the rest, including those that say where to find a key (jku, jwk, x5u, x5c).
func decodeHeader(b []byte) (h header, err error) {
	object, ok := decodeObject(b)
	if !ok {
		return header{}, errHeader
	}
	alg, ok := object["alg"].(string)
	if !ok {
		return header{}, errHeader
	}
	if h.algorithm = Algorithm(alg); !h.algorithm.known() {
		return header{}, errAlgorithm
	}
	switch kid := object["kid"].(type) {
	case nil: // absent or null
	case string:
		h.kid = kid
	default:
		return header{}, errHeader
	}
	// RFC 7797 requires that crit lists b64. A token with b64 alone has no defined meaning.
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

// decodePart decodes unpadded base64url. Each value has exactly one accepted encoding. It refuses
// line breaks, which the decoder would ignore.
func decodePart(part string) ([]byte, bool) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	return b, err == nil
}
