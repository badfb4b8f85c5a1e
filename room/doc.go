// Package room makes plans live. A plan is what users look at together, such as a list of tasks.
// The package keeps one room per plan, delivers events to all members in one order, tracks who is
// present, and lets clients that were away catch up. It uses neither sockets nor HTTP: a transport
// passes it each connection as a [Sink] through [Hub.Connect].
//
// A service needs the sections up to Promises. The author of a transport also needs the last
// section.
//
// # The model
//
// A room owns a bounded log of events, each encoded once and with a position: the epoch of the hub,
// which a restart changes, and a seq that grows within the plan. With Options.Engine the epoch is
// that of the log that all nodes share; the restart of one node does not change it. A member of the
// room is a cursor into the log of the room. The hub delivers events by writing those after the
// cursor and moving it. A cursor at the end is live. To resume, the hub sets the cursor to the
// position that the client sends. A cursor that lags is slow, but takes no memory and delays no
// other member. If the next event of a cursor has been evicted, the hub sends resync and moves the
// cursor to the end.
//
// Events therefore need no queue per connection. Only answers and Notify events wait in one, which
// is bounded.
//
// # For services
//
// [NewHub] creates the hub, and Options.Authorize decides who may see a plan. A service then calls
// the methods of [Hub]:
//
//   - [Hub.Broadcast] and its typed forms publish a change after its commit. [Hub.Notify] sends an
//     event to one user.
//   - [Hub.Position] returns the position that a client needs. Call it before you read the plan,
//     and send it together with the plan.
//   - [Hub.Revoke] and the other methods of the section Access end access early.
//   - [Hub.Room], [Hub.Stats] and [Observer] show what happens, and [Hub.Explain] why a user did
//     not receive an event.
//   - [Hub.Ready] is for the health check of a load balancer, and [Hub.Cluster] shows the other
//     nodes, where Options.Engine shares the rooms between processes: CLUSTER.md.
//   - [Hub.Shutdown] ends the hub.
//
// Code that publishes can take a [Broadcaster]: the hub, or [Discard] where there are no clients.
// If it runs after the request, in a worker or a subscriber of an event bus, an [Author] carries
// the client that made the change there. Package roomtest has members for tests.
//
// # Publishing
//
// A broadcast is not part of the commit. A crash between the two loses the event. Without an engine
// the clients then connect to a hub with another epoch and load the plan. With one they do not
// notice the loss: publish the event again after a restart, from a queue or an outbox, with [Once]
// and a version, or call [Hub.Resync].
//
// Clients receive the events of a plan in the order of the calls of Broadcast, which may differ
// from the order of the commits: two handlers may commit in one order and call Broadcast in the
// other, and an event bus may deliver in any order. All viewers would then keep the older state.
// There are two remedies, which are best combined:
//
//   - Versions. Give each event a [Version]. Clients then drop an older state that arrives after a
//     newer one.
//   - A lock. Hold a lock of the application while you read the task again and call Broadcast, as
//     in the example of [Hub.Broadcast] for an event bus. A row lock of the database ends too
//     early, with the commit.
//
// The lock is enough if one process publishes. Several processes need versions. With an engine, do
// not hold a lock: Broadcast waits for the engine, and so would all calls behind the lock.
//
// Versions leave one case: a client that loads the plan does not know the versions of what it has
// loaded, so it accepts an older event that is published afterwards. In one process, reading the
// task again before each broadcast, under the lock, avoids this. A program that compares the event
// with the version in its data, as patchTasks of the browser client does, needs no lock.
//
// # Access
//
// The hub calls Options.Authorize at each join, at regular times for each member, and for all
// members of a connection after it has renewed its token. Options.AuthorizeParallel limits how many
// calls run at once. If Authorize finds that the login itself has ended, it returns
// [ErrUnauthenticated], which closes the connection with 4401. [Stats], the Observer and the log
// show failing and late checks.
//
// When access changes between two checks, the host calls, after the change is in its database:
//
//	the user has lost one plan                    Revoke
//	the user has lost all plans                   RevokeUser
//	the rights to one plan have changed, for      Recheck: calls Authorize for all members,
//	example because a share link was deleted      with the identities that the hub holds
//	the groups or the role of a user changed      RecheckUser
//	the plan was deleted                          ClosePlan
//	the user has logged out on one device         Disconnect with OnlySession
//	the user has logged out, or was locked out    Disconnect
//	the user has to sign in again                 Disconnect with SignInAgain
//
// # Promises
//
// Each promise names the tests of this package that prove it.
//
//   - Order. All members of a room receive its events in the order of the Broadcast calls, and
//     presence notices in one order with them: TestOrderUnderChurn,
//     TestPresenceKeepsTheOrderOfEvents.
//   - No silent loss. Every event carries the seq of the one before it. A client that missed events
//     receives them when it resumes, or has to reload: the server sends resync, or recovered false
//     in the answer to the join: TestStalledReaderResumesOrResyncs, TestSimulation.
//   - At most once. A connection receives no event twice, nor does a client that resumes:
//     TestResumeIsComplete.
//   - Access denied. A user never receives events of a plan that Authorize denied, nor any after
//     [Hub.Revoke], [Hub.RevokeUser], [Hub.Recheck], [Hub.RecheckUser] or [Hub.ClosePlan] has
//     removed the user and returned, as long as Authorize then refuses the user:
//     TestAuthorizeAtJoin, TestNothingIsWrittenAfterRevoke, TestRevokeUser,
//     TestRecheckWaitsForTheRemoval, TestClosePlan. A join that had called Authorize before calls
//     it again: TestJoinAuthorizedBeforeRevoke, TestJoinAuthorizedBeforeRecheck.
//   - Access unknown. A member is removed at the latest when Authorize has not returned nil for
//     Options.ReauthorizeEvery plus Options.RemoveAfter, however long calls wait or hang:
//     TestMembersLeaveInTimeWhenAuthorizeHangs.
//   - Logout. A connection that [Hub.Disconnect] has closed receives no event after the call has
//     returned: TestDisconnect. A connection whose verification began before is refused:
//     TestDisconnectDuringAVerification.
//   - No waiting. [Hub.Broadcast] does not wait for readers, and a stalled connection delays no
//     other: TestBacklogDoesNotBlockThePump. It is closed (4508) after Options.WriteTimeout without
//     an accepted byte: TestTooSlow.
//   - Presence counts users, not connections: TestSecondConnection. A reload within Options.Linger
//     causes no notice, also for a user with a presence state: TestLinger, TestStateOverAReload. A
//     connection that vanishes without a close frame is removed within Options.PingEvery plus
//     Options.PingTimeout: TestSilentPeer. The hub sends the joins and leaves of 50 ms together:
//     TestJoinsAreBatched. With an engine all nodes show the same participants, in spite of lost
//     messages and of nodes that end or are cut off: TestParticipantsConverge. The users of a node
//     that has crashed leave within 15 s: TestParticipantsOfNodeThatIsGone.
//   - Bounds. Options bound the memory whatever clients do: HistoryTotal that of all histories,
//     QueuePerConnection and QueuePerUser that of answers and Notify events, ConnectionsPerUser the
//     connections: TestHistoryTotalIsTheHeap, TestStalledJoinsUseLittleMemory, TestQueuePerUser,
//     TestConnectionsPerUserAtOnce. The transport limits the total number of connections.
//   - Several instances. With Options.Engine the promises above hold for all nodes together: one
//     order of events, resume on another node, access that has ended everywhere when the call
//     returns, and presence: TestEventsReachAllNodes, TestResumeOnAnotherNode,
//     TestRevokeReachesAllNodes, TestParticipantsOfAllNodes, TestClusterSimulation. An event whose
//     Broadcast failed, and records that the engine loses, make the clients load their plans:
//     TestUncertainEventsAreReplacedByAReload, TestLostRecordsAreTold.
//   - Shutdown. Every member that reads receives all events that have a position, then goodbye:
//     TestShutdown. No goroutine is left after [Hub.Shutdown]: TestShutdownUnderTraffic. Callbacks
//     that do not return are the exception ([ErrCallback]): at most 2 × Options.AuthorizeParallel
//     calls of Authorize, and one call of the verifier for each connection:
//     TestHangingAuthorizeOfManyUsers, TestHangingVerifier.
//
// # For transports
//
// A transport implements [Sink] and passes it to [Hub.Connect]. It calls [Hub.BeginVerification]
// before it verifies the credentials. The one goroutine that reads the connection calls
// [Session.Receive] for each message, [Session.Seen] after each read, and [Session.End] when the
// connection is over. A transport with control frames calls [Session.ControlFrame] for each control
// frame of the peer, and [Session.WriteControl] to answer. [Hub.ReportRefusal] counts the requests
// that the transport did not serve.
//
// The hub writes only through the Sink, never from two goroutines at once, and calls either Finish
// or Close at the end: TestSimulation, TestShortWrites. With ConnectOptions.Hold it writes nothing
// before [Session.Open]: TestHold. A Sink may take any number of the bytes that the hub offers; an
// impossible count ends that connection alone: TestImpossibleCounts.
//
// An idle hub has no goroutine: TestUnusedHub. An idle connection has only the reader of the
// transport.
package room

