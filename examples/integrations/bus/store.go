package bus

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// ErrNotFound means that something does not exist, or that the user may not see it.
var ErrNotFound = errors.New("bus: not found")

// Task is a row. The store increases its version at each change.
type Task struct {
	ID      int64  `json:"id"`
	ListID  int64  `json:"listId"`
	Title   string `json:"title"`
	Version int64  `json:"version"`
}

// Login is who is behind a token.
type Login struct {
	UserID  string
	Session string // "" for a visitor with a share link
	Link    string // "" for a user
}

// Store is the database, here in memory. It is safe for concurrent use.
type Store struct {
	mu      sync.Mutex // guards the fields below
	tasks   map[int64]Task
	members map[int64][]string // users of a list; a list without an entry does not exist
	shared  map[int64]string   // a group that may see a list
	groups  map[string][]string
	links   map[string]int64 // the list that a share link shows
	logins  map[string]Login // by token
	last    int64
}

// NewStore returns a store with the lists 1 and 2 of Ann and Bob. The group team, to which Cleo
// belongs, and the visitors of a share link may see list 1. Task 7 is in list 1.
func NewStore() *Store {
	return &Store{
		tasks:   map[int64]Task{7: {ID: 7, ListID: 1, Title: "Milk", Version: 1}},
		members: map[int64][]string{1: {"ann", "bob"}, 2: {"ann", "bob"}},
		shared:  map[int64]string{1: "team"},
		groups:  map[string][]string{"team": {"cleo"}},
		links:   map[string]int64{"link-5": 1},
		logins: map[string]Login{
			"token-of-ann":        {UserID: "ann", Session: "ann-1"},
			"token-of-bob":        {UserID: "bob", Session: "bob-1"},
			"token-of-bobs-phone": {UserID: "bob", Session: "bob-2"},
			"token-of-cleo":       {UserID: "cleo", Session: "cleo-1"},
		},
		last: 7,
	}
}

// Login returns who is behind a token, which may be a share link.
func (s *Store) Login(token string) (Login, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.links[token]; ok {
		return Login{UserID: "visitor of " + token, Link: token}, nil
	}
	login, ok := s.logins[token]
	if !ok {
		return Login{}, fmt.Errorf("login: %w", ErrNotFound)
	}
	return login, nil
}

// Logout ends the session of a token.
func (s *Store) Logout(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.logins, token)
}

// MayView returns ErrNotFound if the list does not exist, or may not be seen.
func (s *Store) MayView(who Login, listID int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mayViewLocked(who, listID)
}

func (s *Store) mayViewLocked(who Login, listID int64) error {
	members, exists := s.members[listID]
	team := slices.Contains(s.groups[s.shared[listID]], who.UserID)
	if exists && (slices.Contains(members, who.UserID) || team || who.Link != "" && s.links[who.Link] == listID) {
		return nil
	}
	return fmt.Errorf("list %d: %w", listID, ErrNotFound)
}

// Tasks returns the tasks of a list, in the order of their IDs.
func (s *Store) Tasks(listID int64) []Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Task{}
	for _, t := range s.tasks {
		if t.ListID == listID {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b Task) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Task returns a task as it is now.
func (s *Store) Task(id int64) (Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taskLocked(id)
}

func (s *Store) taskLocked(id int64) (Task, error) {
	t, ok := s.tasks[id]
	if !ok {
		return Task{}, fmt.Errorf("task %d: %w", id, ErrNotFound)
	}
	return t, nil
}

// Add adds tasks to a list and returns their IDs.
func (s *Store) Add(who Login, listID int64, titles []string) ([]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.mayViewLocked(who, listID); err != nil {
		return nil, err
	}
	ids := make([]int64, len(titles))
	for i, title := range titles {
		s.last++
		ids[i] = s.last
		s.tasks[s.last] = Task{ID: s.last, ListID: listID, Title: title, Version: 1}
	}
	return ids, nil
}

// Change changes a task of a list that the user may see: its title, and its list to another one
// that the user may see. It returns the task as it was and as it is.
func (s *Store) Change(who Login, id int64, change func(*Task)) (before, after Task, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, err = s.taskLocked(id)
	if err != nil {
		return before, before, err
	}
	after = before
	change(&after)
	after.Version++
	if err := errors.Join(s.mayViewLocked(who, before.ListID), s.mayViewLocked(who, after.ListID)); err != nil {
		return before, before, err
	}
	s.tasks[id] = after
	return before, after, nil
}

// Delete deletes a task and returns it.
func (s *Store) Delete(who Login, id int64) (Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.taskLocked(id)
	if err == nil {
		err = s.mayViewLocked(who, t.ListID)
	}
	if err == nil {
		delete(s.tasks, id)
	}
	return t, err
}

// The following methods change who may see what. A real service checks who calls them.

// DeleteList deletes a list with its tasks.
func (s *Store) DeleteList(listID int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.members, listID)
	for id, t := range s.tasks {
		if t.ListID == listID {
			delete(s.tasks, id)
		}
	}
}

// RemoveMember ends a membership.
func (s *Store) RemoveMember(listID int64, userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members[listID] = slices.DeleteFunc(s.members[listID], func(u string) bool { return u == userID })
}

// LeaveGroup removes a user from a group.
func (s *Store) LeaveGroup(group, userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups[group] = slices.DeleteFunc(s.groups[group], func(u string) bool { return u == userID })
}

// DeleteLink deletes a share link and returns the list that it showed.
func (s *Store) DeleteLink(link string) (listID int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	listID = s.links[link]
	delete(s.links, link)
	return listID
}
