package protocol

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
