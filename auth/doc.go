// Package auth identifies the user of a connection from the token that the client presents.
//
// A [Verifier] returns an [Identity], or one of five kinds of error. Callers distinguish them with
// errors.Is and errors.As, in this order:
//
//   - [ExpiredError]: the token was valid until the time in the error. The client needs a new one.
//   - [UnavailableError]: the verifier cannot decide at present, for example because it has not
//     fetched the key of the token yet. The client should retry with the same token.
//   - [ErrNoToken]: the client presented no token.
//   - [ErrInvalidToken]: the token is not valid. A retry cannot help.
//   - any other error: the verifier failed, for example because its database is down. The error
//     says nothing about the token, so the client may retry with it.
//
// Package auth/jwtauth verifies JSON Web Tokens. A host with its own session store implements
// [Verifier], usually with [VerifierFunc]. A host with two kinds of token combines two verifiers
// with [FirstOf].
//
// [Identity] has a SessionID, by which a host disconnects one device of a user when it logs out.
//
// This package does not log. The errors of this module contain no token and no part of one:
// TestErrorsDoNotQuoteTokens in jwtauth, TestTokenStaysSecret in transport. TestFirstOf checks the
// order of the errors above.
package auth
