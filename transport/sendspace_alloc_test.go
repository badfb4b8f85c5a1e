//go:build linux && !race

package transport_test

import (
	"io"
	"testing"

	"github.com/planrooms/planrooms/transport"
)

// TestTryWriteTLSAllocatesNothing is TestTryWriteAllocatesNothing for TLS. On average a call
// allocates less than once, since the kernel is asked for the free space only at times. The race
// detector makes package crypto/tls allocate.
func TestTryWriteTLSAllocatesNothing(t *testing.T) {
	own, peer := tlsPair(t, 64<<10)
	s := transport.NewSink(own, 64<<10, nil)
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	b := make([]byte, 16)
	if got := testing.AllocsPerRun(1000, func() {
		if _, err := s.TryWrite(b); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("TryWrite allocates %v times, want 0", got)
	}
}
