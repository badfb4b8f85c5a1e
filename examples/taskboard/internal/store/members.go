package store

import (
	"context"
	"database/sql"
)

// Role says what a member may do in a plan. Every member sees all of it.
type Role string

// The roles.
const (
	RoleOwner  Role = "owner"  // changes the tasks and the members
	RoleEditor Role = "editor" // changes the tasks
	RoleViewer Role = "viewer"
)

func (r Role) editsTasks() bool { return r == RoleOwner || r == RoleEditor }

// maxMembers bounds the list of members, which is sent as one event. Open invitations count.
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

// RemoveMember removes a member on behalf of an owner, or on their own behalf: then they leave
// the plan. The tasks that were assigned to them become unassigned. It returns the remaining
// members and those tasks. Errors: ErrNotFound, ErrForbidden, ErrLastOwner.
func (s *Store) RemoveMember(ctx context.Context, byID, planID, userID string) (members []Member, unassigned []Task, err error) {
	err = s.update(ctx, func(tx *sql.Tx) (err error) {
		if byID != userID {
			if err := requireOwner(ctx, tx, planID, byID); err != nil {
				return err
			}
		}
		role, err := roleOf(ctx, tx, planID, userID)
		if err != nil {
			return err
		}
		if role == RoleOwner {
			owners, err := ownersOf(ctx, tx, planID)
			if err != nil {
				return err
			}
			if len(owners) == 1 {
				return ErrLastOwner
			}
		}
		// Invitations by a former member end with their membership.
		_, err = tx.ExecContext(ctx, "DELETE FROM invitations WHERE plan_id = ? AND invited_by = ?", planID, userID)
		if err != nil {
			return err
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

// PassOn makes another member the owner of a plan, on behalf of an owner, who becomes an editor. It
// returns all members. Errors: ErrNotFound, ErrForbidden.
func (s *Store) PassOn(ctx context.Context, ownerID, planID, userID string) (members []Member, err error) {
	err = s.update(ctx, func(tx *sql.Tx) error {
		if err := requireOwner(ctx, tx, planID, ownerID); err != nil {
			return err
		}
		if _, err := roleOf(ctx, tx, planID, userID); err != nil {
			return err
		}
		// In this order, so that passing a plan on to oneself changes nothing.
		for _, change := range []struct {
			role Role
			id   string
		}{{RoleEditor, ownerID}, {RoleOwner, userID}} {
			_, err := tx.ExecContext(ctx, "UPDATE members SET role = ? WHERE plan_id = ? AND user_id = ?", change.role, planID, change.id)
			if err != nil {
				return err
			}
		}
		members, err = membersOf(ctx, tx, planID)
		return err
	})
	return members, err
}

// roleOf returns ErrNotFound if the user is not a member, as if the plan did not exist.
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
	return all(rows, err, scanMember)
}

func scanMember(rows *sql.Rows, m *Member) error {
	return rows.Scan(&m.UserID, &m.Name, &m.Email, &m.Role)
}
