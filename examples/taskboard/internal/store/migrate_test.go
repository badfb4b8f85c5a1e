package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

// open opens the database at path until the end of the test.
func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func number(t *testing.T, s *store.Store, query string) int {
	t.Helper()
	n, err := s.Int(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestMigrateFromEmptyAndAgain(t *testing.T) {
	files, err := fs.Glob(store.Migrations(), "*.sql")
	if err != nil || len(files) < 2 {
		t.Fatalf("migrations %q, %v", files, err)
	}
	path := filepath.Join(t.TempDir(), "board.db")
	s := open(t, path)
	if got := number(t, s, "PRAGMA user_version"); got != len(files) {
		t.Errorf("user_version %d, want %d", got, len(files))
	}
	ada := user(t, s, "ada")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	if got, _, err := s.UserByEmail(t.Context(), ada.Email); err != nil || got != ada {
		t.Errorf("UserByEmail = %+v, %v, want %+v", got, err, ada)
	}
	if err := s.Migrate(t.Context(), store.Migrations()); err != nil {
		t.Errorf("a third time: %v", err)
	}
}

func TestMigrateOneAfterTheOther(t *testing.T) {
	s := open(t, store.Memory)
	names, err := fs.Glob(store.Migrations(), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"0004_more.sql": {Data: []byte("CREATE TABLE more (n INTEGER); INSERT INTO more VALUES (1)")}}
	for _, name := range names {
		files[name] = &fstest.MapFile{}
	}
	for range 2 {
		if err := s.Migrate(t.Context(), files); err != nil {
			t.Fatal(err)
		}
	}
	if n := number(t, s, "SELECT count(*) FROM more"); n != 1 {
		t.Errorf("%d rows, want what one migration has put there", n)
	}

	// One that fails half way leaves nothing behind, and those after it wait.
	files["0005_broken.sql"] = &fstest.MapFile{Data: []byte("INSERT INTO more VALUES (2); CREATE TABLE half (n INTEGER); SELECT nonsense")}
	files["0006_never.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE never (n INTEGER)")}
	if err := s.Migrate(t.Context(), files); err == nil {
		t.Error("a broken migration: no error")
	}
	if n := number(t, s, "SELECT count(*) FROM sqlite_schema WHERE name IN ('half', 'never')"); n != 0 {
		t.Errorf("%d tables of a migration that failed", n)
	}
	if n := number(t, s, "SELECT count(*) FROM more"); n != 1 {
		t.Errorf("%d rows after a migration that failed, want 1", n)
	}
	if v := number(t, s, "PRAGMA user_version"); v != 4 {
		t.Errorf("user_version %d, want 4", v)
	}

	for _, misnumbered := range []string{"0009_gap.sql", "no_number.sql"} {
		bad := fstest.MapFS{misnumbered: {}}
		for _, name := range names {
			bad[name] = &fstest.MapFile{}
		}
		if err := s.Migrate(t.Context(), bad); err == nil || errors.Is(err, store.ErrNewerDatabase) {
			t.Errorf("migration %s: %v, want an error about its number", misnumbered, err)
		}
	}
}

// A database of the version before invitations keeps its members, who do not have to accept
// anything.
func TestMigrateExistingMembers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "board.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i, name := range []string{"0001_users.sql", "0002_plans.sql"} {
		script, err := fs.ReadFile(store.Migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.ExecContext(t.Context(), string(script)+fmt.Sprintf("; PRAGMA application_id = %d; PRAGMA user_version = %d", 0x7461736b, i+1))
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = db.ExecContext(t.Context(), `
		INSERT INTO users VALUES ('u', 'ada@example.com', 'Ada', x'00', 0), ('v', 'ben@example.com', 'Ben', x'00', 0);
		INSERT INTO plans VALUES ('p', 'Plan', 0);
		INSERT INTO members VALUES ('p', 'u', 'owner', 0), ('p', 'v', 'editor', 0);
		INSERT INTO tasks VALUES ('t', 'p', 0, 'Task', '', 'completed', 'v', 3, 0, 0)`)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	p, err := s.Plan(t.Context(), "v", "p")
	if err != nil || len(p.Members) != 2 || len(p.Tasks) != 1 || p.Tasks[0].Version != 3 || p.Role != store.RoleEditor {
		t.Errorf("the plan after the migration: %+v, %v", p, err)
	}
	if _, err := s.DeleteTask(t.Context(), "v", "t", nil); err != nil {
		t.Error(err)
	}
	if r, err := s.RestoreTask(t.Context(), "v", "t"); err != nil || r.Task.Version != 4 {
		t.Errorf("RestoreTask = %+v, %v", r, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	newer := filepath.Join(t.TempDir(), "newer.db")
	s := open(t, newer)
	if err := s.Exec(t.Context(), "PRAGMA user_version = 1000"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), newer); !errors.Is(err, store.ErrNewerDatabase) {
		t.Errorf("a newer database: %v, want %v", err, store.ErrNewerDatabase)
	}

	other := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite", other)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE theirs (n INTEGER)"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), other); !errors.Is(err, store.ErrOtherDatabase) {
		t.Errorf("a database of another program: %v, want %v", err, store.ErrOtherDatabase)
	}
	var tables int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil || tables != 1 {
		t.Errorf("it has %d tables now (%v), want its own one", tables, err)
	}
}
