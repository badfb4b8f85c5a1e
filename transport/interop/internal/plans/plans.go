// Package plans is the plan server of this module's tests. It uses the public API of the library,
// JSON Web Tokens, and a log that tests can read.
package plans

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// Server is a hub and its WebSocket handler. Every user may see every plan.
type Server struct {
	Hub     *room.Hub
	Handler http.Handler
	Log     *Log

	secret []byte
}

// New returns a server with the given options of the hub and the handler, which may be nil. The
// caller must call Hub.Shutdown.
func New(hub *room.Options, handler *transport.Options) (*Server, error) {
	s := &Server{Log: &Log{}, secret: make([]byte, 32)}
	rand.Read(s.secret) // never returns an error
	verifier, err := jwtauth.New(&jwtauth.Options{
		Keys:       []jwtauth.Key{jwtauth.HMAC("", s.secret)},
		Algorithms: []jwtauth.Algorithm{jwtauth.HS256},
	})
	if err != nil {
		return nil, err
	}
	logger := slog.New(s.Log)
	var h room.Options
	if hub != nil {
		h = *hub
	}
	h.Authorize = func(context.Context, auth.Identity, string) error { return nil }
	h.Logger = logger
	s.Hub = room.NewHub(&h)

	var t transport.Options
	if handler != nil {
		t = *handler
	}
	t.Logger = logger
	s.Handler = transport.NewHandler(s.Hub, verifier, &t)
	return s, nil
}

// Token returns a token for a user. The token has between size-3 and size bytes. With size 0, it is
// as short as possible.
func (s *Server) Token(user string, lifetime time.Duration, size int) string {
	claims := map[string]any{"sub": user, "exp": time.Now().Add(lifetime).Unix(), "pad": ""}
	token := s.sign(claims)
	if missing := size - len(token); missing > 0 {
		claims["pad"] = strings.Repeat("x", missing*3/4) // base64 encodes three bytes as four
		token = s.sign(claims)
	}
	return token
}

func (s *Server) sign(claims map[string]any) string {
	b, err := json.Marshal(claims)
	if err != nil {
		panic(err) // cannot happen: strings and numbers
	}
	b64 := base64.RawURLEncoding
	signed := b64.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + b64.EncodeToString(b)
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(signed))
	return signed + "." + b64.EncodeToString(mac.Sum(nil))
}

// Subprotocols returns the subprotocols that a browser offers to send a token.
func Subprotocols(token string) []string {
	return []string{protocol.Subprotocol, fmt.Sprintf("base64url.bearer.planrooms.%s", base64.RawURLEncoding.EncodeToString([]byte(token)))}
}
