package store

import (
	"context"
	"database/sql"
	"errors"
)

const (
	maxInvitationsOfUser  = 200 // that wait for the answer of one user
	maxInvitationsOfOwner = 20  // of these, from the same owner
)

// Invitee is a user whom an owner has invited, as the owners of the plan see them.
type Invitee = Member

// Invitation is an invitation as the invited user sees it.
type Invitation struct {
	PlanID    string `json:"planId"`
	Title     string `json:"title"`
	Role      Role   `json:"role"`
	InvitedBy string `json:"invitedBy"` // the name of the owner
}

// Invited is the result of [Store.Invite].
type Invited struct {
	Invitee    Invitee
	Invitation Invitation
	OwnerIDs   []string // the owners of the plan
}

// Invite invites the user with this address, on behalf of an owner. The role is editor or viewer.
// Errors: ErrNotFound, ErrForbidden, ErrNoSuchUser, ErrAlreadyMember, ErrAlreadyInvited, ErrFull.
func (s *Store) Invite(ctx context.Context, ownerID, planID, email string, role Role) (result Invited, err error) {
	err = s.update(ctx, func(tx *sql.Tx) (err error) {
		if err := requireOwner(ctx, tx, planID, ownerID); err != nil {
			return err
		}
		who := Invitee{Role: role}
		err = tx.QueryRowContext(ctx, "SELECT id, name, email FROM users WHERE email = ?", NormalEmail(email)).
			Scan(&who.UserID, &who.Name, &who.Email)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNoSuchUser
		}
		if err != nil {
			return err
		}
		if err := mayBeInvited(ctx, tx, ownerID, planID, who.UserID); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO invitations (plan_id, user_id, role, invited_by, invited_at) VALUES (?, ?, ?, ?, ?)`,
			planID, who.UserID, role, ownerID, now())
		if err != nil {
			return err
		}
		result = Invited{Invitee: who, Invitation: Invitation{PlanID: planID, Role: role}}
		err = tx.QueryRowContext(ctx, "SELECT plans.title, users.name FROM plans, users WHERE plans.id = ? AND users.id = ?",
			planID, ownerID).Scan(&result.Invitation.Title, &result.Invitation.InvitedBy)
		if err != nil {
			return err
		}
		result.OwnerIDs, err = ownersOf(ctx, tx, planID)
		return err
	})
	return result, err
}

// mayBeInvited returns ErrAlreadyMember, ErrAlreadyInvited, or ErrFull if a limit is reached.
func mayBeInvited(ctx context.Context, tx *sql.Tx, ownerID, planID, userID string) error {
	var member, invited bool
	var people, waiting, fromOwner int
	err := tx.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM members WHERE plan_id = ?1 AND user_id = ?2),
		       EXISTS (SELECT 1 FROM invitations WHERE plan_id = ?1 AND user_id = ?2),
		       (SELECT count(*) FROM members WHERE plan_id = ?1) + (SELECT count(*) FROM invitations WHERE plan_id = ?1),
		       (SELECT count(*) FROM invitations WHERE user_id = ?2),
		       (SELECT count(*) FROM invitations WHERE user_id = ?2 AND invited_by = ?3)`,
		planID, userID, ownerID).Scan(&member, &invited, &people, &waiting, &fromOwner)
	switch {
	case err != nil:
		return err
	case member:
		return ErrAlreadyMember
	case invited:
		return ErrAlreadyInvited
	case people >= maxMembers || waiting >= maxInvitationsOfUser || fromOwner >= maxInvitationsOfOwner:
		return ErrFull
	}
	return nil
}

// Invitees returns the users whose answers a plan waits for, to its owners only. Errors:
// ErrNotFound, ErrForbidden.
func (s *Store) Invitees(ctx context.Context, ownerID, planID string) (invitees []Invitee, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		if err := requireOwner(ctx, tx, planID, ownerID); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `
			SELECT users.id, users.name, users.email, invitations.role
			FROM invitations JOIN users ON users.id = invitations.user_id
			WHERE invitations.plan_id = ? ORDER BY invitations.invited_at, users.name`, planID)
		invitees, err = all(rows, err, scanMember)
		return err
	})
	return invitees, err
}

// Invitations returns the invitations that wait for the user's answer, the oldest first.
func (s *Store) Invitations(ctx context.Context, userID string) (invitations []Invitation, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT plans.id, plans.title, invitations.role, users.name
			FROM invitations JOIN plans ON plans.id = invitations.plan_id
			JOIN users ON users.id = invitations.invited_by
			WHERE invitations.user_id = ? ORDER BY invitations.invited_at, plans.rowid`, userID)
		invitations, err = all(rows, err, func(rows *sql.Rows, i *Invitation) error {
			return rows.Scan(&i.PlanID, &i.Title, &i.Role, &i.InvitedBy)
		})
		return err
	})
	return invitations, err
}

// Accept makes the user a member of a plan that they are invited to. It returns the plan as they
// see it, and all members. Errors: ErrNotFound, ErrFull if the user has as many plans as they may
// have.
func (s *Store) Accept(ctx context.Context, userID, planID string) (plan PlanSummary, members []Member, err error) {
	err = s.update(ctx, func(tx *sql.Tx) error {
		plan.ID = planID
		err := tx.QueryRowContext(ctx, `
			DELETE FROM invitations WHERE plan_id = ? AND user_id = ? RETURNING role`, planID, userID).Scan(&plan.Role)
		if err != nil {
			return found(err)
		}
		if err := requireRoomForPlan(ctx, tx, userID); err != nil {
			return err
		}
		if err := insertMember(ctx, tx, planID, userID, plan.Role); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, "SELECT title FROM plans WHERE id = ?", planID).Scan(&plan.Title); err != nil {
			return err
		}
		p, err := progressOf(ctx, tx, planID)
		if err != nil {
			return err
		}
		plan.TaskCount, plan.CompletedCount = p.TotalTasks, p.CompletedTasks
		members, err = membersOf(ctx, tx, planID)
		return err
	})
	return plan, members, err
}

// Decline removes an invitation on behalf of the invited user, and returns the owners of the plan.
// Error: ErrNotFound.
func (s *Store) Decline(ctx context.Context, userID, planID string) (ownerIDs []string, err error) {
	err = s.update(ctx, func(tx *sql.Tx) error {
		ownerIDs, err = removeInvitation(ctx, tx, planID, userID)
		return err
	})
	return ownerIDs, err
}

// Withdraw removes an invitation on behalf of an owner, and returns the owners of the plan. Errors:
// ErrNotFound, ErrForbidden.
func (s *Store) Withdraw(ctx context.Context, ownerID, planID, userID string) (ownerIDs []string, err error) {
	err = s.update(ctx, func(tx *sql.Tx) error {
		if err := requireOwner(ctx, tx, planID, ownerID); err != nil {
			return err
		}
		ownerIDs, err = removeInvitation(ctx, tx, planID, userID)
		return err
	})
	return ownerIDs, err
}

func removeInvitation(ctx context.Context, tx *sql.Tx, planID, userID string) (ownerIDs []string, err error) {
	result, err := tx.ExecContext(ctx, "DELETE FROM invitations WHERE plan_id = ? AND user_id = ?", planID, userID)
	if err != nil {
		return nil, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return nil, firstOf(err, ErrNotFound)
	}
	return ownersOf(ctx, tx, planID)
}

func ownersOf(ctx context.Context, tx *sql.Tx, planID string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT user_id FROM members WHERE plan_id = ? AND role = ?", planID, RoleOwner)
	return all(rows, err, func(rows *sql.Rows, id *string) error { return rows.Scan(id) })
}
