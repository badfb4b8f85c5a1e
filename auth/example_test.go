package auth_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/auth"
)

// A host that has its own session store.
func ExampleVerifierFunc() {
	sessions := map[string]string{"s-81f3": "ann"}
	verifier := auth.VerifierFunc(func(ctx context.Context, token string) (auth.Identity, error) {
		user, ok := sessions[token]
		if !ok {
			return auth.Identity{}, fmt.Errorf("%w: no such session", auth.ErrInvalidToken)
		}
		return auth.Identity{UserID: user, Name: user}, nil
	})

	id, err := verifier.Verify(context.Background(), "s-81f3")
	fmt.Println(id.UserID, err)
	_, err = verifier.Verify(context.Background(), "s-0000")
	fmt.Println(errors.Is(err, auth.ErrInvalidToken))
	// Output:
	// ann <nil>
	// true
}

// FirstOf continues after a verifier that cannot decide at present. Another error ends the search:
// the session store may know the token, so FirstOf does not report it as invalid.
func ExampleFirstOf() {
	rotating := auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) {
		return auth.Identity{}, &auth.UnavailableError{RetryAfter: 20 * time.Second}
	})
	down := auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) {
		return auth.Identity{}, errors.New("session store: connection refused")
	})
	guests := auth.Static(map[string]auth.Identity{"guest-7": {UserID: "guest:7", Name: "Guest"}})

	id, err := auth.FirstOf(rotating, guests).Verify(context.Background(), "guest-7")
	fmt.Println(id.Name, err)
	_, err = auth.FirstOf(rotating, guests).Verify(context.Background(), "another")
	var unavailable *auth.UnavailableError
	fmt.Println(errors.As(err, &unavailable), errors.Is(err, auth.ErrInvalidToken))
	_, err = auth.FirstOf(down, guests).Verify(context.Background(), "guest-7")
	fmt.Println(err)
	// Output:
	// Guest <nil>
	// true false
	// session store: connection refused
}
