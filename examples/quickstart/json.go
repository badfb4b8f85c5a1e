package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"
)

// readJSON decodes the body into v. If it cannot, it answers the request and returns false. It
// ignores unknown fields, as the wire does.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		writeError(w, http.StatusRequestEntityTooLarge, "the body is too large")
		return false
	case err != nil:
		writeError(w, http.StatusBadRequest, "the body could not be read")
		return false
	case !utf8.Valid(body): // encoding/json would replace invalid bytes
		writeError(w, http.StatusBadRequest, "the body is not valid UTF-8")
		return false
	case json.Unmarshal(body, v) != nil:
		writeError(w, http.StatusBadRequest, "the body is not the expected JSON")
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // unreachable: v is always a struct of this package
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails if the client has gone
}

func writeError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, struct {
		Error string `json:"error"`
	}{text})
}

func unauthorized(w http.ResponseWriter, text string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="quickstart"`)
	writeError(w, http.StatusUnauthorized, text)
}

func notFound(w http.ResponseWriter) {
	writeError(w, http.StatusNotFound, "not found, or no access")
}

// fail logs an internal error and answers the request with 500. The client does not see the cause.
func (s *service) fail(w http.ResponseWriter, what string, err error) {
	s.log.Error(what, "error", err)
	writeError(w, http.StatusInternalServerError, "internal error")
}
