package natsengine

import (
	"context"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// A connection that is silent for two pings of this interval is dead. The engine then has time
	// to connect to another server within the tenure of its hub, 9.6 s.
	pingInterval  = 2 * time.Second
	reconnectWait = 100 * time.Millisecond
)

// dialer ends the dialing and the handshake of the first connection with the context of Open.
type dialer struct {
	inner nats.CustomDialer // of the host, or nil
	net   *net.Dialer       // if inner is nil

	mu    sync.Mutex // guards what follows
	ctx   context.Context
	first bool // before done
	stops []func() bool
	wires map[*wire]struct{} // those that are open
}

func (d *dialer) Dial(network, address string) (net.Conn, error) {
	d.mu.Lock()
	ctx := d.ctx
	d.mu.Unlock()
	if ctx.Err() != nil {
		return nil, whyEnded(ctx)
	}
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn}
	w.closed = func() { d.forget(w) }
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wires[w] = struct{}{}
	if d.first {
		d.stops = append(d.stops, context.AfterFunc(ctx, func() { w.Close() }))
	}
	return w, nil
}

// SkipTLSHandshake reports whether the connections of a dialer of the host are encrypted already:
// see [nats.CustomDialer].
func (d *dialer) SkipTLSHandshake() bool {
	inner, ok := d.inner.(interface{ SkipTLSHandshake() bool })
	return ok && inner.SkipTLSHandshake()
}

// forget is called when a connection is closed.
func (d *dialer) forget(w *wire) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.wires, w)
}

// abort closes the connections that are open.
func (d *dialer) abort() {
	d.mu.Lock()
	wires := slices.Collect(maps.Keys(d.wires))
	d.mu.Unlock()
	for _, w := range wires {
		w.Close()
	}
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if d.inner != nil {
		return d.inner.Dial(network, address)
	}
	return d.net.DialContext(ctx, network, address)
}

// done is called when the first connection is made. Later ones are made until life ends.
func (d *dialer) done(life context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ctx, d.first = life, false
	for _, stop := range d.stops {
		stop()
	}
}
