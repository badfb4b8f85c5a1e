package store

import (
	"context"
	"database/sql"
)

// Seed is the content of a new database.
type Seed struct {
	Users []SeedUser
	Plans []SeedPlan
}

// SeedUser is a user of a Seed.
type SeedUser struct {
	Name, Email  string
	PasswordHash []byte
}

// SeedPlan is a plan of a Seed. Users are identified by their addresses.
type SeedPlan struct {
	Title   string
	Members []SeedMember
	Tasks   []SeedTask
}

// SeedMember is a member of a SeedPlan.
type SeedMember struct {
	Email string
	Role  Role
}

// SeedTask is a task of a SeedPlan.
type SeedTask struct {
	Title, Notes, Assignee string // an empty Assignee: unassigned
	Status                 Status
}

// Plant writes a seed into the database in one transaction.
func (s *Store) Plant(ctx context.Context, seed Seed) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		ids := make(map[string]string) // of users, by address
		for _, su := range seed.Users {
			u, err := createUser(ctx, tx, su.Name, su.Email, su.PasswordHash)
			if err != nil {
				return err
			}
			ids[su.Email] = u.ID
		}
		for _, sp := range seed.Plans {
			if err := plantPlan(ctx, tx, sp, ids); err != nil {
				return err
			}
		}
		return nil
	})
}

func plantPlan(ctx context.Context, tx *sql.Tx, sp SeedPlan, ids map[string]string) error {
	planID := newID()
	if _, err := tx.ExecContext(ctx, "INSERT INTO plans (id, title, created_at) VALUES (?, ?, ?)", planID, sp.Title, now()); err != nil {
		return err
	}
	for _, m := range sp.Members {
		if err := insertMember(ctx, tx, planID, ids[m.Email], m.Role); err != nil {
			return err
		}
	}
	for _, st := range sp.Tasks {
		n := NewTask{Title: st.Title, Notes: st.Notes}
		if st.Assignee != "" {
			id := ids[st.Assignee]
			n.Assignee = &id
		}
		if _, err := insertTask(ctx, tx, planID, n, st.Status); err != nil {
			return err
		}
	}
	return nil
}
