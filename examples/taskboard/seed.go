package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

const demoPassword = "planrooms"

const (
	ada  = "ada@example.com"
	ben  = "ben@example.com"
	cleo = "cleo@example.com"
)

// demoAccount is an account that the login page offers.
type demoAccount struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

var demoUsers = []demoAccount{
	{"Ada", ada, demoPassword}, {"Ben", ben, demoPassword}, {"Cleo", cleo, demoPassword},
}

// prepareDemo fills an empty database with the demo, if the demo is wanted. If it is not, no
// account keeps the public demo password: prepareDemo disables those that an earlier start has
// created.
func (s *service) prepareDemo(ctx context.Context, stderr io.Writer) error {
	if s.config.demo {
		if err := s.seed(ctx, stderr); err != nil {
			return err
		}
	}
	for _, account := range demoUsers {
		user, hash, err := s.store.UserByEmail(ctx, account.Email)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		switch public, err := s.passwords.match(ctx, hash, demoPassword); {
		case err != nil:
			return err
		case !public:
		case s.config.demo:
			s.demo = append(s.demo, account)
		default:
			unknown, err := s.passwords.hash(rand.Text())
			if err != nil {
				return err
			}
			if err := s.store.DisableUser(ctx, user.ID, unknown); err != nil {
				return err
			}
			s.log.WarnContext(ctx, "demo account disabled: its password is public", "email", account.Email)
		}
	}
	return nil
}

// seed puts the demo into a database without users, and prints on stderr how to log in.
func (s *service) seed(ctx context.Context, stderr io.Writer) error {
	if has, err := s.store.HasUsers(ctx); err != nil || has {
		return err
	}
	var users []store.SeedUser
	for _, account := range demoUsers {
		hash, err := s.passwords.hash(account.Password)
		if err != nil {
			return err
		}
		users = append(users, store.SeedUser{Name: account.Name, Email: account.Email, PasswordHash: hash})
	}
	if err := s.store.Plant(ctx, store.Seed{Users: users, Plans: demoPlans}); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stderr, "New database. Log in as %s, %s or %s; the password is %q.\n", ada, ben, cleo, demoPassword)
	if host, _, err := net.SplitHostPort(s.config.addr); err == nil && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		s.log.Warn("the password of the demo accounts is public and other machines can reach this address: start with -no-demo")
	}
	return nil
}

// demoAccounts answers with the demo accounts that the login page offers: none outside of a demo.
func (s *service) demoAccounts(w http.ResponseWriter, _ *http.Request) {
	accounts := s.demo
	if accounts == nil {
		accounts = []demoAccount{}
	}
	writeJSON(w, http.StatusOK, struct {
		Accounts []demoAccount `json:"accounts"`
	}{accounts})
}

var demoPlans = []store.SeedPlan{
	{
		Title: "Launch week",
		Members: []store.SeedMember{
			{Email: ada, Role: store.RoleOwner}, {Email: ben, Role: store.RoleEditor}, {Email: cleo, Role: store.RoleViewer},
		},
		Tasks: []store.SeedTask{
			{Title: "Freeze the release branch", Status: store.StatusCompleted, Assignee: ada,
				Notes: "Fixes only from here on. Each needs a second pair of eyes."},
			{Title: "Run the load test against staging", Status: store.StatusCompleted, Assignee: ben,
				Notes: "Twice the traffic of the last launch, for an hour."},
			{Title: "Write the announcement", Status: store.StatusInProgress, Assignee: ada,
				Notes: "Three paragraphs: what is new, who it is for, how to get it. No superlatives."},
			{Title: "Update the screenshots in the documentation", Status: store.StatusInProgress, Assignee: ben},
			{Title: "Brief the support team", Status: store.StatusNotStarted, Assignee: cleo,
				Notes: "Wednesday, 10:00. The new permissions are what people will ask about."},
			{Title: "Prepare the status page", Status: store.StatusNotStarted},
			{Title: "Rehearse the rollback", Status: store.StatusNotStarted, Assignee: ben,
				Notes: "With the database from last night. It should take less than ten minutes."},
			{Title: "Send the newsletter", Status: store.StatusNotStarted},
			{Title: "Thank everybody", Status: store.StatusNotStarted, Assignee: ada},
		},
	},
	{
		Title: "Office move",
		Members: []store.SeedMember{
			{Email: cleo, Role: store.RoleOwner}, {Email: ada, Role: store.RoleEditor},
		},
		Tasks: []store.SeedTask{
			{Title: "Sign the lease", Status: store.StatusCompleted, Assignee: cleo},
			{Title: "Get three quotes from movers", Status: store.StatusCompleted, Assignee: cleo,
				Notes: "The second one brings boxes and takes them back."},
			{Title: "Order the internet connection", Status: store.StatusInProgress, Assignee: ada,
				Notes: "Six weeks to wait. Ask for a mobile router to bridge the gap."},
			{Title: "Draw the seating plan", Status: store.StatusInProgress, Assignee: cleo},
			{Title: "Label the cables before unplugging them", Status: store.StatusNotStarted, Assignee: ada},
			{Title: "Cancel the old cleaning contract", Status: store.StatusNotStarted, Assignee: cleo},
			{Title: "Forward the post", Status: store.StatusNotStarted},
		},
	},
}
