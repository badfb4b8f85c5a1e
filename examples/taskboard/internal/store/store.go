package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite", without cgo
)

// readers is the number of connections that read at once. With WAL, readers and the writer do not
// wait for each other.
const readers = 4

// Memory is the path of a database in memory, which ends with its Store.
const Memory = ":memory:"

// Store is an open database. It is safe for concurrent use. Close it.
//
// Only one process should use the file: the hub of one process does not receive the changes of
// another.
type Store struct {
	// SQLite has one writer at a time. With one writing connection, changes wait here, in order
	// and until their context ends. SQLite's busy handler would sleep and keep no order.
	write *sql.DB
	read  *sql.DB // equals write for a database in memory
}

// Open opens the database in the file at path. It creates the file if it does not exist, makes it
// readable by its owner only, and applies migrations. Errors include ErrNewerDatabase and
// ErrOtherDatabase.
func Open(ctx context.Context, path string) (*Store, error) {
	s, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if err := migrate(ctx, s.write, migrations()); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), s.Close())
	}
	return s, nil
}

func open(path string) (*Store, error) {
	if path == Memory {
		db, err := pool(path, 1)
		return &Store{write: db, read: db}, err
	}
	if err := protect(path); err != nil {
		return nil, err
	}
	uri, err := fileURI(path)
	if err != nil {
		return nil, err
	}
	write, err := pool(uri, 1)
	if err != nil {
		return nil, err
	}
	read, err := pool(uri, readers, "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return &Store{write: write, read: read}, nil
}

// protect creates the file if it does not exist, and makes it readable by its owner only: it
// holds password hashes and the signing key. SQLite itself would create a file that all users can
// read. It gives the files beside it (-wal, -shm) the permissions of the database; those that
// exist already are changed here. On Windows, files have no such permissions and inherit those of
// their folder.
func protect(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil || runtime.GOOS == "windows" {
		return err
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err == nil {
			err = os.Chmod(name, 0o600)
		}
		if err != nil {
			return fmt.Errorf("other users may read %s and it could not be changed (run chmod 600): %w", name, err)
		}
	}
	return nil
}

// Backup writes a copy of the database to a new file at path, readable by its owner only. The store
// may be in use meanwhile. It fails if the file exists.
func (s *Store) Backup(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if _, err := s.write.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// fileURI returns the path as a URI. SQLite would cut a bare path at a question mark.
func fileURI(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String(), nil
}

// pool returns a pool of at most n connections, which stay open.
func pool(dsn string, n int, pragmas ...string) (*sql.DB, error) {
	options := url.Values{
		// A transaction that may write takes its lock at the start: after a read it could not
		// wait for the lock. Read-only transactions ignore this.
		"_txlock": {"immediate"},
		"_pragma": append([]string{
			"busy_timeout(5000)", // for another process, such as a backup
			"foreign_keys(1)",
			"journal_mode(wal)", // in memory it stays "memory"
			// Safe with WAL: a power failure may lose the last commits, not the file.
			"synchronous(normal)",
		}, pragmas...),
	}
	db, err := sql.Open("sqlite", dsn+"?"+options.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n) // a database in memory is lost with its connection
	return db, nil
}

// Close waits for running transactions and closes the database.
func (s *Store) Close() error {
	if s.read == s.write {
		return s.write.Close()
	}
	return errors.Join(s.read.Close(), s.write.Close()) // the last one merges the WAL into the file
}

// update runs change in a transaction, and commits it unless change fails.
func (s *Store) update(ctx context.Context, change func(tx *sql.Tx) error) error {
	return transact(ctx, s.write, nil, change)
}

// view runs read in a transaction, so that all reads see the same state.
func (s *Store) view(ctx context.Context, read func(tx *sql.Tx) error) error {
	return transact(ctx, s.read, &sql.TxOptions{ReadOnly: true}, read)
}

func transact(ctx context.Context, db *sql.DB, opts *sql.TxOptions, do func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// newID returns a unique ID. IDs are never reused: a page from before a restart must not change
// another task than it shows.
func newID() string { return rand.Text() }

// now returns the time as the database keeps it, in milliseconds.
func now() int64 { return time.Now().UnixMilli() }

func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// all scans every row with scan. It takes what Query returns.
func all[T any](rows *sql.Rows, err error, scan func(rows *sql.Rows, v *T) error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []T{} // in JSON an array, even if it is empty
	for rows.Next() {
		var v T
		if err := scan(rows, &v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// found replaces the error of a result without rows by ErrNotFound.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
