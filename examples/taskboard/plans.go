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
	title, ok := readPlanTitle(w, r)
	if !ok {
		return
	}
	plan, err := s.store.CreatePlan(r.Context(), userID, title)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, plan)
}

func (s *service) renamePlan(w http.ResponseWriter, r *http.Request, userID string) {
	title, ok := readPlanTitle(w, r)
	if !ok {
		return
	}
	planID := r.PathValue("planId")
	err := s.live.inOrder(planID, func() error {
		members, err := s.store.RenamePlan(r.Context(), userID, planID, title)
		if err == nil {
			s.live.planRenamed(r, userID, planID, title, members)
		}
		return err
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *service) deletePlan(w http.ResponseWriter, r *http.Request, userID string) {
	planID := r.PathValue("planId")
	err := s.live.inOrder(planID, func() error {
		deleted, err := s.store.DeletePlan(r.Context(), userID, planID)
		if err == nil {
			s.live.planDeleted(r, planID, deleted)
		}
		return err
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// load returns the plan of the request and the position to join it with. On an error it answers the
// request and reports false.
func (s *service) load(w http.ResponseWriter, r *http.Request, userID string) (store.Plan, protocol.Position, bool) {
	planID := r.PathValue("planId")
	// The position comes before the plan. A client that joins with it as since gets every event
	// after it, perhaps some that the plan already contains. In the other order it could miss
	// one.
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

const titleRule = "A title has 1 to 200 characters, on one line, without control characters. Some of it can be seen."

// validTitle reports whether title may be the title of a plan or of a task. A title that is too
// long is refused, not cut: only the client can cut it between characters that people see.
func validTitle(title string) bool { return validText(title, maxTitleRunes) }

// validText reports whether text has 1 to limit characters, one of which is visible, and no control
// characters. Controls of the writing direction count: without a partner they would reverse the
// words around the text.
func validText(text string, limit int) bool {
	return strings.ContainsFunc(text, isVisible) && utf8.RuneCountInString(text) <= limit &&
		!strings.ContainsFunc(text, isControl)
}

// isVisible reports whether people see r. Spaces, and characters of no width such as U+200B, are
// not visible: a person cannot see or click a title of these alone.
func isVisible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != brailleBlank &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

const brailleBlank = '\u2800'

func isControl(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) && r != lrm && r != rlm && r != alm ||
		r == '\u2028' || r == '\u2029' // separators of lines and paragraphs
}

// Marks that set a direction at one place only. Texts in Arabic and Hebrew contain them.
const lrm, rlm, alm = '\u200e', '\u200f', '\u061c'

// readPlanTitle reads the title of a plan from the request. If it is missing or invalid,
// readPlanTitle has answered the request.
func readPlanTitle(w http.ResponseWriter, r *http.Request) (title string, ok bool) {
	var body struct {
		Title string `json:"title"`
	}
	if !readJSON(w, r, maxPlanBody, &body) {
		return "", false
	}
	if !validTitle(body.Title) {
		badRequest(w, titleRule)
		return "", false
	}
	return body.Title, true
}
