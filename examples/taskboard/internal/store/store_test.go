package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

func user(t *testing.T, s *store.Store, name string) store.User {
	t.Helper()
	u, err := s.CreateUser(t.Context(), name, name+"@example.com", []byte("hash of "+name))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestPaths(t *testing.T) {
	dir, windows := t.TempDir(), runtime.GOOS == "windows" // where files have no such permissions
	names := []string{"a b.db", "100%25.db", "a#b.db", "ä.db"}
	if !windows {
		names = append(names, "what?.db") // not a name of a file on Windows
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		s := open(t, path)
		user(t, s, "ada")
		info, err := os.Stat(path)
		if err != nil || !windows && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v, want a file for its owner alone", name, info, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(names) {
		t.Errorf("%d files (%v), want %d: a WAL was not folded in, or a name was misread", len(entries), err, len(names))
	}
}

// A database that others may read, from an earlier version or a careless copy, is protected when
// it is opened.
func TestOpenProtectsFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files of Windows have no such permissions")
	}
	path := filepath.Join(t.TempDir(), "board.db")
	s := open(t, path)
	user(t, s, "ada")
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(name, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	open(t, path)
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v, want 0600", name, info.Mode(), err)
		}
	}
}

func TestPragmas(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "board.db"))
	for query, want := range map[string]int{
		"PRAGMA foreign_keys": 1,
		"PRAGMA busy_timeout": 5000,
		"PRAGMA query_only":   1,
		"SELECT (SELECT journal_mode FROM pragma_journal_mode) = 'wal'": 1,
	} {
		if got := number(t, s, query); got != want {
			t.Errorf("%s = %d, want %d", query, got, want)
		}
	}
	if err := s.Exec(t.Context(), "INSERT INTO members VALUES ('no plan', 'no user', 'owner', 0)"); err == nil {
		t.Error("a foreign key that leads nowhere was taken")
	}
}

// In memory the database is its connection. Nothing that goes wrong may cost it.
func TestMemoryOutlivesCancelledCalls(t *testing.T) {
	s := open(t, store.Memory)
	ada := user(t, s, "ada")
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*100*time.Microsecond)
			defer cancel()
			_, _ = s.CreatePlan(ctx, ada.ID, fmt.Sprint(i)) // most of them come too late
			_, _ = s.Plans(ctx, ada.ID)
		})
	}
	wg.Wait()
	if got, hash, err := s.UserByEmail(t.Context(), " ADA@example.com"); err != nil || got != ada || string(hash) != "hash of ada" {
		t.Errorf("UserByEmail = %+v, %q, %v", got, hash, err)
	}
	if _, err := s.CreatePlan(t.Context(), ada.ID, "last"); err != nil {
		t.Errorf("CreatePlan: %v", err)
	}
}

// A reader sees one moment, and neither waits for a writer nor fails beside one.
func TestReadersBesideWriters(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "board.db"))
	ada := user(t, s, "ada")
	plan, err := s.CreatePlan(t.Context(), ada.ID, "Plan")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 8 {
				if _, _, err := s.CreateTask(t.Context(), ada.ID, plan.ID, store.NewTask{Title: "x"}); err != nil {
					t.Errorf("CreateTask: %v", err)
				}
				p, err := s.Plan(t.Context(), ada.ID, plan.ID)
				if err != nil || len(p.Tasks) != p.Progress.TotalTasks {
					t.Errorf("Plan: %d tasks and %+v, %v", len(p.Tasks), p.Progress, err)
				}
			}
		})
	}
	wg.Wait()
	if p, err := s.Plan(t.Context(), ada.ID, plan.ID); err != nil || p.Progress.TotalTasks != 32 {
		t.Errorf("%+v, %v, want 32 tasks", p.Progress, err)
	}
}

func TestUsers(t *testing.T) {
	s := open(t, store.Memory)
	if has, err := s.HasUsers(t.Context()); has || err != nil {
		t.Errorf("HasUsers = %v, %v, want false", has, err)
	}
	user(t, s, "ada")
	if has, err := s.HasUsers(t.Context()); !has || err != nil {
		t.Errorf("HasUsers = %v, %v, want true", has, err)
	}
	if _, err := s.CreateUser(t.Context(), "Other", "ADA@example.com", []byte("x")); !errors.Is(err, store.ErrEmailTaken) {
		t.Errorf("the same address: %v, want %v", err, store.ErrEmailTaken)
	}
	if _, _, err := s.UserByEmail(t.Context(), "eve@example.com"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("UserByEmail of an unknown user: %v, want %v", err, store.ErrNotFound)
	}
}

