package client_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

// feed is a connection in memory that delivers events of one plan, each with 200 bytes of data.
type feed struct {
	*wire
	events chan struct{} // holds a value for each event that Read may return
	buf    []byte
	seq    uint64
}

// Read implements client.Link.
func (f *feed) Read(ctx context.Context) ([]byte, error) {
	select {
	case b := <-f.down:
		return b, nil
	case <-f.events:
		f.seq++
		f.buf = fmt.Appendf(f.buf[:0], `{"type":"task-updated","planId":"demo","data":{"task":%q},"seq":%d,"prev":%d}`,
			strings.Repeat("x", 200), f.seq, f.seq-1)
		return f.buf, nil
	case <-f.over:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// BenchmarkReceive measures how long an event takes from the connection to the program.
func BenchmarkReceive(b *testing.B) {
	s := &script{t: b, dials: make(chan *wire)}
	var f *feed
	dial := func(ctx context.Context, token string) (client.Link, error) {
		l, err := s.dial(ctx, token)
		if err != nil {
			return nil, err
		}
		f = &feed{wire: l.(*wire), events: make(chan struct{}, 256)}
		return f, nil
	}
	started := make(chan *client.Client)
	go func() {
		c, err := client.Start(context.Background(), nil, dial)
		if err != nil {
			b.Errorf("Start: %v", err)
		}
		started <- c
	}()
	w := s.open()
	c := <-started
	p := w.enter(c, "demo")
	want(b, p, "reload joined")
	b.ReportAllocs()
	b.ResetTimer()
	sent := 0
	for n := range b.N {
		for ; sent < b.N && sent < n+256; sent++ {
			f.events <- struct{}{}
		}
		if e, err := p.Next(b.Context()); err != nil || e.Seq != uint64(n+1) {
			b.Fatalf("item %d is %d, %v", n, e.Seq, err)
		}
	}
	b.StopTimer()
	go func() { w.expect(protocol.TypeLeavePlan) }()
	_ = c.Close()
}
