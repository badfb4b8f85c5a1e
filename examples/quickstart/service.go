package main

import (
	"context"
	"log/slog"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
	"github.com/planrooms/planrooms/room"
)

// service is what the routes share. All of it is fixed at creation.
type service struct {
	keys     *signer
	verifier *jwtauth.Verifier
	plans    *plans
	hub      *room.Hub
	log      *slog.Logger
}

// newService returns a service that will be reached under url. Its verifier must be closed.
func newService(keys *signer, url string, log *slog.Logger) (*service, error) {
	verifier, err := jwtauth.New(&jwtauth.Options{
		JWKSURL:      url + jwksPath,
		Algorithms:   []jwtauth.Algorithm{jwtauth.RS256},
		Issuer:       issuer,
		Audience:     audience,
		Logger:       log,
		InsecureHTTP: true, // the URL is this process's own: no network lies in between
	})
	if err != nil {
		return nil, err
	}
	s := &service{keys: keys, verifier: verifier, plans: newPlans(), log: log}
	s.hub = room.NewHub(&room.Options{Authorize: s.mayJoin, Logger: log})
	return s, nil
}

// mayJoin is the question that the hub asks at every join, after every renewal, and every few minutes. A plan that does not exist
// and a plan of others get the same answer.
func (s *service) mayJoin(_ context.Context, id auth.Identity, planID string) error {
	if s.plans.find(planID, id.UserID) == nil {
		return room.ErrForbidden
	}
	return nil
}
