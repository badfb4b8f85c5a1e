package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"github.com/planrooms/planrooms/protocol"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	b := start(t)
	var a access
	resp := b.must(http.StatusOK, &a, "POST", "/api/login", nil, `{"email":" Ada@Example.com ","password":"planrooms"}`)
	if a.User.Name != "Ada" || a.User.Email != ada || a.User.ID == "" {
		t.Errorf("user %+v", a.User)
	}
	if left := time.Until(a.ExpiresAt); left <= 59*time.Minute || left > time.Hour+time.Second {
		t.Errorf("the token is good for %v, want an hour", left)
	}
	cookie := resp.Header.Get("Set-Cookie")
	_, attributes, _ := strings.Cut(cookie, ";")
	if want := " Path=/api/; Max-Age=2592000; HttpOnly; SameSite=Strict"; attributes != want {
		t.Errorf("Set-Cookie %q, want attributes %q", cookie, want)
	}
	if got := resp.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	b.plan(&person{access: a}, "Launch week")
}

func TestLoginRefused(t *testing.T) {
	t.Parallel()
	b := start(t)
	wrong := b.must(http.StatusUnauthorized, nil, "POST", "/api/login", nil, `{"email":"ada@example.com","password":"planroom"}`)
	unknown := b.must(http.StatusUnauthorized, nil, "POST", "/api/login", nil, `{"email":"eve@example.com","password":"planroom"}`)
	dummy := b.must(http.StatusUnauthorized, nil, "POST", "/api/login", nil, `{"email":"eve@example.com","password":"nobody has this password"}`)
	if string(wrong.body) != string(unknown.body) || string(wrong.body) != string(dummy.body) || wrong.code() != "bad_credentials" {
		t.Errorf("wrong password: %s, unknown user: %s, %s", wrong.body, unknown.body, dummy.body)
	}
	if got := wrong.Header.Get("Set-Cookie"); got != "" {
		t.Errorf("Set-Cookie %q", got)
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	p, err := newPasswords(bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	longest := strings.Repeat("x", maxPasswordBytes)
	hash, err := p.hash(longest)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		hash     []byte
		password string
		want     bool
	}{
		{"the one", hash, longest, true},
		{"a shorter one", hash, longest[1:], false},
		{"one that is the same as far as bcrypt looks", hash, longest + "y", false},
		{"none", hash, "", false},
		{"of an unknown user", nil, "nobody has this password", false},
	} {
		if got, err := p.match(t.Context(), c.hash, c.password); got != c.want || err != nil {
			t.Errorf("match(%s) = %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	for _, bad := range []string{"", "1234567", longest + "y"} {
		if _, err := p.hash(bad); err == nil {
			t.Errorf("hash(%q) = nil", bad)
		}
	}
	if _, err := p.match(t.Context(), []byte("no hash"), "x"); err == nil {
		t.Error("match with a broken hash: no error")
	}
}

func TestAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	b := start(t)
	stopClock(b.service.attempts)
	for i := range byAccountAndBlock.burst {
		if resp := b.do("POST", "/api/login", nil, `{"email":"ada@example.com","password":"guess"}`); resp.StatusCode != http.StatusUnauthorized {
			t.Fatalf("guess %d: status %d %s", i, resp.StatusCode, resp.body)
		}
	}
	resp := b.must(http.StatusTooManyRequests, nil, "POST", "/api/login", nil, `{"email":"ADA@example.com","password":"planrooms"}`)
	var seconds int
	if _, err := fmt.Sscan(resp.Header.Get("Retry-After"), &seconds); err != nil || seconds < 1 || seconds > 300 || resp.code() != "too_many_attempts" {
		t.Errorf("Retry-After %q, %s", resp.Header.Get("Retry-After"), resp.body)
	}
	b.login(ben) // others may

	guess := `{"email":"cleo@example.com","password":"guess"}`
	for range byAccountAndBlock.burst - 1 {
		b.must(http.StatusUnauthorized, nil, "POST", "/api/login", nil, guess)
	}
	b.login(cleo) // it was her
	b.must(http.StatusUnauthorized, nil, "POST", "/api/login", nil, guess)
	b.must(http.StatusUnauthorized, nil, "POST", "/api/login", nil, guess)
}

func TestRenew(t *testing.T) {
	t.Parallel()
	b := start(t)
	p := b.login(ada)
	var a access
	b.must(http.StatusOK, &a, "POST", "/api/token", nil, "", "Cookie", p.cookie)
	if diff := cmp.Diff(p.User, a.User); diff != "" {
		t.Errorf("user (-login +token):\n%s", diff)
	}
	v := b.join(&person{access: a}, "tab", b.plan(p, "Launch week"))
	// The page renews in time.
	v.Request(protocol.Request{Type: protocol.TypeAuthenticate, Token: p.Token})
	v.next(protocol.TypeAuthenticate)

	for cookie, code := range map[string]string{"": "no_session", sessionCookie + "=nonsense": "session_ended"} {
		if resp := b.do("POST", "/api/token", nil, "", "Cookie", cookie); resp.StatusCode != http.StatusUnauthorized || resp.code() != code {
			t.Errorf("cookie %q: status %d %s, want 401 %s", cookie, resp.StatusCode, resp.body, code)
		}
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	b := start(t)
	p, elsewhere := b.login(ada), b.login(ada)
	plan := b.plan(p, "Launch week")
	tabs, other := []*viewer{b.join(p, "tab1", plan), b.join(p, "tab2", plan)}, b.join(elsewhere, "other", plan)
	resp := b.must(http.StatusNoContent, nil, "POST", "/api/logout", nil, "", "Cookie", p.cookie)
	if got := resp.Header.Get("Set-Cookie"); !strings.HasPrefix(got, sessionCookie+"=; ") || !strings.Contains(got, "Max-Age=0") {
		t.Errorf("Set-Cookie %q", got)
	}
	b.must(http.StatusUnauthorized, nil, "POST", "/api/token", nil, "", "Cookie", p.cookie)
	if resp := b.must(http.StatusUnauthorized, nil, "GET", "/api/plans", p, ""); resp.code() != "bad_token" {
		t.Errorf("a token of a session that has ended: %s", resp.body)
	}
	for _, tab := range tabs {
		if goodbye, code := tab.WantClose(); code != protocol.CloseUnauthorized || !goodbye.Reauth {
			t.Errorf("closed with %d after %+v, want 4401", code, goodbye)
		}
	}
	b.must(http.StatusOK, nil, "POST", "/api/token", nil, "", "Cookie", elsewhere.cookie)
	other.silent()
	b.must(http.StatusNoContent, nil, "POST", "/api/logout", nil, "") // nothing to end
	b.must(http.StatusNoContent, nil, "POST", "/api/logout", nil, "", "Cookie", p.cookie)
}

func TestLoginEndsTheSessionBefore(t *testing.T) {
	t.Parallel()
	b := start(t)
	p := b.login(ada)
	tab := b.connect(p, "tab")
	b.must(http.StatusOK, nil, "POST", "/api/login", nil, `{"email":"ben@example.com","password":"planrooms"}`, "Cookie", p.cookie)
	if goodbye, code := tab.WantClose(); code != protocol.CloseUnauthorized || !goodbye.Reauth {
		t.Errorf("closed with %d after %+v, want 4401", code, goodbye)
	}
	resp := b.must(http.StatusUnauthorized, nil, "POST", "/api/token", nil, "", "Cookie", p.cookie)
	if got := resp.Header.Get("Set-Cookie"); got != "" {
		t.Errorf("Set-Cookie %q, which would replace the cookie of the new session", got)
	}
}

func TestLogoutEverywhere(t *testing.T) {
	t.Parallel()
	b := start(t)
	here, there, other := b.login(ada), b.login(ada), b.login(ben)
	plan := b.plan(here, "Launch week")
	v, w, benTab := b.join(here, "here", plan), b.join(there, "there", plan), b.join(other, "tab", plan)

	b.must(http.StatusNoContent, nil, "DELETE", "/api/sessions", here, "")
	for _, tab := range []*viewer{v, w} {
		goodbye, code := tab.WantClose()
		if code != protocol.CloseForbidden || goodbye.Code != code || goodbye.Reconnect {
			t.Errorf("closed with %d after %+v, want 4403 without a reconnect", code, goodbye)
		}
	}
	for _, p := range []*person{here, there} {
		b.must(http.StatusUnauthorized, nil, "POST", "/api/token", nil, "", "Cookie", p.cookie)
		b.must(http.StatusUnauthorized, nil, "GET", "/api/plans", p, "")
		late, _ := b.dial(p.Token, "late", b.url)
		if goodbye, code := late.WantClose(); code != protocol.CloseUnauthorized {
			t.Errorf("an old token: closed with %d after %+v, want 4401", code, goodbye)
		}
	}
	benTab.silent()
	b.plan(b.login(ada), "Launch week") // and in again
}

func TestOtherOrigins(t *testing.T) {
	t.Parallel()
	b := start(t)
	p := b.login(ada)
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
	} {
		for _, path := range []string{"/api/login", "/api/token", "/api/logout"} {
			if resp := b.do("POST", path, nil, "", append(headers, "Cookie", p.cookie)...); resp.StatusCode != http.StatusForbidden || resp.code() != "cross_origin" {
				t.Errorf("POST %s with %q: status %d %s, want 403", path, headers, resp.StatusCode, resp.body)
			}
		}
	}
	b.must(http.StatusOK, nil, "POST", "/api/token", nil, "", "Cookie", p.cookie, "Sec-Fetch-Site", "same-origin", "Origin", b.url)
	if _, status := b.dial(p.Token, "tab", "https://evil.example"); status != http.StatusForbidden {
		t.Errorf("a WebSocket of another page: status %d, want 403", status)
	}
}

func TestBehindTLS(t *testing.T) {
	t.Parallel()
	c := cheap()
	c.origin = "https://board.example.com"
	b := serveBoard(t, filepath.Join(t.TempDir(), "board.db"), c)
	body := `{"email":"ada@example.com","password":"planrooms"}`
	resp := b.must(http.StatusOK, nil, "POST", "/api/login", nil, body, "Origin", c.origin)
	if got := resp.Header.Get("Set-Cookie"); !strings.Contains(got, "; Secure") {
		t.Errorf("Set-Cookie %q, want it Secure", got)
	}
	if _, status := b.dial(b.login(ada).Token, "tab", c.origin); status != http.StatusSwitchingProtocols {
		t.Errorf("a WebSocket of the public origin: status %d, want 101", status)
	}
	if _, status := b.dial(b.login(ada).Token, "tab", b.url); status != http.StatusForbidden {
		t.Errorf("a WebSocket of the origin of the request, over http: status %d, want 403", status)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "board.db")
	b := serveBoard(t, path, cheap())
	p := b.login(ada)
	plan := b.plan(p, "Launch week")
	task := plan.Tasks[0]
	b.must(http.StatusOK, nil, "PATCH", "/api/tasks/"+task.ID, p, `{"version":1,"title":"Kept"}`)
	b.stop()

	b = serveBoard(t, path, cheap())
	b.must(http.StatusOK, nil, "POST", "/api/token", nil, "", "Cookie", p.cookie)
	again := b.plan(p, "Launch week") // with the token from before
	if again.Tasks[0].Title != "Kept" || len(again.Tasks) != len(plan.Tasks) || again.Position.Epoch == plan.Position.Epoch {
		t.Errorf("after a restart: %+v", again)
	}
	b.join(p, "tab", again)
	var list struct{ Plans []struct{ Title string } }
	b.must(http.StatusOK, &list, "GET", "/api/plans", p, "")
	if len(list.Plans) != 2 {
		t.Errorf("plans after a restart: %+v, want the two of the demo", list.Plans)
	}
	b.stop()

	b = serveBoard(t, filepath.Join(t.TempDir(), "other.db"), cheap()) // with other keys
	if resp := b.do("GET", "/api/plans", p, ""); resp.StatusCode != http.StatusUnauthorized || resp.code() != "bad_token" {
		t.Errorf("a token of another board: status %d %s", resp.StatusCode, resp.body)
	}
}

func TestTokenRunsOut(t *testing.T) {
	t.Parallel()
	c := cheap()
	c.tokenTTL = time.Second
	b := serveBoard(t, filepath.Join(t.TempDir(), "board.db"), c)
	p := b.login(ada)
	v, _ := b.dial(p.Token, "tab", b.url) // its end may come before or after the hello
	for v.next(protocol.TypePong, protocol.TypeGoodbye).Type != protocol.TypeGoodbye {
	}
	if resp := b.do("GET", "/api/plans", p, ""); resp.StatusCode != http.StatusUnauthorized || resp.code() != "token_expired" {
		t.Errorf("status %d %s, want 401 token_expired", resp.StatusCode, resp.body)
	}
	b.must(http.StatusOK, nil, "POST", "/api/token", nil, "", "Cookie", p.cookie)
	for _, token := range []string{"", "nonsense"} {
		resp := b.do("GET", "/api/plans", &person{access: access{Token: token}}, "")
		if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("token %q: status %d, WWW-Authenticate %q", token, resp.StatusCode, resp.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	b := start(t)
	p := b.login(ada)
	b.must(http.StatusUnauthorized, nil, "POST", "/api/login", nil, `{"email":"ada@example.com","password":"not-the-password"}`)
	b.join(p, "tab", b.plan(p, "Launch week"))
	_, cookie, _ := strings.Cut(p.cookie, "=")
	log := b.log.String()
	if !strings.Contains(log, "login") {
		t.Errorf("log %q, want the login in it", log)
	}
	for _, secret := range []string{p.Token, cookie, demoPassword, "not-the-password"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q in it:\n%s", secret, log)
		}
	}
}
