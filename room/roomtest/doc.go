// Package roomtest has in-memory connections to a [room.Hub], for tests of the hub itself and of hosts that use it. No
// socket is involved, so a test can run in a [testing/synctest] bubble, where half an hour costs nothing.
//
//	alice := roomtest.Join(t, hub, "alice", "plan-1")
//	hub.BroadcastTaskUpdated(ctx, "plan-1", task)
//	if got := alice.Next(); got.Type != protocol.TypeTaskUpdated { … }
//	alice.Silent() // and nothing else
//
// A [Member] takes everything at once, like a client that keeps reading. Stall makes it stop, so that the hub sees a full
// socket; Cut breaks the connection without a word; Resume connects again and asks for what was missed. All end with the test.
package roomtest
