// Package auth says who is on the other end of a connection.
//
// A [Verifier] takes the token that a client presented and answers with an
// [Identity], or with one of four kinds of error, which callers tell apart with
// errors.Is and errors.As:
//
//   - [ErrNoToken]: there was nothing to verify.
//   - [ErrInvalidToken]: the token is not one of ours. Asking again is no use.
//   - [ExpiredError]: it was one of ours, until a stated moment. A new one is needed.
//   - any other error: an outage. The verifier cannot tell at present, which says
//     nothing about the token; the client may come back with the same one.
//
// Package auth/jwtauth verifies JSON Web Tokens. A host with a session store of
// its own implements [Verifier], mostly through [VerifierFunc]; a host with both
// combines them with [FirstOf].
//
// Nothing here logs, and no error of this module contains a token or a part of one.
package auth
