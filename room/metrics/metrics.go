// Package metrics exports the numbers of a [room.Hub] to Prometheus.
//
//	m := metrics.New(nil)
//	hub := room.NewHub(&room.Options{Authorize: authorize, Observer: m.Observer(room.Observer{})})
//	m.Watch(hub)
//	prometheus.MustRegister(m)
//
// A [Metrics] is a [prometheus.Collector]. At each scrape it reads [room.Hub.Stats]. The delivery
// lag, the bytes and the deliveries come from the hub's Observer, which passes each call on to the
// Observer of the host. README.md lists the metrics.
//
// The number of series does not depend on plans, users or clients, because no label has their IDs:
// TestSeriesDoNotDependOnPlans. TestMetrics exports each number.
//
// Package otelroom, in the same module, exports the same numbers through OpenTelemetry. Neither
// imports what the other needs.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/metrics/internal/source"
)

// Options configure [New]. Nil means the defaults.
type Options struct {
	// LagBuckets are the upper bounds of the buckets of planrooms_delivery_lag_seconds, in seconds
	// and increasing. Default: 16 bounds from 0.0001 to 10.
	LagBuckets []float64
}

// Metrics are the metrics of one hub. Methods may be called concurrently.
type Metrics struct {
	source source.Source
	descs  map[*source.Metric]*prometheus.Desc
	lag    prometheus.Histogram
}

var _ prometheus.Collector = (*Metrics)(nil)

// New returns the metrics of a hub. It is complete after [Metrics.Observer] and [Metrics.Watch].
// For several hubs in one process, register each value with a different label:
// [prometheus.WrapRegistererWith].
func New(opts *Options) *Metrics {
	bounds := source.Bounds
	if opts != nil && opts.LagBuckets != nil {
		bounds = opts.LagBuckets
	}
	m := &Metrics{
		descs: make(map[*source.Metric]*prometheus.Desc),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: source.Lag.Prometheus, Help: source.Lag.Help + ".", Buckets: bounds,
		}),
	}
	for i := range source.Metrics {
		s := &source.Metrics[i]
		var labels []string
		if s.Label != "" {
			labels = []string{s.Label}
		}
		m.descs[s] = prometheus.NewDesc(s.Prometheus, s.Help+".", labels, nil)
	}
	return m
}

// Observer returns an Observer for [room.Options], which counts and then calls the functions of
// next, the Observer of the host. It sets Broadcast and Delivered. These allocate nothing.
func (m *Metrics) Observer(next room.Observer) room.Observer {
	return m.source.Observer(next, source.Hooks{Lag: func(d time.Duration) { m.lag.Observe(d.Seconds()) }})
}

// Watch exports the numbers of hub, from now on. Before it was called, only the metrics of the
// Observer have values. It panics if hub is nil and at a second call.
func (m *Metrics) Watch(hub *room.Hub) { m.source.Watch(hub) }

// Describe implements [prometheus.Collector].
func (m *Metrics) Describe(descs chan<- *prometheus.Desc) {
	for i := range source.Metrics {
		descs <- m.descs[&source.Metrics[i]]
	}
	m.lag.Describe(descs)
}

// Collect implements [prometheus.Collector].
func (m *Metrics) Collect(metrics chan<- prometheus.Metric) {
	m.source.Read(func(s *source.Metric, label string, value int64) {
		kind := prometheus.GaugeValue
		if s.Counter {
			kind = prometheus.CounterValue
		}
		var labels []string
		if s.Label != "" {
			labels = []string{label}
		}
		metrics <- prometheus.MustNewConstMetric(m.descs[s], kind, float64(value), labels...)
	})
	m.lag.Collect(metrics)
}
