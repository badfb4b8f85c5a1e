package natsengine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

var payload = []byte(strings.Repeat("x", 300))

// placements are the servers of the benchmarks: one, and three that all store the log.
func placements(b *testing.B, run func(b *testing.B, publisher, reader *natsengine.Engine)) {
	for _, replicas := range []int{1, 3} {
		b.Run(fmt.Sprintf("replicas=%d", replicas), func(b *testing.B) {
			list := []*machine{}
			if replicas == 1 {
				list = append(list, apart(b))
			} else {
				list = three(b)
			}
			publisher := natsengine.New(natsengine.Options{Servers: []string{list[0].url()}, Replicas: replicas})
			reader := natsengine.New(natsengine.Options{Servers: []string{list[len(list)-1].url()}, Replicas: replicas})
			for i, e := range []*natsengine.Engine{publisher, reader} {
				defer e.Close()
				for {
					_, err := e.Open(b.Context(), room.OpenOptions{Cluster: "bench", Node: fmt.Sprint("n", i)}, func(string, []byte) {})
					if err == nil {
						break
					}
					b.Log(err)
				}
			}
			run(b, publisher, reader)
		})
	}
}

// report reports percentiles of durations.
func report(b *testing.B, list []time.Duration) {
	slices.Sort(list)
	b.ReportMetric(float64(list[len(list)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(list[len(list)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(0, "ns/op")
}

// One append after the other, and until another node has it.
func BenchmarkAppend(b *testing.B) {
	placements(b, func(b *testing.B, publisher, reader *natsengine.Engine) {
		var appended, delivered []time.Duration
		arrived := make(chan time.Time, 1)
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = reader.Tail(ctx, 0, func(list []room.Record) {
				now := time.Now()
				for range list {
					arrived <- now
				}
			})
		}()
		for i := 0; b.Loop(); i++ {
			begun := time.Now()
			if _, err := publisher.Append(b.Context(), fmt.Sprint(i), payload); err != nil {
				b.Fatal(err)
			}
			appended = append(appended, time.Since(begun))
			delivered = append(delivered, (<-arrived).Sub(begun))
		}
		cancel()
		<-ended
		report(b, appended)
		slices.Sort(delivered)
		b.ReportMetric(float64(delivered[len(delivered)/2].Microseconds()), "delivered-p50-µs")
		b.ReportMetric(float64(delivered[len(delivered)*99/100].Microseconds()), "delivered-p99-µs")
	})
}

// 64 publishers at once, while another node reads everything.
func BenchmarkThroughput(b *testing.B) {
	placements(b, func(b *testing.B, publisher, reader *natsengine.Engine) {
		var read atomic.Int64
		grown := make(chan struct{}, 1)
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = reader.Tail(ctx, 0, func(list []room.Record) {
				read.Add(int64(len(list)))
				select {
				case grown <- struct{}{}:
				default:
				}
			})
		}()
		var next atomic.Int64
		var publishers sync.WaitGroup
		begun := time.Now()
		for range 64 {
			publishers.Go(func() {
				for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
					if _, err := publisher.Append(b.Context(), fmt.Sprint(i), payload); err != nil {
						b.Error(err)
					}
				}
			})
		}
		publishers.Wait()
		b.ReportMetric(float64(b.N)/time.Since(begun).Seconds(), "appends/s")
		for read.Load() < int64(b.N) {
			<-grown
		}
		b.ReportMetric(float64(b.N)/time.Since(begun).Seconds(), "deliveries/s")
		cancel()
		<-ended
	})
}
