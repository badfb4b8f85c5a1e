package record

import (
	"encoding/binary"
	"strings"

	"github.com/planrooms/planrooms/protocol"
)

// Note is what a node stores with each beat, for all other nodes. It is shorter than 512 bytes.
// After the frame its fields are a byte with Version, a byte with Shut as bit 0, Silent as bit 1
// and Ready as bit 2, the varint Tenure, the text Epoch, Applied, Fenced, Last and Presence as
// varints, and the text Host.
type Note struct {
	Version uint8  // highest Version of a record that the node reads
	Tenure  uint64 // number of the node's current or last tenure; 0: none yet
	Shut    bool   // Tenure has ended
	Silent  bool   // the node shuts down, and writes nothing more to its clients
	Ready   bool   // its gate is open
	// Epoch of the log that the numbers below are of, at most protocol.MaxEpochBytes. A longer one
	// is not an epoch, and the note contains "" instead.
	Epoch    string
	Applied  uint64 // the last record that the node has applied
	Fenced   uint64 // the node has done all work for the control records up to here
	Last     uint64 // the last record that the node knows the log to have
	Presence uint64 // number of the node's last change of presence
	Host     string // name of the node for people; the note contains its first 80 bytes
}

// maxHostBytes is the longest part of Note.Host that a note contains.
const maxHostBytes = 80

// AppendNote appends a note.
func AppendNote(dst []byte, cluster uint64, n *Note) []byte {
	epoch, host := n.Epoch, n.Host
	if len(epoch) > protocol.MaxEpochBytes {
		epoch = ""
	}
	if len(host) > maxHostBytes {
		host = strings.ToValidUTF8(host[:maxHostBytes], "") // without a part of a character
	}
	start := len(dst)
	dst = appendFrame(dst, noteMagic, cluster, 2+7*maxVarint+len(epoch)+len(host))
	dst = append(dst, n.Version, flags(n.Shut, n.Silent, n.Ready))
	dst = binary.AppendUvarint(dst, n.Tenure)
	dst = appendText(dst, epoch)
	for _, v := range [...]uint64{n.Applied, n.Fenced, n.Last, n.Presence} {
		dst = binary.AppendUvarint(dst, v)
	}
	return seal(appendText(dst, host), start)
}

// ParseNote is the reverse of [AppendNote]. Error: [ErrNote]; the other results are then zero.
func ParseNote(b []byte) (cluster uint64, n Note, err error) {
	cluster, rest, sealed := openFrame(noteMagic, b)
	if !sealed {
		return 0, Note{}, ErrNote
	}
	r := newReader(rest)
	n.Version = r.byte()
	f := r.byte()
	n.Shut, n.Silent, n.Ready = f&1 != 0, f&2 != 0, f&4 != 0
	n.Tenure = r.varint()
	n.Epoch = r.string()
	n.Applied, n.Fenced, n.Last, n.Presence = r.varint(), r.varint(), r.varint(), r.varint()
	n.Host = r.string()
	if r.bad {
		return 0, Note{}, ErrNote
	}
	return cluster, n, nil
}
