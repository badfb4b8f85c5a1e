// Package tasks is the data of a service: plans with tasks, who may see them, and who is logged in.
// It knows nothing of live updates. The examples around it share it.
package tasks

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// ErrNotFound means that the task does not exist, or that the user may not see it.
var ErrNotFound = errors.New("tasks: not found")

// Task is a row. The store increases its version at each change.
type Task struct {
	ID      string `json:"id"`
	PlanID  string `json:"planId"`
	Title   string `json:"title"`
	Version int64  `json:"version"`
}

// Store is the database, here in memory. It is safe for concurrent use.
type Store struct {
	mu      sync.Mutex // guards the fields below
	tasks   map[string]Task
	members map[string][]string // users of a plan
	last    int
}

// New returns a store with the plan "demo" of Ann and Bob, which has the task "7", and the plan
// "launch" of Ann and Cleo.
func New() *Store {
	return &Store{
		tasks:   map[string]Task{"7": {ID: "7", PlanID: "demo", Title: "Milk", Version: 1}},
		members: map[string][]string{"demo": {"ann", "bob"}, "launch": {"ann", "cleo"}},
		last:    7,
	}
}

// Login returns the user to whom a token belongs.
func (s *Store) Login(token string) (userID string, ok bool) {
	userID, ok = map[string]string{"token-of-ann": "ann", "token-of-bob": "bob", "token-of-cleo": "cleo"}[token]
	return userID, ok
}

// MayView reports whether the plan exists and the user may see it.
func (s *Store) MayView(userID, planID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.members[planID], userID)
}

// Plan returns the tasks of a plan in the order of their IDs.
func (s *Store) Plan(planID string) []Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Task{}
	for _, t := range s.tasks {
		if t.PlanID == planID {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b Task) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Task returns the task as it is now, or ErrNotFound.
func (s *Store) Task(id string) (Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tasks[id]
	if !ok {
		return Task{}, fmt.Errorf("task %q: %w", id, ErrNotFound)
	}
	return t, nil
}

// Rename changes a task of a plan that the user may see, or returns ErrNotFound.
func (s *Store) Rename(userID, id, title string) (Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tasks[id]
	if !ok || !slices.Contains(s.members[t.PlanID], userID) {
		return Task{}, fmt.Errorf("task %q: %w", id, ErrNotFound)
	}
	t.Title = title
	t.Version++
	s.tasks[id] = t
	return t, nil
}

// Delete deletes a task of a plan that the user may see, or returns ErrNotFound. It returns the
// task as it was, with another version.
func (s *Store) Delete(userID, id string) (Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tasks[id]
	if !ok || !slices.Contains(s.members[t.PlanID], userID) {
		return Task{}, fmt.Errorf("task %q: %w", id, ErrNotFound)
	}
	t.Version++
	delete(s.tasks, id)
	return t, nil
}

// Remove ends the membership of a user.
func (s *Store) Remove(planID, userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members[planID] = slices.DeleteFunc(s.members[planID], func(u string) bool { return u == userID })
}

// Members returns the users who may see a plan.
func (s *Store) Members(planID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.members[planID])
}

// Add adds tasks to a plan.
func (s *Store) Add(planID string, titles ...string) []Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	added := make([]Task, len(titles))
	for i, title := range titles {
		s.last++
		added[i] = Task{ID: fmt.Sprint(s.last), PlanID: planID, Title: title, Version: 1}
		s.tasks[added[i].ID] = added[i]
	}
	return added
}
