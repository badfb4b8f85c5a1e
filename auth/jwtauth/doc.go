// Package jwtauth verifies signed JSON Web Tokens (RFC 7519) for package auth.
//
//	verifier, err := jwtauth.New(&jwtauth.Options{
//		JWKSURL:  "https://login.example.com/.well-known/jwks.json",
//		Issuer:   "https://login.example.com/",
//		Audience: "plans",
//	})
//
// # What is checked
//
// In this order, so that what costs little comes first:
//
//   - The size (auth.MaxTokenBytes) and the form: three parts of unpadded
//     base64url, a JSON object in the first two, no name twice in any object.
//     Encrypted and nested tokens, and those with a crit header, are refused.
//   - The algorithm: one of a fixed list, and one that the key's type allows. What
//     the header says only selects among these, so a public key never serves as
//     the secret of an HMAC, and "none" is not an algorithm.
//   - The claims sub (required: 1 to 256 bytes of UTF-8 without control characters),
//     iss and aud (when Options set them), nbf and iat (30 s of clock skew allowed)
//     and Options.RequiredClaims.
//   - The key: the one that the kid header names. A key without an ID serves for
//     every kid. A token without kid is accepted only if exactly one key fits its
//     algorithm. The headers jku, x5u, jwk and x5c are never followed.
//   - The signature.
//   - The claim exp, required, without any skew. It comes last: only a token that
//     is good in every other respect is answered with an auth.ExpiredError.
//
// # Where keys come from
//
// Either from Options.Keys or from Options.JWKSURL. The key set behind a URL is
// fetched when the first token asks for it, and then kept. Use renews it: a set
// older than Options.RefreshInterval is fetched again while the old one goes on
// serving, so no verification waits for that. A kid that the set does not hold
// has it fetched once more, at most every 30 s whatever tokens arrive, and only
// the tokens with unknown kids wait. When the URL fails, the last good set serves
// until it is Options.MaxAge old. Without a set nothing is accepted, and Verify
// returns [ErrUnavailable].
package jwtauth
