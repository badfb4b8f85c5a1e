package transport_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// loginService issues tokens and publishes its keys over HTTP.
type loginService struct {
	mu      sync.Mutex // guards the following
	keys    []ed25519.PrivateKey
	fetches []time.Time
}

// rotate publishes a new key. issue signs later tokens with it.
func (l *loginService) rotate() {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys = append(l.keys, key)
}

// issue returns a token that is valid for two minutes.
func (l *loginService) issue(user string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return signToken(strconv.Itoa(len(l.keys)-1), l.keys[len(l.keys)-1], user)
}

// issueWith returns a token signed with an unpublished key.
func (l *loginService) issueWith(kid string) string {
	return signToken(kid, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), "stranger")
}

func signToken(kid string, key ed25519.PrivateKey, user string) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(fmt.Appendf(nil, `{"alg":"EdDSA","kid":%q}`, kid)) + "." +
		encode(fmt.Appendf(nil, `{"sub":%q,"exp":%d}`, user, time.Now().Add(2*time.Minute).Unix()))
	return signed + "." + encode(ed25519.Sign(key, []byte(signed)))
}

func (l *loginService) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fetches = append(l.fetches, time.Now())
	var set []string
	for i, key := range l.keys {
		x := base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
		set = append(set, fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","kid":"%d","x":%q}`, i, x))
	}
	fmt.Fprintf(w, `{"keys":[%s]}`, strings.Join(set, ","))
}

// memoryListener accepts in-memory connections, which work inside a bubble of testing/synctest.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// serveInMemory serves HTTP until the test ends.
func serveInMemory(t *testing.T, handler http.Handler) *memoryListener {
	l := &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return l
}

func (l *memoryListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }
