package room

import "sync/atomic"

// backlog is a queue of messages of other nodes. It bounds their number and their bytes: a message
// may have 64 KiB. One goroutine receives from queue, and calls handled for each message.
type backlog[T any] struct {
	queue chan T       // fixed at creation
	bytes atomic.Int64 // of the messages that wait or are being handled
}

// maxBacklog is how many bytes wait in a backlog.
const maxBacklog = 16 << 20

// newBacklog returns a backlog for up to n messages.
func newBacklog[T any](n int) *backlog[T] { return &backlog[T]{queue: make(chan T, n)} }

// add queues a message of so many bytes. At a bound it drops the message and returns false. It does
// not block, and may be called concurrently.
func (b *backlog[T]) add(m T, bytes int) bool {
	if b.bytes.Add(int64(bytes)) <= maxBacklog {
		select {
		case b.queue <- m:
			return true
		default:
		}
	}
	b.handled(bytes)
	return false
}

// handled notes that a message of so many bytes is not used any more.
func (b *backlog[T]) handled(bytes int) { b.bytes.Add(-int64(bytes)) }
