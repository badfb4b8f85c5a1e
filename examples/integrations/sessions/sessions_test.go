package sessions_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/examples/integrations/internal/kit"
	"github.com/planrooms/planrooms/examples/integrations/sessions"
	"github.com/planrooms/planrooms/transport/client"
	"github.com/planrooms/planrooms/transport/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m) }

type host struct {
	*kit.Host
	db *sessions.DB
}

func start(t *testing.T) host {
	db, err := sessions.Open(t.Context(), filepath.Join(t.TempDir(), "board.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	hub := sessions.NewHub(db)
	url := kit.Serve(t, sessions.New(db, hub), hub)
	login := func(body map[string]string) kit.User {
		header, _ := kit.User{}.Do(t, http.MethodPost, url+"/login", body, http.StatusOK)
		cookie, err := http.ParseSetCookie(header.Get("Set-Cookie"))
		if err != nil {
			t.Fatal(err)
		}
		return kit.User{"Cookie": {cookie.Name + "=" + cookie.Value}, "Origin": {url}} // as a browser sends them
	}
	return host{db: db, Host: &kit.Host{
		URL:       url,
		Plans:     "/plans/",
		Hub:       hub,
		Move:      func(planID string) any { return map[string]string{"planId": planID} },
		Drain:     func() {}, // the handlers broadcast before they answer
		Ann:       login(map[string]string{"user": "ann"}),
		Bob:       login(map[string]string{"user": "bob"}),
		BobsPhone: login(map[string]string{"user": "bob"}),
		Cleo:      login(map[string]string{"user": "cleo"}),
		Visitor:   login(map[string]string{"user": "visitor", "link": "link-5"}),
	}}
}

func TestSessions(t *testing.T) {
	kit.TestHost(t, func(t *testing.T) *kit.Host { return start(t).Host })
}

// A session that ends without a call of Disconnect, as when it expires, ends the connection at the
// next check of its access.
func TestSessionEnded(t *testing.T) {
	h := start(t)
	bob := kit.Watch(t, h.URL, h.URL+"/plans/1", "1", h.Bob)
	session, err := h.db.Session(t.Context(), strings.TrimPrefix(h.Bob["Cookie"][0], "session="))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.db.Logout(t.Context(), session.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Hub.RecheckUser(t.Context(), "bob"); err != nil || got.Removed != 1 {
		t.Errorf("RecheckUser = %+v, %v, want one removed", got, err)
	}
	bob.WantEnd(client.ErrUnauthorized)
}

// A page of another site cannot connect with the cookie of its visitor, and neither can a program
// that has the cookie and sends no origin.
func TestOrigin(t *testing.T) {
	h := start(t)
	for _, origin := range []string{"https://evil.example", ""} {
		header := http.Header{"Cookie": h.Ann["Cookie"]}
		if origin != "" {
			header.Set("Origin", origin)
		}
		c, resp, err := transporttest.Dial(h.URL+"/ws", &transporttest.Options{Header: header})
		if err != nil || c != nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q: connection %v, error %v", origin, c != nil, err)
		}
	}
}
