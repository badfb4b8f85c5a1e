package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/crypto/bcrypt"
)

// A password has 8 characters or more, and no more bytes than bcrypt looks at.
const (
	minPasswordRunes = 8
	maxPasswordBytes = 72
)

// passwords hashes passwords and compares them. It is safe for concurrent use.
type passwords struct {
	cost    int
	nobodys []byte // what the password of an unknown user is compared with
	// slots bounds how many comparisons run at once. One is slow on purpose: without a bound a flood of logins would leave
	// no processor for anything else.
	slots chan struct{}
}

func newPasswords(cost int) (*passwords, error) {
	nobodys, err := bcrypt.GenerateFromPassword([]byte("nobody has this password"), cost)
	if err != nil {
		return nil, err
	}
	return &passwords{cost: cost, nobodys: nobodys, slots: make(chan struct{}, max(1, runtime.NumCPU()/2))}, nil
}

func (p *passwords) hash(password string) ([]byte, error) {
	if len([]rune(password)) < minPasswordRunes || len(password) > maxPasswordBytes {
		return nil, fmt.Errorf("a password has %d characters or more, and %d bytes at most", minPasswordRunes, maxPasswordBytes)
	}
	return bcrypt.GenerateFromPassword([]byte(password), p.cost)
}

// match reports whether the password is the one that was hashed. A nil hash, of an unknown user, takes as long as any other, so that
// nobody can find out who has an account here.
func (p *passwords) match(ctx context.Context, hash []byte, password string) (bool, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	known := hash != nil
	if !known {
		hash = p.nobodys
	}
	err := bcrypt.CompareHashAndPassword(hash, []byte(password))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	// Beyond 72 bytes bcrypt looks at nothing: what is longer is nobody's password.
	return err == nil && known && len(password) <= maxPasswordBytes, err
}
