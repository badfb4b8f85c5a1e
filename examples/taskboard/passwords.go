package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// A password has at least 8 characters, and at most the 72 bytes that bcrypt reads.
const (
	minPasswordRunes = 8
	maxPasswordBytes = 72
)

const (
	// passwordWait is how long a login waits for its comparison to start.
	passwordWait = 2 * time.Second
	// maxPasswordQueue is how many logins may wait at once.
	maxPasswordQueue = 64
)

// errBusy reports that a password was not compared: too many other logins are in progress.
var errBusy = errors.New("too many logins in progress")

// passwords hashes passwords and compares them. It is safe for concurrent use.
type passwords struct {
	cost  int
	dummy []byte // compared with the password of an unknown user
	// slots is a semaphore for comparisons. Each one takes a quarter of a second of processor time;
	// without a limit, a flood of logins would leave none for other requests.
	slots chan struct{}
	queue chan struct{} // a semaphore for the logins that wait for a slot
}

func newPasswords(cost int) (*passwords, error) {
	dummy, err := bcrypt.GenerateFromPassword([]byte("nobody has this password"), cost)
	if err != nil {
		return nil, err
	}
	return &passwords{
		cost:  cost,
		dummy: dummy,
		slots: make(chan struct{}, max(1, runtime.NumCPU()/2)),
		queue: make(chan struct{}, maxPasswordQueue),
	}, nil
}

func (p *passwords) hash(password string) ([]byte, error) {
	if len([]rune(password)) < minPasswordRunes || len(password) > maxPasswordBytes {
		return nil, fmt.Errorf("a password has at least %d characters and at most %d bytes",
			minPasswordRunes, maxPasswordBytes)
	}
	return bcrypt.GenerateFromPassword([]byte(password), p.cost)
}

// match reports whether hash is the hash of password. A nil hash, of an unknown user, takes the
// same time, so that the answer does not reveal who has an account. It waits up to passwordWait
// for other comparisons to finish. Errors: errBusy, or that of ctx; then nothing was compared.
func (p *passwords) match(ctx context.Context, hash []byte, password string) (bool, error) {
	if err := p.acquire(ctx); err != nil {
		return false, err
	}
	defer func() { <-p.slots }()
	known := hash != nil
	if !known {
		hash = p.dummy
	}
	err := bcrypt.CompareHashAndPassword(hash, []byte(password))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	// bcrypt ignores what follows the first 72 bytes, so a longer password may match by mistake.
	return err == nil && known && len(password) <= maxPasswordBytes, err
}

// acquire takes a slot.
func (p *passwords) acquire(ctx context.Context) error {
	select {
	case p.queue <- struct{}{}:
		defer func() { <-p.queue }()
	default:
		return errBusy
	}
	timer := time.NewTimer(passwordWait)
	defer timer.Stop()
	select {
	case p.slots <- struct{}{}:
	case <-timer.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil { // both were ready: the client has gone
		<-p.slots
		return err
	}
	return nil
}
