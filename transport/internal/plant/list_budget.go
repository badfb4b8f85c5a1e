package main

// The memory that all logs take.

var budgetFaults = in("room",
	fault{
		name:     "budget: an event that a pump has yet to write is evicted",
		function: "room.evictLocked",
		old:      ".index >= r.passedLocked()",
		new:      ".index > r.log.next",
		tests:    "TestBudgetKeepsUnwrittenEvents",
	},
	fault{
		name:     "budget: the event that was kept for a pump is kept for ever",
		function: "room.releaseKeptLocked",
		old:      "if n := r.evictLocked(); n > 0 {",
		new:      "if n := 0; n > 0 {",
		tests:    "TestBudgetOfManyBusyRooms",
	},
	fault{
		name:     "budget: an evicted room does not come back to the list",
		function: "budget.taken",
		old:      "	d.listed = false\n",
		new:      "",
		tests:    "TestBudgetKeepsUnwrittenEvents",
	},
	fault{
		name:     "budget: a used room keeps its place",
		function: "budget.touch",
		old:      "b.listOf(d).MoveToBack(d.place)",
		new:      "_ = d.place",
		tests:    "TestBudgetEvictsTheLeastRecentlyUsed",
	},
	fault{
		name:     "budget: a room without users is evicted but not deleted",
		function: "room.evict",
		old:      "	if idle {",
		new:      "	if idle && !taken {",
		tests:    "TestBudgetKeepsUnwrittenEvents",
	},
	fault{
		name:     "budget: evicted bytes stay counted",
		function: "room.evictLocked",
		old:      "	r.log.trim(n)\n	r.countLocked()",
		new:      "	r.log.trim(n)",
		tests:    "TestBudgetKeepsUnwrittenEvents",
	},
)
