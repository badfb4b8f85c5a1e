package main

// What a node does that may have missed a Disconnect.

var lapseFaults = in("room",
	fault{
		name:     "lapse: a part of the log that a node skips has no Disconnect",
		function: "cluster.follow",
		old:      "			c.lapse.missedLocked()\n",
		new:      "",
		tests:    "TestDisconnectThatANodeDoesNotRead",
	},
	fault{
		name:     "lapse: a record that cannot be read is not a Disconnect",
		function: "cluster.notApplied",
		old:      "if endsLogins(h) {",
		new:      "if false {",
		tests:    "TestDisconnectThatANodeDoesNotRead",
	},
	fault{
		name:     "lapse: each control record that cannot be read may be a Disconnect",
		function: "endsLogins",
		old:      "(h.Kind == record.KindDisconnect || !h.Kind.Known())",
		new:      "true",
		tests:    "TestBrokenRecordOfAPlan",
	},
	fault{
		name:     "lapse: the end of a tenure by a loss is never a lapse",
		function: "cluster.lapsedLocked",
		old:      "now >= l.excused",
		new:      "l.excused == 0",
		tests:    "TestDisconnectBetweenTwoLosses",
	},
	fault{
		name:     "lapse: the end of a tenure by a loss is a lapse at once",
		function: "cluster.lapsedLocked",
		old:      " && now >= l.excused",
		new:      "",
		tests:    "TestLossOfANodeWithATenure",
	},
	fault{
		name:     "lapse: the time before the first tenure is none",
		function: "cluster.lapsedLocked",
		old:      "|| !c.gate.open()",
		new:      "|| c.own.Number() > 0 && !c.gate.open()",
		tests:    "TestDisconnectBeforeTheFirstTenure",
	},
	fault{
		name:     "lapse: a node that could not open the engine has missed nothing",
		function: "cluster.applyEpoch",
		old:      " || c.lapse.closed {",
		new:      " {",
		tests:    "TestDisconnectBeforeTheEngineIsOpen",
	},
	fault{
		name:     "lapse: an epoch that began long ago closes the connections of a node that starts",
		function: "cluster.applyEpoch",
		old:      "if (newer || e.By == c.log.node) && e.Old != \"\" || c.lapse.closed {",
		new:      "if true {",
		tests:    "TestClientOfANodeThatStarts",
	},
	fault{
		name:     "lapse: the first epoch of a log closes the connections",
		function: "cluster.applyEpoch",
		old:      " && e.Old != \"\" ||",
		new:      " ||",
		tests:    "TestClientOfTheFirstNode",
	},
	fault{
		name:     "lapse: a loss that others notice after the lapse is none",
		function: "lapse.overLocked",
		old:      "		l.until = now\n",
		new:      "		_ = now\n",
		tests:    "TestDisconnectInALostPart",
	},
	fault{
		name:     "lapse: a beat from before a loss begins a tenure after it",
		function: "cluster.shut",
		old:      "	c.log.settled = false\n",
		new:      "",
		tests:    "TestBeatThatIsAnsweredBeforeALoss",
	},
)
