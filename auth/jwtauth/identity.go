package jwtauth

import (
	"strings"
	"time"

	"github.com/planrooms/planrooms/auth"
)

// identify maps the claims of a good token to an identity. A name or address that
// nobody should have to read counts as missing.
func identify(claims map[string]any, exp time.Time) auth.Identity {
	id := auth.Identity{ExpiresAt: exp, Claims: claims}
	id.UserID, _ = claims["sub"].(string)
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
