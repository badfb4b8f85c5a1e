// Package room makes plans live: it keeps one room per plan, delivers events to everybody in it in one order, knows who is
// there, and lets those who were away catch up. It knows neither sockets nor HTTP: a transport hands it
// connections as a [Sink] through [Hub.Connect].
//
// # The model
//
// There is no queue per connection. A room owns a bounded log of events, each encoded once; a member of the room is a cursor
// into that log. To deliver is to write what comes after the cursor and to move it. A cursor at the end is live. A cursor put
// where a client says it was resumes. A cursor that lags is slow: it holds no memory and costs nobody anything.
// A cursor whose next event has been dropped from the log has missed something: its client is sent resync, and it goes on
// at the end.
//
// # Promises
//
//   - Order: everybody in a room hears its events in the order of the Broadcast calls, and presence notices in one order with them.
//   - No silent loss: every event carries the seq of the one before it; who missed one is told to reload, live or at the next join.
//   - A user never hears a plan that Authorize denied, nor, once [Hub.Revoke] has returned, one that was taken away.
//   - [Hub.Broadcast] waits for no reader. A stalled connection delays nobody, and is closed (4508) after Options.WriteTimeout
//     without an accepted byte; until then its events wait in the log that everybody shares.
//   - Presence is true: a user is one participant however many connections, a reload within Options.Linger is silent, and a
//     connection that vanished without a word is out within Options.PingEvery plus Options.PingTimeout.
//   - Memory is bounded by Options, whatever clients do: history by HistoryTotal, answers and Notify events by QueuePerConnection
//     and QueuePerUser.
//   - After [Hub.Shutdown] no goroutine is left, except those of callbacks that do not return
//     ([ErrCallback]).
//
// What an event's delivery does not promise: that a change was committed (call Broadcast after the commit), or
// that a commit was told (a crash between the two loses the event; clients load the plan when they come back to another epoch).
//
// # Goroutines
//
// A hub at rest has none, a connection at rest only the transport's reader. A room's pump runs while something is undelivered, one for
// each 1,024 members; a connection's worker while its messages are handled; a connection's flusher from the moment its
// socket is full until it has caught up. One runtime timer serves all deadlines of a hub. Shutdown waits for all of them.
//
// # Locks
//
// Taken in this order: room.mu, Session.mu, writer.mu, account.mu; then Hub.evictMu, member.checkMu, timers.mu.
// Hub.mu is never held together with room.mu, so a busy room delays no other. No callback of the host, no Observer and no blocking call of a Sink runs under any of them. Besides
// these a connection has a token (writer.busy), never waited for: who finds it taken leaves a note for its holder.
package room
