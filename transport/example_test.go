package transport_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

func canSeePlan(context.Context, auth.Identity, string) error { return nil }

func saveTask(*http.Request) (task any, err error) { return struct{}{}, nil }

func lookUpSession(context.Context, string) (auth.Identity, error) {
	return auth.Identity{UserID: "ann"}, nil
}

// A service with live plans: a handler for the connections, and one line in the handler of a
// change.
func Example() {
	hub := room.NewHub(&room.Options{Authorize: canSeePlan})
	verifier := auth.Static(map[string]auth.Identity{"secret": {UserID: "ann", Name: "Ann"}})

	mux := http.NewServeMux()
	mux.Handle("GET /ws", transport.NewHandler(hub, verifier, nil))
	mux.HandleFunc("PATCH /plans/{plan}/tasks/{task}", func(w http.ResponseWriter, r *http.Request) {
		task, err := saveTask(r)
		if err != nil {
			http.Error(w, "not saved", http.StatusInternalServerError)
			return
		}
		_, err = hub.BroadcastTaskUpdated(r.Context(), r.PathValue("plan"), task, transport.Author(r, "ann"))
		if err != nil {
			log.Print(err) // the change is saved, but the event was not sent
		}
	})
	_ = http.ListenAndServe("localhost:8080", mux)
}

// A host with sessions, behind a proxy that ends TLS.
func ExampleNewHandler() {
	hub := room.NewHub(&room.Options{Authorize: canSeePlan})
	handler := transport.NewHandler(hub, nil, &transport.Options{
		Authenticate: func(r *http.Request) (auth.Identity, error) {
			cookie, err := r.Cookie("session")
			if err != nil {
				return auth.Identity{}, auth.ErrNoToken
			}
			return lookUpSession(r.Context(), cookie.Value)
		},
		PublicOrigin: "https://plans.example",
	})
	http.Handle("GET /ws", handler)
}

// A service with a subdomain for each customer. AllowOrigin compares whole labels of the host,
// because evilplans.example ends with the same string.
func ExampleOptions_allowOrigin() {
	hub := room.NewHub(&room.Options{Authorize: canSeePlan})
	handler := transport.NewHandler(hub, auth.Static(nil), &transport.Options{
		AllowOrigin: func(_ *http.Request, origin *url.URL) bool {
			// Host includes a port, if there is one
			customer, domain, ok := strings.Cut(origin.Host, ".")
			return ok && origin.Scheme == "https" && customer != "" && domain == "plans.example"
		},
	})
	for _, origin := range []string{
		"https://acme.plans.example",
		"http://acme.plans.example",
		"https://plans.example",
		"https://acme.evilplans.example",
		"https://acme.plans.example.evil.example",
		"https://acme.plans.example:8443",
	} {
		r := httptest.NewRequest(http.MethodGet, "/ws", nil)
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code != http.StatusForbidden, origin)
	}
	// Output:
	// true https://acme.plans.example
	// false http://acme.plans.example
	// false https://plans.example
	// false https://acme.evilplans.example
	// false https://acme.plans.example.evil.example
	// false https://acme.plans.example:8443
}

// The access log of a host contains the URL of each request, and some clients send their token in
// it.
func ExampleHideToken() {
	hub := room.NewHub(&room.Options{Authorize: canSeePlan})
	defer hub.Shutdown(context.Background())
	accessLog := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Println(r.Method, r.RequestURI)
			next.ServeHTTP(w, r)
		})
	}
	mux := http.NewServeMux()
	mux.Handle("GET /ws", transport.NewHandler(hub, auth.Static(map[string]auth.Identity{"secret": {UserID: "ann"}}), nil))

	handler := transport.HideToken(accessLog(mux)) // outermost
	srv := httptest.NewServer(handler)
	defer srv.Close()

	r, err := http.NewRequest(http.MethodGet, srv.URL+"/ws?client=tab&token=secret", nil)
	if err != nil {
		log.Fatal(err)
	}
	r.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// GET /ws?client=tab
	// 101 Switching Protocols
}
