package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCredentialsRenew(t *testing.T) {
	logins := 0 // renew calls one after the other
	c, err := loginAll(t.Context(), []string{"ann", "bob"}, func(_ context.Context, user string) (string, error) {
		logins++
		return fmt.Sprint(user, logins), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var renewing sync.WaitGroup
	for i := range 10 { // five of each were refused at once
		renewing.Go(func() {
			if err := c.renew(t.Context(), i, []string{"ann1", "bob2"}[i%2]); err != nil {
				t.Error(err)
			}
		})
	}
	renewing.Wait()
	if logins != 4 || c.token(0) == "ann1" || c.token(7) == "bob2" || c.token(0) != c.token(8) {
		t.Errorf("%d logins, tokens %q; want 4, and new ones", logins, c.tokens)
	}
}

func TestCredentialsGiven(t *testing.T) {
	c := &credentials{tokens: []string{"one", "two"}}
	got := []string{c.token(0), c.token(1), c.token(2)}
	if diff := cmp.Diff([]string{"one", "two", "one"}, got); diff != "" {
		t.Errorf("tokens in turn (-want +got):\n%s", diff)
	}
	if err := c.renew(t.Context(), 0, "one"); !errors.Is(err, errNoLogin) {
		t.Errorf("renew = %v, want %v", err, errNoLogin)
	}
}
