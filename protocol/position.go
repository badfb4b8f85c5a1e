package protocol

// Position is a place in the stream of one plan's events.
type Position struct {
	// Epoch names the numbering that Seq belongs to; it is opaque, 1 to 64 bytes. Positions of different epochs can't be compared.
	Epoch string `json:"epoch"`
	// Seq is that of the last event before the place, below 2^53; 0 is before the first event.
	Seq uint64 `json:"seq"`
}

// maxSeq is the first integer that a JavaScript number can't tell from its neighbour.
const maxSeq = 1 << 53
