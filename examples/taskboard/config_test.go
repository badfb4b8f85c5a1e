package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	want := config{addr: "127.0.0.1:8080", db: "taskboard.db", tokenTTL: 15 * time.Minute, demo: true, passwordCost: 12}
	got, err := parseFlags(nil, &bytes.Buffer{})
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(config{})); err != nil || diff != "" {
		t.Errorf("parseFlags(): %v (-want +got):\n%s", err, diff)
	}
	for _, args := range [][]string{
		{"extra"}, {"-token-ttl", "0"}, {"-nonsense"},
		{"-origin", "board.example.com"}, {"-origin", "https://board.example.com/"}, {"-origin", "ftp://board.example.com"}, {"-origin", "https://"},
		{"-origin", "https://Board.example.com"}, {"-origin", "null"},
	} {
		var stderr bytes.Buffer
		if _, err := parseFlags(args, &stderr); err == nil || stderr.Len() == 0 {
			t.Errorf("parseFlags(%q) = %v, and printed %q", args, err, &stderr)
		}
	}
	if _, err := parseFlags([]string{"-h"}, &bytes.Buffer{}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("parseFlags(-h) = %v", err)
	}
}

func TestAddUser(t *testing.T) {
	t.Parallel()
	c := cheap()
	c.demo = false
	c.db = filepath.Join(t.TempDir(), "board.db")
	add := func(user, password string) error {
		c.addUser = user
		return addUser(t.Context(), c, strings.NewReader(password))
	}
	if err := add("Grace Hopper <Grace@example.com>", "nanosecond\n"); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct{ user, password string }{
		{"grace@example.com", "nanosecond"},
		{"nonsense", "nanosecond"},
		{"=?utf-8?q?Alan_=E2=80=AE?= <alan@example.com>", "nanosecond"},
		{strings.Repeat("x", 65) + " <alan@example.com>", "nanosecond"},
		{"Alan <alan@example.com>", "short"},
		{"Alan <alan@example.com>", ""},
		{"Alan <alan@example.com>", strings.Repeat("x", 73)},
	} {
		if err := add(bad.user, bad.password); err == nil {
			t.Errorf("addUser(%q, %q) = nil", bad.user, bad.password)
		}
	}
	if err := add("Other <grace@example.com>", "nanosecond"); !errors.Is(err, store.ErrEmailTaken) {
		t.Errorf("an address that is taken: %v", err)
	}
	b := serveBoard(t, c.db, c)
	if p := b.loginWith("grace@example.com", "nanosecond"); p.User.Name != "Grace Hopper" {
		t.Errorf("user %+v", p.User)
	}
}

func TestSeed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "board.db")
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := cheap()
	c.addr = "0.0.0.0:80"
	log := &logBuffer{}
	s, err := newService(t.Context(), db, c, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.live.hub.Shutdown(context.Background())
	var first, second bytes.Buffer
	if err := errors.Join(s.seed(t.Context(), &first), s.seed(t.Context(), &second)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(first.String(), demoPassword) || !strings.Contains(first.String(), cleo) || second.Len() > 0 {
		t.Errorf("printed at first %q, then %q", &first, &second)
	}
	if !strings.Contains(log.String(), "-no-demo") {
		t.Errorf("logged %q, want a warning that other machines can reach the address", log.String())
	}
	for email, want := range map[string][]string{
		ada: {"Launch week owner 9", "Office move editor 7"}, ben: {"Launch week editor 9"}, cleo: {"Launch week viewer 9", "Office move owner 7"},
	} {
		u, hash, err := db.UserByEmail(t.Context(), email)
		if err != nil {
			t.Fatal(err)
		}
		if cost, err := bcrypt.Cost(hash); err != nil || cost != bcrypt.MinCost {
			t.Errorf("cost %d, %v", cost, err)
		}
		plans, err := db.Plans(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, described(plans)); diff != "" {
			t.Errorf("plans of %s (-want +got):\n%s", email, diff)
		}
	}
}

// A board that is reachable by a public origin, or that wants no demo, never keeps the public
// password.
func TestNoDemo(t *testing.T) {
	t.Parallel()
	for origin, demo := range map[string]bool{
		"": true, "http://localhost:8080": true, "http://127.0.0.1:8080": true, "https://[::1]:8443": true,
		"https://board.example.com": false, "https://localhost.example.com": false, "http://192.0.2.1": false,
	} {
		c, err := parseFlags([]string{"-origin", origin}, &bytes.Buffer{})
		if err != nil || c.demo != demo {
			t.Errorf("-origin %q: demo %v, %v, want %v", origin, c.demo, err, demo)
		}
	}

	path := filepath.Join(t.TempDir(), "board.db")
	b := serveBoard(t, path, cheap())
	p := b.login(ada)
	var list struct{ Accounts []demoAccount }
	b.must(http.StatusOK, &list, "GET", "/api/demo", nil, "")
	if diff := cmp.Diff(demoUsers, list.Accounts); diff != "" {
		t.Errorf("demo accounts (-want +got):\n%s", diff)
	}
	// A demo account whose password was changed stays.
	hash, err := b.service.passwords.hash("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.service.store.DisableUser(t.Context(), b.login(ben).User.ID, hash); err != nil {
		t.Fatal(err)
	}
	b.stop()

	c := cheap()
	c.demo = false
	b = serveBoard(t, path, c)
	if log := b.log.take(); strings.Count(log, "demo account disabled") != 2 || strings.Contains(log, ben) {
		t.Errorf("log %q, want a warning for each of the two accounts", log)
	}
	for _, email := range []string{ada, cleo} {
		resp := b.do("POST", "/api/login", nil, fmt.Sprintf(`{"email":%q,"password":%q}`, email, demoPassword))
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s with the public password: status %d", email, resp.StatusCode)
		}
	}
	b.must(http.StatusUnauthorized, nil, "POST", "/api/token", nil, "", "Cookie", p.cookie)
	b.loginWith(ben, "correct horse")
	if resp := b.must(http.StatusOK, nil, "GET", "/api/demo", nil, ""); string(resp.body) != `{"accounts":[]}` {
		t.Errorf("demo accounts without a demo: %s", resp.body)
	}
	b.stop()

	b = serveBoard(t, filepath.Join(t.TempDir(), "new.db"), c) // starts empty
	if has, err := b.service.store.HasUsers(t.Context()); has || err != nil {
		t.Errorf("HasUsers = %v, %v", has, err)
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	b := start(t)
	c := cheap()
	c.db, c.backup = filepath.Join(t.TempDir(), "none.db"), filepath.Join(t.TempDir(), "copy.db")
	if err := backup(t.Context(), c); err == nil {
		t.Error("a backup of no database: no error")
	}
	c.db = filepath.Join(t.TempDir(), "board.db")
	b.stop()
	b = serveBoard(t, c.db, cheap())
	p := b.login(ada)
	if err := backup(t.Context(), c); err != nil { // while the program serves
		t.Fatal(err)
	}
	info, err := os.Stat(c.backup)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the copy: %v, %v, want mode 0600", info.Mode(), err)
	}
	if err := backup(t.Context(), c); err == nil {
		t.Error("a backup over an existing file: no error")
	}
	b.stop()
	b = serveBoard(t, c.backup, cheap())
	b.must(http.StatusOK, nil, "POST", "/api/token", nil, "", "Cookie", p.cookie)
}

func described(plans []store.PlanSummary) []string {
	var all []string
	for _, p := range plans {
		all = append(all, fmt.Sprintf("%s %s %d", p.Title, p.Role, p.TaskCount))
	}
	return all
}
