package load_test

import (
	"crypto/ed25519"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/load"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
	"github.com/planrooms/planrooms/examples/compare/internal/target"
)

// start serves an implementation, and returns a configuration for a run against it.
func start(t *testing.T, impl string) load.Config {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	served, err := target.New(target.Config{Impl: impl, TokenKey: public, WatchCores: true})
	if err != nil {
		t.Fatal(err)
	}
	srv, secure := httptest.NewServer(served), httptest.NewTLSServer(served)
	t.Cleanup(func() {
		srv.Close()
		secure.Close()
		served.Close()
	})
	return load.Config{
		Addr: strings.TrimPrefix(srv.URL, "http://"), TLSAddr: strings.TrimPrefix(secure.URL, "https://"), Impl: impl, TokenKey: private,
		Connections: 12, Rooms: 3, FrameBytes: 524, Limit: time.Minute,
	}
}

func TestRun(t *testing.T) {
	modes := map[string]func(*load.Config){
		"closed":       func(c *load.Config) { c.Mode, c.Window, c.Measure = load.Closed, 1, 50*time.Millisecond },
		"closed of 16": func(c *load.Config) { c.Mode, c.Window, c.Measure = load.Closed, 16, 50*time.Millisecond },
		"open":         func(c *load.Config) { c.Mode, c.Rate, c.Measure = load.Open, 200, 100*time.Millisecond },
		"large": func(c *load.Config) {
			c.Mode, c.Rate, c.Measure, c.FrameBytes = load.Open, 50, 100*time.Millisecond, 16<<10
		},
		"hold":  func(c *load.Config) { c.Mode, c.Measure = load.Hold, 20*time.Millisecond },
		"calls": func(c *load.Config) { c.Mode, c.Rate, c.Measure, c.Rooms = load.Calls, 200, 50*time.Millisecond, 1 },
		"TLS":   func(c *load.Config) { c.Mode, c.Window, c.Measure, c.TLS = load.Closed, 16, 50*time.Millisecond, true },
		"spread": func(c *load.Config) {
			c.Mode, c.JoinWithin, c.Memory, c.Verify = load.Connect, 50*time.Millisecond, true, true
		},
	}
	for _, impl := range peer.Names() {
		for name, set := range modes {
			t.Run(impl+"/"+name, func(t *testing.T) {
				t.Parallel()
				c := start(t, impl)
				set(&c)
				if c.Mode == load.Closed || c.Mode == load.Open {
					// The first event shows what the implementation adds to a task.
					c.Warm = 20 * time.Millisecond
				}
				r, err := load.Run(t.Context(), c)
				if err != nil {
					t.Fatalf("Run(%+v): %v", c, err)
				}
				if r.Lost != 0 || r.Disorder != 0 || r.Dropped != 0 {
					t.Errorf("Run(%+v): %d lost, %d out of order, %d connections dropped", c, r.Lost, r.Disorder, r.Dropped)
				}
				if c.Mode == load.Connect {
					return
				}
				if want := r.Published * int64(c.Connections/c.Rooms); r.Deliveries != want || want == 0 {
					t.Errorf("Run(%+v): %d deliveries of %d events, want %d", c, r.Deliveries, r.Published, want)
				}
				if (c.Mode == load.Closed || c.Mode == load.Open) && c.FrameBytes == 524 && (r.FrameBytes < 520 || r.FrameBytes > 532) {
					t.Errorf("Run(%+v): a delivery has %.1f bytes, want about 528", c, r.FrameBytes)
				}
			})
		}
	}
}

func TestRunWithStalledReaders(t *testing.T) {
	for _, impl := range []string{peer.Ours, peer.Metrics, peer.OTel, "gws"} {
		t.Run(impl, func(t *testing.T) {
			c := start(t, impl)
			c.Connections, c.Rooms, c.Stalled, c.FrameBytes = 20, 1, 0.1, 16<<10
			c.Mode, c.Rate, c.Measure = load.Open, 400, 500*time.Millisecond
			r, err := load.Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if want := r.Published * 18; r.Deliveries != want || r.Disorder != 0 {
				t.Errorf("%d deliveries, %d out of order, want %d to the 18 that read", r.Deliveries, r.Disorder, want)
			}
		})
	}
}

func TestRunFillsInAllFigures(t *testing.T) {
	c := start(t, peer.Ours)
	c.Mode, c.Window, c.Measure, c.Memory, c.Verify = load.Closed, 1, 100*time.Millisecond, true, true
	c.Profile = filepath.Join(t.TempDir(), "cpu.pprof")
	r, err := load.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]float64{
		"ConnectSeconds": r.ConnectSeconds, "ConnectCPU": r.ConnectCPU, "ConnectP50": r.ConnectP50, "ConnectAllocs": r.ConnectAllocs,
		"JoinBytes": float64(r.JoinBytes), "VerifierCPU": r.VerifierCPU, "SignatureCPU": r.SignatureCPU, "MemoryGoroutine": r.MemoryGoroutine,
		"Seconds": r.Seconds, "P50": r.P50, "P99": r.P99, "PerSecond": r.PerSecond, "CPU": r.CPU, "Busy": r.Busy, "Writes": r.Writes,
		"RSSBefore": float64(r.RSSBefore), "RSSAfter": float64(r.RSSAfter), "LoadBusy": r.LoadBusy, "Cores": float64(len(r.Cores)),
	} {
		if v <= 0 {
			t.Errorf("%s = %v, want more than 0", name, v)
		}
	}
	if info, err := os.Stat(c.Profile); err != nil || info.Size() == 0 {
		t.Errorf("the profile: %v, %v", info, err)
	}
}

func TestRunRefuses(t *testing.T) {
	good := load.Config{Addr: "127.0.0.1:1", Impl: peer.Raw, Connections: 2, Rooms: 1, Mode: load.Open, Rate: 1, Measure: 1, Limit: time.Second}
	for name, spoil := range map[string]func(*load.Config){
		"no address":     func(c *load.Config) { c.Addr = "localhost" },
		"no connections": func(c *load.Config) { c.Connections = 0 },
		"rooms":          func(c *load.Config) { c.Rooms = 3 },
		"no limit":       func(c *load.Config) { c.Limit = 0 },
		"no rate":        func(c *load.Config) { c.Rate = 0 },
		"no time":        func(c *load.Config) { c.Measure = 0 },
		"window":         func(c *load.Config) { c.Mode, c.Window = load.Closed, 4096 },
		"all stalled":    func(c *load.Config) { c.Stalled = 1 },
		"no key":         func(c *load.Config) { c.Impl = peer.Ours },
	} {
		c := good
		spoil(&c)
		if _, err := load.Run(t.Context(), c); !errors.Is(err, load.ErrConfig) {
			t.Errorf("%s: Run(%+v) = %v, want %v", name, c, err, load.ErrConfig)
		}
	}
	if _, err := load.Run(t.Context(), good); err == nil || errors.Is(err, load.ErrConfig) {
		t.Errorf("Run without a server = %v, want a network error", err)
	}
}
