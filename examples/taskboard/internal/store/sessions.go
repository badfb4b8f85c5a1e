package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"
)

// Session is one login in one browser.
type Session struct {
	ID        string // a claim of access tokens
	Cookie    string // the secret; known only when the session is created
	User      User
	ExpiresAt time.Time
}

// Unlike the hash of a password, this one is fast and has no salt: the cookie has 130 random
// bits, too many to guess.
func hashOf(cookie string) []byte {
	sum := sha256.Sum256([]byte(cookie))
	return sum[:]
}

// CreateSession creates a session that expires after ttl. It deletes expired sessions.
func (s *Store) CreateSession(ctx context.Context, u User, ttl time.Duration) (Session, error) {
	made := now()
	session := Session{ID: newID(), Cookie: rand.Text(), User: u, ExpiresAt: timeOf(made + ttl.Milliseconds())}
	return session, s.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE expires_at <= ?", made); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO sessions (id, token_hash, user_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
			session.ID, hashOf(session.Cookie), u.ID, made, session.ExpiresAt.UnixMilli())
		return err
	})
}

const sessionColumns = `
	SELECT sessions.id, sessions.expires_at, users.id, users.name, users.email
	FROM sessions JOIN users ON users.id = sessions.user_id
	WHERE sessions.expires_at > ? AND `

// SessionOf returns the session of a cookie. Error: ErrNotFound, also if it has ended.
func (s *Store) SessionOf(ctx context.Context, cookie string) (Session, error) {
	return s.session(ctx, "sessions.token_hash = ?", hashOf(cookie))
}

// Session returns the session with this ID. Error: ErrNotFound, also if it has ended.
func (s *Store) Session(ctx context.Context, id string) (Session, error) {
	return s.session(ctx, "sessions.id = ?", id)
}

func (s *Store) session(ctx context.Context, where string, arg any) (session Session, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		var expires int64
		err := tx.QueryRowContext(ctx, sessionColumns+where, now(), arg).
			Scan(&session.ID, &expires, &session.User.ID, &session.User.Name, &session.User.Email)
		session.ExpiresAt = timeOf(expires)
		return err
	})
	return session, found(err)
}

// EndSession ends the session of a cookie. It returns the IDs of the session and of its user, or ""
// for both if there is no such session.
func (s *Store) EndSession(ctx context.Context, cookie string) (id, userID string, err error) {
	err = s.update(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "DELETE FROM sessions WHERE token_hash = ? RETURNING id, user_id", hashOf(cookie)).Scan(&id, &userID)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return id, userID, err
}

// EndSessions ends all sessions of a user.
func (s *Store) EndSessions(ctx context.Context, userID string) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE user_id = ?", userID)
		return err
	})
}
