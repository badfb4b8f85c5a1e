package main

import (
	"context"
	"log/slog"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

// service is what the routes share. All of it is fixed at creation.
type service struct {
	config    config
	store     *store.Store
	tokens    *tokens
	passwords *passwords
	attempts  *attempts
	live      *live
	log       *slog.Logger
}

// newService returns a service on db, which stays the caller's. Close the service.
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

// close releases what newService made, but for the hub, which drain has shut down by then.
func (s *service) close() { _ = s.tokens.verifier.Close() } // it has nothing under way
