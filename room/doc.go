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
// # Access
//
// Options.Authorize is called at each join, at regular times for each member, and for all members of a
// connection after it has renewed its token. At most Options.AuthorizeParallel calls run at once, at most 8
// of them for one user. Further calls wait in a queue in which the users take turns; joins and
// rechecks have a queue each. A member is removed when Authorize says no, or has not said yes for
// Options.ReauthorizeEvery and Options.RemoveAfter, whatever the state of the queue and of
// Authorize. [Stats], the Observer and the log show failing and late checks.
//
// # Goroutines
//
// A hub at rest has none, a connection at rest only the reader of the transport. A room's pump runs
// while something is undelivered, one for each 1,024 members. A connection has workers while its
// messages are handled: one that is free, and one for each call of Authorize or of the verifier. Its flusher runs
// from the moment its socket is full until it has caught up. A recheck that runs has one goroutine, and
// up to 16 remove members whose access was not confirmed in time. One runtime timer serves all
// deadlines of a hub. Shutdown waits for all of them.
//
// Callbacks that ignore their context and do not return keep their goroutines: at most
// 2 × Options.AuthorizeParallel calls of Authorize, and one call of the verifier for each connection.
//
// # Locks
//
// They are taken in this order, from left to right:
//
//	timers.running (by the timers' goroutine, while a callback runs)
//	room.mu, Session.mu, writer.mu, account.mu
//	checks.mu, and none of those above together with it
//	Hub.evictMu, access.mu, removals.mu, logLimiter.mu, of which no two are held together
//	timers.mu
//
// Hub.mu is never held together with room.mu, so a busy room delays no other. No callback of the host,
// no Observer, no Logger and no blocking call of a Sink runs under any of them. Besides, each connection has a
// write token (writer.busy). No goroutine blocks on it: one that finds it taken queues its work, and the
// holder picks it up.
package room
