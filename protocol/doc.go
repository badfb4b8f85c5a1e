// Package protocol is what is said on the wire: messages, positions, close codes, and the only code that reads and writes
// their format. It has no goroutine, lock, clock or I/O, so a client or a server in any setting can use it.
//
// Messages are UTF-8 JSON in text frames, one message per frame, in the envelope
//
//	{type, planId?, data?, timestamp?, seq?, prev?, by?, mutationId?}
//
// with planId always at the top level. A client ignores types and fields that it does not know, and so does the server for
// fields: that is how the format may grow within a version. Whatever would break a client that does so gets a new
// [Version] and a new [Subprotocol].
//
// # Ids and times
//
// A userId is a string. A planId is 1 to 128 bytes of valid UTF-8 without control characters, compared by bytes. A clientId or
// mutationId is 1 to 64 of [A-Za-z0-9_-]. Timestamps are RFC 3339, UTC, milliseconds. An epoch is an opaque string of 1 to 64
// bytes, a seq an integer below 2^53, 0 before the first event.
//
// # Connecting
//
// GET /ws[?client=<clientId>]. The token is taken from the first of these that is present: the header Authorization: Bearer; a
// subprotocol base64url.bearer.planrooms.<unpadded base64url of the token> offered together with planrooms.v1; the query parameter
// token; a cookie that the host names. A client with an Origin header that must be refused gets a connection, goodbye and the close
// code, because a browser tells a page nothing else; another client gets 401, 429 or 503.
//
// The server speaks first: pong with [Hello].
//
// # From the client
//
//	join-plan        planId, since? {epoch, seq}   answered by join-plan, or error
//	leave-plan       planId                        leave-plan {success}; error not_joined
//	ping                                           pong without data
//	authenticate     data.token                    authenticate {success, expiresAt}; error bad_token
//	update-presence  planId, data.state            error not_joined or bad_state; null clears; at most 1,024 bytes
//
// The server handles the messages of one plan in the order in which they came, and so it does ping and
// authenticate. Messages of different plans may overtake each other, but none overtakes an authenticate
// that came before it.
//
// A repeated join-plan is answered again, is told to nobody, and moves the connection to since if given; without since to the
// end. An error never closes the connection.
//
// # To the client
//
//	pong              hello, or the answer to ping
//	join-plan         to the joiner [JoinAnswer]; to the others [Joined], or [Count] alone in a crowded room
//	leave-plan        to the leaver [LeaveAnswer]; to the others [Left]
//	presence-updated  [PresenceUpdated], to everybody but the sending connection
//	task-updated, task-created {task}, task-deleted {taskId}, task-reordered {taskIds}, progress-updated {progress}, the host's own: events
//	receipt           the place of an event that this client is excepted from
//	resync            [Resync]: reload the plan
//	error             [Error]
//	removed           [Removed]: no longer in this plan; the connection stays
//	goodbye           [Goodbye]: the close frame that follows has the same code
//
// A client that gets a [Count] no longer knows who is there, only how many, and drops its list. Once the room is no longer crowded
// everybody who is there is told again with [Joined].
//
// # Events and positions
//
// Events carry timestamp, seq, prev, and where known by and mutationId. Within an epoch seq grows, with gaps; prev is the seq of the
// event before it in this plan, so a client that keeps its last seq sees a hole at once. Everybody gets the same bytes, but
// a client that is excepted gets a receipt with the same seq and prev: its own change, acknowledged and in its place.
//
// A join answer's position is where the stream goes on: the next event has prev = position.seq. With a since that can be
// honoured recovered is true, position is since, and what was missed follows at once, in order, before what is new. With
// none, of another epoch, too old or unknown, recovered is false, position is the current end, and nothing is replayed: load the
// plan. A client keeps positions from a join answer, an event, a receipt or a resync, and from nothing else.
//
// Presence messages carry no seq and are not replayed; they come in the one order of the room together with its events.
// Private notices of the host have neither planId nor seq and reach live connections only, at most once.
//
// # Closing
//
// goodbye comes before every close that the server starts, except as the answer to the client's own close frame, after broken
// framing (1002 alone), and where the socket takes nothing within a second: then it is cut, and the client sees 1006. What
// each code asks of the client is in [CloseCode.Advice]. A second 4401 in a row is final for the client.
//
// # Other forms
//
// asyncapi.yaml beside this file says the same for machines (AsyncAPI 3), and TypeScript types are made from these structs, in
// transport/browser/types. Tests hold both to the golden frames in testdata.
package protocol
