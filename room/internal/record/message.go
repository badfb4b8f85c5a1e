package record

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/planrooms/planrooms/protocol"
)

// MessageKind says what a message from one node to others means. A node ignores kinds that it does
// not know. Messages may be lost, so a sender does not rely on them anyway.
type MessageKind uint8

// The kinds of messages. Package room/internal/roster has the bodies of those about presence.
const (
	MessageAck          MessageKind = 1 // a node has done all work for a control record; see Ack
	MessagePresence     MessageKind = 2 // changes of the members of a node
	MessagePresenceAsk  MessageKind = 3 // a node asks for the whole list of another one
	MessagePresencePage MessageKind = 4 // a part of such a list
	MessageNotify       MessageKind = 5 // a message for all connections of a user; see Notify
	MessageNudge        MessageKind = 6 // an outbox has new rows; no release sends it yet
)

// messageKindNames has the names of the kinds, by value.
var messageKindNames = [...]string{
	MessageAck:          "ack",
	MessagePresence:     "presence",
	MessagePresenceAsk:  "presence ask",
	MessagePresencePage: "presence page",
	MessageNotify:       "notify",
	MessageNudge:        "nudge",
}

// String returns the name of the kind for logs, such as "presence page", or its number.
func (k MessageKind) String() string {
	if int(k) < len(messageKindNames) && messageKindNames[k] != "" {
		return messageKindNames[k]
	}
	return "message kind " + strconv.Itoa(int(k))
}

// MessageOverhead is the size of a message without its body, in bytes.
const MessageOverhead = frameBytes + 1

// AppendMessage appends a message. An engine sends at most 64 KiB.
func AppendMessage(dst []byte, cluster uint64, k MessageKind, body []byte) []byte {
	start := len(dst)
	dst = append(appendFrame(dst, messageMagic, cluster, 1+len(body)), byte(k))
	return seal(append(dst, body...), start)
}

// ParseMessage is the reverse of [AppendMessage]. The body shares memory with msg. k may have a
// value that this release does not know. Error: [ErrMessage]; all other results are then zero.
func ParseMessage(msg []byte) (cluster uint64, k MessageKind, body []byte, err error) {
	cluster, rest, sealed := openFrame(messageMagic, msg)
	if !sealed || len(rest) == 0 {
		return 0, 0, nil, ErrMessage
	}
	return cluster, MessageKind(rest[0]), rest[1:], nil
}

// Ack is the body of [MessageAck]: what the sender has done for the control record with this
// position. Its fields are the text Epoch, the varint Seq, and the four counts as varints.
type Ack struct {
	Epoch string
	Seq   uint64
	// Counts are, in this order: the members that were removed, or the connections that were
	// closed; after a recheck, the members that were kept, and those that could not be checked. The
	// last one is always 0.
	Counts [4]uint32
}

// Append appends the body.
func (a *Ack) Append(dst []byte) []byte {
	dst = binary.AppendUvarint(appendText(dst, a.Epoch), a.Seq)
	for _, n := range a.Counts {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	return dst
}

// ParseAck is the reverse of [Ack.Append]. Error: [ErrBody].
func ParseAck(body []byte) (Ack, error) {
	r := newReader(body)
	a := Ack{Epoch: r.string(), Seq: r.varint()}
	for i := range a.Counts {
		a.Counts[i] = uint32(r.bounded(math.MaxUint32))
	}
	return parsed(&r, a)
}

// Notify is the body of [MessageNotify]. Its fields are the texts Payload, UserID and Type.
type Notify struct {
	UserID  string
	Type    protocol.Type
	Payload []byte // the result of protocol.EncodeNotice
}

// Append appends the body.
func (n *Notify) Append(dst []byte) []byte {
	return appendText(appendText(appendText(dst, n.Payload), n.UserID), n.Type)
}

// ParseNotify is the reverse of [Notify.Append]. Payload shares memory with body. Error: [ErrBody].
func ParseNotify(body []byte) (Notify, error) {
	payload, rest, ok := cutBytes(body)
	if !ok {
		return Notify{}, ErrBody
	}
	r := newReader(rest)
	n := Notify{Payload: payload, UserID: r.string(), Type: protocol.Type(r.string())}
	return parsed(&r, n)
}
