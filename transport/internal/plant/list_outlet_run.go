package main

// What the goroutine that writes does.

var outletRunFaults = in("room",
	fault{
		name:     "outlet_run: a backlog holds the pump",
		function: "outlet.run",
		old:      "	for range maxInline {\n",
		new:      "	for {\n",
		tests:    "TestBacklogDoesNotBlockThePump",
	},
	fault{
		name:     "outlet_run: the token is given up although something waits",
		function: "outlet.next",
		old:      "		case o.remainder == nil && open && len(o.dirty) > 0:\n",
		new:      "		case o.remainder == nil && open && len(o.dirty) > 1:\n",
		tests:    "TestBroadcastOptions",
	},
	fault{
		name:     "outlet_run: the farewell comes before the events",
		function: "outlet.next",
		old:      "		case o.remainder == nil && open && len(o.dirty) > 0:\n",
		new:      "		case o.remainder == nil && open && len(o.dirty) > 0 && o.farewell == nil:\n",
		tests:    "TestShutdownWaitsForTheSlow",
	},
	fault{
		name:     "outlet_run: a frame starts inside another one",
		function: "outlet.next",
		old: `		case o.remainder != nil && (open || o.remainder.plan == ""):
			o.remainder.resumed()
			t.buf = o.remainder.next()
			t.by, t.cut = o.deadlineLocked(o.remainder.plan != "")
			o.inSink, o.writingOf = true, o.remainder.plan
			return t, true
		case o.remainder == nil && (o.pong`,
		new: `		case o.remainder != nil && (open || o.remainder.plan == "") && o.pong == nil:
			o.remainder.resumed()
			t.buf = o.remainder.next()
			t.by, t.cut = o.deadlineLocked(o.remainder.plan != "")
			o.inSink, o.writingOf = true, o.remainder.plan
			return t, true
		case o.pong != nil || o.remainder == nil && (o.pong`,
		tests: "TestControlFramesOfTheTransport",
	},
	fault{
		name:     "outlet_run: a ping is lost in a short write",
		function: "outlet.putBackLocked",
		old:      "	case b.items[i].control == pingFrame:\n		o.ping = true\n",
		new:      "	case b.items[i].control == pingFrame:\n",
		tests:    "TestIdleViewerStays",
	},
	fault{
		name:     "outlet_run: a pong is lost in a short write",
		function: "outlet.putBackLocked",
		old:      "	case o.pong == nil:\n		o.pong = bytes.Clone",
		new:      "	case false:\n		o.pong = bytes.Clone",
		tests:    "TestControlFramesOfTheTransport",
	},
	fault{
		name:     "outlet_run: an older pong replaces a newer one after a short write",
		function: "outlet.putBackLocked",
		old:      "	case o.pong == nil:\n		o.pong = ",
		new:      "	default:\n		o.pong = ",
		tests:    "TestNewestControlFrameOnAFullSocket",
	},
	fault{
		name:     "outlet_run: a reply that was put off is written twice",
		function: "outlet.tookLocked",
		old:      "		o.queue.drop(0, replies)\n		o.unpauseLocked()",
		new:      "		o.queue.drop(0, min(replies, whole))\n		o.unpauseLocked()",
		tests:    "TestWorkerPauses",
	},
	fault{
		name:     "outlet_run: replies that a short write leaves are lost",
		function: "outlet.tookLocked",
		old:      "		o.queue.drop(0, replies)\n		o.unpauseLocked()",
		new:      "		o.queue.drop(0, o.queue.taken)\n		o.unpauseLocked()",
		tests:    "TestAuthorizeParallelOfOneUser",
	},
	fault{
		name:     "outlet_run: the count of taken replies is not reset",
		function: "outlet.tookLocked",
		old:      "		o.queue.taken = 0\n		o.queue.drop(0, replies)",
		new:      "		o.queue.drop(0, replies)",
		tests:    "TestAuthorizeParallelOfOneUser",
	},
	fault{
		name:     "outlet_run: the worker stays paused after the queue was written",
		function: "outlet.tookLocked",
		old:      "		o.queue.drop(0, replies)\n		o.unpauseLocked()\n",
		new:      "		o.queue.drop(0, replies)\n",
		tests:    "TestWorkerPauses",
	},
	fault{
		name:     "outlet_run: the cursor moves past entries that a short write leaves",
		function: "outlet.tookLocked",
		old:      "			sub.cur = b.items[begun-1].after\n",
		new:      "			sub.cur = b.items[len(b.items)-1].after\n",
		tests:    "TestManyEventsReachSlowReaders",
	},
	fault{
		name:     "outlet_run: an entry that is half written is written again",
		function: "outlet.tookLocked",
		old:      "		if begun > 0 {\n			sub.cur = b.items[begun-1].after",
		new:      "		if whole > 0 {\n			sub.cur = b.items[whole-1].after",
		tests:    "TestManyEventsReachSlowReaders",
	},
	fault{
		name:     "outlet_run: entries that a short write leaves are forgotten",
		function: "outlet.tookLocked",
		old:      "		if whole < len(b.items) {\n			o.markDirtyLocked(sub)\n		}\n",
		new:      "",
		tests:    "TestStalledReaderResumesOrResyncs",
	},
	fault{
		name:     "outlet_run: a member with more entries is forgotten",
		function: "outlet.fetchLocked",
		old:      "	if more && o.end < endClosed {\n		o.markDirtyLocked(sub)\n	}\n",
		new:      "	_ = more\n",
		tests:    "TestManyEventsReachSlowReaders",
	},
	fault{
		name:     "outlet_run: a member that has left is served",
		function: "outlet.beginLocked",
		old:      "(!open || sub.gone.Load() || sub.suspended)",
		new:      "(!open || sub.suspended)",
		tests:    "TestSeamRevokeBeforeTheWrite",
	},
	fault{
		name:     "outlet_run: every blocking write counts as a sign of life",
		function: "outlet.write",
		old:      "n > 0 && o.shared.clock()-start >= shortestWait",
		new:      "n > 0 && o.shared.clock() >= start",
		tests:    "TestPings",
	},
	fault{
		name:     "outlet_run: a write that waited does not count as a sign of life",
		function: "outlet.write",
		old:      "			o.owner.alive()\n",
		new:      "			_ = o.owner\n",
		tests:    "TestSlowPeerIsAlive",
	},
	fault{
		name:     "outlet_run: a peer that takes single bytes is never closed",
		function: "outlet.wrote",
		old:      "timedOut = timedOut || n < len(t.buf) && o.remainder.overdue(time.Now())",
		new:      "_ = o.remainder.overdue",
		tests:    "TestFrameTakesTooLong",
	},
	fault{
		name:     "outlet_run: a connection that is too slow gets no goodbye",
		function: "outlet.wrote",
		old:      "timedOut && o.end >= endTooSlow:",
		new:      "timedOut:",
		tests:    "TestStalledReaderResumesOrResyncs",
	},
	fault{
		name:       "outlet_run: a connection that is too slow is asked again and again",
		function:   "outlet.wrote",
		old:        "case err != nil && !timedOut, timedOut && o.end >= endTooSlow:",
		new:        "case err != nil && !timedOut:",
		equivalent: "the timer of the farewell aborts the connection at the same moment",
	},
	fault{
		name:     "outlet_run: the sink is not finished after the farewell",
		function: "outlet.wrote",
		old:      "		o.sink.Finish()\n",
		new:      "",
		tests:    "TestAuthorizeParallelOfOneUser",
	},
	fault{
		name:     "outlet_run: the remainder stays after its last byte",
		function: "outlet.wrote",
		old:      "	case t.batch == nil && o.remainder.left() == 0:\n		o.remainder = nil\n",
		new:      "",
		tests:    "TestManyEventsReachSlowReaders",
	},
	fault{
		name:     "outlet_run: Observer.Slow is not called",
		function: "outlet.tookLocked",
		old:      "		o.waiting = true\n		o.owner.slow()\n",
		new:      "		o.waiting = true\n",
		tests:    "TestObserver",
	},
	fault{
		name:     "outlet_run: goroutines that wait for a boundary are not woken",
		function: "outlet.endCallLocked",
		old:      "		close(o.boundary)\n		o.boundary = nil\n",
		new:      "",
		tests:    "TestRejoinDuringARemoval",
	},
	fault{
		name:     "outlet_run: there is a boundary between two parts of a frame",
		function: "outlet.wrote",
		old:      "!part || o.remainder == nil || o.remainder.left() <= n {",
		new:      "true || part {",
		tests:    "TestSeamRevokeBetweenTheParts",
	},
	fault{
		name:     "outlet_run: the bytes of a batch are not bounded",
		function: "outlet.takeRepliesLocked",
		old:      "len(b.items) > 0 && len(b.buf)+len(r.payload) > batchBytes || r.payload == nil",
		new:      "r.payload == nil",
		tests:    "TestShortWritesAllocateLittle",
	},
	fault{
		name:     "outlet_run: a failed connection is not closed",
		function: "outlet.closeFailed",
		old:      "	_ = o.sink.Close()\n",
		new:      "",
		tests:    "TestBrokenSocket",
	},
	fault{
		name:     "outlet_run: an impossible count of TryWrite is used",
		function: "outlet.tryWrite",
		old:      "return 0, errCount",
		new:      "return n, err",
		tests:    "TestImpossibleCounts",
	},
	fault{
		name:     "outlet_run: an impossible count of Write is used",
		function: "outlet.write",
		old:      "n, err = 0, errCount",
		new:      "_ = n",
		tests:    "TestImpossibleCounts",
	},
)
