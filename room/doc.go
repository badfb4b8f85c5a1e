// Package room makes plans live. It keeps one room per plan, delivers events to all members in one
// order, tracks who is present, and lets clients that were away catch up. It uses neither sockets
// nor HTTP: a transport passes it each connection as a [Sink] through [Hub.Connect].
//
// # The model
//
// A room owns a bounded log of events, each encoded once. A member of the room is a cursor into
// that log, so events need no queue per connection. The hub delivers events by writing those after
// the cursor and moving it. A cursor at the end is live. To resume, the hub sets the cursor to the
// position that the client sends. A cursor that lags is slow, but takes no memory and delays no
// other member. If the next event of a cursor has been evicted, the hub sends resync and moves the
// cursor to the end.
//
// Answers and Notify events do wait in a bounded queue of their connection.
//
// # Promises
//
//   - Order: all members of a room receive its events in the order of the Broadcast calls, and
//     presence notices in one order with them.
//   - No silent loss: every event carries the seq of the one before it. A client that missed an
//     event has to reload: the server sends resync, or says so in the answer to the next join.
//   - A user never receives events of a plan that Authorize denied, nor any after [Hub.Revoke] has
//     returned, as long as Authorize then refuses the user.
//   - [Hub.Broadcast] does not wait for readers. A stalled connection delays no other, and is
//     closed (4508) after Options.WriteTimeout without an accepted byte. Until then its events wait
//     in the log that all members share.
//   - Presence counts users, not connections. A reload within Options.Linger causes no notice, and
//     a connection that vanishes without a close frame is removed within Options.PingEvery plus
//     Options.PingTimeout.
//   - Memory is bounded by Options, whatever clients do: history by HistoryTotal, answers and
//     Notify events by QueuePerConnection and QueuePerUser. The number of connections is limited
//     for each user; their total is limited by the transport.
//   - After [Hub.Shutdown] no goroutine is left, except those of callbacks that do not return
//     ([ErrCallback]).
//
// Delivery of an event does not mean that the change was committed: call Broadcast after the
// commit. A crash between the two loses the event. Clients then reconnect to another epoch and load
// the plan.
//
// # Access
//
// Options.Authorize is called at each join, at regular times for each member, and for all members
// of a connection after it has renewed its token. At most Options.AuthorizeParallel calls run at
// once, at most 8 of them for one user. Further calls wait in a queue in which the users take
// turns; joins and rechecks have a queue each. A member is removed when Authorize says no, or has
// not said yes for Options.ReauthorizeEvery and Options.RemoveAfter, whatever the state of the
// queue and of Authorize. [Stats], the Observer and the log show failing and late checks.
//
// # Goroutines
//
// A hub at rest has none, a connection at rest only the reader of the transport. A room's pump runs
// while something is undelivered, one for each 1,024 members. A connection has workers while its
// messages are handled: one that is free, and one for each call of Authorize or of the verifier.
// Its flusher runs from the moment its socket is full until it has caught up. A recheck that runs
// has one goroutine, and up to 16 remove members whose access was not confirmed in time. One
// runtime timer serves all deadlines of a hub. Shutdown waits for all of them.
//
// Callbacks that ignore their context and do not return keep their goroutines: at most 2 ×
// Options.AuthorizeParallel calls of Authorize, and one call of the verifier for each connection.
//
// # Locks
//
// They are taken in this order, from left to right and from top to bottom:
//
//	timers.running (by the timers' goroutine, while a timer's function runs)
//	Hub.mu
//	room.mu, Session.mu, writer.mu, account.mu
//	checks.mu, and none of the line above together with it
//	Hub.evictMu, access.mu, removals.mu, logLimiter.mu, of which no two are held together
//	timers.mu
//	lazyDeadline.mu
//
// No goroutine waits for room.mu while it holds Hub.mu, so a busy room delays no other: Hub.create
// alone holds both, and the room that it creates is free. No callback of the host, no Observer, no
// Logger and no blocking call of a Sink
// runs under any of them. Besides, each connection has a write token (writer.busy). No goroutine
// blocks on it: one that finds it taken queues its work, and the holder picks it up.
package room
