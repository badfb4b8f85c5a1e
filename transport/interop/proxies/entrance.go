package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/interop/internal/plans"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// entrance is a port of a proxy.
type entrance struct {
	name    string // header of its column in the table
	addr    string
	path    string // "": /ws
	tls     *tls.Config
	backend *backend

	checks []check
	idles  idling
}

// idling is the expected end of an idle connection.
type idling int

const (
	never idling = iota
	stays        // the connection stays open until the server shuts down
	cut          // the server sends no pings, so the proxy closes the connection
)

// margin is how much longer than the idle time a connection may stay open.
const margin = time.Minute

// check runs all checks and adds their results to t. It calls open when the server may shut down.
func (e *entrance) check(ctx context.Context, idle time.Duration, t *table, open func()) {
	defer open()
	var checks sync.WaitGroup
	for _, c := range e.checks {
		checks.Go(func() { t.add(c.name, e.name, c.run(ctx, e)) })
	}
	defer checks.Wait()
	switch e.idles {
	case stays:
		conn, err := e.idle(ctx, idle)
		t.add(fmt.Sprintf("idle for %v", idle), e.name, err)
		if err != nil {
			return
		}
		checks.Wait()
		open()
		t.add("4503 at shutdown", e.name, ended(conn, protocol.CloseShutdown))
	case cut:
		t.add(fmt.Sprintf("without pings: ended within %v", idle), e.name, e.cut(ctx, idle))
	}
}

// idle opens a connection and sends nothing but pongs. An event must arrive at the end.
func (e *entrance) idle(ctx context.Context, idle time.Duration) (*transporttest.Conn, error) {
	conn, plan, err := e.join(ctx, "idle", idle+margin)
	if err != nil {
		return nil, err
	}
	timer := time.AfterFunc(idle, func() { _, _ = e.backend.Hub.BroadcastTaskDeleted(ctx, plan, "7") })
	defer timer.Stop()
	if _, err = next(conn, protocol.TypeTaskDeleted); err == nil && idle > 30*time.Second && conn.Pings() == 0 {
		err = errors.New("no ping arrived")
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("after %d pings: %w", conn.Pings(), err)
	}
	return conn, nil
}

// cut opens a connection and waits until the proxy closes it. That must happen before idle has
// passed, and without a close frame.
func (e *entrance) cut(ctx context.Context, idle time.Duration) error {
	conn, _, err := e.join(ctx, "cut", idle)
	if err != nil {
		return err
	}
	return ended(conn, protocol.CloseAbnormal)
}

// client describes a connection to open.
type client struct {
	user    string        // "": the token is invalid
	origin  string        // "": none
	size    int           // of the token, in bytes; 0: small
	cookies int           // bytes of cookies
	expires time.Duration // lifetime of the token; 0: long
	timeout time.Duration // of the connection; 0: the default of transporttest
}

// refusedError is an HTTP status other than 101.
type refusedError int

func (e refusedError) Error() string { return fmt.Sprintf("HTTP %d", int(e)) }

func (e *entrance) dial(ctx context.Context, c client) (*transporttest.Conn, error) {
	token := "invalid"
	if c.user != "" {
		lifetime := time.Hour
		if c.expires > 0 {
			lifetime = c.expires
		}
		token = e.backend.Token(e.name+" "+c.user, lifetime, c.size)
	}
	h := http.Header{
		"Host":                   {e.host()},
		"Accept-Encoding":        {"gzip, deflate, br"},
		"Sec-WebSocket-Protocol": {strings.Join(plans.Subprotocols(token), ", ")},
	}
	if c.cookies > 0 {
		h["Cookie"] = []string{"session=" + strings.Repeat("c", c.cookies)}
	}
	if c.origin != "" {
		h["Origin"] = []string{c.origin}
	}
	scheme, path := "ws://", "/ws"
	if e.tls != nil {
		scheme = "wss://"
	}
	if e.path != "" {
		path = e.path
	}
	conn, resp, err := transporttest.Dial(scheme+e.addr+path, &transporttest.Options{Header: h, TLS: e.tls, Timeout: c.timeout})
	if err != nil {
		return nil, err
	}
	if conn == nil {
		return nil, refusedError(resp.StatusCode)
	}
	if err := ctx.Err(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// host returns the Host of requests.
func (e *entrance) host() string {
	if e.tls != nil {
		return publicHost
	}
	return e.addr
}

// origin returns the origin of pages that the proxy serves.
func (e *entrance) origin() string {
	if e.tls != nil {
		return "https://" + publicHost
	}
	return "http://" + e.addr
}

// join opens a connection, reads the greeting, and joins a plan that no other check uses.
func (e *entrance) join(ctx context.Context, user string, timeout time.Duration) (*transporttest.Conn, string, error) {
	conn, err := e.dial(ctx, client{user: user, origin: e.origin(), timeout: timeout})
	if err != nil {
		return nil, "", err
	}
	plan := e.name + " " + user
	request, err := protocol.EncodeRequest(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: plan})
	if err == nil {
		_, err = next(conn, protocol.TypePong)
	}
	if err == nil {
		err = conn.SendText(string(request))
	}
	if err == nil {
		_, err = next(conn, protocol.TypeJoinPlan)
	}
	if err != nil {
		_ = conn.Close()
		return nil, "", err
	}
	return conn, plan, nil
}
