package protocol

import (
	"strconv"
	"unicode/utf8"
)

// Position is a place in the stream of events of one plan: the event with the
// number Seq, and everything before it, is known. A client gets positions from
// the server and hands them back; it compares nothing but Seq within one Epoch.
//
// The zero Position is none.
type Position struct {
	// Epoch names the history that Seq counts in: an opaque text of 1 to
	// [MaxEpochBytes] bytes. Numbers of different epochs have nothing to do
	// with each other.
	Epoch string `json:"epoch"`
	// Seq is the number of the last event known, 0 before the first.
	Seq uint64 `json:"seq"`
}

// Valid reports whether p can be said on the wire.
func (p Position) Valid() bool {
	return p.Epoch != "" && len(p.Epoch) <= MaxEpochBytes && utf8.ValidString(p.Epoch) && p.Seq <= MaxSeq
}

// positionValue reads a position. Unknown members are ignored, as everywhere.
func positionValue(value []byte) (Position, bool) {
	w, ok := walk(value)
	if !ok {
		return Position{}, false
	}
	var (
		p              Position
		epochOK, seqOK bool
	)
	for {
		name, value, more := w.next()
		if !more {
			return p, epochOK && seqOK && p.Valid()
		}
		switch string(name) {
		case "epoch":
			p.Epoch, epochOK = stringValue(value)
		case "seq":
			p.Seq, seqOK = seqValue(value)
		}
	}
}

func appendPosition(dst []byte, p Position) []byte {
	dst = append(dst, `{"epoch":`...)
	dst = appendString(dst, p.Epoch)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendUint(dst, p.Seq, 10)
	return append(dst, '}')
}
