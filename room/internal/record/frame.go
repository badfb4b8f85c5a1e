package record

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

const (
	magicBytes   = 4
	sealedFrom   = magicBytes + 4 // the checksum covers all bytes from here on
	clusterBytes = 8
	frameBytes   = sealedFrom + clusterBytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame appends a frame without its checksum, and makes room for n more bytes. [seal]
// completes it.
func appendFrame(dst []byte, magic string, cluster uint64, n int) []byte {
	dst = slices.Grow(dst, frameBytes+n)
	dst = append(dst, magic...)
	dst = append(dst, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint64(dst, cluster)
}

// seal writes the checksum into the frame that begins at b[start], and ends with b.
func seal(b []byte, start int) []byte {
	framed := b[start:]
	binary.BigEndian.PutUint32(framed[magicBytes:], crc32.Checksum(framed[sealedFrom:], castagnoli))
	return b
}

// openFrame returns the cluster of a frame, and what follows the frame. sealed reports whether the
// checksum matches. For data with another magic, or less than a frame, rest is nil.
func openFrame(magic string, data []byte) (cluster uint64, rest []byte, sealed bool) {
	if len(data) < frameBytes || string(data[:magicBytes]) != magic {
		return 0, nil, false
	}
	sealed = binary.BigEndian.Uint32(data[magicBytes:]) == crc32.Checksum(data[sealedFrom:], castagnoli)
	return binary.BigEndian.Uint64(data[sealedFrom:]), data[frameBytes:], sealed
}
