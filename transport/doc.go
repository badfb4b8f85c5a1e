// Package transport connects WebSocket clients to a [room.Hub] through net/http.
//
//	mux.Handle("GET /ws", transport.NewHandler(hub, verifier, nil))
//
// # The life of one request
//
//  1. Origin. A page must come from the host and port of the request, or from an origin that
//     Options list; any other is answered 403. [Options] has the whole rule. Clients other than
//     browsers send no Origin and are accepted, unless a cookie authenticates them.
//  2. Handshake. A request that is not a WebSocket upgrade over HTTP/1.1 gets a 4xx answer. So does a malformed
//     client id (?client=), and a request that offers subprotocols and not planrooms.v1. A client may offer none.
//  3. Token. It is the first of these that is present: Authorization: Bearer; the subprotocol
//     base64url.bearer.planrooms.<token>; ?token=; the cookie of Options.CookieName. A bad one is not followed by the
//     next. Options.Authenticate replaces all of this.
//  4. Verify. The [auth.Verifier] returns the identity. The answer to a missing, invalid or expired
//     token is 401. The answer to every other error, a timeout and a panic is 503, with the time
//     after which to retry: 1 to 5 s, or the RetryAfter of an [auth.UnavailableError] and up to 4 s
//     more, at most 30 s.
//  5. Limits. Options.MaxConnections.
//  6. Hijack. The connection is taken over from net/http. If a middleware makes that impossible, the
//     answer is 500, and an error in the log names the types of the ResponseWriters.
//  7. Connect. The hub admits the connection, or refuses it for a limit of its own. Admission comes
//     after the hijack: an upgrade that fails must not replace a connection that works.
//  8. Answer. The 101 and the first message are one write, and the handler returns.
//
// A client that is refused in steps 3 to 5 and 7 gets 401, 429 or 503. A browser does not show that to
// its page, so a request with an Origin is upgraded, gets a goodbye message and a close code, and is
// closed: 4401, 4429, 4500 or 4503. [room.Stats] counts the refused requests by reason, and
// [room.Observer] has a function for them.
//
// # Middleware
//
// The handler writes its 101 to the connection itself, as other WebSocket libraries do. Headers that
// middleware has set on the ResponseWriter are therefore not sent with it, nor with a refusal in step 7;
// they are sent with every earlier refusal. Middleware that logs requests sees a hijacked connection, and
// records the status that it records for those: often 200, 0 or 101. Bytes that middleware has left in
// the hijacked writer are discarded, deadlines on the connection are removed.
//
// A ResponseWriter that wraps another needs a Hijack method that works, or an Unwrap method.
// [http.TimeoutHandler] has neither.
//
// # The life of one connection
//
// From then on one goroutine reads. It hands each text message to the [room.Session]; a binary message, one that is not UTF-8,
// and one over 32 KiB close the connection with 1003, 1007 and 1009. Nothing of the request is kept.
//
// The frames of a client are held to RFC 6455 (sections 5.1 to 5.5) before the WebSocket library gets them. One that is not
// masked, has a reserved bit or opcode, is out of order, or has a length not in the minimal number of bytes closes the
// connection with 1002. Bytes after the client's close frame are ignored. A message may take 60 seconds from its first byte
// to its last, and so may a control frame: then the connection is closed with 4408.
//
// An idle connection is its socket, that goroutine, and a read buffer of 160 bytes. The WebSocket library keeps a goroutine
// and buffers of its own for each connection, more memory than everything else. So a connection has the library only
// while a message arrives, and releases it when the message has ended and no further frame is there.
//
// All writing is the session's: events are framed once for all connections and go to the socket directly, without blocking and
// without passing through the WebSocket library. The library takes messages out of
// frames and answers pings and close frames; its answers go to the session, which writes them between
// two frames. So exactly one close frame is ever sent, and nothing after it.
//
// Over TLS, and on systems where a socket cannot be written to in this way, every write comes from a goroutine that ends when it is done.
//
// # Beside the connection
//
// [Author] reads from a REST request who made a change, so that the tab that made it gets a receipt
// instead of the event. [HideToken] keeps tokens in URLs out of the host's logs. [Inspect] shows an
// operator the rooms and who is in them.
package transport
