package enginetest

import (
	"context"
	"runtime"
	"strings"
	"sync"
)

// received has the messages that a node has received.
type received struct {
	name string // of the node

	mu       sync.Mutex      // guards the following
	running  bool            // receive is running
	closed   bool            // no call may come any more
	messages map[string]bool // sender and message
	wrong    string          // the first call that was wrong; "" if there was none
	changed  chan struct{}   // closed when a message comes
}

func newReceived(name string) *received {
	return &received{name: name, messages: map[string]bool{}, changed: make(chan struct{})}
}

// receive is given to the engine.
func (r *received) receive(from string, msg []byte) {
	key := from + "\x00" + string(msg)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.wrong != "":
	case r.closed:
		r.wrong = "has received a message after Close has returned, or for an earlier name"
	case from == r.name:
		r.wrong = "has received its own message"
	case r.running:
		r.wrong = "has received two messages at once"
	case r.messages[key]:
		r.wrong = "has received a message twice: " + brief(string(msg))
	}
	r.running = true
	r.mu.Unlock()
	for range 10 { // a second call must not come meanwhile
		runtime.Gosched()
	}
	r.mu.Lock()
	r.running = false
	r.messages[key] = true
	close(r.changed)
	r.changed = make(chan struct{})
}

// end says that no message may come any more.
func (r *received) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.running && r.wrong == "" {
		r.wrong = "is receiving a message although Close has returned"
	}
}

// fault returns what was wrong, or "".
func (r *received) fault() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wrong
}

// await waits for a message of a node, or until ctx ends. It reports whether the message has come.
func (r *received) await(ctx context.Context, from, msg string) bool {
	for {
		changed := r.change()
		if r.has(from, msg) {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// has reports whether a message of a node was received.
func (r *received) has(from, msg string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.messages[from+"\x00"+msg]
}

// from counts the messages of a node.
func (r *received) from(name string) int { return r.starting(name, "") }

// starting counts the messages of a node that start with a text.
func (r *received) starting(name, text string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key := range r.messages {
		if strings.HasPrefix(key, name+"\x00"+text) {
			n++
		}
	}
	return n
}

// change returns a channel that is closed when a message has come.
func (r *received) change() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}
