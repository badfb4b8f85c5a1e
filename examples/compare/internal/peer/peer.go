// Package peer holds the implementations that are compared, each used as its own documentation
// recommends: its example or README decides on queues, deadlines and buffer sizes.
package peer

import (
	"crypto/ed25519"
	"fmt"
	"net/http"
	"slices"
)

// Server is one implementation of rooms over WebSocket.
type Server interface {
	// Handler upgrades a request; the connection is then in the room that ?room= names, or asks for
	// it itself.
	http.Handler

	// Publish sends payload, which is JSON, to all connections in the room. It returns when the
	// message is queued or written, and owns payload. It is called from one goroutine.
	Publish(room string, payload []byte) error
}

// Options are what an implementation may need.
type Options struct {
	TokenKey ed25519.PublicKey // signs the tokens that connections come with
}

// Raw is the floor that the others are measured against.
const Raw = "raw"

// Ours is the library that this repository is about.
const Ours = "planrooms"

type constructor struct {
	name string
	make func(Options) (Server, error)
}

// constructors are in the order of the tables.
func constructors() []constructor {
	return []constructor{
		{Ours, newPlanrooms},
		{Raw, newRaw},
		{"gws", newGWS},
		{"gobwas", newGobwasInline},
		{"gobwas-queue", newGobwasQueue},
		{"gorilla", newGorilla},
		{"melody", newMelody},
		{"coder", newCoder},
		{"centrifuge", newCentrifuge},
		{CentrifugePresence, newCentrifugePresence},
		{Metrics, newPlanroomsMetrics},
		{OTel, newPlanroomsOTel},
	}
}

// Names lists the implementations in the order of the tables.
func Names() (names []string) {
	for _, c := range constructors() {
		names = append(names, c.name)
	}
	return names
}

// Default lists the implementations of a run that does not name any.
func Default() []string {
	return slices.DeleteFunc(Names(), func(name string) bool { return name == Metrics || name == OTel })
}

// Modules lists what the implementations are imported from, for a report to name their versions.
func Modules() []string {
	return []string{
		"github.com/lxzan/gws", "github.com/gobwas/ws", "github.com/gorilla/websocket", "github.com/olahol/melody",
		"github.com/coder/websocket", "github.com/centrifugal/centrifuge", "nhooyr.io/websocket", "github.com/lestrrat-go/jwx/v2",
		"github.com/prometheus/client_golang", "go.opentelemetry.io/otel",
	}
}

// New makes an implementation by its name.
func New(name string, o Options) (Server, error) {
	for _, c := range constructors() {
		if c.name == name {
			return c.make(o)
		}
	}
	return nil, fmt.Errorf("peer: unknown implementation %q", name)
}

// roomOf is the room that a request asks for.
func roomOf(r *http.Request) string { return r.URL.Query().Get("room") }
