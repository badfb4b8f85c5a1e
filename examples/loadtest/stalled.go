package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// stalledBuffer is the receive buffer of a stalled reader, in bytes: the smaller, the sooner the
// server notices.
const stalledBuffer = 4 << 10

// A stalled reader joins a plan and then reads nothing more, as a laptop does whose lid was closed.
// Its socket stays open.
type stalled struct{ socket *socket }

// stall connects a stalled reader.
func stall(ctx context.Context, t *target, number, plan int, client string) (*stalled, error) {
	s, err := dialSocket(ctx, t.endpointFor(client), t.headerFor(t.credentials.token(number)), stalledBuffer)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, s.cut)()
	s.expect(joinTimeout)
	if err := s.request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: t.plans[plan]}); err != nil {
		s.cut()
		return nil, err
	}
	for {
		b, err := s.read()
		if err != nil {
			s.cut()
			return nil, err
		}
		m, err := protocol.Decode(b)
		if err != nil {
			continue
		}
		switch m.Type {
		case protocol.TypeGoodbye:
			var g protocol.Goodbye
			if err := json.Unmarshal(m.Data, &g); err == nil {
				s.cut()
				return nil, &closedError{g.Code}
			}
		case protocol.TypeError:
			var e protocol.Error
			if err := json.Unmarshal(m.Data, &e); err == nil && e.Re == protocol.TypeJoinPlan {
				s.cut()
				return nil, &joinError{e.Code}
			}
		case protocol.TypeJoinPlan:
			var a protocol.JoinAnswer
			if err := json.Unmarshal(m.Data, &a); err == nil && a.Success {
				return &stalled{s}, nil
			}
		}
	}
}

// How a stalled reader has ended.
const (
	endedOpen = "still open"
	endedCut  = "cut"
)

// ending reads what the kernel still has, and says how the connection has ended: with a code, cut,
// or not at all if nothing more comes for patience. The connection is closed then.
func (s *stalled) ending(patience time.Duration) string {
	defer s.socket.cut()
	s.socket.widen() // otherwise the data in the kernel of the server would arrive in small pieces
	// A reset may have been lost while nothing could be received. A peer without the connection
	// answers with another reset.
	_ = s.socket.write(opPing, nil)
	goodbye := ""
	for {
		s.socket.expect(patience)
		b, err := s.socket.read()
		closed := (*closedError)(nil)
		switch {
		case err == nil:
			var g protocol.Goodbye
			m, err := protocol.Decode(b)
			if err == nil && m.Type == protocol.TypeGoodbye && json.Unmarshal(m.Data, &g) == nil {
				goodbye = fmt.Sprint(g.Code)
			}
		case errors.As(err, &closed):
			return fmt.Sprint(closed.code)
		case goodbye != "":
			return goodbye
		case errors.Is(err, os.ErrDeadlineExceeded):
			return endedOpen
		default:
			return endedCut
		}
	}
}
