package main

// Presence, revocation, and the housekeeping of the hub.

var roomFaults = in("room",
	fault{
		name:     "presence: an older state replaces a newer one that lingers",
		function: "presence.exit",
		old:      "		if was.state != nil && was.set >= who.left.set {\n			who.left = was\n		}",
		new:      "		if was.state != nil {\n			who.left = was\n		}",
		equivalent: "the condition of the case holds only if the state is newer, or if there is no connection left: then " +
			"a state that is older than the one that lingers was set by a connection that is not left",
	},
	fault{
		name:       "notices: an earlier linger ends a later one",
		function:   "room.presenceExitLocked",
		old:        "	ts.stop(lingers.linger)\n",
		new:        "",
		equivalent: "the timer that was not stopped finds that it is not the newest and does nothing; it costs a little memory",
	},
)
