package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

const peopleCommandName = "people"

// perPlan is how many people each plan has, of all nodes: less than Options.PresenceLimit, so that
// the members get a notice of each.
const perPlan = 50

// crowd is a node whose clients are in the same process, without sockets: a process may not have
// enough descriptors for all of them.
type crowd struct {
	hub  *room.Hub
	sent *countingEngine

	mu     sync.Mutex     // guards the following
	leaves map[string]int // notices to observers that a user has left, by user
}

// peopleCommand runs a node with people. It prints the URL that it listens on.
func peopleCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var name, cluster string
	var replicas int
	var servers natsURLs
	f := newFlags("cluster "+peopleCommandName, stderr)
	f.StringVar(&name, "name", "", "`name` of the node")
	f.StringVar(&cluster, "cluster", "people", "`name` of the cluster")
	f.IntVar(&replicas, "replicas", 1, "`number` of NATS servers that store the log")
	flagURLs(f, &servers, "nats", "`URLs` of NATS servers")
	if err := parse(f, args); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	c := &crowd{sent: &countingEngine{Engine: newEngine(servers, replicas, log)}, leaves: make(map[string]int)}
	c.hub = room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil },
		Engine:    c.sent, Cluster: cluster, Node: name, Logger: log,
		PingEvery: -1, // the connections cannot break
	})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /people", c.join)
	mux.HandleFunc("GET /people", c.show)
	return serveUntilParentEnds(ctx, mux, c.hub, stdout)
}

// countingEngine counts the messages to other nodes.
type countingEngine struct {
	room.Engine
	messages, bytes atomic.Int64
}

// Send implements [room.Engine].
func (e *countingEngine) Send(ctx context.Context, to string, msg []byte) error {
	e.messages.Add(1)
	e.bytes.Add(int64(len(msg)))
	return e.Engine.Send(ctx, to, msg)
}

// arrivals are people who come to a node.
type arrivals struct {
	First  int `json:"first"` // number of the first one
	Number int `json:"number"`
	Plans  int `json:"plans"` // of all people
}

func personID(i int) string { return fmt.Sprintf("person-%06d", i) }

func planOf(i, plans int) string { return fmt.Sprintf("plan-%d", i%plans) }

// join connects people. The first one of each plan observes who leaves.
func (c *crowd) join(w http.ResponseWriter, r *http.Request) {
	var a arrivals
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for i := a.First; i < a.First+a.Number; i++ {
		o := &roomtest.SinkOptions{Discard: true}
		if i < a.First+a.Plans {
			o.OnMessage = c.observe
		}
		sink := roomtest.NewSink(o)
		if err := sink.Connect(c.hub, auth.Identity{UserID: personID(i), Name: personID(i)}, nil); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		sink.Join(planOf(i, a.Plans), nil)
	}
	w.WriteHeader(http.StatusNoContent)
}

// observe counts the notices of leaves that observers get.
func (c *crowd) observe(m roomtest.Received) {
	if m.Type != protocol.TypeLeavePlan {
		return
	}
	var left struct {
		UserID string `json:"userId"`
	}
	if json.Unmarshal(m.Data, &left) != nil || left.UserID == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaves[left.UserID]++
}

// crowdState is what a node says of the people that it lists.
type crowdState struct {
	NotReady string `json:"notReady"` // why, or ""
	Listed   int    `json:"listed"`   // people of all nodes
	Digest   uint64 `json:"digest"`   // of the lists
	Notified int    `json:"notified"` // users of whose leave observers got a notice
	Again    int    `json:"again"`    // of these, how many more than once
	Messages int64  `json:"messages"` // to other nodes
	Bytes    int64  `json:"bytes"`
	Heap     uint64 `json:"heap"` // after a garbage collection, if that was asked for
	RSS      uint64 `json:"rss"`  // 0 if it is not known
}

// show describes the node. The parameter plans is the number of all plans; with memory=1 it
// collects garbage and looks at the memory.
func (c *crowd) show(w http.ResponseWriter, r *http.Request) {
	var plans int
	if _, err := fmt.Sscan(r.FormValue("plans"), &plans); err != nil {
		http.Error(w, "plans: "+err.Error(), http.StatusBadRequest)
		return
	}
	s := crowdState{Messages: c.sent.messages.Load(), Bytes: c.sent.bytes.Load()}
	if err := c.hub.Ready(); err != nil {
		s.NotReady = err.Error()
	}
	s.Listed, s.Digest = c.list(plans)
	c.mu.Lock()
	for _, n := range c.leaves {
		s.Notified++
		if n > 1 {
			s.Again++
		}
	}
	c.mu.Unlock()
	if r.FormValue("memory") != "" {
		runtime.GC()
		runtime.GC() // the first one may have been running
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		s.Heap, s.RSS = m.HeapAlloc, residentBytes()
	}
	writeJSON(w, http.StatusOK, s)
}

// list counts the people whom the hub lists. Equal lists have equal digests.
func (c *crowd) list(plans int) (listed int, digest uint64) {
	h := fnv.New64a()
	for i := range plans {
		info, _ := c.hub.Room(planOf(i, plans))
		var names []string
		for _, p := range info.People {
			names = append(names, p.UserID)
		}
		slices.Sort(names)
		fmt.Fprintln(h, i, names)
		listed += len(names)
	}
	return listed, h.Sum64()
}

// residentBytes returns the memory of this process, where the system says so.
func residentBytes() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	var size, resident uint64
	if err == nil {
		_, err = fmt.Sscan(string(text), &size, &resident)
	}
	if err != nil {
		return 0
	}
	return resident * uint64(os.Getpagesize())
}
