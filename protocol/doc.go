// Package protocol defines the messages that a server and its clients exchange: their types, their
// payloads, positions and close codes. It encodes and decodes them. No other package reads or
// writes the format. The package has no goroutines, locks, clocks or I/O, so any client or server
// can use it.
//
// # Messages
//
// Messages are UTF-8 JSON in text frames, one message per frame:
//
//	{type, planId?, data?, timestamp?, seq?, prev?, by?, mutationId?, version?}
//
// planId is always at the top level. Clients ignore unknown types and fields, and the server
// ignores unknown fields, so types and fields may be added to a version of the protocol. A change
// that breaks such a client needs a new [Version] and a new [Subprotocol].
//
// # IDs and times
//
// A userId is a string. A planId is 1 to 128 bytes of valid UTF-8 without control characters; plan
// IDs are compared byte by byte. A clientId or mutationId is 1 to 64 characters of [A-Za-z0-9_-].
// Timestamps are in the format of RFC 3339, in UTC, with milliseconds. An epoch is an opaque string
// of 1 to 64 bytes. A seq is an integer below 2^53; 0 means before the first event. The IDs of
// tasks are those of the host: strings, or integers from -(2^53-1) to 2^53-1.
//
// # Connecting
//
// A client connects with GET /ws or GET /ws?client=<clientId>. The server takes the token from the
// first of these that is present, and from no other:
//
//   - the header Authorization: Bearer <token>
//   - a subprotocol base64url.bearer.planrooms.<token in unpadded base64url>, offered together with
//     planrooms.v1
//   - the query parameter token
//   - a cookie whose name the host chooses
//
// The server checks the Origin header first and responds with status 403 if it is not allowed. If
// it refuses a client because of its token or a limit, it responds with 401, 429 or 503. But if
// that client sent an Origin header, the server opens the connection, sends goodbye and closes it,
// because browsers hide from a page why a handshake failed.
//
// A client may offer no subprotocols. If it offers some and planrooms.v1 is not among them, the
// server responds with status 400.
//
// The server sends the first message: a pong with [Hello].
//
// # Messages from the client
//
//	type             fields                        answer
//	join-plan        planId, since? {epoch, seq}   join-plan, or error
//	leave-plan       planId                        leave-plan, or error not_joined
//	ping                                           pong without data
//	authenticate     data.token                    authenticate, or error bad_token
//	update-presence  planId, data.state            only errors: not_joined, bad_state
//
// The server handles the messages of one plan in order, and so it does ping and authenticate.
// Messages of different plans may overtake each other, but no message overtakes an authenticate
// before it.
//
// The state is at most 1,024 bytes of JSON; null clears it. A join-plan for a plan that the
// connection has joined is answered again. It moves the connection to since or, without since, to
// the end. The other participants get no notice of it. An error never closes the connection.
//
// A message may take 60 seconds from its first byte to its last; then the server closes the
// connection with 4408. A frame that RFC 6455 does not allow, such as one whose length is not in
// its minimal form, closes the connection with 1002.
//
// # Messages from the server
//
//	type              data
//	pong              Hello in the first message; none in the answer to ping
//	join-plan         JoinAnswer to the client that joined; Joined or Count to the others
//	leave-plan        LeaveAnswer to the client that left; Left to the others
//	authenticate      Authenticated
//	presence-updated  PresenceUpdated, to all connections except the one that set the state
//	task-updated      {task}, an event
//	task-created      {task}, an event
//	task-deleted      {taskId}, an event; the ID is a string or an integer
//	task-reordered    {taskIds}, an event
//	progress-updated  {progress}, an event
//	(host types)      any JSON, an event
//	receipt           none: the position of an event, to a client that the event excludes
//	resync            Resync: the client must reload the plan
//	error             Error: the answer to a request that the server refuses
//	removed           Removed: the connection has left the plan and remains open
//	goodbye           Goodbye: a close frame with the same code follows
//
// The server sends a [Joined] for the first connection of a user in the plan, and for a new name of
// a user who is present. A client that has the user in its list replaces the name and discards the
// state; a PresenceUpdated follows if there is one.
//
// In a crowded room the server sends a [Count] instead of a notice for each user. A client that
// receives one discards its list of participants. When the room is small again, the server sends a
// [Joined] for each participant.
//
// # Events and positions
//
// An event has a timestamp, a seq and a prev, and, if they are known, by, mutationId and version.
// Within an epoch seq increases, with gaps. prev is the seq of the previous event of the plan. A
// client keeps the seq of the last event: if prev is greater than that, and only then, the client
// has missed events; if seq is not greater, the event is a duplicate. [Chain] applies these rules.
// All clients receive the same bytes, except those that the event excludes. They receive a receipt
// with the same seq and prev: it acknowledges their own change and gives its position.
//
// A version ([EventVersion]) gives the order of changes where it can differ from that of their
// events. A client drops an event whose n is below the last that it received for the same key, in
// an event or a receipt. An equal n passes. It keeps the versions of a plan across reconnects in
// which the server recovered it. It forgets them after recovered false or a resync, because the
// host may have restored an older plan, and when it connects as another user. The server drops no
// event because of its version.
//
// The position in a join answer is where the events of this connection continue: they follow
// position.seq. If the server still has all events after since, recovered is true, position is
// since, and the server replays the missed events, in order, before new ones. Otherwise (no since,
// another epoch, a position that is too old or unknown) recovered is false, position is the current
// end, and nothing is replayed: the client loads the plan. A client takes positions only from join
// answers, events, receipts and resyncs.
//
// Presence messages have no seq and are not replayed. All clients receive them in the same order,
// and in the same order relative to the events of the plan. Notices of the host to one user have
// neither planId nor seq. They reach the connections that are open at that moment, at most once.
//
// # Beside the connection
//
// Three headers belong to the REST API of the host. A request that changes a plan has X-Plan-Client
// and X-Plan-Mutation, the client ID and the mutation ID of the change. The response to a request
// for a plan may have X-Plan-Position, the position of the plan as the text of [Position.String];
// it was asked for before the plan was read.
//
// # Closing
//
// The server sends goodbye before it closes a connection, with three exceptions: when it answers a
// close frame, after a violation of RFC 6455 (close code 1002), and when the socket does not accept
// the message within one second; the server then resets the connection, which the client sees as
// 1006. [CloseCode.Advice] says what a client does after each code. A client stops after two 4401
// in a row.
//
// # Schema
//
// asyncapi.yaml describes the same protocol in AsyncAPI 3. The TypeScript types in
// transport/browser/types are generated from the types of this package. Tests check both against
// the golden frames in testdata.
//
// # Tests
//
// These tests of this package prove what the sections above promise:
//
//	the format of each message      TestGoldenServerFrames, TestGoldenClientFrames
//	unknown fields are ignored      TestDecodeVersionIgnoresFields, TestDecodeRequest
//	malformed messages are refused  TestDecodeRequestErrors, TestDecodeErrors, FuzzDecodeRequest
//	IDs, task IDs, positions        TestIDs, TestTaskIDs, TestPositionAsText
//	gaps, duplicates, receipts      TestChainTake, TestChainSkip, FuzzChain
//	versions                        TestVersionOfAnEvent, TestEncodeEventRefusesABadVersion
//	advice of the close codes       TestAdvice
package protocol
