package main

// The timers of a hub.

var timersFaults = in("room",
	fault{
		name:     "timers: an earlier timer waits for a later one",
		function: "timers.setLocked",
		old:      "ts.due != 0 && at >= ts.due",
		new:      "ts.due != 0",
		tests:    "TestHangingAuthorizeOfOneUser",
	},
	fault{
		name:     "timers: after one has fired the next is not set",
		function: "timers.run",
		old:      "			if !ts.closed {\n				ts.setLocked()\n			}\n",
		new:      "",
		tests:    "TestHangingAuthorizeOfOneUser",
	},
	fault{
		name:     "timers: the place of a moved timer is not updated",
		function: "timerQueue.Swap",
		old:      "q[i].index, q[j].index = i+1, j+1",
		new:      "",
		tests:    "TestAuthenticateBeforeAPing|TestPings|TestAuthenticate",
	},
	fault{
		name:     "timers: a timer that has fired keeps its place",
		function: "timerQueue.Pop",
		old:      "	t.index = 0\n",
		new:      "",
		tests:    "TestPings|TestAuthenticate",
	},
)
