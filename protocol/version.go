package protocol

import "strconv"

// EventVersion is the version of what an event describes, such as one task. The host counts it up
// with each change. Events can be published in another order than that of their commits: a client
// drops an event whose N is below the last N that it received for the same key. The zero value
// means no version.
type EventVersion struct {
	// Key names what has the version. It has the syntax of a plan ID ([ValidPlanID]).
	Key string `json:"key"`
	// N is the version, from 0 to 2^53-1.
	N int64 `json:"n"`
}

// Valid reports whether v is a version that an event may carry. The zero value is not.
func (v EventVersion) Valid() bool {
	return ValidPlanID(v.Key) && v.N >= 0 && v.N < maxSeq
}

func (v EventVersion) appendTo(b []byte) []byte {
	b = appendString(append(b, `{"key":`...), v.Key)
	return append(strconv.AppendInt(append(b, `,"n":`...), v.N, 10), '}')
}

// versionOf parses a version. Unknown fields are ignored.
func versionOf(raw []byte) (v EventVersion, ok bool) {
	var hasN bool
	s := scanner{b: raw, maxDepth: maxServerDepth - 1, unique: true}
	ok = s.object(func(key string, value []byte) (ok bool) {
		switch key {
		case "key":
			v.Key, ok = stringOf(value)
			return ok
		case "n":
			n, ok := seqOf(value)
			v.N, hasN = int64(n), ok
			return ok
		}
		return true
	})
	return v, ok && hasN && v.Valid()
}
