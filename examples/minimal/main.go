// A plan of one task that two people look at together.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/browser"
)

type task struct {
	ID   string `json:"id"`
	Done bool   `json:"done"`
}

// A service has both already: a database, and a check of access. Mallory is a user without a plan.
var (
	mu      sync.Mutex // guards milk
	milk    = task{ID: "milk"}
	members = map[string]map[string]bool{"demo": {"ann": true, "bob": true}}
)

func mayView(_ context.Context, id auth.Identity, planID string) error {
	if !members[planID][id.UserID] {
		return room.ErrForbidden // also for a plan that does not exist
	}
	return nil
}

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	flag.Parse()

	secret := make([]byte, 32)
	rand.Read(secret) // never returns an error
	verifier, err := jwtauth.New(&jwtauth.Options{
		Keys:       []jwtauth.Key{jwtauth.HMAC("", secret)},
		Algorithms: []jwtauth.Algorithm{jwtauth.HS256},
	})
	if err != nil {
		log.Fatal(err)
	}

	hub := room.NewHub(&room.Options{Authorize: mayView})

	// member calls next if the user may see the plan. A service has such a check already.
	member := func(next func(w http.ResponseWriter, r *http.Request, userID string)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			id, err := verifier.Verify(r.Context(), token)
			if err != nil {
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			if mayView(r.Context(), id, "demo") != nil {
				http.NotFound(w, r)
				return
			}
			next(w, r, id.UserID)
		}
	}

	mux := http.NewServeMux()
	mux.Handle("GET /ws", transport.NewHandler(hub, verifier, nil))
	mux.Handle("GET /planrooms/", browser.Handler()) // the client that the page below imports
	mux.HandleFunc("GET /plans/demo", member(func(w http.ResponseWriter, r *http.Request, _ string) {
		position, err := hub.Position(r.Context(), "demo") // before reading the plan
		if err != nil {
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(map[string]any{"position": position, "tasks": []task{milk}})
	}))
	mux.HandleFunc("PATCH /tasks/milk", member(func(w http.ResponseWriter, r *http.Request, userID string) {
		mu.Lock()
		defer mu.Unlock()
		milk.Done = !milk.Done // commit, then broadcast
		if _, err := hub.BroadcastTaskUpdated(r.Context(), "demo", milk, transport.Author(r, userID)); err != nil {
			log.Print(err) // the change stands; its viewers see it when they load the plan
		}
		json.NewEncoder(w).Encode(milk)
	}))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, page) })

	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	for _, user := range []string{"ann", "bob", "mallory"} {
		fmt.Printf("%s: http://%s/#%s\n", user, ln.Addr(), sign(secret, user))
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	<-ctx.Done()
	stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	// Requests first, so that their changes are still broadcast; then the connections.
	if err := errors.Join(srv.Shutdown(ctx), hub.Shutdown(ctx)); err != nil {
		log.Fatal(err)
	}
}

// sign issues a token, as the login of a service does.
func sign(secret []byte, userID string) string {
	claims, err := json.Marshal(map[string]any{"sub": userID, "exp": time.Now().Add(time.Hour).Unix()})
	if err != nil {
		log.Fatal(err)
	}
	b64 := base64.RawURLEncoding
	signed := b64.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + b64.EncodeToString(claims)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + b64.EncodeToString(mac.Sum(nil))
}

const page = `<!doctype html><meta charset="utf-8"><title>Plan</title>
<button>Milk: done or not</button><p role="status"></p><pre></pre>
<script type="module">
import { Client } from "/planrooms/planrooms.js"

const token = location.hash.slice(1), client = new Client({ getToken: () => token })
const call = (method, path) => fetch(path, { method, headers: { Authorization: "Bearer " + token, ...client.headers() } })
const show = what => document.querySelector("pre").append(JSON.stringify(what) + "\n")
document.querySelector("button").onclick = () => call("PATCH", "/tasks/milk")

const plan = client.join("demo", {
	load: async () => { const now = await (await call("GET", "/plans/demo")).json(); show(now); return now.position },
	onEvent: show,
	onReceipt: show,
	onChange: () => {
		document.title = plan.status + ", " + plan.participantCount + " here"
		document.querySelector("p").textContent = plan.status !== "stopped" ? "" :
			"Stopped: " + plan.error.message + ". Log in again: open a new link of the program."
	},
	onError: show,
})
window.onhashchange = () => location.reload() // another link in the same tab
</script>`
