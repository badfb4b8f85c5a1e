package store

import (
	"context"
	"io/fs"
)

// Migrate applies other migrations than those of the program.
func (s *Store) Migrate(ctx context.Context, files fs.FS) error { return migrate(ctx, s.write, files) }

// Migrations are those of the program.
func Migrations() fs.FS { return migrations() }

// Exec runs a statement on the connection that writes.
func (s *Store) Exec(ctx context.Context, statement string) error {
	_, err := s.write.ExecContext(ctx, statement)
	return err
}

// Int returns what a query answers on a connection that reads.
func (s *Store) Int(ctx context.Context, query string) (n int, err error) {
	err = s.read.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}
