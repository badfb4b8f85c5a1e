package main

// A connection of package transport.

var connFaults = in("transport",
	fault{
		name:     "conn: the greeting is written before the rest of the handshake answer",
		function: "conn.TryWrite",
		old:      "	if c.head != nil {\n		return c.writeHead(b, c.tryWrite)\n	}\n",
		new:      "",
		tests:    "TestReaderIsNotClosed",
	},
	fault{
		name:     "conn: what was written of the head is written again",
		function: "conn.writeHead",
		old:      "		c.head = c.head[n:]\n",
		new:      "		_ = c.head[n:]\n",
		tests:    "TestSinkShortWrites",
	},
	fault{
		name:     "conn: a TLS connection writes although the socket may be full",
		function: "conn.tryTLS",
		old:      "		if !c.space.take(len(chunk)) {\n			break\n		}\n",
		new:      "		_ = c.space.take(len(chunk))\n",
		tests:    "TestStalledReader",
	},
	fault{
		name:     "conn: only the first chunk of a TLS write is counted",
		function: "conn.tryTLS",
		old:      "		k, err = c.net.Write(chunk)\n		n += k\n",
		new:      "		k, err = c.net.Write(chunk)\n		n = max(n, k)\n",
		tests:    "TestReaderIsNotClosed",
	},
	fault{
		name:     "conn: a broken connection is written to",
		function: "conn.writeBlocking",
		old:      "	if c.broken {\n		return 0, c.awaitCut(deadline)\n	}\n",
		new:      "",
		tests:    "TestStalledReader",
	},
	fault{
		name:     "conn: a timed-out write does not break the connection",
		function: "conn.writeBlocking",
		old:      "		c.broken = true\n",
		new:      "",
		tests:    "TestStalledReader",
	},
	fault{
		name:     "conn: after the close frame the peer is waited for without a limit",
		function: "conn.Finish",
		old:      "	c.finished = true\n	c.setReadDeadlineLocked(closeWait)\n",
		new:      "	c.finished = true\n",
		tests:    "TestConformanceOfHandshakes",
	},
)

var readerFaults = in("transport",
	fault{
		name:     "reader: the place of a connection is not given back",
		function: "conn.end",
		old:      "	if c.counted {\n		c.shared.connections.release()\n	}\n",
		new:      "",
		tests:    "TestMaxConnections",
	},
)

var frameScanFaults = in("transport",
	fault{
		name:     "framescan: the close frame counts as a control frame",
		function: "frameScan.take",
		old:      "return n, !s.closed, nil",
		new:      "return n, true, nil",
		equivalent: "the bucket of control frames is not used after the close frame, since no frame may follow it, and the " +
			"session is about to close",
	},
)

var buffersFaults = in("transport",
	fault{
		name:     "buffers: large buffers go back to the pool",
		function: "buffers.release",
		old:      "	if cap(*b) <= maxPooled {",
		new:      "	if cap(*b) > 0 {",
		equivalent: "it costs memory for a while: the pool drops its buffers with the garbage collection, so a test " +
			"would measure the collector",
	},
)
