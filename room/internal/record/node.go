package record

import "encoding/binary"

// NodeRecord is the body of a [KindNode] record. A node writes to its clients only after it has
// applied its own record of its tenure. Its fields are the text Name, the varint Tenure, the text
// Epoch, the varint Since, and a byte with Versions.
type NodeRecord struct {
	Name     string // of the node, in the engine
	Tenure   uint64 // number of the tenure
	Epoch    string // of the log, as far as the node knows
	Since    uint64 // seq of the record that began Epoch
	Versions uint8  // highest Version that the node reads
}

// Append appends the body.
func (n *NodeRecord) Append(dst []byte) []byte {
	dst = appendText(dst, n.Name)
	dst = binary.AppendUvarint(dst, n.Tenure)
	dst = appendText(dst, n.Epoch)
	dst = binary.AppendUvarint(dst, n.Since)
	return append(dst, n.Versions)
}

// ParseNodeRecord is the reverse of [NodeRecord.Append]. Error: [ErrBody].
func ParseNodeRecord(body []byte) (NodeRecord, error) {
	r := newReader(body)
	n := NodeRecord{Name: r.string(), Tenure: r.varint(), Epoch: r.string(), Since: r.varint(), Versions: r.byte()}
	return parsed(&r, n)
}

// Silent is the body of a [KindSilent] record: in and after this tenure the node writes nothing
// more to its clients. Its fields are the text Name and the varint Tenure.
type Silent struct {
	Name   string // of the node, in the engine
	Tenure uint64 // number of its last tenure
}

// Append appends the body.
func (s *Silent) Append(dst []byte) []byte { return appendNumbered(dst, s.Name, s.Tenure) }

// ParseSilent is the reverse of [Silent.Append]. Error: [ErrBody].
func ParseSilent(body []byte) (Silent, error) {
	name, tenure, err := parseNumbered(body)
	return Silent{Name: name, Tenure: tenure}, err
}

// Epoch is the body of a [KindEpoch] record: the epoch New begins. Of several records with the same
// Old, the first in the log counts. A node that does not know the current epoch writes "*" as Old:
// such a record counts unless an epoch has begun after Since. Its fields are the texts Old, New and
// By, and the varint Since.
type Epoch struct {
	Old, New string
	By       string // name in the engine of the node that begins New
	// Since is the seq of the record that began Old or, if Old is "*", of the last record that By
	// has applied.
	Since uint64
}

// Append appends the body.
func (e *Epoch) Append(dst []byte) []byte {
	return binary.AppendUvarint(appendText(appendText(appendText(dst, e.Old), e.New), e.By), e.Since)
}

// ParseEpoch is the reverse of [Epoch.Append]. Error: [ErrBody].
func ParseEpoch(body []byte) (Epoch, error) {
	r := newReader(body)
	e := Epoch{Old: r.string(), New: r.string(), By: r.string(), Since: r.varint()}
	return parsed(&r, e)
}

// Relay is the body of a [KindRelay] record, which no release writes yet: from here on the nodes
// ignore what relays of a lower term append. Its fields are the text Name and the varint Term.
type Relay struct {
	Name string
	Term uint64
}

// Append appends the body.
func (r *Relay) Append(dst []byte) []byte { return appendNumbered(dst, r.Name, r.Term) }

// ParseRelay is the reverse of [Relay.Append]. Error: [ErrBody].
func ParseRelay(body []byte) (Relay, error) {
	name, term, err := parseNumbered(body)
	return Relay{Name: name, Term: term}, err
}

func appendNumbered(dst []byte, name string, number uint64) []byte {
	return binary.AppendUvarint(appendText(dst, name), number)
}

func parseNumbered(body []byte) (name string, number uint64, err error) {
	r := newReader(body)
	name, number = r.string(), r.varint()
	if r.bad {
		return "", 0, ErrBody
	}
	return name, number, nil
}
