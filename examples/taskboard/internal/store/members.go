package store

import (
	"context"
	"database/sql"
	"errors"
)

// Role is what a member may do in a plan. Every member sees all of it.
type Role string

// The roles.
const (
	RoleOwner  Role = "owner"  // changes the tasks and the members
	RoleEditor Role = "editor" // changes the tasks
	RoleViewer Role = "viewer"
)

func (r Role) editsTasks() bool { return r == RoleOwner || r == RoleEditor }

// maxMembers keeps the list of members, which is told as one event, small.
const maxMembers = 100

// Member is a user in a plan.
type Member struct {
	UserID string `json:"userId"`
	Name   string `json:"name"`
	Email  string `json:"email"`
	Role   Role   `json:"role"`
}

// MaySee reports whether the user is a member of the plan, in a session that has not ended.
func (s *Store) MaySee(ctx context.Context, planID, userID, sessionID string) (yes bool, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `
			SELECT EXISTS (
				SELECT 1 FROM members JOIN sessions ON sessions.user_id = members.user_id
				WHERE members.plan_id = ? AND members.user_id = ? AND sessions.id = ? AND sessions.expires_at > ?)`,
			planID, userID, sessionID, now()).Scan(&yes)
	})
	return yes, err
}

// AddMember adds the user with this address, on behalf of an owner. It returns the new member, the plan as they see it, and all members. Errors:
// ErrNotFound, ErrForbidden, ErrNoSuchUser, ErrAlreadyMember, ErrFull.
func (s *Store) AddMember(ctx context.Context, ownerID, planID, email string, role Role) (added Member, title string, members []Member, err error) {
	err = s.update(ctx, func(tx *sql.Tx) (err error) {
		if err := requireOwner(ctx, tx, planID, ownerID); err != nil {
			return err
		}
		added = Member{Role: role}
		err = tx.QueryRowContext(ctx, "SELECT id, name, email FROM users WHERE email = ?", NormalEmail(email)).
			Scan(&added.UserID, &added.Name, &added.Email)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrNoSuchUser
		case err != nil:
			return err
		}
		switch _, err := roleOf(ctx, tx, planID, added.UserID); {
		case err == nil:
			return ErrAlreadyMember
		case !errors.Is(err, ErrNotFound):
			return err
		}
		if err := insertMember(ctx, tx, planID, added.UserID, role); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, "SELECT title FROM plans WHERE id = ?", planID).Scan(&title); err != nil {
			return err
		}
		if members, err = membersOf(ctx, tx, planID); err == nil && len(members) > maxMembers {
			return ErrFull
		}
		return err
	})
	return added, title, members, err
}

// RemoveMember removes a member on behalf of an owner. Their tasks are nobody's then. It returns the members that are left, and those tasks. Errors:
// ErrNotFound, ErrForbidden, ErrLastOwner.
func (s *Store) RemoveMember(ctx context.Context, ownerID, planID, userID string) (members []Member, unassigned []Task, err error) {
	err = s.update(ctx, func(tx *sql.Tx) (err error) {
		if err := requireOwner(ctx, tx, planID, ownerID); err != nil {
			return err
		}
		role, err := roleOf(ctx, tx, planID, userID)
		if err != nil {
			return err
		}
		if role == RoleOwner {
			var owners int
			err := tx.QueryRowContext(ctx, "SELECT count(*) FROM members WHERE plan_id = ? AND role = ?", planID, RoleOwner).Scan(&owners)
			if err != nil {
				return err
			}
			if owners == 1 {
				return ErrLastOwner
			}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM members WHERE plan_id = ? AND user_id = ?", planID, userID); err != nil {
			return err
		}
		if unassigned, err = unassign(ctx, tx, planID, userID); err != nil {
			return err
		}
		members, err = membersOf(ctx, tx, planID)
		return err
	})
	return members, unassigned, err
}

// roleOf returns ErrNotFound to who is no member: the plan might as well not exist.
func roleOf(ctx context.Context, tx *sql.Tx, planID, userID string) (role Role, err error) {
	err = tx.QueryRowContext(ctx, "SELECT role FROM members WHERE plan_id = ? AND user_id = ?", planID, userID).Scan(&role)
	return role, found(err)
}

func requireEditor(ctx context.Context, tx *sql.Tx, planID, userID string) error {
	role, err := roleOf(ctx, tx, planID, userID)
	if err == nil && !role.editsTasks() {
		return ErrForbidden
	}
	return err
}

func requireOwner(ctx context.Context, tx *sql.Tx, planID, userID string) error {
	role, err := roleOf(ctx, tx, planID, userID)
	if err == nil && role != RoleOwner {
		return ErrForbidden
	}
	return err
}

func insertMember(ctx context.Context, tx *sql.Tx, planID, userID string, role Role) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO members (plan_id, user_id, role, added_at) VALUES (?, ?, ?, ?)", planID, userID, role, now())
	return err
}

// membersOf returns the members in the order in which they were added.
func membersOf(ctx context.Context, tx *sql.Tx, planID string) ([]Member, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT users.id, users.name, users.email, members.role
		FROM members JOIN users ON users.id = members.user_id
		WHERE members.plan_id = ? ORDER BY members.added_at, members.role = 'owner' DESC, users.name`, planID)
	return all(rows, err, func(rows *sql.Rows, m *Member) error { return rows.Scan(&m.UserID, &m.Name, &m.Email, &m.Role) })
}
