package main

// What one write holds, and what is left of a frame.

var batchFaults = in("room",
	fault{
		name:     "batch: a frame that ends with a short write counts as unwritten",
		function: "batch.split",
		old:      "b.items[whole].end <= n",
		new:      "b.items[whole].end < n",
		tests:    "TestSeqAndPrev",
	},
	fault{
		name:     "batch: the part of a frame is counted from the start of the batch",
		function: "batch.split",
		old:      "		begin = b.items[whole].end\n		whole++",
		new:      "		whole++",
		tests:    "TestAuthorizeParallelOfOneUser",
	},
	fault{
		name:       "batch: a pump writes to a member that has its events already",
		function:   "batch.nextFor",
		old:        "c.next == b.from && c.events <= b.from && c.notices <= b.from",
		new:        "c.next == b.from && c.notices <= b.from",
		equivalent: "after a resync the member is dirty and reads on to the end of the log before its outlet is idle, so a pump never finds its cursor at the start of a batch",
	},
	fault{
		name:       "batch: a pump writes notices that the answer to the join contains",
		function:   "batch.nextFor",
		old:        "c.next == b.from && c.events <= b.from && c.notices <= b.from",
		new:        "c.next == b.from && c.events <= b.from",
		equivalent: "after the answer the member is dirty and reads on to the end of the log before its outlet is idle, so its cursor is behind those notices",
	},
	fault{
		name:       "batch: a pump writes to a member that has yet to read older entries",
		function:   "batch.nextFor",
		old:        "c.next == b.from && c.events <= b.from && c.notices <= b.from",
		new:        "c.next <= b.from && c.events <= b.from && c.notices <= b.from",
		equivalent: "an idle outlet has read everything that a pump took before, so its cursor is never before the start of a batch",
	},
	fault{
		name:     "batch: a batch of evicted entries counts as delivered",
		function: "batch.excepts",
		old:      "	if b.unread {\n",
		new:      "	if false {\n",
		tests:    "TestBudgetKeepsUnwrittenEvents",
	},
	fault{
		name:     "batch: only the first audience of a batch counts",
		function: "batch.excepts",
		old:      "		if a.excepts(v) {\n			return true\n		}\n",
		new:      "		return a.excepts(v)\n",
		tests:    "TestExcludedMembersGetAReceipt",
	},
	fault{
		name:       "batch: the buffer of a large message goes back to the pool",
		function:   "batch.release",
		old:        "if cap(b.buf) > 2*batchBytes {",
		new:        "if false {",
		equivalent: "the garbage collection empties the pool",
	},
)

var remainderFaults = in("room",
	fault{
		name:     "remainder: the bytes after the payload are forgotten",
		function: "remainder.left",
		old:      "return len(r.head) + len(r.payload) + len(r.tail) - r.off",
		new:      "return len(r.head) + len(r.payload) - r.off",
		tests:    "TestRevokeOfAStalledConnection",
	},
	fault{
		name:     "remainder: the goodbye counts as overdue",
		function: "remainder.overdue",
		old:      "!r.farewell && now.Sub",
		new:      "now.Sub",
		tests:    "TestDuringShutdown",
	},
	fault{
		name:     "remainder: a framing that changes the payload loses its frame",
		function: "newRemainder",
		old:      "r.head = bytes.Clone(frame)",
		new:      "r.payload = payload",
		tests:    "TestShortWritesOfAnEncodingFraming",
	},
)
