package main

// How a connection joins, and how its access is checked.

var joinFaults = in("room",
	fault{
		name:       "recheck: a member that has left is checked",
		function:   "recheck.end",
		old:        "k.all.timers.stop(&k.timer)",
		new:        "",
		equivalent: "tick finds that the checks have ended and does nothing; the timer costs a little memory until then",
	},
)
