package record

import "encoding/binary"

// reader reads the fields of a body, one after the other. After a field that is malformed, or
// longer than what is left, all further fields are zero and bad is set. What is left at the end is
// ignored: a later version may have added fields.
type reader struct {
	b    []byte
	text string // the bytes of b; all texts share its memory
	at   int    // index of the next field
	bad  bool
}

// newReader returns a reader of a copy of body, so that no result shares memory with body.
func newReader(body []byte) reader { return reader{b: body, text: string(body)} }

// parsed returns v, or [ErrBody] if r has failed.
func parsed[T any](r *reader, v T) (T, error) {
	if r.bad {
		var zero T
		return zero, ErrBody
	}
	return v, nil
}

func (r *reader) fail() { r.at, r.bad = len(r.b), true }

func (r *reader) varint() uint64 {
	v, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.at += n
	return v
}

// bounded reads a varint of at most limit.
func (r *reader) bounded(limit uint64) uint64 {
	v := r.varint()
	if v > limit {
		r.fail()
		return 0
	}
	return v
}

// count reads a varint with the number of fields that follow, of at least size bytes each.
func (r *reader) count(size int) int {
	n := r.varint()
	if n > uint64((len(r.b)-r.at)/size) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) string() string {
	n := r.count(1)
	s := r.text[r.at : r.at+n]
	r.at += n
	return s
}

func (r *reader) byte() byte {
	if r.at == len(r.b) {
		r.fail()
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

func (r *reader) uint64() uint64 {
	const size = 8
	if len(r.b)-r.at < size {
		r.fail()
		return 0
	}
	r.at += size
	return binary.BigEndian.Uint64(r.b[r.at-size:])
}

// cutBytes reads a text from the start of body and returns what follows it. Both results share
// memory with body.
func cutBytes(body []byte) (b, rest []byte, ok bool) {
	n, size := binary.Uvarint(body)
	if size <= 0 || n > uint64(len(body)-size) {
		return nil, nil, false
	}
	rest = body[size:]
	return rest[:n:n], rest[n:], true
}

func appendText[T ~string | ~[]byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// maxVarint is the size of the longest varint.
const maxVarint = binary.MaxVarintLen64

// flags returns a byte whose lowest bits are the values.
func flags(values ...bool) (b byte) {
	for i, v := range values {
		if v {
			b |= 1 << i
		}
	}
	return b
}
