// Package record encodes what the hubs of a cluster exchange: the records of their log, the
// messages that one node sends to others, and the notes of nodes. It does no I/O, and all of it may
// be called concurrently.
//
// Nodes of two releases read each other during a rolling update, and a log outlives the process
// that wrote it. So the format keeps these rules:
//
//   - The header of a record, the values of [Kind], [Class] and [MessageKind], and [ClusterHash]
//     never change.
//   - A later version may add fields at the end of a body. An older node ignores them. A newer node
//     must accept a body without them.
//   - Any other change is a new kind. A node writes a new kind of record only when the notes of all
//     nodes have a version that reads it: [Note.Version]. A new kind of message needs no version.
//   - Each record, message and note contains a hash of the cluster's name and a checksum. Data of
//     another application on the same server, or damaged data, is not read as data of the
//     cluster.
//   - Decoding never panics. It allocates at most a small multiple of the length of its input, and
//     bounds each length by the bytes that are left.
//
// # Format
//
// All numbers of fixed size are big-endian. A varint is an unsigned LEB128 number as in package
// encoding/binary. A text is a varint with the length, and that many bytes. All three start with a
// frame:
//
//	magic     4 bytes: "\xf0prl" for a record, "\xf0prm" for a message, "\xf0prn" for a note
//	checksum  4 bytes: CRC32C of all bytes that follow
//	cluster   8 bytes: ClusterHash
//
// A record continues with:
//
//	version   1 byte
//	class     1 byte
//	kind      1 byte
//	plan      1 byte with the length, and that many bytes
//	body      the rest
//
// A message continues with 1 byte for its kind, and its body.
//
// # How to change it
//
// A field: add it to the struct, at the end of its Append, and at the end of its Parse, there only
// if bytes are left, since older nodes do not write it. Keep the golden body without the field, and
// add one with it. A note must not exceed room.MaxNote.
//
// A kind of record: add a constant and its name in kind.go and, if no other kind has the same
// fields, a type with Append and Parse. Package room applies it in cluster.applyKind, and makes
// those that end access in Hub.begin. An older node goes by the class. Increase [Version]. There is
// one version so far, so no code compares the versions in notes: the first new kind brings that.
package record

import (
	"errors"
	"fmt"
	"hash/fnv"
)

// Version is the version of the bodies that this release writes.
const Version = 1

// Errors of the functions that decode. They are returned as they are, not wrapped.
var (
	// ErrHeader is returned by [Parse] for data that is not a record.
	ErrHeader = errors.New("record: not a record")
	// ErrBody is returned by [Parse] for a record whose checksum does not match, and by the
	// functions that parse the body of a record or of a message, for one that is malformed.
	ErrBody = errors.New("record: damaged record")
	// ErrMessage is returned by [ParseMessage].
	ErrMessage = errors.New("record: not a message")
	// ErrNote is returned by [ParseNote].
	ErrNote = errors.New("record: not a note")
)

const (
	recordMagic  = "\xf0prl"
	messageMagic = "\xf0prm"
	noteMagic    = "\xf0prn"
)

const (
	fixedBytes   = 4   // of a header between the frame and the plan
	maxPlanBytes = 255 // what one byte can count; more than protocol.MaxPlanIDBytes
)

// Header is the part of a record that each version reads.
type Header struct {
	Cluster uint64 // ClusterHash of the cluster that the record belongs to
	Version uint8  // of the body
	Class   Class
	Kind    Kind
	Plan    string // plan that the record concerns; "" if it concerns no single plan
}

// ClusterHash returns the hash of a cluster's name: FNV-1a with 64 bits.
func ClusterHash(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name)) // never fails
	return h.Sum64()
}

// Append appends a record. If Version or Class is 0, the record gets [Version] or Kind.Class().
// Append panics if Plan is longer than 255 bytes, which no valid plan ID is.
func Append(dst []byte, h Header, body []byte) []byte {
	if len(h.Plan) > maxPlanBytes {
		panic(fmt.Sprintf("record: plan ID of %d bytes", len(h.Plan)))
	}
	if h.Version == 0 {
		h.Version = Version
	}
	if h.Class == 0 {
		h.Class = h.Kind.Class()
	}
	start := len(dst)
	dst = appendFrame(dst, recordMagic, h.Cluster, fixedBytes+len(h.Plan)+len(body))
	dst = append(dst, h.Version, byte(h.Class), byte(h.Kind), byte(len(h.Plan)))
	dst = append(dst, h.Plan...)
	return seal(append(dst, body...), start)
}

// Parse returns the header and the body of a record. The body shares memory with data.
//
// It returns [ErrHeader] and a zero Header for data that is not a record: too short, with another
// magic, or with a plan that is longer than the data. It returns [ErrBody] if the checksum does not
// match. The Header is then what the damaged record contains. It is for logs alone: each of its
// fields may be wrong, so a damaged record may have concerned any plan and any user.
//
// Kind, Class and Version may have values that this release does not know. A node goes by the Class
// of a record that it cannot read, and does for an unknown class what it does for each of the two.
func Parse(data []byte) (h Header, body []byte, err error) {
	cluster, rest, sealed := openFrame(recordMagic, data)
	if len(rest) < fixedBytes {
		return Header{}, nil, ErrHeader
	}
	end := fixedBytes + int(rest[fixedBytes-1])
	if end > len(rest) {
		return Header{}, nil, ErrHeader
	}
	h = Header{Cluster: cluster, Version: rest[0], Class: Class(rest[1]), Kind: Kind(rest[2]), Plan: string(rest[fixedBytes:end])}
	if !sealed {
		return h, nil, ErrBody
	}
	return h, rest[end:], nil
}
