package transport_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/transport"
)

// TestPanicLog makes each callback of the host panic, and checks type, text and stack in the log.
// The log may contain the text only for runtime errors.
func TestPanicLog(t *testing.T) {
	for _, c := range []struct {
		name   string
		panics func()
		want   string
	}{
		{"runtime error", func() { noMap()["x"] = 1 }, "panic: runtime.plainError: assignment to entry in nil map"},
		{"text", func() { panic("secret") }, "panic: string"},
	} {
		verifier := auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) {
			c.panics()
			return auth.Identity{}, nil
		})
		authenticate := func(*http.Request) (auth.Identity, error) {
			c.panics()
			return auth.Identity{}, nil
		}
		for name, options := range map[string]transport.Options{"Verifier": {}, "Authenticate": {Authenticate: authenticate}} {
			t.Run(name+", "+c.name, func(t *testing.T) {
				var log records
				options.Logger = slog.New(&log)
				s := newServer(t, config{options: options, verifier: verifier})
				open(t, s.Server, handshake{token: "opaque"})
				lines := log.at(slog.LevelWarn)
				if len(lines) != 1 || !strings.Contains(lines[0], c.want) || !strings.Contains(lines[0], "TestPanicLog") {
					t.Errorf("log %q, want one line with %q and the stack", lines, c.want)
				}
				if strings.Contains(strings.Join(lines, ""), "secret") {
					t.Errorf("log %q has the text of the panic", lines)
				}
			})
		}
	}
}

// noMap returns a nil map, which linters do not see.
func noMap() map[string]int { return nil }