func TestSessions(t *testing.T) {
	s := open(t, store.Memory)
	ada := user(t, s, "ada")
	session, err := s.CreateSession(t.Context(), ada, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	want := session
	want.Cookie = ""
	for name, find := range map[string]func() (store.Session, error){
		"SessionOf": func() (store.Session, error) { return s.SessionOf(t.Context(), session.Cookie) },
		"Session":   func() (store.Session, error) { return s.Session(t.Context(), session.ID) },
	} {
		got, err := find()
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	if n := number(t, s, "SELECT count(*) FROM sessions WHERE id = '"+session.Cookie+"' OR cast(token_hash AS TEXT) = '"+session.Cookie+"'"); n != 0 {
		t.Error("the cookie is in the database")
	}
	if _, err := s.SessionOf(t.Context(), session.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the id as a cookie: %v, want %v", err, store.ErrNotFound)
	}

	old, err := s.CreateSession(t.Context(), ada, -time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SessionOf(t.Context(), old.Cookie); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a session that has run out: %v, want %v", err, store.ErrNotFound)
	}
	if _, err := s.CreateSession(t.Context(), ada, time.Hour); err != nil {
		t.Fatal(err)
	}
	if n := number(t, s, "SELECT count(*) FROM sessions"); n != 2 {
		t.Errorf("%d sessions, want 2: what has run out is forgotten", n)
	}
	if err := s.EndSessions(t.Context(), ada.ID); err != nil {
		t.Fatal(err)
	}
	if n := number(t, s, "SELECT count(*) FROM sessions"); n != 0 {
		t.Errorf("%d sessions after EndSessions", n)
	}
}

func TestSigningKeys(t *testing.T) {
	s := open(t, store.Memory)
	made := 0
	generate := func() (store.SigningKey, error) {
		made++
		return store.SigningKey{ID: fmt.Sprint(made), PrivateKey: []byte{1, 2, 3}}, nil
	}
	first, err := s.SigningKeys(t.Context(), generate)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.SigningKeys(t.Context(), generate)
	if diff := cmp.Diff(first, second); err != nil || diff != "" || made != 1 {
		t.Errorf("%d made, %v (-first +second):\n%s", made, err, diff)
	}
	if err := s.Exec(t.Context(), "INSERT INTO signing_keys SELECT 'newer', private_key, created_at + 1 FROM signing_keys"); err != nil {
		t.Fatal(err)
	}
	if keys, err := s.SigningKeys(t.Context(), generate); err != nil || len(keys) != 2 || keys[0].ID != "newer" {
		t.Errorf("keys %+v, %v, want the newer one first", keys, err)
	}
}

func TestLimits(t *testing.T) {
	s := open(t, store.Memory)
	ada := user(t, s, "ada")
	plan, err := s.CreatePlan(t.Context(), ada.ID, "Plan")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		fill string
		add  func() error
	}{
		"tasks": {
			`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
			INSERT INTO tasks SELECT 'task' || i, '` + plan.ID + `', i, 'x', '', 'completed', NULL, 1, 0, 0 FROM n`,
			func() error {
				_, _, err := s.CreateTask(t.Context(), ada.ID, plan.ID, store.NewTask{Title: "x"})
				return err
			},
		},
		"members": {
			`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 100)
			INSERT INTO users SELECT 'user' || i, 'u' || i || '@example.com', 'x', x'00', 0 FROM n;
			INSERT INTO members SELECT '` + plan.ID + `', id, 'viewer', 0 FROM users WHERE name = 'x' AND id <> 'user100' AND id <> 'user101'`,
			func() error {
				_, err := s.Invite(t.Context(), ada.ID, plan.ID, "u100@example.com", store.RoleViewer)
				return err
			},
		},
	} {
		if err := s.Exec(t.Context(), c.fill); err != nil {
			t.Fatal(err)
		}
		if err := c.add(); !errors.Is(err, store.ErrFull) {
			t.Errorf("one more of %s: %v, want %v", what, err, store.ErrFull)
		}
	}
	p, err := s.Plan(t.Context(), ada.ID, plan.ID)
	if err != nil || len(p.Tasks) != 1000 || len(p.Members) != 100 || p.Progress.CompletionPercentage != 100 {
		t.Errorf("%d tasks, %d members, %+v, %v", len(p.Tasks), len(p.Members), p.Progress, err)
	}
}

// The transaction that makes a change checks the role: a member who was just removed changes
// nothing.
func TestRemovedMemberChangesNothing(t *testing.T) {
	s := open(t, store.Memory)
	ada, ben := user(t, s, "ada"), user(t, s, "ben")
	plan, err := s.CreatePlan(t.Context(), ada.ID, "Plan")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Invite(t.Context(), ada.ID, plan.ID, ben.Email, store.RoleEditor); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Accept(t.Context(), ben.ID, plan.ID); err != nil {
		t.Fatal(err)
	}
	task, _, err := s.CreateTask(t.Context(), ben.ID, plan.ID, store.NewTask{Title: "x", Assignee: &ben.ID})
	if err != nil {
		t.Fatal(err)
	}
	_, unassigned, err := s.RemoveMember(t.Context(), ada.ID, plan.ID, ben.ID)
	if err != nil || len(unassigned) != 1 || unassigned[0].ID != task.ID || unassigned[0].Assignee != nil || unassigned[0].Version != 2 {
		t.Errorf("RemoveMember: %+v, %v", unassigned, err)
	}
	title := "changed"
	_, _, updated := s.UpdateTask(t.Context(), ben.ID, task.ID, store.TaskPatch{Version: 2, Title: &title})
	_, deleted := s.DeleteTask(t.Context(), ben.ID, task.ID, nil)
	_, _, created := s.CreateTask(t.Context(), ben.ID, plan.ID, store.NewTask{Title: "y"})
	reordered := s.ReorderTasks(t.Context(), ben.ID, plan.ID, []string{task.ID})
	for what, err := range map[string]error{"update": updated, "delete": deleted, "create": created, "reorder": reordered} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v, want %v", what, err, store.ErrNotFound)
		}
	}
}
