package main

// What the Observer and Stats say.

var observerFaults = in("room",
	fault{
		name:     "observer: a leave has no reason",
		function: "Session.departWith",
		old:      "m.departed, m.leaving = true, d.reason",
		new:      "m.departed = true",
		tests:    "TestLeaveReasons",
	},
	fault{
		name:     "observer: a leave-plan counts as the end of the connection",
		function: "Session.leave",
		old:      "LeaveRequested",
		new:      "LeaveClosed",
		tests:    "TestLeaveReasons",
	},
	fault{
		name:     "observer: Broadcast gets another context",
		function: "Hub.observeBroadcast",
		old:      "Observer.Broadcast(ctx, info)",
		new:      "Observer.Broadcast(h.ctx, info)",
		tests:    "TestBroadcastInfo",
	},
	fault{
		name:     "observer: the events of a batch have the position of the last",
		function: "Hub.BroadcastBatch",
		old:      "events[i].Type, sent[i], recipients",
		new:      "events[i].Type, sent[len(sent)-1], recipients",
		tests:    "TestBroadcastInfo",
	},
	fault{
		name:     "observer: a dropped notification is not counted",
		function: "Hub.Notify",
		old:      "dropped++",
		new:      "",
		tests:    "TestNotifyInfo",
	},
	fault{
		name:     "observer: late connections of a pass are not counted",
		function: "shard.pump",
		old:      "p.info(sh.feed, offered, len(late))",
		new:      "p.info(sh.feed, offered, 0)",
		tests:    "TestDeliveryInfo",
	},
	fault{
		name:     "observer: the lag of a pass is that of its last event",
		function: "pass.info",
		old:      "if info.Events == 0 {",
		new:      "{",
		tests:    "TestDeliveryLag",
	},
	fault{
		name:     "stats: evicted events are not counted",
		function: "Hub.evicted",
		old:      "h.stats.evicted.Add(uint64(n))",
		new:      "",
		tests:    "TestEvictionInfo",
	},
	fault{
		name:     "stats: a user who leaves still counts as a participant",
		function: "room.countPeopleLocked",
		old:      "int64(n - r.people)",
		new:      "int64(max(n-r.people, 0))",
		tests:    "TestStatsParticipants",
	},
	fault{
		name:     "stats: a connection that closes is not counted",
		function: "index.count",
		old:      "n += len(set)",
		new:      "_ = set",
		tests:    "TestStatsDuringShutdown",
	},
)
