package main

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
	"github.com/planrooms/planrooms/protocol"
)

const (
	maxTitleRunes = 200
	maxPlanBody   = 8 << 10
)

func (s *service) listPlans(w http.ResponseWriter, r *http.Request, userID string) {
	plans, err := s.store.Plans(r.Context(), userID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Plans []store.PlanSummary `json:"plans"`
	}{plans})
}

func (s *service) createPlan(w http.ResponseWriter, r *http.Request, userID string) {
	var body struct {
		Title string `json:"title"`
	}
	if !readJSON(w, r, maxPlanBody, &body) {
		return
	}
	if !validTitle(body.Title) {
		badRequest(w, titleRule)
		return
	}
	plan, err := s.store.CreatePlan(r.Context(), userID, body.Title)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, plan)
}

// load returns the plan of the request and the position to join it with. If it cannot it answers the request and reports false.
func (s *service) load(w http.ResponseWriter, r *http.Request, userID string) (store.Plan, protocol.Position, bool) {
	planID := r.PathValue("planId")
	// The position comes before the plan. A client that joins with it as since gets what has happened after it,
	// some of which the plan may hold already; the other way round something could be missed.
	position, err := s.live.hub.Position(r.Context(), planID)
	if err != nil && !protocol.ValidPlanID(planID) {
		err = store.ErrNotFound
	}
	if err != nil {
		s.fail(w, r, err)
		return store.Plan{}, position, false
	}
	plan, err := s.store.Plan(r.Context(), userID, planID)
	if err != nil {
		s.fail(w, r, err)
		return store.Plan{}, position, false
	}
	return plan, position, true
}

func (s *service) getPlan(w http.ResponseWriter, r *http.Request, userID string) {
	if plan, position, ok := s.load(w, r, userID); ok {
		writeJSON(w, http.StatusOK, struct {
			store.Plan
			Position protocol.Position `json:"position"`
		}{plan, position})
	}
}

func (s *service) getTasks(w http.ResponseWriter, r *http.Request, userID string) {
	if plan, position, ok := s.load(w, r, userID); ok {
		writeJSON(w, http.StatusOK, struct {
			Position protocol.Position `json:"position"`
			Tasks    []store.Task      `json:"tasks"`
		}{position, plan.Tasks})
	}
}

func (s *service) getProgress(w http.ResponseWriter, r *http.Request, userID string) {
	if plan, _, ok := s.load(w, r, userID); ok {
		writeJSON(w, http.StatusOK, plan.Progress)
	}
}

const titleRule = "A title has 1 to 200 characters, on one line."

// validTitle holds for the titles of plans and of tasks.
func validTitle(title string) bool {
	return strings.TrimSpace(title) != "" && utf8.RuneCountInString(title) <= maxTitleRunes && strings.IndexFunc(title, unicode.IsControl) < 0
}
