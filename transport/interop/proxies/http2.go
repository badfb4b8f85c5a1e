package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"golang.org/x/net/http2"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/interop/internal/plans"
)

// overHTTP2 checks a proxy that accepts WebSockets on HTTP/2 streams (RFC 8441). Browsers use such
// streams if the proxy offers them. The server sees an upgrade over HTTP/1.1.
var overHTTP2 = check{"WebSocket over HTTP/2", func(ctx context.Context, e *entrance) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	config := e.tls.Clone()
	config.NextProtos = []string{http2.NextProtoTLS}
	t := &http2.Transport{TLSClientConfig: config}
	defer t.CloseIdleConnections()

	body, send := io.Pipe()
	defer func() { _ = send.Close() }()
	const user = "http2"
	r, err := http.NewRequestWithContext(ctx, http.MethodConnect, "https://"+e.addr+"/ws", body)
	if err != nil {
		return err
	}
	r.Host = e.host()
	r.Header = http.Header{
		":protocol":              {"websocket"},
		"Origin":                 {e.origin()},
		"Sec-Websocket-Version":  {"13"},
		"Sec-Websocket-Protocol": {strings.Join(plans.Subprotocols(e.backend.Token(e.name+" "+user, time.Hour, 0)), ", ")},
	}
	resp, err := t.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return refusedError(resp.StatusCode)
	}
	return e.useStream(ctx, struct {
		io.Reader
		io.Writer
	}{resp.Body, send}, e.name+" "+user)
}}

// useStream uses a WebSocket after its handshake, until the server disconnects the user.
func (e *entrance) useStream(ctx context.Context, stream io.ReadWriter, user string) error {
	next := func(want protocol.Type) error {
		b, err := wsutil.ReadServerText(stream)
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", want, err)
		}
		if m, err := protocol.Decode(b); err != nil || m.Type != want {
			return fmt.Errorf("waiting for %s: %s (%v)", want, b, err)
		}
		return nil
	}
	join, err := protocol.EncodeRequest(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: user})
	if err == nil {
		err = next(protocol.TypePong)
	}
	if err == nil {
		err = wsutil.WriteClientText(stream, join)
	}
	if err == nil {
		err = next(protocol.TypeJoinPlan)
	}
	if err == nil {
		_, err = e.backend.Hub.BroadcastTaskUpdated(ctx, user, strings.Repeat("x", 200_000))
	}
	if err == nil {
		err = next(protocol.TypeTaskUpdated)
	}
	if err == nil {
		_, err = e.backend.Hub.Disconnect(ctx, user)
	}
	if err == nil {
		err = next(protocol.TypeGoodbye)
	}
	if err != nil {
		return err
	}
	_, err = wsutil.ReadServerText(stream)
	var closed wsutil.ClosedError
	if !errors.As(err, &closed) || closed.Code != ws.StatusCode(protocol.CloseForbidden) {
		return fmt.Errorf("the connection ended with %v, want code %d", err, protocol.CloseForbidden)
	}
	return nil
}
