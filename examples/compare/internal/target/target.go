// Package target is the server's side of a measurement: one implementation, and what the load
// generator needs to drive and observe it. [Client] is the other end.
//
//	GET  /ws       upgrade to WebSocket, by the implementation
//	GET  /publish  upgrade to a stream of events to publish, see [Stream]
//	GET  /stats    what the process has used so far
//	POST /collect  a garbage collection that returns memory to the system
//	POST /calls    publishes without requests, and measures the calls
//	POST /verify   what it costs to verify the token in the body
//	POST /profile  begins a CPU profile in ?file=; DELETE ends it
package target

import (
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/machine"
	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// Config says what a target serves.
type Config struct {
	Impl       string            `json:"impl"`
	TokenKey   ed25519.PublicKey `json:"tokenKey"`
	WatchCores bool              `json:"watchCores"` // fill in Stats.Cores
}

// Target is an implementation with its controls. Its methods are safe for concurrent use.
type Target struct {
	mux    *http.ServeMux
	server peer.Server
	key    ed25519.PublicKey
	cores  *machine.Cores // nil if not watched

	mu      sync.Mutex // guards profile
	profile *os.File   // nil if none is being written
}

// New makes a target. Call Close at its end.
func New(c Config) (*Target, error) {
	server, err := peer.New(c.Impl, peer.Options{TokenKey: c.TokenKey})
	if err != nil {
		return nil, err
	}
	t := &Target{mux: http.NewServeMux(), server: server, key: c.TokenKey}
	if c.WatchCores {
		t.cores = machine.WatchCores()
	}
	t.mux.Handle("GET /ws", server)
	t.mux.HandleFunc("GET /publish", t.publish)
	t.mux.HandleFunc("GET /stats", t.stats)
	t.mux.HandleFunc("POST /collect", func(http.ResponseWriter, *http.Request) { debug.FreeOSMemory() })
	t.mux.HandleFunc("POST /calls", t.calls)
	t.mux.HandleFunc("POST /verify", t.verify)
	t.mux.HandleFunc("POST /profile", t.startProfile)
	t.mux.HandleFunc("DELETE /profile", t.stopProfile)
	return t, nil
}

// Close ends the target's own goroutines. Those of the implementation end with the process.
func (t *Target) Close() {
	if t.cores != nil {
		t.cores.Stop()
	}
}

func (t *Target) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.mux.ServeHTTP(w, r) }

// Stats are what the process has used so far, and what it holds now.
type Stats struct {
	CPU         time.Duration         `json:"cpu"`
	Cores       map[int]time.Duration `json:"cores,omitempty"` // CPU time by core
	Writes      int64                 `json:"writes"`          // system calls
	Mallocs     uint64                `json:"mallocs"`         // objects allocated
	Collections uint32                `json:"collections"`     // garbage collections

	RSS        int64  `json:"rss"` // bytes, as all below but the last
	HeapInUse  uint64 `json:"heapInUse"`
	StackInUse uint64 `json:"stackInUse"`
	Goroutines int    `json:"goroutines"`
}

func (t *Target) stats(w http.ResponseWriter, _ *http.Request) {
	u, err := machine.Self()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := Stats{
		CPU: u.CPU, Writes: u.Writes, Mallocs: m.Mallocs, Collections: m.NumGC,
		RSS: u.RSS, HeapInUse: m.HeapInuse, StackInUse: m.StackInuse, Goroutines: runtime.NumGoroutine(),
	}
	if t.cores != nil {
		s.Cores = t.cores.Spent()
	}
	reply(w, s)
}

func (t *Target) startProfile(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.profile != nil {
		http.Error(w, "a profile is being written", http.StatusConflict)
		return
	}
	f, err := os.Create(r.URL.Query().Get("file"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	t.profile = f
}

func (t *Target) stopProfile(w http.ResponseWriter, _ *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.profile == nil {
		http.Error(w, "no profile is being written", http.StatusConflict)
		return
	}
	pprof.StopCPUProfile()
	err := t.profile.Close()
	t.profile = nil
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) // the load generator sees a short answer as an error
}
