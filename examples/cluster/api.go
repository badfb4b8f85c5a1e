package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/browser"
)

//go:embed page
var files embed.FS

func (d *demonstration) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /", pageFiles())
	mux.Handle("GET /planrooms/", browser.Handler())
	mux.Handle("GET /ws", d.balancer)
	mux.Handle("GET /plan", d.balancer)
	mux.HandleFunc("GET /api/state", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, d.state())
	})
	mux.HandleFunc("GET /api/logs/{name}", d.showLog)
	mux.HandleFunc("POST /api/nodes/{name}/{action}", d.switchNode)
	mux.HandleFunc("POST /api/servers/{name}/{action}", d.switchServer)
	mux.HandleFunc("POST /api/publisher/{action}", d.switchPublisher)
	mux.HandleFunc("POST /api/clients/{client}/{node}", d.moveClient)
	return secured(http.NewCrossOriginProtection().Handler(mux))
}

// pageFiles serves the files of the folder page.
func pageFiles() http.Handler {
	// The machine may be configured with other types. A browser runs no module of another type.
	types := map[string]string{
		"": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
		".svg": "image/svg+xml",
	}
	root, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // unreachable: the folder is embedded
	}
	server := http.FileServerFS(root)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t, ok := types[path.Ext(r.URL.Path)]; ok {
			w.Header().Set("Content-Type", t)
		}
		w.Header().Set("Cache-Control", "no-cache")
		server.ServeHTTP(w, r)
	})
}

// secured allows the page its own scripts only, and forbids other pages to embed it.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
			"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// state is what the page draws.
type state struct {
	Run       string            `json:"run"`
	NATS      string            `json:"nats"`    // URLs of the servers
	Cluster   string            `json:"cluster"` // its name in NATS
	Outside   bool              `json:"outside"` // the NATS servers run elsewhere
	CanPause  bool              `json:"canPause"`
	Published published         `json:"published"`
	Stream    streamState       `json:"stream"`
	Nodes     []nodeState       `json:"nodes"`
	Servers   []serverState     `json:"servers"`
	Viewers   []viewerState     `json:"viewers"`
	Clients   map[string]string `json:"clients"` // client ID: node
}

type nodeState struct {
	Name    string           `json:"name"`
	Process string           `json:"process"` // starting, running, paused or down
	PID     int              `json:"pid"`     // 0 if it is down
	Problem string           `json:"problem"` // why it gets no clients, or ""
	Link    linkState        `json:"link"`    // to NATS; "" if it cannot be cut
	Server  string           `json:"server"`  // the NATS server that it is connected with, or ""
	Cluster room.ClusterInfo `json:"cluster"` // from its last answer
	AgeMs   int64            `json:"ageMs"`   // since that
}

type serverState struct {
	Name    string `json:"name"`
	Process string `json:"process"`
	PID     int    `json:"pid"`
	Leader  bool   `json:"leader"`
}

type viewerState struct {
	Name string `json:"name"`
	Live bool   `json:"live"`
	history.Counts
}

func (d *demonstration) state() state {
	s := state{
		Run: d.run, NATS: d.urls.String(), Cluster: d.options.name, Outside: d.outside, CanPause: canPause, Published: d.publisher.now(), Stream: d.stream.now(),
		Servers: []serverState{}, Clients: d.balancer.clients(),
	}
	names := make(map[string]string)
	for _, one := range d.servers {
		names[one.addr] = one.name
		process, pid := one.process.state()
		s.Servers = append(s.Servers, serverState{one.name, process, pid, one.name == s.Stream.Leader})
	}
	for _, n := range d.list() {
		s.Nodes = append(s.Nodes, n.state(names))
	}
	for _, v := range d.viewers {
		s.Viewers = append(s.Viewers, viewerState{v.name, v.isLive(), v.follows[planID].checker.Counts()})
	}
	return s
}

// state describes the node. names are those of the NATS servers, by address.
func (i *instance) state(names map[string]string) nodeState {
	process, pid := i.process.state()
	i.mu.Lock()
	defer i.mu.Unlock()
	s := nodeState{Name: i.name, Process: process, PID: pid, Problem: i.problem, Cluster: i.report.Cluster}
	if !i.answered.IsZero() {
		s.AgeMs = time.Since(i.answered).Milliseconds()
	}
	if i.starting {
		s.Process = "starting"
	}
	if i.link != nil {
		s.Link, s.Server = i.link.now()
		if name, ok := names[s.Server]; ok {
			s.Server = name
		}
	}
	return s
}

// switchNode is a switch of a node.
func (d *demonstration) switchNode(w http.ResponseWriter, r *http.Request) {
	for _, n := range d.list() {
		if n.name == r.PathValue("name") {
			answer(w, d.turnNode(n, r.PathValue("action")))
			return
		}
	}
	http.NotFound(w, r)
}

func (d *demonstration) turnNode(n *instance, action string) error {
	states := map[string]linkState{"cut": linkCut, "stall": linkStalled, "connect": linkOpen}
	switch action {
	case "kill":
		n.process.kill()
	case "start":
		return d.start(n.process, n.start)
	case "restart":
		d.work.Go(func() {
			n.process.stop()
			d.report(n.name, n.start(d.life))
		})
	case "pause":
		return n.process.pause(true)
	case "resume":
		return n.process.pause(false)
	case "cut", "stall", "connect":
		if n.link == nil {
			return errors.New("the connection of this node to NATS cannot be cut: it uses TLS")
		}
		n.link.set(states[action])
	default:
		return fmt.Errorf("a node has no switch %q", action)
	}
	return nil
}

// start starts a process in the background.
func (d *demonstration) start(c *child, start func(context.Context) error) error {
	if _, pid := c.state(); pid != 0 {
		return errRunning
	}
	d.work.Go(func() { d.report(c.name, start(d.life)) })
	return nil
}

// switchServer is a switch of a NATS server; the name "leader" is that of the stream's leader.
func (d *demonstration) switchServer(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if name == "leader" {
		if name = d.stream.now().Leader; name == "" {
			answer(w, errors.New("the stream has no leader at present"))
			return
		}
	}
	for _, s := range d.servers {
		if s.name != name {
			continue
		}
		switch action := r.PathValue("action"); action {
		case "kill":
			s.process.kill()
			answer(w, nil)
		case "start":
			answer(w, d.start(s.process, s.start))
		default:
			answer(w, fmt.Errorf("a NATS server has no switch %q", action))
		}
		return
	}
	http.NotFound(w, r)
}

func (d *demonstration) switchPublisher(w http.ResponseWriter, r *http.Request) {
	switch action := r.PathValue("action"); action {
	case "pause", "resume":
		d.publisher.pause(action == "pause")
		answer(w, nil)
	default:
		answer(w, fmt.Errorf("the publisher has no switch %q", action))
	}
}

// moveClient has a client reconnect to another node.
func (d *demonstration) moveClient(w http.ResponseWriter, r *http.Request) {
	if !d.balancer.move(r.PathValue("client"), r.PathValue("node")) {
		answer(w, errors.New("this client is not connected, or there is no such node"))
		return
	}
	answer(w, nil)
}

// showLog sends the log of a process.
func (d *demonstration) showLog(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, c := range d.processes() {
		if c.name == r.PathValue("name") {
			http.ServeFile(w, r, c.log)
			return
		}
	}
	http.NotFound(w, r)
}

// answer answers a switch.
func answer(w http.ResponseWriter, err error) {
	if err != nil {
		writeJSON(w, http.StatusConflict, map[string]string{"error": err.Error()})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
