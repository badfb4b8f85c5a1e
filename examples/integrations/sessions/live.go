// glue: this file

package sessions

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// NewHub returns the hub of a database. End it with its Shutdown, after the HTTP server.
func NewHub(db *DB) *room.Hub {
	return room.NewHub(&room.Options{Logger: slog.Default(), Authorize: func(ctx context.Context, id auth.Identity, planID string) error {
		err := db.MayView(ctx, id.SessionID, planID)
		switch {
		case errors.Is(err, ErrNoSession):
			return room.ErrUnauthenticated
		case errors.Is(err, ErrNotFound):
			return room.ErrForbidden
		}
		return err // of the database: the hub asks again
	}})
}

// socket returns the handler of the WebSocket. It accepts the cookie of the routes.
func socket(db *DB, hub *room.Hub) http.Handler {
	return transport.NewHandler(hub, nil, &transport.Options{Logger: slog.Default(), Authenticate: func(r *http.Request) (auth.Identity, error) {
		s, err := db.session(r)
		if errors.Is(err, ErrNoSession) {
			err = auth.ErrInvalidToken
		}
		return auth.Identity{UserID: s.UserID, Name: s.UserID, SessionID: s.ID, ExpiresAt: s.Expires}, err
	}})
}

// logged logs the error of a call of the hub. The change that it is for is committed all the same.
func logged(_ any, err error) {
	if err != nil {
		slog.Error("live", "error", err)
	}
}
