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

// Plan is a plan with all that its page shows.
type Plan struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Role     Role     `json:"role"`  // of the user who asks
	Tasks    []Task   `json:"tasks"` // in their order
	Progress Progress `json:"progress"`
	Members  []Member `json:"members"`
}

// Progress is how far a plan is.
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

// CreatePlan makes a plan without tasks, whose owner the user is. Error: ErrFull.
func (s *Store) CreatePlan(ctx context.Context, userID, title string) (PlanSummary, error) {
	p := PlanSummary{ID: newID(), Title: title, Role: RoleOwner}
	return p, s.update(ctx, func(tx *sql.Tx) error {
		var plans int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM members WHERE user_id = ?", userID).Scan(&plans); err != nil {
			return err
		}
		if plans >= maxPlansOfUser {
			return ErrFull
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO plans (id, title, created_at) VALUES (?, ?, ?)", p.ID, title, now()); err != nil {
			return err
		}
		return insertMember(ctx, tx, p.ID, userID, RoleOwner)
	})
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
