package main

import (
	"net/http"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

// An owner invites a person, who accepts or declines. Until then the person is not a member: they
// do not see the plan, and it does not count among their plans.

func (s *service) invite(w http.ResponseWriter, r *http.Request, userID string) {
	var body struct {
		Email string     `json:"email"`
		Role  store.Role `json:"role"`
	}
	if !readJSON(w, r, maxMemberBody, &body) {
		return
	}
	switch {
	case store.NormalEmail(body.Email) == "":
		badRequest(w, "The e-mail address of the person is required.")
		return
	case body.Role != store.RoleEditor && body.Role != store.RoleViewer:
		badRequest(w, "A new member is an editor or a viewer.")
		return
	}
	planID := r.PathValue("planId")
	var invitee store.Invitee
	err := s.live.inOrder(planID, func() error {
		invited, err := s.store.Invite(r.Context(), userID, planID, body.Email, body.Role)
		if err != nil {
			return err
		}
		invitee = invited.Invitee
		s.live.invited(r, invitee.UserID, invited.Invitation)
		s.inviteesChanged(r, planID, invited.OwnerIDs)
		return nil
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, invitee)
}

// listInvitees answers owners with the people whose answers the plan waits for.
func (s *service) listInvitees(w http.ResponseWriter, r *http.Request, userID string) {
	invitees, err := s.store.Invitees(r.Context(), userID, r.PathValue("planId"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Invitations []store.Invitee `json:"invitations"`
	}{invitees})
}

func (s *service) withdraw(w http.ResponseWriter, r *http.Request, userID string) {
	planID, invitee := r.PathValue("planId"), r.PathValue("userId")
	err := s.live.inOrder(planID, func() error {
		owners, err := s.store.Withdraw(r.Context(), userID, planID, invitee)
		if err != nil {
			return err
		}
		s.inviteesChanged(r, planID, owners)
		s.live.listsChanged(r, invitee, planID)
		return nil
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// listInvitations answers with the invitations that wait for the caller's answer.
func (s *service) listInvitations(w http.ResponseWriter, r *http.Request, userID string) {
	invitations, err := s.store.Invitations(r.Context(), userID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Invitations []store.Invitation `json:"invitations"`
	}{invitations})
}

func (s *service) accept(w http.ResponseWriter, r *http.Request, userID string) {
	planID := r.PathValue("planId")
	var plan store.PlanSummary
	err := s.live.inOrder(planID, func() error {
		accepted, members, err := s.store.Accept(r.Context(), userID, planID)
		if err != nil {
			return err
		}
		plan = accepted
		s.live.membersUpdated(r, userID, planID, members)
		s.live.planShared(r, userID, plan)
		for _, m := range members {
			if m.Role == store.RoleOwner {
				s.live.listsChanged(r, m.UserID, planID)
			}
		}
		return nil
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, plan)
}

func (s *service) decline(w http.ResponseWriter, r *http.Request, userID string) {
	planID := r.PathValue("planId")
	err := s.live.inOrder(planID, func() error {
		owners, err := s.store.Decline(r.Context(), userID, planID)
		if err != nil {
			return err
		}
		s.inviteesChanged(r, planID, owners)
		s.live.listsChanged(r, userID, planID) // in their other tabs
		return nil
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *service) inviteesChanged(r *http.Request, planID string, ownerIDs []string) {
	for _, id := range ownerIDs {
		s.live.listsChanged(r, id, planID)
	}
}
