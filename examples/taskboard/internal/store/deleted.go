package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// undoFor is how long a deleted task can be restored.
const undoFor = 24 * time.Hour

// keepDeleted copies a task that is about to be deleted, and forgets the copies that are too old.
func keepDeleted(ctx context.Context, tx *sql.Tx, planID, taskID string) error {
	deleted := now()
	if _, err := tx.ExecContext(ctx, "DELETE FROM deleted_tasks WHERE deleted_at < ?", deleted-undoFor.Milliseconds()); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO deleted_tasks (id, plan_id, rank, title, notes, status, assignee, version, created_at, deleted_at)
		SELECT id, plan_id, rank, title, notes, status, assignee, version, created_at, ? FROM tasks WHERE id = ?`,
		deleted, taskID)
	if err != nil {
		return err
	}
	// A plan keeps the latest ones only.
	_, err = tx.ExecContext(ctx, `
		DELETE FROM deleted_tasks WHERE id IN (
			SELECT id FROM deleted_tasks WHERE plan_id = ? ORDER BY deleted_at DESC, rowid DESC LIMIT -1 OFFSET ?)`,
		planID, maxTasks)
	if err != nil {
		return err
	}
	return nil
}

// Restored is the result of [Store.RestoreTask].
type Restored struct {
	Task     Task     `json:"task"`
	TaskIDs  []string `json:"taskIds"` // of all tasks of the plan, in order
	Progress Progress `json:"-"`
}

// PlanOfDeletedTask returns the plan of a task that was deleted. Error: ErrNotFound.
func (s *Store) PlanOfDeletedTask(ctx context.Context, userID, taskID string) (planID string, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `
			SELECT deleted_tasks.plan_id FROM deleted_tasks JOIN members ON members.plan_id = deleted_tasks.plan_id
			WHERE deleted_tasks.id = ? AND members.user_id = ?`, taskID, userID).Scan(&planID)
	})
	return planID, found(err)
}

// RestoreTask brings back a deleted task, with its ID, as its next version, and near its old
// place. It is unassigned if the assignee is not a member any more. Errors: ErrNotFound,
// ErrForbidden, ErrFull.
func (s *Store) RestoreTask(ctx context.Context, userID, taskID string) (r Restored, err error) {
	err = s.update(ctx, func(tx *sql.Tx) error {
		var planID string
		var assignee *string
		err := tx.QueryRowContext(ctx, "SELECT plan_id, assignee FROM deleted_tasks WHERE id = ?", taskID).Scan(&planID, &assignee)
		if err != nil {
			return found(err)
		}
		if err := requireEditor(ctx, tx, planID, userID); err != nil {
			return err
		}
		switch err := checkAssignee(ctx, tx, planID, assignee); {
		case errors.Is(err, ErrNotMember):
			assignee = nil
		case err != nil:
			return err
		}
		// Another order may have given its rank to another task.
		_, err = tx.ExecContext(ctx, `
			UPDATE tasks SET rank = rank + 1
			WHERE plan_id = ? AND rank >= (SELECT rank FROM deleted_tasks WHERE id = ?)`, planID, taskID)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO tasks (id, plan_id, rank, title, notes, status, assignee, version, created_at, updated_at)
			SELECT id, plan_id, rank, title, notes, status, ?, version + 1, created_at, ? FROM deleted_tasks WHERE id = ?`,
			assignee, now(), taskID)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM deleted_tasks WHERE id = ?", taskID); err != nil {
			return err
		}
		if err := scanTask(tx.QueryRowContext(ctx, taskColumns+"WHERE id = ?", taskID).Scan, &r.Task); err != nil {
			return err
		}
		if r.TaskIDs, err = taskIDsOf(ctx, tx, planID); err != nil {
			return err
		}
		if r.Progress, err = progressOf(ctx, tx, planID); err == nil && r.Progress.TotalTasks > maxTasks {
			return ErrFull
		}
		return err
	})
	return r, err
}
