// Package transporttest is a strict WebSocket client for tests of WebSocket servers: of package
// transport, of services that use it, and of the proxies and middleware in front of them.
//
// The client works on raw bytes. It sends anything a test wants to send, valid or not, in pieces of
// any size. It accepts nothing that RFC 6455 does not allow a server to send: a masked frame, a
// reserved bit or opcode, a length that is not minimal, a fragmented or oversized control frame,
// text that is not UTF-8, a close code that must not be sent, a frame after a close frame, a wrong
// Sec-WebSocket-Accept, or a subprotocol or extension that the client has not offered. Each of
// these is a [*ViolationError], which has the section of the RFC.
//
// There are two levels:
//
//   - [Client] is for a test that uses a plan room. [Connect] returns one. Its methods fail the test
//     on an error.
//   - [Conn] returns errors. It is for other goroutines than the test's, for load, and for servers
//     that do not use the protocol of this module. [Dial] opens one by URL, and [NewConn] performs
//     the handshake on any [net.Conn]: TCP, a Unix socket, TLS, or a pipe.
//
// The client supports no extension, so it treats every use of one as a violation.
//
// # Tests
//
// TestViolations violates each rule once, and TestUpgrade those of the handshake. TestFrames reads
// what a server may send. TestClientFails calls each method of [Client] in a case where it must
// fail the test.
package transporttest
