package transport_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// oneConn is a listener that accepts one connection.
type oneConn chan net.Conn

func listenOnce(nc net.Conn) oneConn {
	l := make(oneConn, 1)
	l <- nc
	return l
}

func (l oneConn) Accept() (net.Conn, error) {
	nc, ok := <-l
	if !ok {
		return nil, net.ErrClosed
	}
	return nc, nil
}

func (l oneConn) Close() error { close(l); return nil }

func (l oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// noDeadlines ignores deadlines.
type noDeadlines struct{ net.Conn }

func (noDeadlines) SetDeadline(time.Time) error      { return nil }
func (noDeadlines) SetReadDeadline(time.Time) error  { return nil }
func (noDeadlines) SetWriteDeadline(time.Time) error { return nil }

// TestFrozenPeerInTime uses a peer that receives everything and sends nothing, with an event every
// second. The hub must remove it exactly PingEvery plus PingTimeout after its last byte, also if
// every write blocks.
func TestFrozenPeerInTime(t *testing.T) {
	issuer := httptest.NewTLSServer(nil) // provides a certificate; sockets do not work in a bubble
	config := issuer.TLS.Clone()
	issuer.Close()
	same := func(nc net.Conn) net.Conn { return nc }
	for _, c := range []struct {
		name                     string
		server, hijacked, client func(net.Conn) net.Conn
	}{
		{"wrapper", same, same, same},
		{"wrapper without deadlines", same, func(nc net.Conn) net.Conn { return noDeadlines{nc} }, same},
		{"TLS", func(nc net.Conn) net.Conn { return tls.Server(nc, config) }, same, func(nc net.Conn) net.Conn {
			return tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var code protocol.CloseCode
				hub := room.NewHub(&room.Options{
					Authorize: func(context.Context, auth.Identity, string) error { return nil },
					Logger:    testLogger(t),
					Observer:  room.Observer{Disconnect: func(i room.DisconnectInfo) { code = i.Code }},
				})
				own, peer := net.Pipe()
				wrap := wrapIf(hijackThen(func(nc net.Conn, rw *bufio.ReadWriter) (net.Conn, *bufio.ReadWriter) {
					return c.hijacked(nc), rw
				}))
				srv := &http.Server{Handler: wrap(transport.NewHandler(hub, verifier, &transport.Options{Logger: testLogger(t)}))}
				served := make(chan error, 1)
				go func() { served <- srv.Serve(listenOnce(c.server(own))) }()

				nc := c.client(peer)
				writeHandshake(t, nc, handshake{query: "?wrap", token: tokenOf("ann")})
				br := bufio.NewReader(nc)
				if _, err := http.ReadResponse(br, nil); err != nil {
					t.Fatal(err)
				}
				frozen := newClient(t, transporttest.Upgraded(nc, br))
				frozen.join("p")
				go func() {
					for {
						if _, err := frozen.frame(); err != nil {
							return // the server has closed
						}
					}
				}()
				for range 35 {
					if info, _ := hub.Room("p"); info.Participants != 1 {
						t.Errorf("%d participants, want 1 until the time is up", info.Participants)
					}
					if _, err := hub.BroadcastTaskDeleted(context.Background(), "p", "x"); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
				}
				synctest.Wait()
				if info, _ := hub.Room("p"); info.Participants != 0 {
					t.Errorf("%d participants, want none", info.Participants)
				}
				time.Sleep(5 * time.Second) // the peer does not answer the close frame
				synctest.Wait()
				if code != protocol.CloseTimeout {
					t.Errorf("disconnected with %d, want 4408", code)
				}
				if err := errors.Join(hub.Shutdown(context.Background()), srv.Close()); err != nil {
					t.Error(err)
				}
				if err := <-served; !errors.Is(err, http.ErrServerClosed) {
					t.Error(err)
				}
			})
		})
	}
}
