package peer

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// Tokens name this issuer and this audience.
const (
	TokenIssuer   = "https://login.example.com/"
	TokenAudience = "plans"
)

// planrooms is this repository's library with default options. Connections come with a JSON Web
// Token, whose signature, issuer, audience and times are checked, and enter their room with
// join-plan.
type planrooms struct {
	http.Handler
	hub      *room.Hub
	verifier *jwtauth.Verifier
	context  func() context.Context // of the next broadcast
}

func newPlanrooms(o Options) (Server, error) {
	return newObserved(o, room.Observer{})
}

func newObserved(o Options, observer room.Observer) (*planrooms, error) {
	verifier, err := jwtauth.New(&jwtauth.Options{
		Keys:       []jwtauth.Key{jwtauth.Ed25519("", o.TokenKey)},
		Algorithms: []jwtauth.Algorithm{jwtauth.EdDSA},
		Issuer:     TokenIssuer,
		Audience:   TokenAudience,
	})
	if err != nil {
		return nil, err
	}
	hub := room.NewHub(&room.Options{
		// A host's database is not measured.
		Authorize: func(context.Context, auth.Identity, string) error { return nil },
		Observer:  observer,
	})
	return &planrooms{transport.NewHandler(hub, verifier, nil), hub, verifier, context.Background}, nil
}

func (p *planrooms) Publish(planID string, payload []byte) error {
	_, err := p.hub.BroadcastTaskUpdated(p.context(), planID, json.RawMessage(payload))
	return err
}

// Verify checks one token, as a connection does.
func (p *planrooms) Verify(token string) error {
	_, err := p.verifier.Verify(context.Background(), token)
	return err
}
