package load

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// tokenLife is longer than any run.
const tokenLife = 24 * time.Hour

// makeTokens signs a token for each of n users, as the login of a service does.
func makeTokens(key ed25519.PrivateKey, n int) ([]string, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("%w: token key of %d bytes", errConfig, len(key))
	}
	b64 := base64.RawURLEncoding
	header := b64.EncodeToString([]byte(`{"alg":"EdDSA","typ":"JWT"}`))
	now := time.Now()
	tokens := make([]string, n)
	for i := range tokens {
		claims, err := json.Marshal(map[string]any{
			"sub":   fmt.Sprintf("user-%05d", i),
			"name":  fmt.Sprintf("User %05d", i),
			"email": fmt.Sprintf("user-%05d@example.com", i),
			"iss":   peer.TokenIssuer,
			"aud":   peer.TokenAudience,
			"iat":   now.Unix(),
			"exp":   now.Add(tokenLife).Unix(),
		})
		if err != nil {
			return nil, err
		}
		signed := header + "." + b64.EncodeToString(claims)
		tokens[i] = signed + "." + b64.EncodeToString(ed25519.Sign(key, []byte(signed)))
	}
	return tokens, nil
}
