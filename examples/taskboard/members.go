package main

import (
	"net/http"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

const maxMemberBody = 4 << 10

func (s *service) addMember(w http.ResponseWriter, r *http.Request, userID string) {
	var body struct {
		Email string     `json:"email"`
		Role  store.Role `json:"role"`
	}
	if !readJSON(w, r, maxMemberBody, &body) {
		return
	}
	switch {
	case store.NormalEmail(body.Email) == "":
		badRequest(w, "The e-mail address of the new member is required.")
		return
	case body.Role != store.RoleEditor && body.Role != store.RoleViewer:
		badRequest(w, "A new member is an editor or a viewer.")
		return
	}
	var member store.Member
	planID := r.PathValue("planId")
	err := s.live.inOrder(planID, func() error {
		added, title, members, err := s.store.AddMember(r.Context(), userID, planID, body.Email, body.Role)
		if err != nil {
			return err
		}
		member = added
		s.live.membersUpdated(r, userID, planID, members)
		s.live.planShared(r, added.UserID, planID, title)
		return nil
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, member)
}

func (s *service) removeMember(w http.ResponseWriter, r *http.Request, userID string) {
	planID, removed := r.PathValue("planId"), r.PathValue("userId")
	err := s.live.inOrder(planID, func() error {
		members, unassigned, err := s.store.RemoveMember(r.Context(), userID, planID, removed)
		if err != nil {
			return err
		}
		// First of all: once this has returned they hear nothing of the plan any more, and what follows is none of their business.
		s.live.revoke(r, planID, removed)
		s.live.membersUpdated(r, userID, planID, members)
		s.live.unassigned(r, userID, unassigned)
		return nil
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
