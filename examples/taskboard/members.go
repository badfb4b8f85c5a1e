package main

import (
	"net/http"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

const maxMemberBody = 4 << 10

// removeMember removes a member, or has the caller leave the plan.
func (s *service) removeMember(w http.ResponseWriter, r *http.Request, userID string) {
	planID, removed := r.PathValue("planId"), r.PathValue("userId")
	err := s.live.inOrder(planID, func() error {
		members, unassigned, err := s.store.RemoveMember(r.Context(), userID, planID, removed)
		if err != nil {
			return err
		}
		// First: after Revoke the former member receives nothing of the plan, so not what follows.
		s.live.revoke(r, planID, removed)
		s.live.membersUpdated(r, userID, planID, members)
		s.live.unassigned(r, userID, unassigned)
		s.live.listsChanged(r, removed, planID)
		return nil
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// passOn makes another member the owner of the plan. The caller becomes an editor.
func (s *service) passOn(w http.ResponseWriter, r *http.Request, userID string) {
	var body struct {
		UserID string `json:"userId"`
	}
	if !readJSON(w, r, maxMemberBody, &body) {
		return
	}
	planID := r.PathValue("planId")
	var members []store.Member
	err := s.live.inOrder(planID, func() (err error) {
		if members, err = s.store.PassOn(r.Context(), userID, planID, body.UserID); err != nil {
			return err
		}
		s.live.membersUpdated(r, userID, planID, members)
		s.live.listsChanged(r, body.UserID, planID)
		s.live.listsChanged(r, userID, planID)
		return nil
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Members []store.Member `json:"members"`
	}{members})
}
