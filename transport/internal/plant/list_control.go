package main

// Calls that wait until all nodes have applied their record.

var controlsFaults = in("room",
	fault{
		name:     "control: a record that may be lost is not appended again",
		function: "cluster.controlOnce",
		old:      "counts, again = w.counts, w.lost",
		new:      "counts = w.counts",
		tests:    "TestClusterSimulation",
	},
	fault{
		name:     "control: a call is kept whose record is stored, although the engine did not say so",
		function: "cluster.controlOnce",
		old:      "c.controls.applied[w.seq] == w",
		new:      "err == nil && c.controls.applied[w.seq] == w",
		tests:    "TestWaitsOfUncertainCalls",
	},
	fault{
		name:     "control: the work of this node is not waited for",
		function: "wait.left",
		old:      "if !w.done {",
		new:      "if false {",
		tests:    "TestRecheckWaitsForTheWorkOfThisNode",
	},
	fault{
		name:     "control: the error counts no nodes that have yet to apply the record",
		function: "wait.left",
		old:      "if !w.applied {",
		new:      "if false {",
		tests:    "TestErrorOfRevokeCountsAllNodes",
	},
	fault{
		name:     "control: an ack that comes early is lost",
		function: "cluster.applyControl",
		old:      "			w.acked(&k.early[seq][i])\n",
		new:      "			_ = i\n",
		tests:    "TestAcksBeforeTheOwnTail",
	},
	fault{
		name:     "control: no ack is sent",
		function: "cluster.finished",
		old:      "if !own && x.Origin != \"\" {",
		new:      "if false {",
		tests:    "TestRevokeReachesAllNodes",
	},
	fault{
		name:     "control: work that is done counts as running",
		function: "cluster.finished",
		old:      "	delete(c.controls.running, work)\n",
		new:      "",
		tests:    "TestClusterSimulation",
	},
	fault{
		name:     "control: what this node has removed is not counted",
		function: "cluster.finished",
		old:      "		w.counts.add(counts)\n",
		new:      "",
		tests:    "TestDisconnectReachesAllNodes",
	},
	fault{
		name:     "control: what other nodes have removed is not counted",
		function: "wait.acked",
		old:      "	w.counts.add(a.Counts)\n",
		new:      "",
		tests:    "TestRevokeReachesAllNodes",
	},
	fault{
		name:     "control: a node that shuts down does not say so",
		function: "cluster.leave",
		old:      "c.record(record.KindSilent,",
		new:      "c.record(record.KindRelay,",
		tests:    "TestNodeThatHasShutDownIsNotWaitedFor",
	},
	fault{
		name:     "control: Recheck does not give other nodes the time that they may take",
		function: "cluster.control",
		old:      "limit+work",
		new:      "limit",
		tests:    "TestRecheckOfASlowAuthorize",
	},
)
