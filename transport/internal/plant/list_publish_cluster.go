package main

// How events reach the log of a cluster, and events with an ID of the host.

var publishClusterFaults = in("room",
	fault{
		name:     "publish: the clients of an uncertain event do not load",
		function: "cluster.publish",
		old:      "		c.doubtful(plan, e.ID)\n",
		new:      "",
		tests:    "TestUncertainEventsAreReplacedByAReload",
	},
	fault{
		name:     "publish: an uncertain event is not named",
		function: "cluster.doubtful",
		old:      "		ids = append(ids, id)\n",
		new:      "",
		tests:    "TestUncertainEventsAreReplacedByAReload",
	},
)
