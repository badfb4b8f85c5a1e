package load

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"
)

// Mode is what is done once all are connected.
type Mode string

// The modes.
const (
	Connect Mode = "connect" // nothing more
	// Window events are under way in every room; the next is published when one has reached all.
	Closed Mode = "closed"
	// Rate events a second, over all rooms in turn, whatever the server does.
	Open Mode = "open"
	// Nothing is published for Measure; then one event in every room shows that all are there.
	Hold Mode = "hold"
	// The server publishes without requests, Rate events a second for Measure.
	Calls Mode = "calls"
)

// Config is one run of the load generator.
type Config struct {
	// Host:port of the target, the host an IPv4 address.
	Addr     string             `json:"addr"`
	TLSAddr  string             `json:"tlsAddr"` // the same target behind TLS
	TLS      bool               `json:"tls"`     // connect to TLSAddr; everything else goes to Addr
	Impl     string             `json:"impl"`    // decides how the handshake goes on
	TokenKey ed25519.PrivateKey `json:"tokenKey"`
	// TokenBytes pads shorter tokens to about this length.
	TokenBytes int `json:"tokenBytes"`

	Connections int `json:"connections"`
	Rooms       int `json:"rooms"` // connections are dealt out to them in turn
	// Spread the connecting over this time; 0 is as fast as the server answers.
	JoinWithin time.Duration `json:"joinWithin"`

	Mode    Mode          `json:"mode"`
	Window  int           `json:"window"`
	Rate    float64       `json:"rate"`
	Warm    time.Duration `json:"warm"`    // published the same way, and not measured
	Measure time.Duration `json:"measure"` // how long is published
	// Of one event as it arrives, without the frame's header.
	FrameBytes int `json:"frameBytes"`
	// This part of the connections stops reading before the warm-up.
	Stalled float64 `json:"stalled"`

	Memory bool `json:"memory"` // take the memory of the idle connections
	Verify bool `json:"verify"` // measure the verifying of a token alone
	// Never sleep: a receiver that sleeps makes the server pay for waking it.
	Spin    bool   `json:"spin"`
	Profile string `json:"profile"` // file for a CPU profile of the server; "" for none

	Limit time.Duration `json:"limit"` // the run fails after this
}

var errConfig = errors.New("load: bad configuration")

// Check returns an error for a configuration that makes no sense.
func (c *Config) Check() error {
	fault := ""
	switch {
	case c.Connections < 1 || c.Rooms < 1 || c.Rooms > c.Connections:
		fault = "connections and rooms"
	case c.Limit <= 0:
		fault = "limit"
	case c.Stalled < 0 || c.Stalled > 0.5:
		fault = "stalled"
	case c.Mode == Closed && (c.Window < 1 || c.Window > ringSize/2):
		fault = "window"
	case (c.Mode == Open || c.Mode == Calls) && c.Rate <= 0:
		fault = "rate"
	case c.Mode != Connect && c.Measure <= 0:
		fault = "measure"
	}
	if fault != "" {
		return fmt.Errorf("%w: %s", errConfig, fault)
	}
	return nil
}

// Result is what one run found. What a mode does not measure is zero.
type Result struct {
	// Connecting.
	Connections    int     `json:"connections"`
	ConnectSeconds float64 `json:"connectSeconds"`
	ConnectCPU     float64 `json:"connectCPU"` // µs of the server per connection, joined
	// Μs from the start of the TCP connection until joined.
	ConnectP50    float64 `json:"connectP50"`
	ConnectP99    float64 `json:"connectP99"`    // µs
	ConnectAllocs float64 `json:"connectAllocs"` // objects per connection
	// All that the server sent over WebSocket until all had been notified.
	JoinBytes       int64   `json:"joinBytes"`
	VerifierCPU     float64 `json:"verifierCPU"`     // µs for one token
	SignatureCPU    float64 `json:"signatureCPU"`    // µs, of VerifierCPU
	MemoryRSS       float64 `json:"memoryRSS"`       // bytes per connection
	MemoryHeap      float64 `json:"memoryHeap"`      // bytes per connection
	MemoryStack     float64 `json:"memoryStack"`     // bytes per connection
	MemoryGoroutine float64 `json:"memoryGoroutine"` // per connection

	// Delivering.
	Seconds    float64 `json:"seconds"` // from the first event published to the last received
	Published  int64   `json:"published"`
	Deliveries int64   `json:"deliveries"`
	Lost       int64   `json:"lost"`      // deliveries that never came
	Disorder   int64   `json:"disorder"`  // deliveries that were not the next one of their room
	Dropped    int64   `json:"dropped"`   // connections that the server ended, of those that read
	PerSecond  float64 `json:"perSecond"` // deliveries
	// Μs; closed: until an event has reached all, else until one delivery.
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"` // µs
	Max float64 `json:"max"` // µs
	// Μs, p99 of how late the load generator itself published (open).
	Late       float64 `json:"late"`
	FrameBytes float64 `json:"frameBytes"` // received for one delivery, frame header included

	// The server meanwhile.
	CPU         float64 `json:"cpu"`    // µs per delivery
	Busy        float64 `json:"busy"`   // cores
	Allocs      float64 `json:"allocs"` // objects per delivery
	Writes      float64 `json:"writes"` // system calls per delivery
	Collections int64   `json:"collections"`
	// Seconds of CPU by core, where it was watched.
	Cores      map[int]float64 `json:"cores,omitempty"`
	RSSBefore  int64           `json:"rssBefore"`
	RSSAfter   int64           `json:"rssAfter"`
	CallP50    float64         `json:"callP50"`   // µs of one call (calls)
	CallP99    float64         `json:"callP99"`   // µs
	CallMax    float64         `json:"callMax"`   // µs
	BehindP50  float64         `json:"behindP50"` // µs of a call right behind another
	BehindP99  float64         `json:"behindP99"` // µs
	CallCount  int             `json:"callCount"`
	CallAllocs float64         `json:"callAllocs"` // median of objects per call

	// The machine meanwhile.
	LoadBusy float64 `json:"loadBusy"` // cores that the load generator took
	Foreign  float64 `json:"foreign"`  // cores that neither side took
}
