package load

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// tokenLife is longer than any run.
const tokenLife = 24 * time.Hour

// makeTokens signs a token for each of n users, as the login of a service does. A claim pads a
// token that is shorter than bytes to about that length.
func makeTokens(key ed25519.PrivateKey, n, bytes int) ([]string, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("%w: token key of %d bytes", errConfig, len(key))
	}
	b64 := base64.RawURLEncoding
	header := b64.EncodeToString([]byte(`{"alg":"EdDSA","typ":"JWT"}`))
	now := time.Now()
	tokens := make([]string, n)
	for i := range tokens {
		set := map[string]any{
			"sub":   fmt.Sprintf("user-%05d", i),
			"name":  fmt.Sprintf("User %05d", i),
			"email": fmt.Sprintf("user-%05d@example.com", i),
			"iss":   peer.TokenIssuer,
			"aud":   peer.TokenAudience,
			"iat":   now.Unix(),
			"exp":   now.Add(tokenLife).Unix(),
		}
		claims, err := json.Marshal(set)
		if have := len(header) + b64.EncodedLen(len(claims)+ed25519.SignatureSize); err == nil && have < bytes {
			set["roles"] = strings.Repeat("r", b64.DecodedLen(bytes-have))
			claims, err = json.Marshal(set)
		}
		if err != nil {
			return nil, err
		}
		signed := header + "." + b64.EncodeToString(claims)
		tokens[i] = signed + "." + b64.EncodeToString(ed25519.Sign(key, []byte(signed)))
	}
	return tokens, nil
}
