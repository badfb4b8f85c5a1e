package room_test

import (
	"fmt"
	"testing"
)

// BenchmarkConnectJoin connects, each time as another user, and joins a room of ten. The
// connections of a room end when it is full.
func BenchmarkConnectJoin(b *testing.B) {
	h := benchHub(b, 256)
	var in []*discard
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d := benchConnect(b, h, fmt.Sprint("user", i%1000))
		d.session.Receive(fmt.Appendf(nil, `{"type":"join-plan","planId":"plan-%d"}`, i/10%100))
		await(b, func() bool { return h.Stats().Joins >= uint64(i+1) })
		if in = append(in, d); len(in) == 10 {
			for _, d := range in {
				d.end()
			}
			in = in[:0]
		}
	}
}
