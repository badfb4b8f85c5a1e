package jwtauth

import (
	"strings"
	"time"

	"github.com/planrooms/planrooms/auth"
)

// newIdentity returns the identity in the claims of a valid token. It treats a name or an address
// that is not a valid text as missing.
func (v *Verifier) newIdentity(claims map[string]any, exp time.Time) auth.Identity {
	id := auth.Identity{ExpiresAt: exp, Claims: claims}
	id.UserID, _ = userID(claims[v.userIDClaim])
	id.SessionID, _ = sessionID(claims[v.sessionIDClaim])
	if email, ok := claims["email"].(string); ok && validText(email) {
		id.Email = email
	}
	if name, ok := claims["name"].(string); ok && validText(name) && strings.TrimSpace(name) != "" {
		id.Name = name
	} else if at := strings.LastIndexByte(id.Email, '@'); at > 0 {
		id.Name = id.Email[:at]
	} else {
		id.Name = id.UserID
	}
	return id
}
