package main

// How events reach the log of a cluster, and events with an ID of the host.

var publishClusterFaults = in("room",
	fault{
		name:     "publish: an event is lost when the caller goes",
		function: "cluster.append",
		old:      "context.WithoutCancel(ctx)",
		new:      "ctx",
		tests:    "TestBroadcastOfACallerWhoIsGone",
	},
	fault{
		name:     "publish: the clients of an uncertain event do not load",
		function: "cluster.publish",
		old:      "		c.resyncLater(plan, e.ID)\n",
		new:      "",
		tests:    "TestUncertainEventsAreReplacedByAReload",
	},
	fault{
		name:     "publish: an uncertain event is not named",
		function: "cluster.resyncLater",
		old:      "		ids = append(ids, id)\n",
		new:      "",
		tests:    "TestUncertainEventsAreReplacedByAReload",
	},
	fault{
		name:     "publish: events of a batch with one ID are one event",
		function: "Hub.publishToAll",
		old:      "b.once, b.place)",
		new:      "b.once, 0)",
		tests:    "TestOnceOfABatch",
	},
	fault{
		name:     "once: an ID counts for all plans",
		function: "onceID",
		old:      "strconv.Itoa(len(planID)) + planID + id",
		new:      "id",
		tests:    "TestOnceOfOneHub",
	},
	fault{
		name:     "once: an ID counts for ever",
		function: "onces.begin",
		old:      "now.Sub(e.Value.(*onceCall).at) > DedupWindow ||",
		new:      "",
		tests:    "TestOnceOfOneHub",
	},
	fault{
		name:     "once: IDs are kept without bound",
		function: "onces.begin",
		old:      " || o.order.Len() > maxOnces)",
		new:      ")",
		tests:    "TestOnceOfOneHub",
	},
	fault{
		name:     "publish: the clients of an event that is not stored do not load",
		function: "cluster.publish",
		old:      "		c.resyncLater(plan, \"\") ",
		new:      "		_ = plan ",
		tests:    "TestEventThatIsNotStored",
	},
	fault{
		name:     "once: an event that was not sent counts",
		function: "onces.do",
		old:      "			c.failed = err != nil\n",
		new:      "			c.failed = false\n",
		tests:    "TestOnceAfterAFailure",
	},
	fault{
		name:     "publish: too many uncertain events are forgotten",
		function: "cluster.resyncLater",
		old:      "		s.all = true\n",
		new:      "		_ = s\n",
		tests:    "TestTooManyUncertainEvents",
	},
	fault{
		name:     "publish: the rest of a batch goes on after a failure",
		function: "Hub.batchSingly",
		old:      "			return protocol.Position{}, err\n",
		new:      "			continue\n",
		tests:    "TestBatchThatIsNotStored",
	},
)
