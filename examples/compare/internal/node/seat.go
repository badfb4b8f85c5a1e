package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// seat is the connection of a viewer. It takes all bytes at once, and what is in them has arrived.
type seat struct {
	viewer       *viewer
	plan         string
	session      *room.Session
	joined, left chan error // each has the first answer to a request

	ended chan struct{} // closed when the hub has closed the connection
	once  sync.Once     // closes ended

	mu     sync.Mutex      // guards people
	people map[string]bool // IDs of the users in the plan, as the viewer has been told
}

var (
	_ room.Sink    = (*seat)(nil)
	_ room.Framing = lines{}
)

func newSeat(v *viewer, plan string) *seat {
	return &seat{
		viewer: v, plan: plan, joined: make(chan error, 1), left: make(chan error, 1),
		ended: make(chan struct{}), people: map[string]bool{},
	}
}

// ask sends a request of a type for the plan.
func (s *seat) ask(t protocol.Type) error {
	b, err := protocol.EncodeRequest(protocol.Request{Type: t, PlanID: s.plan})
	if err != nil {
		return fmt.Errorf("node: %s: %w", t, err)
	}
	s.session.Receive(b)
	return nil
}

var errNoAnswer = errors.New("no answer")

// answered waits for the answer to a request of a type. A viewer whose connection the hub has
// closed has left.
func (s *seat) answered(t protocol.Type, answer <-chan error) (err error) {
	timer := time.NewTimer(answerTime)
	defer timer.Stop()
	select {
	case err = <-answer:
	case <-s.ended:
		if t != protocol.TypeLeavePlan {
			err = os.ErrClosed
		}
	case <-timer.C:
		err = errNoAnswer
	}
	if err != nil {
		return fmt.Errorf("node: %s of %s: %w", t, s.plan, err)
	}
	return nil
}

// known counts the users of whom the viewer has been told, itself included.
func (s *seat) known() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.people)
}

func (s *seat) TryWrite(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		if !s.viewer.receive(line) {
			s.handle(bytes.TrimSuffix(line, []byte{'\n'}))
		}
	}
	return len(b), nil
}

// handle handles a message that is not an event.
func (s *seat) handle(message []byte) {
	m, err := protocol.Decode(message)
	if err != nil {
		return // a frame that is not a message
	}
	switch m.Type {
	case protocol.TypeJoinPlan, protocol.TypeLeavePlan:
		s.handlePresence(m)
	case protocol.TypeError:
		var data protocol.Error
		err := json.Unmarshal(m.Data, &data)
		if err == nil {
			err = fmt.Errorf("the hub refuses it: %s: %s", data.Code, data.Message)
		}
		if data.Re == protocol.TypeLeavePlan {
			settle(s.left, err)
		} else {
			settle(s.joined, err)
		}
	case protocol.TypeResync, protocol.TypeRemoved:
		s.viewer.interrupt()
	}
}

// handlePresence handles an answer to join-plan or leave-plan, or a notice of another user.
func (s *seat) handlePresence(m protocol.Message) {
	var data struct {
		protocol.JoinAnswer        // Success is false in a notice
		UserID              string `json:"userId"` // "" in an answer
	}
	err := json.Unmarshal(m.Data, &data)
	s.mu.Lock()
	for _, p := range data.Participants {
		s.people[p.UserID] = true
	}
	switch {
	case data.UserID == "":
	case m.Type == protocol.TypeJoinPlan:
		s.people[data.UserID] = true
	default:
		delete(s.people, data.UserID)
	}
	s.mu.Unlock()
	switch {
	case err == nil && !data.Success:
	case m.Type == protocol.TypeJoinPlan:
		settle(s.joined, err)
	default:
		settle(s.left, err)
	}
}

// settle sets an answer unless there is one.
func settle(answer chan<- error, err error) {
	select {
	case answer <- err:
	default:
	}
}

// end is called when the hub has closed the connection.
func (s *seat) end() {
	s.viewer.interrupt()
	s.once.Do(func() { close(s.ended) })
}

func (s *seat) Write(b []byte, _ time.Time) (int, error) { return s.TryWrite(b) }

func (s *seat) Framing() room.Framing { return lines{} }
func (s *seat) Finish()               { s.end() }

func (s *seat) Close() error {
	s.end()
	return os.ErrClosed
}

// lines makes each frame a line. A frame that is not a message is an empty one.
type lines struct{}

func (lines) AppendMessage(dst, payload []byte) []byte { return append(append(dst, payload...), '\n') }
func (lines) AppendPing(dst []byte) []byte             { return append(dst, '\n') }
func (lines) AppendClose(dst []byte, _ protocol.CloseCode, _ string) []byte {
	return append(dst, '\n')
}
