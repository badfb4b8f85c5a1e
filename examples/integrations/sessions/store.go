package sessions

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite", without cgo
)

// Errors of a DB.
var (
	ErrNoSession = errors.New("sessions: not logged in")
	ErrNotFound  = errors.New("sessions: not found") // also of what the user may not see
)

const schema = `
CREATE TABLE plans    (id TEXT PRIMARY KEY);
CREATE TABLE members  (plan TEXT REFERENCES plans ON DELETE CASCADE, user TEXT, PRIMARY KEY (plan, user));
CREATE TABLE teams    (team TEXT, user TEXT, PRIMARY KEY (team, user));
CREATE TABLE shares   (plan TEXT REFERENCES plans ON DELETE CASCADE, team TEXT, PRIMARY KEY (plan, team));
CREATE TABLE links    (link TEXT PRIMARY KEY, plan TEXT REFERENCES plans ON DELETE CASCADE);
CREATE TABLE tasks    (id INTEGER PRIMARY KEY, plan TEXT REFERENCES plans ON DELETE CASCADE, title TEXT, version INTEGER);
CREATE TABLE sessions (id INTEGER PRIMARY KEY, hash BLOB UNIQUE, user TEXT, link TEXT, expires INTEGER);

INSERT INTO plans   VALUES ('1'), ('2');
INSERT INTO members VALUES ('1', 'ann'), ('1', 'bob'), ('2', 'ann'), ('2', 'bob');
INSERT INTO teams   VALUES ('team', 'cleo');
INSERT INTO shares  VALUES ('1', 'team');
INSERT INTO links   VALUES ('link-5', '1');
INSERT INTO tasks   VALUES (7, '1', 'Milk', 1);
`

// access is the plans that a session may see. It is part of queries with the ID of a session.
const access = `
	SELECT m.plan FROM sessions s JOIN members m ON m.user = s.user WHERE s.id = :session
	UNION SELECT h.plan FROM sessions s JOIN teams t ON t.user = s.user JOIN shares h ON h.team = t.team WHERE s.id = :session
	UNION SELECT l.plan FROM sessions s JOIN links l ON l.link = s.link WHERE s.id = :session`

// Session is a login on one device.
type Session struct {
	ID      string
	UserID  string
	Expires time.Time
}

// Task is a row. Each change increases its version.
type Task struct {
	ID      int64  `json:"id"`
	PlanID  string `json:"planId"`
	Title   string `json:"title"`
	Version int64  `json:"version"`
}

// DB is the database. It is safe for concurrent use. Close it.
type DB struct{ *sql.DB }

// Open creates the database in a new file.
func Open(ctx context.Context, file string) (*DB, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)&_pragma=synchronous(normal)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &DB{db}, nil
}

// Login creates a session of a user, or of a visitor of a share link, and returns the value of its
// cookie. The database has the hash of it alone.
func (db *DB) Login(ctx context.Context, userID, link string) (cookie string, err error) {
	cookie = rand.Text()
	hash := sha256.Sum256([]byte(cookie))
	_, err = db.ExecContext(ctx, `INSERT INTO sessions (hash, user, link, expires) VALUES (?, ?, nullif(?, ''), ?)`,
		hash[:], userID, link, time.Now().Add(24*time.Hour).Unix())
	return cookie, err
}

// Session returns the session of a cookie, or ErrNoSession.
func (db *DB) Session(ctx context.Context, cookie string) (Session, error) {
	var s Session
	var expires int64
	hash := sha256.Sum256([]byte(cookie))
	err := db.QueryRowContext(ctx, `SELECT id, user, expires FROM sessions WHERE hash = ? AND expires > unixepoch()`, hash[:]).
		Scan(&s.ID, &s.UserID, &expires)
	s.Expires = time.Unix(expires, 0)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, ErrNoSession
	}
	return s, err
}

// Logout ends a session.
func (db *DB) Logout(ctx context.Context, sessionID string) error {
	return db.run(ctx, `DELETE FROM sessions WHERE id = ?`, sessionID)
}

