// Package client is a Go client of plan rooms, for services, bots and command-line tools that
// follow plans.
//
//	options := &client.Options{Token: client.StaticToken(token)}
//	c, err := client.Dial(ctx, "wss://plans.example/ws", options)
//	...
//	defer c.Close()
//	plan, err := c.Join(ctx, "demo", nil)
//	...
//	for event, err := range plan.All(ctx) {
//		...
//	}
//
// # Connection
//
// A [Client] uses one WebSocket connection for all its plans. [Dial] waits for the connection;
// [Open] returns immediately and connects in the background. When the client loses the connection,
// it reconnects, with an exponential back-off and jitter, or when the server asks it to. It then
// resumes each plan: the server replays the missed events, in order. If the server knows the client
// as another user than before, the client starts each plan again: see [Client.Renew].
//
// A client ends only when reconnecting cannot help: the host disconnected the user, the server
// refused two tokens in a row, or another client uses its client ID ([CloseError] has the reason);
// or when [Client.Close] is called. [Client.Reconnect] and [Client.Renew] restart a client that has
// ended without Close.
//
// # The stream of a plan
//
// [Plan.Next] and [Plan.All] return the items of a plan in the order that all clients see: changes,
// receipts for the program's own changes, and presence. The client drops duplicates, and changes
// with a version below the last one of the same key (see [protocol.EventVersion]). It keeps
// versions across reconnects, up to a Reload that starts the stream again. After that, or at the
// start, an event may be older than the plan that the program has loaded: a program that applies
// changes to what it has compares their versions. The client never omits another change silently:
// where changes are missing, the stream has an item of kind [Reload], which asks the program to
// load the plan:
//
//   - at the start, if the client joined without a position, or has connected as another user;
//   - after an absence that was too long, or a restart of the server;
//   - when the host asked all clients to reload, or the server dropped events;
//   - when the program was too slow. Options.QueueEvents and Options.QueueBytes bound the queue of
//     each plan. When it is full, the client removes presence items; if that is not enough, one
//     Reload replaces all items. A slow reader delays neither the connection nor another plan.
//
// At most one Reload is queued. A second one replaces the first and all items since: the program
// loads what they describe.
//
// The client does not load plans: at a Reload, the program gets the plan from the REST API of the
// host. A change has its content in Data, as JSON such as {"task":{…}}; package protocol lists the
// types of events. All and Next return the error of their context when it ends; the plan remains
// joined, and a further call continues.
//
// The service returns the position of a plan in the body, or in the header X-Plan-Position, from
// where [PositionOf] reads it.
//
// A Reload has the position from which the stream continues. The loaded plan may be newer: then the
// next items describe changes that it already contains. They are those with a seq up to that of the
// position that the program loaded with the plan.
//
// # Tokens
//
// The client asks [Options].Token for a token before it connects, if it has none or one that
// expires soon; 30 s before the token expires, to renew it on the open connection; and after the
// server has refused one. It sends tokens in the header Authorization and in authenticate messages,
// and never logs them. [StaticToken] suits tokens that do not expire. Where they do, write a
// [TokenFunc] that logs in and returns the token with its ExpiresAt:
//
//	options.Token = func(ctx context.Context, _ client.TokenReason) (client.Token, error) {
//		value, expiresAt, err := login(ctx)
//		return client.Token{Value: value, ExpiresAt: expiresAt}, err
//	}
//
// # Goroutines
//
// A client has two goroutines: one dials, writes and keeps the time, one reads. A third one runs
// during each call of Options.Token, and a fourth while the token is being renewed. The WebSocket
// library adds one per connection; a plan has none. [Client.Close] waits for all of them, except
// for a Token function that ignores its context.
//
// # Tests
//
// These tests of this package prove what the sections above promise:
//
//	reconnect and resume          TestResumesAfterACut, TestBackoffIsJitteredAndGrows
//	the delay of the server       TestServerSetsTheRetryDelay
//	another user                  TestAnotherUserStartsOver, TestAnotherUserOnAServer
//	the end of a client           TestFinalCloses, TestSecondRefusalIsFinal
//	a restart after the end       TestReconnectAfterAFinalEnd
//	order, no silent gap          TestStorm, TestHoleIsFilledOnTheSameConnection
//	versions                      TestOutdatedEventIsDropped, TestVersionsEndWithTheStream
//	Reloads                       TestReloadsBeyondTheHistory, TestReloadsFromAnotherServer
//	slow programs                 TestSlowProgramReloads, TestFullQueueDropsPresenceFirst
//	positions in headers          TestPositionOf, TestJoinFromTheHeaderOfASnapshot
//	tokens                        TestTokenIsRenewedInTime, TestTokenIsNotLogged
//	Close, and its goroutines     TestCloseAtEveryMoment, TestHangingTokenFunc
package client
