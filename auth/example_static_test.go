package auth_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/planrooms/planrooms/auth"
)

// The users of a test or of a demonstration.
func ExampleStatic() {
	verifier := auth.Static(map[string]auth.Identity{"secret": {UserID: "ann", Name: "Ann"}})

	id, err := verifier.Verify(context.Background(), "secret")
	fmt.Println(id.UserID, err)
	_, err = verifier.Verify(context.Background(), "guess")
	fmt.Println(errors.Is(err, auth.ErrInvalidToken))
	// Output:
	// ann <nil>
	// true
}
