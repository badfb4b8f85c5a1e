package main

// What the log of a cluster does to the rooms of a node.

var replicaFaults = in("room",
	fault{
		name:     "replica: an event reaches the users whom it excludes",
		function: "audienceFrom",
		old:      "		to.add(exclusion{userID: x.UserID, clientID: x.ClientID})\n",
		new:      "		_ = x\n",
		tests:    "TestClusterSimulation",
	},
	fault{
		name:     "replica: rooms keep the epoch of before",
		function: "Hub.adopt",
		old:      "		r.epoch = epoch\n",
		new:      "",
		tests:    "TestClusterSimulation",
	},
	fault{
		name:     "replica: members are not checked after a loss",
		function: "Hub.reset",
		old:      "			m.recheck.now()\n",
		new:      "			_ = m\n",
		tests:    "TestTrimmedLogOfAllNodes",
	},
	fault{
		name:     "log: a position before the history is resumed",
		function: "log.since",
		old:      "if seq < l.base || seq >",
		new:      "if seq >",
		tests:    "TestClosePlanReachesAllNodes",
	},
	fault{
		name:     "log: a position ahead of the node is resumed",
		function: "log.since",
		old:      "seq > max(applied, l.last) ||",
		new:      "",
		tests:    "TestJoinAheadOfTheNode",
	},
	fault{
		name:     "log: a member that has everything misses nothing of another log",
		function: "log.restart",
		old:      "	l.next++\n",
		new:      "",
		tests:    "TestTrimmedLogOfAllNodes",
	},
	fault{
		name:     "log: another log begins at the end of the last one",
		function: "log.restart",
		old:      "l.tail, l.base, l.last = l.next, floor, floor",
		new:      "l.tail, l.base = l.next, floor",
		tests:    "TestLostRecordsAreTold",
	},
	fault{
		name:     "timeline: the position of a quiet plan is that of its last event",
		function: "timeline.position",
		old:      "max(last, t.applied.Load())",
		new:      "last",
		tests:    "TestRestartMissesNothing",
	},
	fault{
		name:     "budget: plans without members are evicted last",
		function: "budget.takeOldest",
		old:      "	l := &b.unused\n	if l.Len() == 0 {\n		l = &b.recent\n",
		new:      "	l := &b.recent\n	if l.Len() == 0 {\n		l = &b.unused\n",
		tests:    "TestPlansOfOtherNodesAreEvictedFirst",
	},
	fault{
		name:     "budget: a plan without members stays in the list of the others",
		function: "room.touchLocked",
		old:      "r.hub.cluster != nil && r.connections == 0",
		new:      "false",
		tests:    "TestPlansOfOtherNodesAreEvictedFirst",
	},
	fault{
		name:     "budget: a plan that gets members stays in the list of those without",
		function: "budget.touch",
		old:      "d.listed && d.unused == unused &&",
		new:      "d.listed &&",
		tests:    "TestPlansOfOtherNodesAreEvictedFirst",
	},
)
