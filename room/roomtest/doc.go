// Package roomtest has in-memory connections to a [room.Hub], for tests of services that use a hub,
// and of transports. It uses no socket, so a test can run in a [testing/synctest] bubble, where
// half an hour of time-outs takes no time.
//
//	alice := roomtest.Join(t, hub, "alice", "plan-1")
//	hub.BroadcastTaskUpdated(ctx, "plan-1", task)
//	var data struct{ Task Task }
//	alice.WantEvent(protocol.TypeTaskUpdated, &data)
//	alice.Silent() // no other message
//
// A [Member] is a connection and the client behind it. The client reads everything at once, checks
// that no event is missing or duplicate, and fails the test with the messages that came before.
// [Member.Stall] makes it stop reading, so that the hub sees a full socket. [Member.Cut] breaks the
// connection, and [Member.Resume] connects again and asks for the missed events. The connection
// ends with the test. The hub does not: call [room.Hub.Shutdown] at the end of each test.
//
// To check that a user gets no event, such as one whose access has ended, wait for what the user
// does get ([protocol.TypeRemoved], or the error of [Member.Refused]), and then call
// [Member.Silent].
//
// A [Sink] is the connection alone, for tests of what is written and when: with a window of bytes,
// a [Hold] that stops the hub in the middle of a write, and frames that are lines of text.
//
// # Tests
//
// TestFailures calls each method of [Member] in a case where it must fail the test. TestFaults
// breaks each rule of [room.Sink] once.
package roomtest
