package protocol

import "strconv"

// appender is a payload that encodes itself without reflection. These are the payloads that the
// server sends when clients join and leave: most of its work when all clients reconnect at once.
// The result equals that of encoding/json, except for the escaping of characters.
type appender interface {
	appendTo(b []byte) []byte
	// size estimates the length of the result in bytes.
	size() int
}

func (h Hello) size() int { return 192 }

func (h Hello) appendTo(b []byte) []byte {
	b = appendString(append(b, `{"userId":`...), h.UserID)
	b = strconv.AppendBool(append(b, `,"connected":`...), h.Connected)
	b = appendTime(append(b, `,"timestamp":`...), h.Timestamp.Time)
	b = appendString(append(b, `,"connectionId":`...), h.ConnectionID)
	b = appendString(append(b, `,"clientId":`...), h.ClientID)
	b = strconv.AppendInt(append(b, `,"protocol":`...), int64(h.Protocol), 10)
	return append(b, '}')
}

func (a JoinAnswer) size() int {
	const fixed, each = 160, 96
	size := fixed + each*len(a.Participants)
	for i := range a.Participants {
		size += len(a.Participants[i].State)
	}
	return size
}

func (a JoinAnswer) appendTo(b []byte) []byte {
	b = strconv.AppendBool(append(b, `{"success":`...), a.Success)
	b = appendCount(append(b, ','), a.ParticipantCount)
	b = append(b, `,"participants":`...)
	if a.Participants == nil {
		b = append(b, `null`...)
	} else {
		b = append(b, '[')
		for i := range a.Participants {
			if i > 0 {
				b = append(b, ',')
			}
			b = a.Participants[i].appendTo(b)
		}
		b = append(b, ']')
	}
	b = appendString(append(b, `,"position":{"epoch":`...), a.Position.Epoch)
	b = strconv.AppendUint(append(b, `,"seq":`...), a.Position.Seq, 10)
	b = strconv.AppendBool(append(b, `},"recovered":`...), a.Recovered)
	return append(b, '}')
}

func (p *Participant) appendTo(b []byte) []byte {
	b = appendString(append(b, `{"userId":`...), p.UserID)
	b = appendString(append(b, `,"userName":`...), p.UserName)
	b = strconv.AppendInt(append(b, `,"connections":`...), int64(p.Connections), 10)
	if len(p.State) > 0 {
		b = append(append(b, `,"state":`...), p.State...)
	}
	return append(b, '}')
}

func (j Joined) size() int { return 64 + len(j.UserID) + len(j.UserName) }

func (j Joined) appendTo(b []byte) []byte {
	b = appendString(append(b, `{"userId":`...), j.UserID)
	b = appendString(append(b, `,"userName":`...), j.UserName)
	return append(appendCount(append(b, ','), j.ParticipantCount), '}')
}

func (l Left) size() int { return 48 + len(l.UserID) }

func (l Left) appendTo(b []byte) []byte {
	b = appendString(append(b, `{"userId":`...), l.UserID)
	return append(appendCount(append(b, ','), l.ParticipantCount), '}')
}

func (c Count) size() int { return 32 }

func (c Count) appendTo(b []byte) []byte {
	return append(appendCount(append(b, '{'), c.ParticipantCount), '}')
}

func appendCount(b []byte, n int) []byte {
	return strconv.AppendInt(append(b, `"participantCount":`...), int64(n), 10)
}
