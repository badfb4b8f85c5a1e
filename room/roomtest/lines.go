package roomtest

import (
	"bytes"
	"fmt"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// Lines is the framing of a [Sink]. It makes each frame one line of text: a message is its JSON, a
// ping is "(ping)", and a close frame is "(close 4401 unauthorized)". Two values with different
// fields are different framings, so that a room can have members of both.
type Lines struct {
	// Mark begins each line. It must not contain a line feed.
	Mark string

	// Hold, if not nil, can stop the hub while it frames a message.
	Hold *Hold
}

var _ room.Framing = Lines{}

// AppendMessage implements [room.Framing].
func (f Lines) AppendMessage(dst, payload []byte) []byte {
	f.Hold.pass()
	return append(append(append(dst, f.Mark...), payload...), '\n')
}

// AppendPing implements [room.Framing].
func (f Lines) AppendPing(dst []byte) []byte {
	return append(append(dst, f.Mark...), "(ping)\n"...)
}

// AppendClose implements [room.Framing].
func (f Lines) AppendClose(dst []byte, code protocol.CloseCode, reason string) []byte {
	return fmt.Appendf(append(dst, f.Mark...), "(close %d %s)\n", code, reason)
}

// parse returns the payload of a line that is a message, or the kind of another frame. The code is
// that of a close frame. It returns false if the line does not begin with the mark.
func (f Lines) parse(line []byte) (payload []byte, kind string, code protocol.CloseCode, ok bool) {
	line, ok = bytes.CutPrefix(line, []byte(f.Mark))
	line = bytes.TrimSuffix(line, []byte("\n"))
	if !ok || len(line) == 0 || line[0] != '(' {
		return line, "", 0, ok
	}
	if n, err := fmt.Sscanf(string(line), "(close %d", &code); n == 1 && err == nil {
		return nil, "close", code, true
	}
	return nil, string(line), 0, true
}
