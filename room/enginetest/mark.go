package enginetest

import "hash/crc32"

// mark identifies a record by its content. An engine keeps the mark of the newest record that it
// has delivered: if the log has another record at that seq, or none, the log has lost records.
type mark struct {
	seq uint64 // 0: no record
	sum uint32 // its checksum
}

func markOf(seq uint64, data []byte) mark { return mark{seq, crc32.Checksum(data, castagnoli)} }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
