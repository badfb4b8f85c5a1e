package roster

import (
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// A delta is its number, then entries. A page is the number of the run, the number of the delta
// after which the list was taken, the number of the page (from 1 on) and how many pages the run
// has, then entries. Numbers are unsigned varints of encoding/binary; a string is its length and
// its bytes.
//
// An entry is its length and these fields, of which a later version may add more at the end:
//
//	flags         one byte, see below
//	plan          string, if flagPlan; otherwise as in the entry before
//	userID        string
//
// and, if flagPresent (otherwise the node no longer lists the user):
//
//	userName      string
//	nameAt
//	joinedAt      signed varint, nanoseconds since 1970; 0: unknown
//	connections
//	stateAt       if flagState
//	state         string, if flagState
const (
	flagPresent = 1 << iota
	flagPlan
	flagState
)

const (
	// maxStamp bounds NameAt and StateAt, so that there always is a higher one.
	maxStamp = 1 << 62
	// maxName is more than the names in tokens have after the hub has cut them.
	maxName = 256
)

var errBody = errors.New("roster: not a body of this package")

// entry is one change of a list. Its strings are parts of the body.
type entry struct {
	plan   string
	person Person // without a state
	state  string // "": none
	gone   bool   // person has only UserID
}

// valid reports whether a room can take the entry. It drops what clients must not receive.
func (e *entry) valid() bool {
	p := &e.person
	if len(p.UserName) > maxName {
		p.UserName = strings.ToValidUTF8(p.UserName[:maxName], "")
	}
	if e.state != "" {
		if b := []byte(e.state); protocol.ValidState(b) {
			p.State = b
		}
	}
	return protocol.ValidPlanID(e.plan) && protocol.ValidUserID(p.UserID)
}

// encoder writes entries to bodies.
type encoder struct {
	body    []byte
	plan    string // of the last entry
	scratch []byte
}

// start begins a body with numbers.
func (e *encoder) start(numbers ...uint64) {
	e.body, e.plan = nil, ""
	for _, n := range numbers {
		e.body = binary.AppendUvarint(e.body, n)
	}
}

// add appends an entry unless the body would then have more than maxBytes. It ignores maxBytes for
// the first entry. l is nil if the user is not listed any more.
func (e *encoder) add(planID, userID string, l *listing, maxBytes int) bool {
	b := append(e.scratch[:0], 0)
	if planID != e.plan {
		b[0] |= flagPlan
		b = appendString(b, planID)
	}
	b = appendString(b, userID)
	if l != nil {
		b[0] |= flagPresent
		b = appendString(b, l.userName)
		b = binary.AppendUvarint(b, l.nameAt)
		b = binary.AppendVarint(b, l.joinedAt)
		b = binary.AppendUvarint(b, uint64(l.conns))
		if l.state != nil {
			b[0] |= flagState
			b = binary.AppendUvarint(b, l.state.at)
			b = binary.AppendUvarint(b, uint64(len(l.state.json)))
			b = append(b, l.state.json...)
		}
	}
	e.scratch = b
	if e.plan != "" && len(e.body)+len(b)+binary.MaxVarintLen16 > maxBytes {
		return false
	}
	e.body = append(binary.AppendUvarint(e.body, uint64(len(b))), b...)
	e.plan = planID
	return true
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decoder reads a body. Its first error stays; all later values are zero.
type decoder struct {
	text string // what is left
	err  error
	plan string // of the last entry
}

func (d *decoder) fail() {
	d.text, d.err = "", errBody
}

func (d *decoder) uvarint() uint64 {
	var v uint64
	for i := 0; i < len(d.text) && i < binary.MaxVarintLen64; i++ {
		c := d.text[i]
		if i == binary.MaxVarintLen64-1 && c > 1 {
			break
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.text = d.text[i+1:]
			return v
		}
	}
	d.fail()
	return 0
}

func (d *decoder) stamp() uint64 {
	v := d.uvarint()
	if v >= maxStamp {
		d.fail()
	}
	return v
}

func (d *decoder) time() time.Time {
	u := d.uvarint()
	n := int64(u >> 1)
	if u&1 != 0 {
		n = ^n
	}
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}

func (d *decoder) string() string {
	n := d.uvarint()
	if n > uint64(len(d.text)) {
		d.fail()
		return ""
	}
	s := d.text[:n]
	d.text = d.text[n:]
	return s
}

// entries iterates over the entries up to the first error.
func (d *decoder) entries(yield func(*entry) bool) {
	for d.text != "" {
		in := decoder{text: d.string(), err: d.err}
		e := in.entry(d.plan)
		if d.plan = e.plan; in.err != nil {
			d.fail()
			return
		}
		if !yield(&e) {
			return
		}
	}
}

// valid reports whether all entries can be read. It leaves d as it is.
func (d *decoder) valid() bool {
	ahead := *d
	for range ahead.entries {
	}
	return ahead.err == nil
}

func (d *decoder) entry(plan string) (e entry) {
	if d.text == "" {
		d.fail()
		return e
	}
	flags := d.text[0]
	d.text = d.text[1:]
	e.plan = plan
	if flags&flagPlan != 0 {
		e.plan = d.string()
	}
	e.person.UserID = d.string()
	if e.gone = flags&flagPresent == 0; e.gone {
		return e
	}
	e.person.UserName = d.string()
	e.person.NameAt = d.stamp()
	e.person.JoinedAt = d.time()
	e.person.Connections = int(min(d.uvarint(), maxConnections))
	if flags&flagState != 0 {
		e.person.StateAt = d.stamp()
		e.state = d.string()
	}
	return e
}
