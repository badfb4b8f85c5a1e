package room

import "github.com/planrooms/planrooms/protocol"

// reply sends a message to this connection alone.
func (s *Session) reply(planID string, t protocol.Type, data any) {
	s.out.send(reply{payload: mustEncode(t, planID, data)})
}

// errorTexts are for people who read frames. Programs use the code.
var errorTexts = map[protocol.ErrorCode]string{
	protocol.ErrorForbidden:    "there is no such plan, or it is not yours",
	protocol.ErrorUnavailable:  "whether you may join could not be checked; try again",
	protocol.ErrorNotJoined:    "this connection is not in the plan",
	protocol.ErrorBadToken:     "the token was not accepted",
	protocol.ErrorRateLimited:  "too many messages",
	protocol.ErrorTooManyRooms: "this connection is in too many plans",
}

// fail sends an error for a request of type re.
func (s *Session) fail(planID string, re protocol.Type, code protocol.ErrorCode) {
	s.reply(planID, protocol.TypeError, protocol.Error{Code: code, Message: errorTexts[code], Re: re})
}
