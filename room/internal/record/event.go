package record

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Event is the body of a [KindEvent] record: an event that was encoded once, without its position,
// and what its receipts contain. Its texts are:
//
//	encoded, id, type, by, mutationId, version key
//	version n   varint
//	time        8 bytes: nanoseconds since 1970 UTC
//	exclusions  varint with their number; of each the user and the client, as texts
type Event struct {
	// ID is the ID that the record was appended with. A resync record names it.
	ID         string
	Type       protocol.Type
	By         string
	MutationID string
	Version    protocol.EventVersion // of the encoded event
	// At is the event's time. It is encoded in nanoseconds, and decoded in UTC without a monotonic
	// clock. Its year is from 1678 to 2262.
	At     time.Time
	Except []Exclusion
	// Encoded is the result of [protocol.EncodedEvent.Bytes].
	Encoded []byte
}

// Exclusion names connections that receive a receipt instead of an event.
type Exclusion struct {
	UserID   string
	ClientID string // "" for all connections of the user
}

// Append appends the body.
func (e *Event) Append(dst []byte) []byte {
	size := 9*maxVarint + 8 + len(e.Encoded) + len(e.ID) + len(e.Type) + len(e.By) + len(e.MutationID) + len(e.Version.Key)
	for i := range e.Except {
		size += 2*maxVarint + len(e.Except[i].UserID) + len(e.Except[i].ClientID)
	}
	dst = slices.Grow(dst, size)
	dst = appendText(dst, e.Encoded)
	dst = appendText(dst, e.ID)
	dst = appendText(dst, e.Type)
	dst = appendText(dst, e.By)
	dst = appendText(dst, e.MutationID)
	dst = appendText(dst, e.Version.Key)
	dst = binary.AppendUvarint(dst, uint64(e.Version.N))
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.At.UnixNano()))
	dst = binary.AppendUvarint(dst, uint64(len(e.Except)))
	for i := range e.Except {
		dst = appendText(dst, e.Except[i].UserID)
		dst = appendText(dst, e.Except[i].ClientID)
	}
	return dst
}

// ParseEvent is the reverse of [Event.Append]. Encoded shares memory with body, and
// [protocol.EncodedFrom] copies it. The strings share one allocation of their own. Error:
// [ErrBody], also if Encoded lacks the beginning or the end that [protocol.EncodeEvent] writes.
func ParseEvent(body []byte) (Event, error) {
	encoded, rest, ok := cutBytes(body)
	if !ok || !looksEncoded(encoded) {
		return Event{}, ErrBody
	}
	r := newReader(rest)
	e := Event{
		Encoded:    encoded,
		ID:         r.string(),
		Type:       protocol.Type(r.string()),
		By:         r.string(),
		MutationID: r.string(),
	}
	e.Version.Key = r.string()
	e.Version.N = int64(r.bounded(math.MaxInt64))
	e.At = time.Unix(0, int64(r.uint64())).UTC()
	if n := r.count(2); n > 0 { // an exclusion has at least the lengths of two texts
		e.Except = make([]Exclusion, n)
		for i := range e.Except {
			e.Except[i] = Exclusion{UserID: r.string(), ClientID: r.string()}
		}
	}
	return parsed(&r, e)
}

// looksEncoded reports whether b begins and ends like an event without its position: after the
// time, the user or the mutation ID with a quote, after the version with its number and a brace.
// Parsing all of b would cost more than all else that a node does for an event.
func looksEncoded(b []byte) bool {
	if !bytes.HasPrefix(b, []byte(`{"type":"`)) {
		return false
	}
	version, ok := bytes.CutSuffix(b, []byte("}"))
	if !ok {
		return bytes.HasSuffix(b, []byte(`"`))
	}
	key := bytes.TrimRight(version, "0123456789")
	return len(key) < len(version) && bytes.HasSuffix(key, []byte(`,"n":`))
}
