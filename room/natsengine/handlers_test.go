package natsengine_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/planrooms/planrooms/room/natsengine"
)

// Handlers of the host are called besides those of the engine.
func TestHandlers(t *testing.T) {
	for name, lost := range map[string]func(o *nats.Options, call func()){
		"DisconnectedErrCB": func(o *nats.Options, call func()) {
			o.DisconnectedErrCB = func(*nats.Conn, error) { call() }
		},
		"DisconnectedCB": func(o *nats.Options, call func()) {
			o.DisconnectedCB = func(*nats.Conn) { call() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := one(t, nil)
			calls := make(chan string, 10)
			e, _ := open(t, natsengine.Options{Servers: []string{m.url()}, NATS: []nats.Option{
				nats.ReconnectHandler(func(*nats.Conn) { calls <- "made again" }),
				nats.ClosedHandler(func(*nats.Conn) { calls <- "closed" }),
				func(o *nats.Options) error {
					lost(o, func() { calls <- "lost" })
					return nil
				},
			}}, "a")
			next := func(want string) {
				t.Helper()
				select {
				case got := <-calls:
					if got != want {
						t.Errorf("the handler called is %q, want %q", got, want)
					}
				case <-within(t).Done():
					t.Fatalf("no handler is called, want %q", want)
				}
			}
			m.restart(func(*server.Options) {})
			next("lost")
			next("made again")
			appendAll(t, e, 1, 1)
			e.Close()
			next("lost")
			next("closed")
		})
	}
}
