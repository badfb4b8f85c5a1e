package load_test

import (
	"crypto/ed25519"
	"testing"

	"github.com/planrooms/planrooms/examples/compare/internal/load"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// Tokens are padded to about the length that was asked for, and stay valid.
func TestTokenBytes(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := peer.New(peer.Ours, peer.Options{TokenKey: public})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ ask, low, high int }{{0, 325, 340}, {100, 325, 340}, {1024, 1000, 1060}, {2048, 2020, 2090}} {
		tokens, err := load.MakeTokens(private, 2, test.ask)
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range tokens {
			if n := len(token); n < test.low || n > test.high {
				t.Errorf("requested %d bytes, got a token of %d", test.ask, n)
			}
			if err := server.(interface{ Verify(token string) error }).Verify(token); err != nil {
				t.Errorf("token of %d bytes: %v", len(token), err)
			}
		}
	}
}
