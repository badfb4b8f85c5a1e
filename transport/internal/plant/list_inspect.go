package main

// The page for operators.

var inspectFaults = in("transport",
	fault{
		name:     "inspect: a request that allow refuses is answered",
		function: "Inspect",
		old:      "if !allow(r) {",
		new:      "if false {",
		tests:    "TestInspectAccess",
	},
	fault{
		name:     "inspect: a refused request learns the methods",
		function: "Inspect",
		old:      "		if !allow(r) {\n			w.WriteHeader(http.StatusNotFound)\n			return\n		}\n",
		new:      "		if !allow(r) {\n			h.Set(\"Allow\", \"GET, HEAD\")\n			w.WriteHeader(http.StatusNotFound)\n			return\n		}\n",
		tests:    "TestInspectAccess",
	},
	fault{
		name:     "inspect: all rooms are returned",
		function: "inspectionOf",
		old:      "rooms[:min(len(rooms), limit)]",
		new:      "rooms",
		tests:    "TestInspectIsLimited",
	},
	fault{
		name:     "inspect: any file name is read",
		function: "serveInspectFile",
		old:      "err != nil || contentType == \"\" || strings.Contains(name, \"/\")",
		new:      "err != nil && contentType == \"x\"",
		tests:    "TestInspectPage",
	},
	fault{
		name:     "inspect: the order of rooms is ignored",
		function: "inspectionOf",
		old:      "slices.SortStableFunc(rooms, order)",
		new:      "_ = order",
		tests:    "TestInspectOrders",
	},
)
