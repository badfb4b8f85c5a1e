package main

// The delivery of a room's log.

var pumpFaults = in("room",
	fault{
		name:     "pump: a member that joins changes the list of a running pass",
		function: "shard.addLocked",
		old:      "	if sh.shared {\n		sh.members = append(make([]*follower, 0, len(sh.members)+len(sh.members)/4+1), sh.members...)\n		sh.shared = false\n	}",
		new:      "",
		equivalent: "an append beyond the length that the pump holds changes nothing of what it reads; the copy is for " +
			"removeLocked after it",
	},
)
