package main

import (
	"math/bits"
	"time"
)

// A histogram counts durations in buckets that are 1/64 of their power of two wide, in
// microseconds. A quantile is the middle of its bucket, so it is at most 0.8 % off, and half a
// microsecond below 64 µs; the maximum is exact. It takes 14 KiB however many it counts. The zero
// value is empty. It is not safe for concurrent use.
type histogram struct {
	counts [bucketCount]uint64
	count  uint64
	max    time.Duration
}

const (
	bucketBits  = 6 // 64 buckets in each power of two
	bucketCount = (maxPower - bucketBits + 2) << bucketBits
	maxPower    = 31 // from 2^32 µs on, which is more than an hour, all is one bucket
)

func bucketOf(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	if us < 1<<bucketBits {
		return int(us)
	}
	if us >= 1<<(maxPower+1) {
		return bucketCount - 1
	}
	power := bits.Len64(us) - 1
	return (power-bucketBits)<<bucketBits + int(us>>(power-bucketBits))
}

// middleOf returns the middle of a bucket.
func middleOf(bucket int) time.Duration {
	if bucket < 1<<bucketBits {
		return time.Duration(bucket)*time.Microsecond + time.Microsecond/2
	}
	shift := bucket>>bucketBits - 1
	low := uint64(bucket&(1<<bucketBits-1)|1<<bucketBits) << shift
	return time.Duration(low)*time.Microsecond + (time.Microsecond<<shift)/2
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucketOf(d)]++
	h.count++
	h.max = max(h.max, d)
}

// quantile returns the duration below which the fraction q of all lies; 0 of none.
func (h *histogram) quantile(q float64) time.Duration {
	if h.count == 0 {
		return 0
	}
	rank := min(uint64(q*float64(h.count)), h.count-1)
	for bucket, n := range h.counts {
		if rank < n {
			return min(middleOf(bucket), h.max)
		}
		rank -= n
	}
	return h.max
}

// quantiles are what a report says of a histogram.
type quantiles struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50Ms"`
	P95   float64 `json:"p95Ms"`
	P99   float64 `json:"p99Ms"`
	Max   float64 `json:"maxMs"`
}

func (h *histogram) quantiles() quantiles {
	return quantiles{
		Count: h.count,
		P50:   milliseconds(h.quantile(0.50)), P95: milliseconds(h.quantile(0.95)), P99: milliseconds(h.quantile(0.99)),
		Max: milliseconds(h.max),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
