// Package transport connects WebSocket clients to a [room.Hub] through net/http.
//
//	mux.Handle("GET /ws", transport.NewHandler(hub, verifier, nil))
//
// # The life of one request
//
//  1. Origin. A page must come from the host and port of the request, or from an origin that
//     Options list; any other is answered 403. [Options] has the whole rule. Clients other than
//     browsers send no Origin and are accepted, unless a cookie authenticates them.
//  2. Handshake. What is not an upgrade to WebSocket over HTTP/1.1 is answered 4xx, and so is a malformed client id
//     (?client=) or a token as subprotocol without planrooms.v1 beside it.
//  3. Token. It is the first of these that is present: Authorization: Bearer; the subprotocol
//     base64url.bearer.planrooms.<token>; ?token=; the cookie of Options.CookieName. A bad one is not followed by the
//     next. Options.Authenticate replaces all of this.
//  4. Verify. The [auth.Verifier] tells whom the token speaks for. No token, a bad one and an expired one are the client's
//     fault; every other error, a timeout and a panic are not, and the client is asked to come back.
//  5. Limits. Options.MaxConnections, and those of the hub.
//  6. Connect. The hub admits the connection, the request is upgraded, and the handler returns.
//
// Who is refused from step 3 on gets 401, 429 or 503. A browser does not show that to its page, so a request with an Origin is
// upgraded, told in a goodbye message and a close code, and closed: 4401, 4429, 4500 or 4503.
//
// # The life of one connection
//
// From then on one goroutine reads. It hands each text message to the [room.Session]; a binary message, one that is not UTF-8,
// and one over 32 KiB close the connection with 1003, 1007 and 1009. Nothing of the request is kept.
//
// A connection at rest is its socket, that goroutine, and some 160 bytes for what comes next. The WebSocket library is there while something
// is read: it keeps a goroutine and buffers for each connection of its own, more than all the rest of it, so it is let go
// when a message has ended and nothing more has come, and handed the bytes when something comes.
//
// All writing is the session's: events are framed once for all connections and go to the socket directly, without blocking and
// without passing through the WebSocket library. The library does the handshake, takes messages out of frames, and
// answers pings and close frames; its answers are handed to the session, which writes them between two frames. So exactly one
// close frame is ever sent, and nothing after it.
//
// Over TLS, and on systems where a socket cannot be written to in this way, every write comes from a goroutine that ends when it is done.
//
// # Beside the connection
//
// [Author] reads from a REST request who made a change, so that the tab that made it gets a receipt in place of the
// event. [Inspect] shows an operator the rooms and who is in them.
package transport
