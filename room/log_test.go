package room_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// logBook is where a logger writes.
type logBook struct {
	mu     sync.Mutex // guards the following
	text   bytes.Buffer
	writes int
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes++
	return b.text.Write(p)
}

// The log contains no token, payload, state or text of a panic, at any level, and each record is
// one line.
func TestNothingSecretIsLogged(t *testing.T) {
	const canary = "c4n4ry"
	book := &logBook{}
	d := &diary{}
	g := &authorizer{}
	opts := &room.Options{
		Authorize: g.authorize,
		Logger:    slog.New(slog.NewTextHandler(book, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observer: room.Observer{
			Connect: func(c room.ConnectionInfo) {
				if c.UserID == "panic" {
					panic(canary)
				}
			},
			Broadcast: func(context.Context, room.BroadcastInfo) { panic(fmt.Errorf("%s", canary)) },
			Join:      func(i room.JoinInfo) { d.write("join %s %s", i.Connection.UserID, i.PlanID) },
		},
	}
	verifier := auth.VerifierFunc(func(_ context.Context, token string) (auth.Identity, error) {
		switch {
		case strings.HasPrefix(token, "panic"):
			panic(token)
		case strings.HasPrefix(token, "outage"):
			return auth.Identity{}, errOutage
		}
		return auth.Identity{}, auth.ErrInvalidToken
	})
	evil := "eve\n2026 level=ERROR msg=forged\x1b[31m\u202e"
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		for _, token := range []string{"outage ", "panic ", "bad "} {
			m := roomtest.Connect(t, h, auth.Identity{UserID: evil, Name: evil + canary, Email: canary}, &roomtest.Options{Verifier: verifier})
			m.Join("p", nil)
			setState(m, "p", `"`+canary+`"`)
			if _, err := h.BroadcastTaskUpdated(t.Context(), "p", canary); err != nil {
				t.Fatalf("Broadcast: %v", err)
			}
			m.Send(fmt.Sprintf(`{"type":"authenticate","data":{"token":"%s"}}`, token+canary))
			m.Send(`{"type":"` + canary + `"}`)
			m.Send(canary)
			synctest.Wait()
			m.Cut()
		}
		for _, f := range []func(context.Context, auth.Identity, string) error{
			func(context.Context, auth.Identity, string) error { return errOutage },
			func(context.Context, auth.Identity, string) error { panic(canary) },
		} {
			g.set(f)
			m := connect(t, h, evil, "")
			m.Send(`{"type":"join-plan","planId":"p\u2028"}`)
			synctest.Wait()
		}
		openPipe(t, h, "panic", -1).read()
	})
	book.mu.Lock()
	defer book.mu.Unlock()
	text := book.text.String()
	if strings.Contains(text, canary) {
		t.Errorf("the log contains a secret:\n%s", text)
	}
	for _, want := range []string{"authorization unavailable", "verifier unavailable", "callback panicked", "observer panicked", errOutage.Error()} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not contain %q:\n%s", want, text)
		}
	}
	if lines := strings.Count(text, "\n"); lines != book.writes || strings.ContainsAny(text, "\x1b\u202e\u2028") {
		t.Errorf("%d lines for %d records:\n%s", lines, book.writes, text)
	}
}
