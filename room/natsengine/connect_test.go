package natsengine_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/planrooms/planrooms/room/natsengine"
)

// works fails the test unless an engine with the options opens, stores and reads. It returns the
// engine.
func works(t *testing.T, o natsengine.Options) *natsengine.Engine {
	t.Helper()
	e, _ := open(t, o, "a")
	appendAll(t, e, 1, 3)
	follow(t, e, 0).wait(3)
	if _, _, err := e.Beat(within(t), []byte("note")); err != nil {
		t.Error(err)
	}
	return e
}

// certificate returns a certificate for servers and clients at 127.0.0.1, and a pool that trusts
// it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TLS that the server demands: with its certificate, and one of the client.
func TestTLS(t *testing.T) {
	own, trusted := certificate(t)
	m := one(t, func(o *server.Options) {
		o.TLSConfig = &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted}
	})
	client := &tls.Config{RootCAs: trusted, Certificates: []tls.Certificate{own}}
	works(t, natsengine.Options{Servers: []string{m.url()}, TLS: client})
	works(t, natsengine.Options{Servers: []string{"tls://" + m.address()}, TLS: client, Prefix: "second"})

	wantText(t, openError(t, within(t), natsengine.Options{Servers: []string{m.url()}}, "test"), "certificate signed by unknown authority")
	wantText(t, openError(t, within(t), natsengine.Options{Servers: []string{m.url()}, TLS: &tls.Config{RootCAs: trusted}}, "test"), "tls")
	plain := one(t, nil)
	wantText(t, openError(t, within(t), natsengine.Options{Servers: []string{plain.url()}, TLS: client}, "test"), "secure connection not available")
}

// encrypted is a dialer of a host that does TLS itself, as behind a proxy that expects it first.
type encrypted struct{ config *tls.Config }

func (d encrypted) Dial(network, address string) (net.Conn, error) {
	return tls.Dial(network, address, d.config)
}

func (encrypted) SkipTLSHandshake() bool { return true }

// TLS before the first message, by nats.go and by a dialer of the host.
func TestTLSHandshakeFirst(t *testing.T) {
	own, trusted := certificate(t)
	m := one(t, func(o *server.Options) {
		o.TLSConfig = &tls.Config{Certificates: []tls.Certificate{own}}
		o.TLSHandshakeFirst = true
	})
	client := &tls.Config{RootCAs: trusted}
	works(t, natsengine.Options{Servers: []string{m.url()}, TLS: client, NATS: []nats.Option{nats.TLSHandshakeFirst()}})
	works(t, natsengine.Options{
		Servers: []string{m.url()}, Prefix: "second",
		NATS: []nats.Option{nats.TLSHandshakeFirst(), nats.SetCustomDialer(encrypted{client})},
	})
}

func TestWebSocketConnection(t *testing.T) {
	port := freePorts(t, 1)[0]
	m := one(t, func(o *server.Options) {
		o.Websocket = server.WebsocketOpts{Host: "127.0.0.1", Port: port, NoTLS: true}
	})
	works(t, natsengine.Options{Servers: []string{"ws://" + m.server.WebsocketURL()[len("ws://"):]}})
}

// A server with another JetStream domain than the one that Options name does not answer.
func TestDomain(t *testing.T) {
	m := one(t, func(o *server.Options) { o.JetStreamDomain = "edge" })
	works(t, natsengine.Options{Servers: []string{m.url()}, Domain: "edge"})
	works(t, natsengine.Options{Servers: []string{m.url()}, Prefix: "second"})
}

func TestNKeyFile(t *testing.T) {
	key := newKey(t, nkeys.CreateUser)
	m := one(t, func(o *server.Options) { o.Nkeys = []*server.NkeyUser{{Nkey: public(t, key)}} })
	works(t, natsengine.Options{Servers: []string{m.url()}, NKeyFile: file(t, seed(t, key))})

	other := newKey(t, nkeys.CreateUser)
	wantText(t, openError(t, within(t), natsengine.Options{Servers: []string{m.url()}, NKeyFile: file(t, seed(t, other))}, "test"), "Authorization Violation")
	wantText(t, openError(t, within(t), natsengine.Options{Servers: []string{m.url()}, NKeyFile: filepath.Join(t.TempDir(), "none")}, "test"), "no such file")
}

// A server that trusts an operator. The credentials file is replaced before the user in it is
// refused: the engine connects again with the new one.
func TestCredentialsFile(t *testing.T) {
	operator, account, system := newKey(t, nkeys.CreateOperator), newKey(t, nkeys.CreateAccount), newKey(t, nkeys.CreateAccount)
	trusted := jwt.NewOperatorClaims(public(t, operator))
	trusted.SystemAccount = public(t, system)
	accounts := &server.MemAccResolver{}
	for _, key := range []nkeys.KeyPair{account, system} {
		claims := jwt.NewAccountClaims(public(t, key))
		if key == account {
			claims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
		}
		if err := accounts.Store(public(t, key), encode(t, claims, operator)); err != nil {
			t.Fatal(err)
		}
	}
	m := one(t, func(o *server.Options) {
		o.TrustedOperators, o.AccountResolver, o.SystemAccount = []*jwt.OperatorClaims{trusted}, accounts, public(t, system)
	})
	credentials := func(valid time.Duration) []byte {
		user := newKey(t, nkeys.CreateUser)
		claims := jwt.NewUserClaims(public(t, user))
		claims.Expires = time.Now().Add(valid).Unix()
		text, err := jwt.FormatUserConfig(encode(t, claims, account), seed(t, user))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}

	next := credentials(time.Hour)
	name := file(t, credentials(4*time.Second))
	o, log := logged(natsengine.Options{
		Servers: []string{m.url()}, CredentialsFile: name,
		NATS: []nats.Option{nats.ConnectHandler(func(*nats.Conn) {
			if err := os.WriteFile(name, next, 0o600); err != nil {
				t.Error(err)
			}
		})},
	})
	e := works(t, o)
	awaitText(t, log, "connected again")
	if _, err := e.Append(within(t), "later", []byte("record")); err != nil {
		t.Error(err)
	}

	err := openError(t, within(t), natsengine.Options{Servers: []string{m.url()}, CredentialsFile: file(t, credentials(-time.Hour))}, "test")
	wantText(t, err, "Authorization Violation")
	if strings.Contains(err.Error(), "SU") || strings.Contains(err.Error(), "eyJ") {
		t.Errorf("the error has a secret: %v", err)
	}
}

func newKey(t *testing.T, create func() (nkeys.KeyPair, error)) nkeys.KeyPair {
	t.Helper()
	key, err := create()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func public(t *testing.T, key nkeys.KeyPair) string {
	t.Helper()
	text, err := key.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func seed(t *testing.T, key nkeys.KeyPair) []byte {
	t.Helper()
	text, err := key.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func encode(t *testing.T, claims jwt.Claims, by nkeys.KeyPair) string {
	t.Helper()
	text, err := claims.Encode(by)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// file writes a file that only this user can read.
func file(t *testing.T, text []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
