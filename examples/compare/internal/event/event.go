// Package event makes the task that every implementation broadcasts, and finds it again in what a
// client receives.
package event

import "bytes"

// A mark stands at the beginning of the task, at fixed widths, so that the receiver needs no JSON
// parser:
//
//	"mark":"<sequence>.<time>.<size of the task>"
const (
	key       = `"mark":"`
	seqWidth  = 12
	timeWidth = 19
	sizeWidth = 6
	markWidth = seqWidth + 1 + timeWidth + 1 + sizeWidth
)

const (
	head = `{` + key
	body = `","id":"0f8fad5b-d9cb-469f-a165-70867728950e","title":"Review the quarterly plan","status":"in_progress",` +
		`"assigneeId":"7c9e6679-7425-40de-944b-e07fc1f90ae7","priority":"high","description":"`
	tail   = `"}`
	filler = "lorem ipsum dolor sit amet "
)

// MinSize is the size of a task with an empty description, in bytes.
const MinSize = len(head) + markWidth + len(body) + len(tail)

// Mark is what a task says about itself.
type Mark struct {
	Seq  int64 // counts the events of a room, from 1
	Time int64 // when it was published or due, in nanoseconds since the epoch
	Size int   // of the task, in bytes
}

// Append appends a task as JSON of m.Size bytes, or [MinSize] if that is more.
func Append(dst []byte, m Mark) []byte {
	m.Size = max(m.Size, MinSize)
	dst = append(dst, head...)
	dst = appendDecimal(dst, m.Seq, seqWidth)
	dst = append(dst, '.')
	dst = appendDecimal(dst, m.Time, timeWidth)
	dst = append(dst, '.')
	dst = appendDecimal(dst, int64(m.Size), sizeWidth)
	dst = append(dst, body...)
	for fill := m.Size - MinSize; fill > 0; {
		n := min(fill, len(filler))
		dst = append(dst, filler[:n]...)
		fill -= n
	}
	return append(dst, tail...)
}

// Cut finds the first task in a message and returns its mark, what stands after the mark, and
// whether there is one.
func Cut(message []byte) (m Mark, rest []byte, found bool) {
	i := bytes.Index(message, []byte(key))
	if i < 0 || len(message) < i+len(key)+markWidth {
		return Mark{}, nil, false
	}
	b := message[i+len(key):]
	m.Seq = decimal(b[:seqWidth])
	b = b[seqWidth+1:]
	m.Time = decimal(b[:timeWidth])
	b = b[timeWidth+1:]
	m.Size = int(decimal(b[:sizeWidth]))
	return m, b[sizeWidth:], true
}

func appendDecimal(dst []byte, v int64, width int) []byte {
	start := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; i >= start; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}

func decimal(b []byte) (v int64) {
	for _, c := range b {
		v = v*10 + int64(c-'0')
	}
	return v
}
