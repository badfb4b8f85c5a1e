package store

import (
	"context"
	"database/sql"
)

const maxPlansOfUser = 200

// PlanSummary is a plan in a list.
type PlanSummary struct {
	ID             string `json:"id"`
	Title          string `json:"title"`
	Role           Role   `json:"role"` // of the user who asks
	TaskCount      int    `json:"taskCount"`
	CompletedCount int    `json:"completedCount"`
}

// Plan is a plan with everything that its page shows.
type Plan struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Role     Role     `json:"role"`  // of the user who asks
	Tasks    []Task   `json:"tasks"` // in their order
	Progress Progress `json:"progress"`
	Members  []Member `json:"members"`
}

// Progress is the progress of a plan.
type Progress struct {
	TotalTasks           int `json:"totalTasks"`
	CompletedTasks       int `json:"completedTasks"`
	CompletionPercentage int `json:"completionPercentage"` // rounded
}

// Plans returns the plans that the user is in, the oldest first.
func (s *Store) Plans(ctx context.Context, userID string) (plans []PlanSummary, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT plans.id, plans.title, members.role, count(tasks.id), count(tasks.id) FILTER (WHERE tasks.status = ?)
			FROM members JOIN plans ON plans.id = members.plan_id LEFT JOIN tasks ON tasks.plan_id = plans.id
			WHERE members.user_id = ?
			GROUP BY plans.id ORDER BY plans.created_at, plans.rowid`, StatusCompleted, userID)
		plans, err = all(rows, err, func(rows *sql.Rows, p *PlanSummary) error {
			return rows.Scan(&p.ID, &p.Title, &p.Role, &p.TaskCount, &p.CompletedCount)
		})
		return err
	})
	return plans, err
}

// CreatePlan creates a plan without tasks. The user is its owner. Error: ErrFull.
func (s *Store) CreatePlan(ctx context.Context, userID, title string) (PlanSummary, error) {
	p := PlanSummary{ID: newID(), Title: title, Role: RoleOwner}
	return p, s.update(ctx, func(tx *sql.Tx) error {
		if err := requireRoomForPlan(ctx, tx, userID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO plans (id, title, created_at) VALUES (?, ?, ?)", p.ID, title, now()); err != nil {
			return err
		}
		return insertMember(ctx, tx, p.ID, userID, RoleOwner)
	})
}

// requireRoomForPlan returns ErrFull if the user has as many plans as they may have.
func requireRoomForPlan(ctx context.Context, tx *sql.Tx, userID string) error {
	var plans int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM members WHERE user_id = ?", userID).Scan(&plans)
	if err == nil && plans >= maxPlansOfUser {
		return ErrFull
	}
	return err
}

// RenamePlan gives a plan another title, on behalf of an owner. It returns the members. Errors:
// ErrNotFound, ErrForbidden.
func (s *Store) RenamePlan(ctx context.Context, ownerID, planID, title string) (members []Member, err error) {
	err = s.update(ctx, func(tx *sql.Tx) error {
		if err := requireOwner(ctx, tx, planID, ownerID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE plans SET title = ? WHERE id = ?", title, planID); err != nil {
			return err
		}
		members, err = membersOf(ctx, tx, planID)
		return err
	})
	return members, err
}

// DeletedPlan is the result of [Store.DeletePlan].
type DeletedPlan struct {
	Title      string
	MemberIDs  []string // who could see it
	InviteeIDs []string // whose invitations have ended with it
}

// DeletePlan deletes a plan with its tasks, members and invitations, on behalf of an owner. Errors:
// ErrNotFound, ErrForbidden.
func (s *Store) DeletePlan(ctx context.Context, ownerID, planID string) (deleted DeletedPlan, err error) {
	err = s.update(ctx, func(tx *sql.Tx) error {
		if err := requireOwner(ctx, tx, planID, ownerID); err != nil {
			return err
		}
		ids := func(table string) ([]string, error) {
			rows, err := tx.QueryContext(ctx, "SELECT user_id FROM "+table+" WHERE plan_id = ?", planID)
			return all(rows, err, func(rows *sql.Rows, id *string) error { return rows.Scan(id) })
		}
		if deleted.MemberIDs, err = ids("members"); err != nil {
			return err
		}
		if deleted.InviteeIDs, err = ids("invitations"); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "DELETE FROM plans WHERE id = ? RETURNING title", planID).Scan(&deleted.Title)
	})
	return deleted, err
}

// Plan returns a plan as it is at one moment. Error: ErrNotFound.
func (s *Store) Plan(ctx context.Context, userID, planID string) (p Plan, err error) {
	p.ID = planID
	err = s.view(ctx, func(tx *sql.Tx) (err error) {
		if p.Role, err = roleOf(ctx, tx, planID, userID); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, "SELECT title FROM plans WHERE id = ?", planID).Scan(&p.Title); err != nil {
			return err
		}
		if p.Tasks, err = tasksOf(ctx, tx, planID); err != nil {
			return err
		}
		if p.Progress, err = progressOf(ctx, tx, planID); err != nil {
			return err
		}
		p.Members, err = membersOf(ctx, tx, planID)
		return err
	})
	return p, err
}

func progressOf(ctx context.Context, tx *sql.Tx, planID string) (p Progress, err error) {
	err = tx.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (WHERE status = ?) FROM tasks WHERE plan_id = ?", StatusCompleted, planID).
		Scan(&p.TotalTasks, &p.CompletedTasks)
	if p.TotalTasks > 0 {
		p.CompletionPercentage = (200*p.CompletedTasks + p.TotalTasks) / (2 * p.TotalTasks)
	}
	return p, err
}
