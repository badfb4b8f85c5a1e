package main

import (
	"context"
	"log/slog"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
	"github.com/planrooms/planrooms/room"
)

// service is shared by the routes. Its fields do not change after creation.
type service struct {
	keys     *signer
	verifier *jwtauth.Verifier
	plans    *plans
	hub      *room.Hub
	log      *slog.Logger
}

// newService returns a service whose address is url. The caller closes its verifier.
func newService(keys *signer, url string, log *slog.Logger) (*service, error) {
	verifier, err := jwtauth.New(&jwtauth.Options{
		JWKSURL:      url + jwksPath,
		Algorithms:   []jwtauth.Algorithm{jwtauth.RS256},
		Issuer:       issuer,
		Audience:     audience,
		Logger:       log,
		InsecureHTTP: true, // the URL is served by this process
	})
	if err != nil {
		return nil, err
	}
	s := &service{keys: keys, verifier: verifier, plans: newPlans(), log: log}
	s.hub = room.NewHub(&room.Options{Authorize: s.mayJoin, Logger: log})
	return s, nil
}

// mayJoin checks access. The hub calls it at every join, after every renewal of a token, and every
// few minutes. The answer is the same for a plan that does not exist and for a plan of others.
func (s *service) mayJoin(_ context.Context, id auth.Identity, planID string) error {
	if s.plans.find(planID, id.UserID) == nil {
		return room.ErrForbidden
	}
	return nil
}
