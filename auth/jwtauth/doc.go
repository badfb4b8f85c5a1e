// Package jwtauth verifies signed JSON Web Tokens (RFC 7519) for package auth.
//
//	verifier, err := jwtauth.New(&jwtauth.Options{
//		JWKSURL:  "https://login.example.com/.well-known/jwks.json",
//		Issuer:   "https://login.example.com/",
//		Audience: "plans",
//	})
//
// # Checks
//
// [Verifier.Verify] checks a token in this order, cheap checks first:
//
//   - Its size (auth.MaxTokenBytes) and form: three parts of unpadded base64url, the first two of
//     them JSON objects, and no name twice in any object. It refuses encrypted tokens, nested
//     tokens, and tokens with a crit header.
//   - Its algorithm: one of a fixed list, and one that the type of the key allows. The header of
//     the token only selects among these, so a public key never serves as an HMAC secret, and
//     "none" is not an algorithm.
//   - Its claims: the user ID (Options.UserIDClaim, by default sub; required), the session ID
//     (Options.SessionIDClaim, by default sid; optional), iss and aud (if Options sets them), nbf
//     and iat (with 30 s of clock skew), and Options.RequiredClaims. For kid, sid, nbf and iat,
//     null counts as absent.
//   - Its signature, with the keys that the token may have been signed with.
//   - Its expiry: exp is required and is checked without clock skew. This check is the last, so an
//     auth.ExpiredError means that the token is valid in every other respect.
//
// # Keys
//
// The keys of a token are those with the ID that its kid header names, if there are any. Otherwise
// they are the keys without an ID; for a token without kid, all keys. Of these, Verify tries the
// first 4 that serve the token's algorithm. So during a rotation two keys may share an ID, and
// tokens need not name their key. Verify never uses the headers jku, x5u, jwk and x5c.
//
// Keys come either from Options.Keys or from Options.JWKSURL. The first token fetches the key set
// from the URL. A set older than Options.RefreshInterval is fetched again in the background while
// tokens are verified with the old one. If the URL fails, the last good set remains in use until it
// is Options.MaxAge old. Without a set, Verify accepts nothing and returns an
// auth.UnavailableError.
//
// # Key rotation
//
// A token that no key matches may have been signed with a key that was published after the last
// fetch. Verify then fetches the set again and checks the token with the new one. Anyone can make
// such tokens, so all of them together cause at most one fetch in 30 s, or in 1 s while there is no
// set. What happens if no fetch may be made yet depends on the token:
//
//   - If no key has the token's kid, or the token has none, Verify returns an
//     auth.UnavailableError with the time until the next fetch. Only a fetch that began after the
//     token arrived makes the token invalid. So a flood of invalid tokens delays a valid token with
//     a new key by at most 30 s, and never makes it invalid.
//   - If a key has the token's kid, the token is invalid. So when an issuer changes a key and keeps
//     its ID, new tokens may be refused for up to 30 s. Issuers should give each key a new ID.
//
// An expired token does not wait for a fetch: no key can make it valid.
//
// # Tests
//
// These tests of this package prove what the sections above promise:
//
//	checks and their order        TestVerifyBadTokens, TestVerifyGoodTokens, TestVerifyTimes
//	algorithms and key types      TestVerifyAlgorithms, TestVerifyNarrowedAlgorithms
//	keys of a token               TestKeySelection, TestSeveralKeysFit
//	jku, x5u, jwk and x5c         TestJWKSHeadersAreNotFollowed
//	fetches of the key set        TestJWKSIsFetchedOnFirstUse, TestJWKSRefreshDelaysNoKnownKey
//	a URL that fails              TestJWKSOutageKeepsTheLastGoodSet, TestJWKSColdStart
//	key rotation                  TestRotation, TestUnknownKey, TestRotationWithTheSameKeyID
//	floods of invalid tokens      TestFlood, TestFloodOverHTTP
//	expired tokens do not wait    TestJWKSExpiredToken
//	errors contain no token       TestErrorsDoNotQuoteTokens
package jwtauth
