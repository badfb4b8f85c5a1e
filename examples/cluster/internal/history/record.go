// Package history has what clients and publishers of a cluster saw, and judges it afterwards.
package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// What is the kind of a Record.
type What string

// The kinds. Those from Connect to Other come from the connection: they have its Node. The others
// come from the program that uses the client.
const (
	Connect    What = "connect"
	Closed     What = "closed"
	Join       What = "join"    // the client asks to join a plan, with Since
	Joined     What = "joined"  // the answer: Position, Recovered, Users
	Refused    What = "refused" // another answer: Reason
	Frame      What = "frame"   // an event on the wire: Seq, Prev, Change
	Receipt    What = "receipt" // a position on the wire, without an event: Seq, Prev
	Resync     What = "resync"  // the server asks the client to load the plan: Position, Reason
	Enter      What = "enter"   // the participant User has joined
	Leave      What = "leave"   // the participant User has left
	Removed    What = "removed"
	Goodbye    What = "goodbye"
	Unreadable What = "unreadable" // a message that cannot be decoded: Reason
	Other      What = "other"      // any other message

	Event  What = "event"  // the client returned an event: Change
	Reload What = "reload" // the client asked the program to load the plan: Reason
	Load   What = "load"   // the program has loaded the plan, with all changes up to Change
)

// Record is one line of a history: what a viewer saw. Only the fields of its kind are set.
type Record struct {
	Time      time.Time          `json:"time"`
	Viewer    string             `json:"viewer"`
	Node      string             `json:"node,omitempty"` // that the connection leads to
	What      What               `json:"what"`
	Plan      string             `json:"plan,omitempty"`
	Reason    string             `json:"reason,omitempty"`
	Since     *protocol.Position `json:"since,omitempty"`
	Position  *protocol.Position `json:"position,omitempty"`
	Recovered bool               `json:"recovered,omitempty"`
	Seq       uint64             `json:"seq,omitempty"`
	Prev      uint64             `json:"prev,omitempty"`
	Change    uint64             `json:"change,omitempty"`
	User      string             `json:"user,omitempty"`
	Users     []string           `json:"users,omitempty"`
}

// OfConnection reports whether r concerns all plans of its connection.
func (r *Record) OfConnection() bool {
	return r.What == Connect || r.What == Closed || r.What == Goodbye
}

// Result is what a publisher knows of an attempt to publish a change.
type Result string

// The results.
const (
	Acknowledged Result = "acknowledged"
	Uncertain    Result = "uncertain" // there was no answer, or the node did not know either
	Failed       Result = "failed"    // the node has said that the event is not stored
)

// Attempt is one line of the history of a publisher.
type Attempt struct {
	Time   time.Time `json:"time"` // of the result
	Plan   string    `json:"plan"`
	Change uint64    `json:"change"`
	Node   string    `json:"node"`
	Result Result    `json:"result"`
	Error  string    `json:"error,omitempty"`
}

// Writer writes lines of JSON. Its methods may be called concurrently.
type Writer struct {
	mu  sync.Mutex // makes lines whole, and their times ascend
	w   *bufio.Writer
	err error // the first error
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: bufio.NewWriter(w)} }

// Record writes r with the current time. A nil Writer drops it.
func (w *Writer) Record(r Record) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r.Time = time.Now()
	w.lineLocked(r)
}

// Attempt writes a with the current time. A nil Writer drops it.
func (w *Writer) Attempt(a Attempt) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	a.Time = time.Now()
	w.lineLocked(a)
}

func (w *Writer) lineLocked(v any) {
	if err := json.NewEncoder(w.w).Encode(v); err != nil && w.err == nil {
		w.err = err
	}
}

// Flush writes what is buffered. It returns the first error of all writes.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.w.Flush(); err != nil && w.err == nil {
		w.err = err
	}
	return w.err
}

// Read reads a file of a Writer.
func Read[T Record | Attempt](file string) ([]T, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []T
	d := json.NewDecoder(bufio.NewReader(f))
	for {
		var one T
		switch err := d.Decode(&one); err {
		case nil:
			list = append(list, one)
		case io.EOF:
			return list, nil
		default:
			return nil, fmt.Errorf("%s, after %d lines: %w", file, len(list), err)
		}
	}
}
