package store

import (
	"context"
	"database/sql"
	"strings"
)

// User is a user who can log in.
type User struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// NormalEmail returns the address in the form that is stored: in lower case. Mail servers may
// distinguish capitals; people do not expect it.
func NormalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// CreateUser adds a user. Error: ErrEmailTaken.
func (s *Store) CreateUser(ctx context.Context, name, email string, passwordHash []byte) (User, error) {
	var u User
	err := s.update(ctx, func(tx *sql.Tx) (err error) {
		u, err = createUser(ctx, tx, name, email, passwordHash)
		return err
	})
	return u, err
}

func createUser(ctx context.Context, tx *sql.Tx, name, email string, passwordHash []byte) (User, error) {
	u := User{ID: newID(), Name: name, Email: NormalEmail(email)}
	result, err := tx.ExecContext(ctx, `
		INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (email) DO NOTHING`,
		u.ID, u.Email, u.Name, passwordHash, now())
	if err != nil {
		return User{}, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return User{}, firstOf(err, ErrEmailTaken)
	}
	return u, nil
}

// UserByEmail returns a user and the hash of their password. Error: ErrNotFound.
func (s *Store) UserByEmail(ctx context.Context, email string) (u User, passwordHash []byte, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT id, name, email, password_hash FROM users WHERE email = ?", NormalEmail(email)).
			Scan(&u.ID, &u.Name, &u.Email, &passwordHash)
	})
	return u, passwordHash, found(err)
}

// DisableUser gives the user another password hash and ends their sessions.
func (s *Store) DisableUser(ctx context.Context, userID string, passwordHash []byte) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE users SET password_hash = ? WHERE id = ?", passwordHash, userID)
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM sessions WHERE user_id = ?", userID)
		}
		return err
	})
}

// HasUsers reports whether there is a user.
func (s *Store) HasUsers(ctx context.Context) (yes bool, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM users)").Scan(&yes)
	})
	return yes, err
}

func firstOf(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
