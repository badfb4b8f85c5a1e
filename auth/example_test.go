package auth_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/planrooms/planrooms/auth"
)

// A host with a session store of its own.
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

// An outage of the first verifier is not taken for a bad token.
func ExampleFirstOf() {
	down := auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) {
		return auth.Identity{}, errors.New("session store: connection refused")
	})
	guests := auth.Static(map[string]auth.Identity{"guest-7": {UserID: "guest:7", Name: "Guest"}})

	_, err := auth.FirstOf(down, guests).Verify(context.Background(), "guest-7")
	fmt.Println(err, errors.Is(err, auth.ErrInvalidToken))
	id, err := auth.FirstOf(guests, down).Verify(context.Background(), "guest-7")
	fmt.Println(id.Name, err)
	// Output:
	// session store: connection refused false
	// Guest <nil>
}
