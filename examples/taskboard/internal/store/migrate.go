package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var embedded embed.FS

// applicationID identifies a database of the taskboard in the header of the file: "task" in ASCII.
const applicationID = 0x7461736b

// migrations returns the embedded files. A released file is never edited: a change of the schema
// is a new file with the next number.
func migrations() fs.FS {
	sub, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // unreachable: the directory is embedded
	}
	return sub
}

// migrate applies the files NNNN_name.sql that the database does not have yet, in order. Each one
// runs in one transaction, which also sets the user_version of the database to the number of the
// file.
func migrate(ctx context.Context, db *sql.DB, files fs.FS) error {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	for i, name := range names {
		number, _, _ := strings.Cut(name, "_")
		if n, err := strconv.Atoi(number); err != nil || n != i+1 {
			return fmt.Errorf("migration %s should have the number %d", name, i+1)
		}
	}
	version, err := versionOf(ctx, db)
	if err != nil {
		return err
	}
	if version > len(names) {
		return fmt.Errorf("%w: version %d, and the program knows %d", ErrNewerDatabase, version, len(names))
	}
	for ; version < len(names); version++ {
		script, err := fs.ReadFile(files, names[version])
		if err != nil {
			return err
		}
		if err := apply(ctx, db, string(script), version+1); err != nil {
			return fmt.Errorf("migration %s: %w", names[version], err)
		}
	}
	return nil
}

// apply runs the script, unless another process has already run it.
func apply(ctx context.Context, db *sql.DB, script string, version int) error {
	return transact(ctx, db, nil, func(tx *sql.Tx) error {
		var current int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&current); err != nil || current >= version {
			return err
		}
		if _, err := tx.ExecContext(ctx, script); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version))
		return err
	})
}

// versionOf returns 0 for an empty database.
func versionOf(ctx context.Context, db *sql.DB) (int, error) {
	var version, application, objects int
	err := transact(ctx, db, &sql.TxOptions{ReadOnly: true}, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `
			SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id),
			       (SELECT count(*) FROM sqlite_schema)`).Scan(&version, &application, &objects)
	})
	if err != nil {
		return 0, err
	}
	if application != applicationID && (application != 0 || version != 0 || objects != 0) {
		return 0, ErrOtherDatabase
	}
	return version, nil
}
