package main

import (
	"context"
	"log/slog"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

// service is what the routes share. Its fields are fixed before it serves requests.
type service struct {
	config    config
	store     *store.Store
	tokens    *tokens
	passwords *passwords
	attempts  *attempts
	live      *live
	log       *slog.Logger
	demo      []demoAccount // set by prepareDemo, before requests are served
}

// newService returns a service that uses db. The caller closes the service, then db.
func newService(ctx context.Context, db *store.Store, c config, log *slog.Logger) (*service, error) {
	tokens, err := newTokens(ctx, db, c.tokenTTL)
	if err != nil {
		return nil, err
	}
	passwords, err := newPasswords(c.passwordCost)
	if err != nil {
		return nil, err
	}
	return &service{
		config:    c,
		store:     db,
		tokens:    tokens,
		passwords: passwords,
		attempts:  newAttempts(),
		live:      newLive(db, log),
		log:       log,
	}, nil
}

// close releases what newService created, except the hub: call drain first.
func (s *service) close() { _ = s.tokens.verifier.Close() } // it holds no requests