// MayView returns ErrNoSession if the session has ended, and ErrNotFound if it may not see the
// plan.
func (db *DB) MayView(ctx context.Context, sessionID string, planID string) error {
	var valid, view bool
	err := db.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM sessions WHERE id = :session AND expires > unixepoch()), :plan IN (`+access+`)`,
		sql.Named("session", sessionID), sql.Named("plan", planID)).Scan(&valid, &view)
	switch {
	case err != nil:
		return err
	case !valid:
		return ErrNoSession
	case !view:
		return fmt.Errorf("plan %q: %w", planID, ErrNotFound)
	}
	return nil
}

// Tasks returns the tasks of a plan, in the order of their IDs.
func (db *DB) Tasks(ctx context.Context, planID string) ([]Task, error) {
	rows, err := db.QueryContext(ctx, `SELECT id, plan, title, version FROM tasks WHERE plan = ? ORDER BY id`, planID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tasks := []Task{}
	for rows.Next() {
		var t Task
		if err := rows.Scan(&t.ID, &t.PlanID, &t.Title, &t.Version); err != nil {
			return nil, err
		}
		tasks = append(tasks, t)
	}
	return tasks, rows.Err()
}

// task scans a row. It returns ErrNotFound if there is none.
func task(row *sql.Row) (t Task, err error) {
	err = row.Scan(&t.ID, &t.PlanID, &t.Title, &t.Version)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return t, err
}

// Add adds tasks to a plan that the session may see, and returns them.
func (db *DB) Add(ctx context.Context, sessionID string, planID string, titles []string) (added []Task, err error) {
	if err := db.MayView(ctx, sessionID, planID); err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // does nothing after Commit
	for _, title := range titles {
		t, err := task(tx.QueryRowContext(ctx, `INSERT INTO tasks (plan, title, version) VALUES (?, ?, 1) RETURNING id, plan, title, version`, planID, title))
		if err != nil {
			return nil, err
		}
		added = append(added, t)
	}
	return added, tx.Commit()
}

// Change changes the title of a task, or its plan, if they are not nil. The session must see both
// plans. It returns the plan that had the task, and the task.
func (db *DB) Change(ctx context.Context, sessionID string, id int64, title *string, planID *string) (from string, t Task, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return "", t, err
	}
	defer tx.Rollback() // does nothing after Commit
	before, err := task(tx.QueryRowContext(ctx, `SELECT id, plan, title, version FROM tasks WHERE id = ?`, id))
	if err != nil {
		return "", t, err
	}
	t, err = task(tx.QueryRowContext(ctx, `
		UPDATE tasks SET title = coalesce(:title, title), plan = coalesce(:to, plan), version = version + 1
		WHERE id = :id AND plan IN (`+access+`) AND coalesce(:to, plan) IN (`+access+`) RETURNING id, plan, title, version`,
		sql.Named("id", id), sql.Named("title", title), sql.Named("to", planID), sql.Named("session", sessionID)))
	if err != nil {
		return "", t, err
	}
	return before.PlanID, t, tx.Commit()
}

// Delete deletes a task of a plan that the session may see, and returns it.
func (db *DB) Delete(ctx context.Context, sessionID string, id int64) (Task, error) {
	return task(db.QueryRowContext(ctx, `DELETE FROM tasks WHERE id = :id AND plan IN (`+access+`) RETURNING id, plan, title, version`,
		sql.Named("id", id), sql.Named("session", sessionID)))
}

// The following methods change who may see what. A real service checks who calls them.

// DeletePlan deletes a plan with its tasks.
func (db *DB) DeletePlan(ctx context.Context, planID string) error {
	return db.run(ctx, `DELETE FROM plans WHERE id = ?`, planID)
}

// RemoveMember ends a membership.
func (db *DB) RemoveMember(ctx context.Context, planID string, userID string) error {
	return db.run(ctx, `DELETE FROM members WHERE plan = ? AND user = ?`, planID, userID)
}

// LeaveTeam removes a user from a team.
func (db *DB) LeaveTeam(ctx context.Context, team, userID string) error {
	return db.run(ctx, `DELETE FROM teams WHERE team = ? AND user = ?`, team, userID)
}

// DeleteLink deletes a share link and returns the plan that it showed.
func (db *DB) DeleteLink(ctx context.Context, link string) (planID string, err error) {
	err = db.QueryRowContext(ctx, `DELETE FROM links WHERE link = ? RETURNING plan`, link).Scan(&planID)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return planID, err
}

func (db *DB) run(ctx context.Context, query string, args ...any) error {
	_, err := db.ExecContext(ctx, query, args...)
	return err
}
