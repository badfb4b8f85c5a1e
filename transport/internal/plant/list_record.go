package main

// What the hubs of a cluster exchange.

var recordFaults = in("room/internal/record",
	fault{
		name:     "record: the checksum does not cover the cluster",
		function: "seal",
		old:      "framed[sealedFrom:]",
		new:      "framed[frameBytes:]",
		tests:    "TestRecordFormat|TestNote",
	},
	fault{
		name:     "record: a message is read as a record",
		function: "openFrame",
		old:      " || string(data[:magicBytes]) != magic",
		new:      "",
		tests:    "TestMagic",
	},
	fault{
		name:     "record: a record without its class",
		function: "Append",
		old:      "h.Class = h.Kind.Class()",
		new:      "",
		tests:    "TestRecordDefaults",
	},
	fault{
		name:     "record: a resync is a control record",
		function: "Kind.Class",
		old:      " || k == KindResync",
		new:      "",
		tests:    "TestRecordDefaults",
	},
	fault{
		name:     "record: a plan may be longer than the record",
		function: "Parse",
		old:      "if end > len(rest) {",
		new:      "if end > len(rest)+1 {",
		tests:    "TestParseDamagedRecord",
	},
	fault{
		name:     "record: a long plan becomes part of the body",
		function: "Append",
		old:      "if len(h.Plan) > maxPlanBytes {",
		new:      "if false {",
		tests:    "TestAppendPanicsOnALongPlan",
	},
	fault{
		name:     "record: a text may be longer than its body",
		function: "reader.count",
		old:      "if n > uint64((len(r.b)-r.at)/size) {",
		new:      "if n > 1<<40 {",
		tests:    "TestControl",
	},
	fault{
		name:     "record: a whole message passes as an event without its position",
		function: "looksEncoded",
		old:      `len(key) < len(version) && bytes.HasSuffix(key, []byte(` + "`,\"n\":`" + `))`,
		new:      "len(key) < len(version)",
		tests:    "TestEventOfEncodeEvent",
	},
	fault{
		name:     "record: an append to a payload reaches the fields behind it",
		function: "cutBytes",
		old:      "rest[:n:n]",
		new:      "rest[:n]",
		tests:    "TestSharedBytesHaveNoRoom",
	},
	fault{
		name:     "record: a negative version is accepted",
		function: "ParseEvent",
		old:      "r.bounded(math.MaxInt64)",
		new:      "r.bounded(math.MaxUint64)",
		tests:    "TestParseEventBoundsVersion",
	},
	fault{
		name:     "record: a count of an ack overflows",
		function: "ParseAck",
		old:      "r.bounded(math.MaxUint32)",
		new:      "r.bounded(math.MaxUint64)",
		tests:    "TestVarintOverflow",
	},
	fault{
		name:     "record: an event allocates as it grows",
		function: "Event.Append",
		old:      "slices.Grow(dst, size)",
		new:      "slices.Grow(dst, 0*size)",
		tests:    "TestAppendAllocates",
	},
	fault{
		name:     "record: a note contains a part of a character",
		function: "AppendNote",
		old:      `strings.ToValidUTF8(host[:maxHostBytes], "")`,
		new:      "strings.Clone(host[:maxHostBytes])",
		tests:    "TestNoteCutsNames",
	},
	fault{
		name:     "record: a note has more than 512 bytes",
		function: "AppendNote",
		old:      "if len(epoch) > protocol.MaxEpochBytes {",
		new:      "if len(epoch) > 100*protocol.MaxEpochBytes {",
		tests:    "TestNoteSize",
	},
)

// An encoded event in a record.
var encodedFaults = in("protocol",
	fault{
		name:     "record: an encoded event shares memory with its record",
		function: "EncodedFrom",
		old:      "append(make([]byte, 0, len(b)+positionBytes), b...)",
		new:      "b",
		tests:    "TestEncodedFrom",
	},
	fault{
		name:     "record: an encoded event has no room for its position",
		function: "EncodedFrom",
		old:      "len(b)+positionBytes",
		new:      "len(b)",
		tests:    "TestEncodedFrom",
	},
	fault{
		name:     "record: an append to the bytes of an event reaches its position",
		function: "EncodedEvent.Bytes",
		old:      "e.b[:len(e.b):len(e.b)]",
		new:      "e.b",
		tests:    "TestEncodedFrom",
	},
)