// The rest is for contributors.
//
// # Parts
//
//	Hub       the rooms and the sessions, and what they share: timers, budget, slots
//	room      one plan: feed + presence + bookkeeping (budget, deletion)
//	feed      the log, and the followers in shards with a pump each; no Session, no Hub
//	presence  the users of a room; data alone: its methods return notices, which the room appends
//	Session   one connection: identity, members, deadlines
//	member    one connection in one room: a follower, a recheck
//	outlet    the sending side of a connection; its states are drawn in outlet.go
//	inbox     the messages of a connection that have not been handled, a lane for each plan
//	access    Options.Authorize with its slots, which joins and rechecks share, and the joins in
//	          flight, so that a change of access reaches them
//	recheck   when one member is checked; an inquiry collects the results for one call of Recheck
//	budget    Options.HistoryTotal: evicts the least recently used rooms
//	cluster   with Options.Engine: the log that the nodes share, and who may write to clients; what
//	          a record does to rooms and connections is in replica.go
//	rosters   with an engine: what each node lists as present, kept equal by messages; a room has
//	          the part of its plan in its presence
//	gate      when the outlets of a node may write what belongs to plans
//	journal   the memberships that ended last, for Hub.Explain
//
// A broadcast appends to the log of a room, wakes the pumps and returns. With an engine it appends
// a record to the log of the cluster, and each node appends it to the room when it reads it there.
// A pump writes one batch to each outlet that is idle. The others fetch from the log when they have
// written what waits. A message goes from Session.Receive through the inbox to a worker, and its
// reply to the outlet.
//
// # Goroutines
//
// A hub at rest has none, a connection at rest only the reader of the transport. A room's pump runs
// while something is undelivered, one for each 1,024 members. A connection has workers while its
// messages are handled: one that is free, and one for each call of Authorize or of the verifier.
// Its flusher runs from the moment its socket is full until it has caught up. A recheck that runs
// has one goroutine, and up to 16 remove members whose access was not confirmed in time. A short
// one ends a connection, resumes its workers, or calls the Observer where the caller holds a lock.
// One runtime timer serves all deadlines of a hub. Shutdown waits for all of them.
//
// With an engine, seven run from NewHub to Shutdown: to open the engine and for Tail, for the
// messages of other nodes, to look at the gate, to send and to take the lists of participants, and
// two that call functions of the Observer. One for Beat runs while the engine is open. A short one
// appends a record about this node, or does the work for a record that ends access; one appends the
// resync records for events that were not stored.
//
// Callbacks that ignore their context and do not return keep their goroutines: at most 2 ×
// Options.AuthorizeParallel calls of Authorize, and one call of the verifier for each connection.
//
// # Locks
//
// A goroutine that holds a lock may take those to the right of the arrow, and no others:
//
//	timers.running  → all others; held while the functions of timers run
//	Hub.mu          → room.mu (of a new room only), budget.mu, timers.mu
//	room.mu         → Session.mu, outlet.mu, account.mu, budget.mu, journal.mu, lockedIndex.mu,
//	                  rosters.mu, timers.mu
//	inbox.mu        → Session.mu, outlet.mu, account.mu, slots.mu, timers.mu
//	recheck.mu      → slots.mu, removals.mu, inquiry.mu, timers.mu
//	outlet.mu       → account.mu, gate.mu, timers.mu
//	Session.mu      → timers.mu
//	cluster.mu      → gate.mu
//	slots.mu        → timers.mu
//
// All others are taken last: account.mu, budget.mu, flights.mu, gate.mu, inquiry.mu, journal.mu,
// lockedIndex.mu, onces.mu, removals.mu, rosters.mu, logLimiter.mu, lazyDeadline.mu, timers.mu. Of
// one kind, a goroutine holds one lock at most. The lock of a room is feed.mu.
//
// No goroutine waits for room.mu while it holds Hub.mu, so a busy room delays no other: Hub.create
// alone holds both, and no other goroutine has the room that it creates. No callback of the host
// (but Options.Clock), no method of the Engine, no Observer, no Logger and no blocking call of a
// Sink runs under a lock other than timers.running. Each connection also has a write token
// (outlet.state). No goroutine blocks on it: one that finds it taken queues its work, and the
// holder picks it up.
