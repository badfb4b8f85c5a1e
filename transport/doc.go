// Package transport connects WebSocket clients to a [room.Hub] through net/http.
//
//	mux.Handle("GET /ws", transport.NewHandler(hub, verifier, nil))
//
// # The life of one request
//
//  1. Origin. A page must come from the host and port of the request, or from an origin that
//     Options list; a page of any other origin gets 403. [Options] describes the whole rule.
//     Clients other than browsers send no Origin and are accepted, unless a cookie authenticates
//     them.
//  2. Handshake. A request that is not a WebSocket upgrade over HTTP/1.1 gets a 4xx answer. So does
//     a request with a malformed client ID (?client=), and one that offers subprotocols without
//     planrooms.v1. A client may offer no subprotocol.
//  3. Token. The handler uses the first of these that is present: Authorization: Bearer; the
//     subprotocol base64url.bearer.planrooms.<token>; ?token=; the cookie of Options.CookieName. If
//     that token is bad, it does not try the next. Options.Authenticate replaces this step.
//  4. Verify. The [auth.Verifier] returns the identity. The answer to a missing, invalid or expired
//     token is 401. The answer to every other error, a timeout and a panic is 503, with the time
//     after which to retry: 1 to 5 s, or the RetryAfter of an [auth.UnavailableError] and up to 4 s
//     more, at most 30 s.
//  5. Limits. Options.MaxConnections.
//  6. Hijack. The handler takes the connection over from net/http. If middleware makes that
//     impossible, the answer is 500, and an error in the log lists the types of the
//     ResponseWriters.
//  7. Connect. The hub admits the connection, or refuses it because of a limit of the hub, or
//     because [room.Hub.Disconnect] was called for the user since step 4 began: 403, or 401.
//     Admission comes after the hijack: an upgrade that fails must not replace a working
//     connection.
//  8. Answer. The handler sends the 101 and the first message in one write, and returns.
//
// A client that is refused in steps 3 to 5 and 7 gets 401, 403, 429 or 503. A browser does not show
// the status to its page. The handler therefore upgrades a refused request with an Origin, sends a
// goodbye message, and closes with 4401, 4403, 4429, 4500 or 4503. [room.Stats] counts the refused
// requests by reason, and [room.Observer] has a function for them.
//
// # Middleware
//
// The handler writes its 101 directly to the connection, as other WebSocket libraries do. The 101
// does not contain headers that middleware has set on the ResponseWriter, and neither does a
// refusal in step 7. Every earlier refusal contains them. Middleware that logs requests sees a
// hijacked connection and logs the status that it uses for those: often 200, 0 or 101. The handler
// discards bytes that middleware has left in the hijacked writer, and removes deadlines of the
// connection.
//
// A ResponseWriter that wraps another needs a Hijack method that works, or an Unwrap method.
// [http.TimeoutHandler] has neither.
//
// # The life of one connection
//
// After the upgrade, one goroutine reads the connection. It passes each text message to the
// [room.Session]. A binary message closes the connection with 1003, a text message that is not
// valid UTF-8 with 1007, and a message over 32 KiB with 1009. The connection keeps nothing of the
// request.
//
// The package checks all frames of a client (RFC 6455 sections 5.1 to 5.5). A frame that is not
// masked, has a reserved bit or opcode, is out of order, or has a length that is not minimal closes
// the connection with 1002. Bytes after the client's close frame are ignored. A message may take 60
// seconds from its first byte to its last, and so may a control frame. After that the connection is
// closed with 4408.
//
// An idle connection consists of its socket, its goroutine with a small stack, and a read buffer of
// 160 bytes. The connection itself handles control frames and text messages that fit into this
// buffer. Fragmented, binary and longer messages go through the WebSocket library. The library
// needs another goroutine and buffers, which take more memory than the rest of a connection, so it
// exists only from the first byte of such a message to the last.
//
// Only the session writes. It frames an event once for all connections, and writes it directly to
// the sockets, without blocking and without the WebSocket library. Answers to pings and close
// frames go to the session, which writes them between two frames. The server therefore sends
// exactly one close frame, and nothing after it.
//
// A TLS connection cannot be written to without blocking if its socket is full. On Linux the
// package therefore asks the kernel how much the socket accepts, and writes directly what surely
// fits. What does not fit, and on other systems everything over TLS, is written by a goroutine that
// ends after the write. The same is true where the package cannot write to a socket without
// blocking.
//
// # Beside the connection
//
// [Author] reads from a REST request who made a change, so that the tab that made it gets a receipt
// instead of the event. [CaptureAuthor] keeps that in the request's context, for code that
// broadcasts without the request. [HeaderPosition] brings the position of a plan to the client that
// loads it. [HideToken] keeps tokens in URLs out of the host's logs. [Inspect] is a page for
// operators: rooms, users, slow readers, refusals, and why a user did not receive an event.
//
// # Tests
//
// These tests of this package prove what the sections above promise:
//
//	origins                       TestOriginRule, TestOpaqueOrigins, TestAllowOrigin
//	handshake                     TestConformanceOfHandshakes, TestHandshake
//	token, and no second one      TestToken, TestSubprotocolEcho
//	secrecy of the token          TestTokenStaysSecret, TestHideToken
//	refusals and their codes      TestRefusal, TestReports, TestRetryAfterOfVerifier
//	limits                        TestMaxConnections, TestGoodbyesAreBounded
//	upgrades that fail            TestUpgradeFails, TestFailedUpgradeReplacesNoConnection
//	Disconnect during step 4      TestConnectDuringDisconnect
//	the answer is one write       TestAnswerInOneWrite
//	middleware                    TestMiddleware, TestUpgradeThrough
//	frames                        TestConformance, TestSlowFrames
//	idle connections              TestIdle, TestIdleLosesNothing
//	one close frame               TestOneCloseFrame
//	writes that do not block      TestTLSDoesNotBlock, TestSinkShortWrites
//	the author of a change        TestAuthor
//	Inspect                       TestInspect, TestInspectAccess
//	everything at once            TestPromisesUnderLoad, TestStorm
package transport
