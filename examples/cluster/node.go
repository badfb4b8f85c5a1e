package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
	"github.com/planrooms/planrooms/transport"
)

const (
	nodeCommandName = "node"
	planID          = "demo"
)

// users are those of the page: their tokens are their names. A token that begins with
// checkerPrefix is that of a Go client, whose user has the same name.
var users = map[string]auth.Identity{
	"ada": {UserID: "ada", Name: "Ada"},
	"ben": {UserID: "ben", Name: "Ben"},
	"cyd": {UserID: "cyd", Name: "Cyd"},
}

const checkerPrefix = "checker"

// verify finds the user of a token.
func verify(ctx context.Context, token string) (auth.Identity, error) {
	if strings.HasPrefix(token, checkerPrefix) {
		return auth.Identity{UserID: token, Name: token}, nil
	}
	return auth.Static(users).Verify(ctx, token)
}

// node is one process of the service. What makes it a node of a cluster are the three options
// Engine, Cluster and Node; everything else is as in a service with one process.
type node struct {
	faults   bool // it has the routes of faultroutes.go, and all plans
	clock    *jumpingClock
	openings openings
	hub      *room.Hub
	database string // URL
	client   *http.Client
	log      *slog.Logger
}

// nodeCommand runs a node. It prints the URL that it listens on.
func nodeCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var name, cluster, database string
	var replicas int
	var faults bool
	var servers natsURLs
	f := newFlags("cluster "+nodeCommandName, stderr)
	f.StringVar(&name, "name", "", "`name` of the node")
	f.StringVar(&cluster, "cluster", "demo", "`name` of the cluster")
	f.StringVar(&database, "database", "", "`URL` of the database")
	f.IntVar(&replicas, "replicas", 1, "`number` of NATS servers that store the log")
	flagURLs(f, &servers, "nats", "`URLs` of NATS servers")
	f.BoolVar(&faults, "faults", false, "add routes for the command faults")
	if err := parse(f, args); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	n := &node{faults: faults, database: database, client: &http.Client{Timeout: 10 * time.Second}, log: log}
	options := &room.Options{
		Authorize: n.mayView,
		Engine:    newEngine(servers, replicas, log),
		Cluster:   cluster,
		Node:      name,
		Logger:    log,
	}
	if faults {
		n.clock = newJumpingClock()
		options.Clock = n.clock
	}
	n.hub = room.NewHub(options)
	if faults {
		defer n.openings.start(n.hub)()
	}
	return serveUntilParentEnds(ctx, n.routes(), n.hub, stdout)
}

// newEngine returns the engine of a node. The client uses only the given URLs: those of other
// servers would lead around the link that the page can cut.
func newEngine(servers natsURLs, replicas int, log *slog.Logger) *natsengine.Engine {
	return natsengine.New(natsengine.Options{
		Servers:  servers.texts(),
		Replicas: replicas,
		NATS:     []nats.Option{nats.IgnoreDiscoveredServers()},
		Logger:   log,
	})
}

// mayView asks the database whether a user may view a plan.
func (n *node) mayView(ctx context.Context, id auth.Identity, plan string) error {
	if !n.has(plan) {
		return room.ErrForbidden
	}
	var may bool
	q := url.Values{"user": {id.UserID}, "plan": {plan}}
	if err := n.ask(ctx, "GET", "/access?"+q.Encode(), nil, &may); err != nil {
		return err
	}
	if !may {
		return room.ErrForbidden
	}
	return nil
}

// has reports whether the service has a plan. The demonstration has one.
func (n *node) has(plan string) bool { return plan == planID || n.faults }

func (n *node) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /ws", transport.NewHandler(n.hub, auth.VerifierFunc(verify), &transport.Options{Logger: n.log}))
	mux.HandleFunc("GET /plan", n.getPlan)
	mux.HandleFunc("POST /changes", n.change)
	mux.HandleFunc("GET /readyz", n.ready)
	mux.HandleFunc("GET /cluster", n.cluster)
	if n.faults {
		n.faultRoutes(mux)
	}
	return mux
}

// getPlan returns a plan with its position. The position comes first: the plan then contains at
// least the events up to there.
func (n *node) getPlan(w http.ResponseWriter, r *http.Request) {
	id := cmp.Or(r.FormValue("plan"), planID)
	if !n.has(id) {
		http.NotFound(w, r)
		return
	}
	position, err := n.hub.Position(r.Context(), id)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	var p plan
	if err := n.ask(r.Context(), "GET", "/plan?"+url.Values{"plan": {id}}.Encode(), nil, &p); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	p.Position = position
	writeJSON(w, http.StatusOK, p)
}

// change stores a change, and then broadcasts it. The database knows a change by its number, and
// the hub by its ID, so a request that got no answer can be sent again, to any node. The status is
// 503 if the event is not stored, and 504 if that is uncertain.
func (n *node) change(w http.ResponseWriter, r *http.Request) {
	var t task
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&t); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !n.has(t.Plan) {
		http.NotFound(w, r)
		return
	}
	if err := n.ask(r.Context(), "POST", "/changes", t, nil); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	id := room.Once(fmt.Sprint(t.Run, "-", t.Change))
	if _, err := n.hub.Broadcast(r.Context(), t.Plan, protocol.TaskUpdated(t), id); err != nil {
		n.log.Warn("broadcast", "plan", t.Plan, "change", t.Change, "error", err)
		status := http.StatusServiceUnavailable
		if errors.Is(err, room.ErrUncertain) {
			status = http.StatusGatewayTimeout
		}
		http.Error(w, err.Error(), status)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// ready is for load balancers.
func (n *node) ready(w http.ResponseWriter, _ *http.Request) {
	if err := n.hub.Ready(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// report is what a node says of itself.
type report struct {
	NotReady string           `json:"notReady"` // why, or ""
	Cluster  room.ClusterInfo `json:"cluster"`
}

// cluster is for operators.
func (n *node) cluster(w http.ResponseWriter, _ *http.Request) {
	var r report
	if err := n.hub.Ready(); err != nil {
		r.NotReady = err.Error()
	}
	r.Cluster, _ = n.hub.Cluster()
	writeJSON(w, http.StatusOK, r)
}

// ask sends a request to the database.
func (n *node) ask(ctx context.Context, method, path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, n.database+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	resp, err := n.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("the database answers %s", resp.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // an error means that the client is gone
}
