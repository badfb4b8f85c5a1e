package protocol

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// Position is a position in the stream of events of one plan.
type Position struct {
	// Epoch identifies the sequence that Seq belongs to: an opaque string of 1 to 64 bytes.
	// Positions of different epochs cannot be compared.
	Epoch string `json:"epoch"`
	// Seq is the seq of the last event before the position, below 2^53. It is 0 before the first
	// event.
	Seq uint64 `json:"seq"`
}

// Valid reports whether p is a position of an epoch: Epoch has 1 to 64 bytes and Seq is below 2^53.
func (p Position) Valid() bool {
	return p.Epoch != "" && len(p.Epoch) <= MaxEpochBytes && p.Seq < maxSeq
}

// maxSeq bounds a seq: a JavaScript number represents all integers below it exactly.
const maxSeq = 1 << 53

// ErrPosition is the error of a position as text: of [Position.MarshalText] for a position that is
// neither valid nor zero, and of [Position.UnmarshalText] for other text than MarshalText makes.
var ErrPosition = errors.New("protocol: invalid position")

// String returns the position as text, for a header or a query parameter: the epoch, a dot, and the
// seq in decimal. Bytes of the epoch other than letters, digits, "_" and "-" are percent-encoded
// (RFC 3986, section 2.1), so the text is ASCII and needs no quotes in either place. The zero
// position is the empty text. JSON messages contain positions as objects instead.
func (p Position) String() string {
	if p == (Position{}) {
		return ""
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, MaxEpochBytes)
	for _, c := range []byte(p.Epoch) {
		if isToken(string(c)) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(strconv.AppendUint(append(b, '.'), p.Seq, 10))
}

// MarshalText returns the text of [Position.String]. Error: [ErrPosition].
func (p Position) MarshalText() ([]byte, error) {
	if p != (Position{}) && !p.Valid() {
		return nil, ErrPosition
	}
	return []byte(p.String()), nil
}

// UnmarshalText is the reverse of [Position.MarshalText]. Error: [ErrPosition].
func (p *Position) UnmarshalText(text []byte) error {
	var got Position
	if len(text) > 0 {
		epoch, seq, _ := strings.Cut(string(text), ".")
		n, ok := seqOf([]byte(seq))
		got = Position{Epoch: unescapeEpoch(epoch), Seq: n}
		if !ok || !got.Valid() || got.String() != string(text) {
			return ErrPosition
		}
	}
	*p = got
	return nil
}

// unescapeEpoch decodes what String has encoded.
func unescapeEpoch(s string) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) {
			n, _ := strconv.ParseUint(s[i+1:i+3], 16, 8)
			c = byte(n)
			i += 2
		}
		b = append(b, c)
	}
	return string(b)
}

// object is a Position whose JSON is an object. encoding/json would use MarshalText for a Position.
type object Position

// MarshalJSON implements [json.Marshaler]: {"epoch":…,"seq":…}.
func (p Position) MarshalJSON() ([]byte, error) { return marshal(object(p)) }

// UnmarshalJSON implements [json.Unmarshaler].
func (p *Position) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, (*object)(p)) }
