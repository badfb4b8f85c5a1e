package main

// When a node of a cluster may write.

var gateFaults = in("room",
	fault{
		name:     "gate: it stays open when its time has passed",
		function: "gate.open",
		old:      "g.clock() < g.until.Load()",
		new:      "g.until.Load() > 0",
		tests:    "TestJoinOfANodeWithoutATenure",
	},
	fault{
		name:     "gate: outlets that wait are not started when it opens",
		function: "gate.set",
		old:      "			o.start()\n",
		new:      "			_ = o\n",
		tests:    "TestTrimmedLogOfAllNodes",
	},
	fault{
		name:     "gate: a pump writes although it is shut",
		function: "outlet.deliver",
		old:      " || !o.shared.gate.open()",
		new:      "",
		tests:    "TestGateWaitsForChecks",
	},
	fault{
		name:     "gate: entries that wait are written although it is shut",
		function: "outlet.next",
		old:      "o.remainder == nil && open && len(o.dirty) > 0",
		new:      "o.remainder == nil && len(o.dirty) > 0",
		tests:    "TestTrimmedLogIsTold",
	},
	fault{
		name:     "gate: the rest of a reply without a plan waits for it",
		function: "outlet.next",
		old:      "(open || o.remainder.plan == \"\")",
		new:      "open",
		tests:    "TestNodeWithoutATenureSendsItsClientsAway",
	},
	fault{
		name:     "gate: replies without a plan wait for it",
		function: "outbound.passes",
		old:      "(open || q.replies[0].plan == \"\")",
		new:      "open",
		tests:    "TestJoinOfANodeWithoutATenure",
	},
	fault{
		name:     "gate: a peer counts as too slow when it shuts",
		function: "outlet.wrote",
		old:      "timedOut && t.cut && o.end < endTooSlow",
		new:      "false",
		tests:    "TestWritesEndWithTheTenure",
	},
	fault{
		name:     "gate: the end of a connection waits for it",
		function: "outlet.next",
		old:      "case o.remainder == nil && o.farewell != nil:",
		new:      "case o.remainder == nil && o.farewell != nil && open:",
		tests:    "TestNodeWithoutATenureSendsItsClientsAway",
	},
	fault{
		name:     "gate: a member whose access is confirmed is not written to",
		function: "outlet.unsuspend",
		old:      "		o.markDirtyLocked(sub)\n",
		new:      "",
		tests:    "TestTrimmedLogOfAllNodes",
	},
)
