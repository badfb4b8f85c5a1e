package main

import (
	"bytes"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// Only a user of -operator who is logged in sees the operators' page, with the cookie that a
// browser sends. All others get 404.
func TestOperators(t *testing.T) {
	t.Parallel()
	c := cheap()
	c.operators = []string{cleo}
	b := serveBoard(t, filepath.Join(t.TempDir(), "board.db"), c)
	p, operator := b.login(ada), b.login(cleo)
	plan := b.plan(p, "Launch week")
	b.join(p, "tab", plan)

	if resp := b.must(http.StatusOK, nil, "GET", "/api/rooms", nil, "", "Cookie", operator.cookie); !strings.Contains(string(resp.body), plan.ID) {
		t.Errorf("rooms %s, want %s among them", resp.body, plan.ID)
	}
	page := b.must(http.StatusOK, nil, "GET", "/api/rooms", nil, "", "Cookie", operator.cookie, "Accept", "text/html")
	if got := page.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/html") {
		t.Errorf("the page has Content-Type %q", got)
	}
	refused := func(who string, p *person, headers ...string) {
		t.Helper()
		resp := b.must(http.StatusNotFound, nil, "GET", "/api/rooms", p, "", headers...)
		if len(resp.body) > 0 {
			t.Errorf("%s: answer %s", who, resp.body)
		}
	}
	refused("nobody", nil)
	refused("another user", nil, "Cookie", p.cookie)
	refused("the operator's token", operator)
	refused("a made-up cookie", nil, "Cookie", sessionCookie+"=nonsense")
	b.must(http.StatusNoContent, nil, "POST", "/api/logout", nil, "", "Cookie", operator.cookie)
	refused("after the logout", nil, "Cookie", operator.cookie)

	// If the database fails, the page is closed.
	if err := b.service.store.Close(); err != nil {
		t.Fatal(err)
	}
	refused("without a database", nil, "Cookie", p.cookie)
	if log := b.log.take(); !strings.Contains(log, "operator") {
		t.Errorf("log %q", log)
	}
}

// Without -operator there is no such route. The addresses of the flag are those of the accounts.
func TestOperatorFlag(t *testing.T) {
	t.Parallel()
	b := start(t)
	p := b.login(ada)
	if resp := b.must(http.StatusNotFound, nil, "GET", "/api/rooms", nil, "", "Cookie", p.cookie); resp.code() != "no_such_route" {
		t.Errorf("answer %s", resp.body)
	}
	c, err := parseFlags([]string{"-operator", "Ada@Example.com", "-operator", ben, "-debug"}, &bytes.Buffer{})
	if want := ada + " " + ben; err != nil || strings.Join(c.operators, " ") != want {
		t.Errorf("operators %q, error %v, want %s", c.operators, err, want)
	}
}
