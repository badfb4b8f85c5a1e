package record

import "encoding/binary"

// Resync is the body of a [KindResync] record: the clients of the header's plan, or of all plans if
// it names none, load it again. Its fields are the text ID, a varint with the number of IDs, and
// these as texts.
type Resync struct {
	ID string // that the record was appended with
	// IDs are those of events that a node ignores from now on. They may come later in the log: the
	// hub that appended them does not know whether they are stored.
	IDs []string
}

// Append appends the body.
func (s *Resync) Append(dst []byte) []byte {
	dst = appendText(dst, s.ID)
	dst = binary.AppendUvarint(dst, uint64(len(s.IDs)))
	for _, id := range s.IDs {
		dst = appendText(dst, id)
	}
	return dst
}

// ParseResync is the reverse of [Resync.Append]. Error: [ErrBody].
func ParseResync(body []byte) (Resync, error) {
	r := newReader(body)
	s := Resync{ID: r.string()}
	if n := r.count(1); n > 0 {
		s.IDs = make([]string, n)
		for i := range s.IDs {
			s.IDs[i] = r.string()
		}
	}
	return parsed(&r, s)
}
