package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// tab is a WebSocket client for the examples.
type tab struct{ *transporttest.Conn }

// openTab connects to url as the user, with a client ID.
func openTab(url, token, clientID string) *tab {
	c, resp, err := transporttest.Dial(url+"/ws?client="+clientID, &transporttest.Options{
		Header: http.Header{"Authorization": {"Bearer " + token}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if c == nil {
		log.Fatal(resp.Status)
	}
	t := &tab{c}
	t.read() // the hello
	return t
}

// join joins a plan and reads the answer.
func (t *tab) join(planID string, since *protocol.Position) protocol.JoinAnswer {
	message, err := protocol.EncodeRequest(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: planID, Since: since})
	if err != nil {
		log.Fatal(err)
	}
	if err := t.SendText(string(message)); err != nil {
		log.Fatal(err)
	}
	var answer protocol.JoinAnswer
	if err := json.Unmarshal(t.read().Data, &answer); err != nil {
		log.Fatal(err)
	}
	return answer
}

// read reads the next message.
func (t *tab) read() protocol.Message {
	f, err := t.ReadMessage()
	if err != nil {
		log.Fatal(err)
	}
	m, err := protocol.Decode(f.Payload)
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// next returns the next message that is not a presence notice.
func (t *tab) next() string {
	for {
		switch m := t.read(); {
		case m.Type == protocol.TypeJoinPlan || m.Type == protocol.TypeLeavePlan:
		case m.Type == protocol.TypeReceipt:
			return fmt.Sprintf("%s by %s, mutation %s", m.Type, m.By, m.MutationID)
		default:
			return fmt.Sprintf("%s %s by %s", m.Type, m.Data, m.By)
		}
	}
}

// These examples share a host: a store with one plan, and users whose tokens contain their names.
type todo struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

type store struct {
	// guards tasks; held during a change and its broadcast, so that both have the same order
	mu    sync.Mutex
	tasks map[string]todo
}

func newStore() *store { return &store{tasks: map[string]todo{"7": {ID: "7", Title: "Milk"}}} }

func (s *store) snapshot() []todo {
	s.mu.Lock()
	defer s.mu.Unlock()
	var tasks []todo
	for _, t := range s.tasks {
		tasks = append(tasks, t)
	}
	return tasks
}

var users = auth.Static(map[string]auth.Identity{
	"token-of-ann": {UserID: "ann", Name: "Ann"},
	"token-of-bob": {UserID: "bob", Name: "Bob"},
})

var members = map[string]map[string]bool{"demo": {"ann": true, "bob": true}}

func mayView(_ context.Context, id auth.Identity, planID string) error {
	if !members[planID][id.UserID] { // your query
		return room.ErrForbidden // also for a plan that does not exist
	}
	return nil
}

// userOf represents the middleware of the host.
func userOf(r *http.Request) string {
	id, err := users.Verify(r.Context(), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if err != nil {
		return ""
	}
	return id.UserID
}

// A service that existed before, and what the library adds to it: a hub, a route, and a call for
// each change.
func ExampleNewHandler_routes() {
	hub := room.NewHub(&room.Options{Authorize: mayView})
	defer hub.Shutdown(context.Background())
	plans := newStore()

	mux := http.NewServeMux()
	mux.Handle("GET /ws", transport.NewHandler(hub, users, nil))
	mux.HandleFunc("GET /plans/{planID}", func(w http.ResponseWriter, r *http.Request) {
		planID := r.PathValue("planID")
		position, err := hub.Position(r.Context(), planID) // before reading the plan
		if err != nil {
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(map[string]any{"position": position, "tasks": plans.snapshot()})
	})
	mux.HandleFunc("PATCH /tasks/{taskID}", func(w http.ResponseWriter, r *http.Request) {
		plans.mu.Lock()
		defer plans.mu.Unlock()
		task, ok := plans.tasks[r.PathValue("taskID")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		task.Title = r.FormValue("title")
		plans.tasks[task.ID] = task // commit first

		if _, err := hub.BroadcastTaskUpdated(r.Context(), "demo", task, transport.Author(r, userOf(r))); err != nil {
			log.Print(err) // the change is saved anyway
		}
		json.NewEncoder(w).Encode(task)
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()

	ann := openTab(srv.URL, "token-of-ann", "anns-tab")
	defer ann.Close()
	bob := openTab(srv.URL, "token-of-bob", "bobs-tab")
	defer bob.Close()
	ann.join("demo", nil)
	bob.join("demo", nil)

	r, err := http.NewRequest(http.MethodPatch, srv.URL+"/tasks/7?title=Oat+milk", nil)
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer token-of-ann")
	r.Header.Set("X-Plan-Client", "anns-tab")
	r.Header.Set("X-Plan-Mutation", "m-1")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()

	fmt.Println(resp.Status)
	fmt.Println(ann.next())
	fmt.Println(bob.next())
	// Output:
	// 200 OK
	// receipt by ann, mutation m-1
	// task-updated {"task":{"id":"7","title":"Oat milk"}} by ann
}

// A route of the host commits the change first. One call then broadcasts it.
func ExampleAuthor() {
	hub := room.NewHub(&room.Options{
		Authorize: mayView,
		Observer: room.Observer{Broadcast: func(_ context.Context, b room.BroadcastInfo) {
			fmt.Println(b.PlanID, b.Type)
		}},
	})
	defer hub.Shutdown(context.Background())

	deleteTask := func(w http.ResponseWriter, r *http.Request) {
		taskID := r.PathValue("taskID")
		// ... delete it in the database ...
		if _, err := hub.BroadcastTaskDeleted(r.Context(), "demo", taskID, transport.Author(r, userOf(r))); err != nil {
			log.Print(err)
		}
		w.WriteHeader(http.StatusNoContent)
	}

	r := httptest.NewRequest(http.MethodDelete, "/tasks/7", nil)
	r.SetPathValue("taskID", "7")
	r.Header.Set("Authorization", "Bearer token-of-ann")
	r.Header.Set("X-Plan-Client", "anns-tab")
	w := httptest.NewRecorder()
	deleteTask(w, r)
	fmt.Println(w.Code)
	// Output:
	// demo task-deleted
	// 204
}

// A client loads a plan and then receives every event that follows, without a gap. The server
// replays changes between the GET and the join.
func ExampleNewHandler_snapshot() {
	hub := room.NewHub(&room.Options{Authorize: mayView})
	defer hub.Shutdown(context.Background())
	plans := newStore()

	getPlan := func(w http.ResponseWriter, r *http.Request) {
		position, err := hub.Position(r.Context(), "demo") // first
		if err != nil {
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		tasks := plans.snapshot() // second
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(map[string]any{"position": position, "tasks": tasks})
	}
	mux := http.NewServeMux()
	mux.Handle("GET /ws", transport.NewHandler(hub, users, nil))
	srv := httptest.NewServer(mux)
	defer srv.Close()

	w := httptest.NewRecorder()
	getPlan(w, httptest.NewRequest(http.MethodGet, "/plans/demo", nil))
	var plan struct {
		Position protocol.Position `json:"position"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &plan); err != nil {
		log.Fatal(err)
	}

	// Ann adds a task before the client has joined.
	if _, err := hub.BroadcastTaskCreated(context.Background(), "demo", todo{ID: "8", Title: "Bread"}, room.By("ann")); err != nil {
		log.Fatal(err)
	}

	bob := openTab(srv.URL, "token-of-bob", "bobs-tab")
	defer bob.Close()
	fmt.Println("recovered:", bob.join("demo", &plan.Position).Recovered)
	fmt.Println(bob.next())
	// Output:
	// recovered: true
	// task-created {"task":{"id":"8","title":"Bread"}} by ann
}

// Shut down the HTTP server first, so that the hub still delivers the changes of the last requests.
// Wait for both. A function of http.Server.RegisterOnShutdown would not be waited for.
func ExampleNewHandler_shutdown() {
	hub := room.NewHub(&room.Options{Authorize: mayView})
	mux := http.NewServeMux()
	mux.Handle("GET /ws", transport.NewHandler(hub, users, nil))
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()

	bob := openTab("http://"+ln.Addr().String(), "token-of-bob", "bobs-tab")
	defer bob.Close()
	bob.join("demo", nil)

	drain := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		err := srv.Shutdown(ctx) // ignores WebSocket connections

		ctx, cancel = context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return errors.Join(err, hub.Shutdown(ctx))
	}
	drained := make(chan error, 1)
	go func() { drained <- drain() }() // main would wait for a signal instead

	var goodbye protocol.Goodbye
	if err := json.Unmarshal(bob.read().Data, &goodbye); err != nil {
		log.Fatal(err)
	}
	fmt.Println(goodbye.Code, "reconnect:", goodbye.Reconnect)
	bob.Close()
	fmt.Println(<-drained, errors.Is(<-served, http.ErrServerClosed))
	// Output:
	// 4503 reconnect: true
	// <nil> true
}

// A host with two kinds of token: JSON Web Tokens for plans, and the sessions of older features.
func ExampleNewHandler_twoKindsOfToken() {
	hub := room.NewHub(&room.Options{Authorize: mayView})
	defer hub.Shutdown(context.Background())
	tokens, err := jwtauth.New(&jwtauth.Options{
		JWKSURL:    "https://login.example.com/.well-known/jwks.json",
		Algorithms: []jwtauth.Algorithm{jwtauth.RS256},
		Issuer:     "https://login.example.com/",
		Audience:   "plans",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer tokens.Close()

	sessions := auth.VerifierFunc(func(ctx context.Context, token string) (auth.Identity, error) {
		user, ok := map[string]string{"s-81f3a0c2": "ann"}[token] // the host's session store
		if !ok {
			return auth.Identity{}, auth.ErrInvalidToken
		}
		return auth.Identity{UserID: user, Name: user}, nil
	})
	mux := http.NewServeMux()
	mux.Handle("GET /ws", transport.NewHandler(hub, auth.FirstOf(tokens, sessions), nil))
	srv := httptest.NewServer(mux)
	defer srv.Close()

	ann := openTab(srv.URL, "s-81f3a0c2", "anns-tab")
	defer ann.Close()
	fmt.Println(ann.join("demo", nil).Participants[0].UserName)
	// Output:
	// ann
}

// A host whose middleware has already authenticated the request. If the request has a cookie, the
// page must come from an accepted origin.
func ExampleOptions_authenticate() {
	hub := room.NewHub(&room.Options{Authorize: mayView})
	defer hub.Shutdown(context.Background())
	ws := transport.NewHandler(hub, nil, &transport.Options{
		Authenticate: func(r *http.Request) (auth.Identity, error) {
			user := userOf(r)
			if user == "" {
				return auth.Identity{}, auth.ErrNoToken
			}
			return auth.Identity{UserID: user, Name: user, ExpiresAt: time.Now().Add(time.Hour)}, nil
		},
		PublicOrigin: "https://app.example.com",
	})
	mux := http.NewServeMux()
	mux.Handle("GET /ws", ws)
	srv := httptest.NewServer(mux)
	defer srv.Close()

	ann := openTab(srv.URL, "token-of-ann", "anns-tab")
	defer ann.Close()
	fmt.Println(ann.join("demo", nil).Success)
	// Output:
	// true
}

// A route that shows only operators who looks at which plan.
func ExampleInspect() {
	hub := room.NewHub(&room.Options{Authorize: mayView})
	defer hub.Shutdown(context.Background())

	mux := http.NewServeMux()
	mux.Handle("GET /internal/rooms", transport.Inspect(hub, func(r *http.Request) bool {
		return userOf(r) == "ann" // the operator of the host
	}))

	for _, token := range []string{"token-of-ann", "token-of-bob"} {
		r := httptest.NewRequest(http.MethodGet, "/internal/rooms", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, strings.Contains(w.Body.String(), `"rooms":[]`))
	}
	// Output:
	// 200 true
	// 404 false
}
