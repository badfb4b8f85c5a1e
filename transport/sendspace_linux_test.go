package transport_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/planrooms/planrooms/transport"
)

// tlsPair is socketPair with TLS on both ends.
func tlsPair(t testing.TB, receiveBuffer int) (own, peer net.Conn) {
	t.Helper()
	issuer := httptest.NewTLSServer(nil) // provides a certificate
	issuer.Close()
	own, peer = socketPair(t, receiveBuffer)
	server, client := tls.Server(own, issuer.TLS), tls.Client(peer, &tls.Config{InsecureSkipVerify: true})
	shaken := make(chan error)
	go func() { shaken <- client.Handshake() }()
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, shaken); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// TestTLSDoesNotBlock writes to a TLS connection whose peer does not read. TryWrite must take bytes
// at first, and must return when the socket is full. Later the peer receives everything.
func TestTLSDoesNotBlock(t *testing.T) {
	for _, buffer := range []int{1, 16 << 10, 64 << 10} {
		for _, size := range []int{1, 500, 5000, 16 << 10, 100_000, 0} {
			t.Run(fmt.Sprintf("%d into %d", size, buffer), func(t *testing.T) {
				own, peer := tlsPair(t, 64<<10)
				s := transport.NewSink(own, buffer, nil)
				r := rand.NewChaCha8([32]byte{byte(size)})
				data := make([]byte, 2<<20) // more than the socket takes
				_, _ = r.Read(data)         // cannot fail
				sizes := rand.New(r)
				full := make(chan error)
				total := 0
				go func() {
					for {
						n := size
						if size == 0 {
							n = 1 + sizes.IntN(1<<sizes.IntN(15))
						}
						taken, err := s.TryWrite(data[total : total+n])
						if total += taken; taken < n || err != nil {
							full <- err
							return
						}
					}
				}()
				if err := receive(t, full); err != nil {
					t.Fatal(err)
				}
				if buffer >= 64<<10 && total < 4<<10 {
					t.Errorf("TryWrite took %d bytes, want more", total)
				}
				got := make([]byte, len(data))
				read := make(chan error)
				go func() {
					_, err := io.ReadFull(peer, got)
					read <- err
				}()
				for total < len(data) {
					n, err := s.Write(data[total:], time.Now().Add(testTimeout))
					if total += n; err != nil {
						t.Fatal(err)
					}
					n, err = s.TryWrite(data[total:min(total+size, len(data))])
					if total += n; err != nil {
						t.Fatal(err)
					}
				}
				if err := receive(t, read); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, data) {
					t.Error("the peer read other bytes than were written")
				}
			})
		}
	}
}
