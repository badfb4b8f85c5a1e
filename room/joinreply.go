package room

import "github.com/planrooms/planrooms/protocol"

// joinReply is the reply to a join. It implements [lateReply].
type joinReply struct {
	m         *member
	position  protocol.Position
	recovered bool
}

func (j *joinReply) of() *subscription { return &j.m.subscription }

// encode encodes the reply with the participants of this moment.
func (j *joinReply) encode() (payload []byte, notices uint64) {
	m, r := j.m, j.m.room
	data := protocol.JoinAnswer{Success: true, Position: j.position, Recovered: j.recovered}
	r.mu.Lock()
	gone := m.gone.Load()
	if !gone {
		data.ParticipantCount, data.Participants = len(r.presence.people), r.presence.list(m.s.userID)
		notices = r.log.next
	}
	r.mu.Unlock()
	if gone {
		return nil, 0
	}
	return mustEncode(protocol.TypeJoinPlan, r.id, data), notices
}
