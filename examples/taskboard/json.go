package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"unicode/utf8"
)

// readJSON decodes the body into v. On an error it answers the request and reports false. It
// refuses unknown fields, so that a misspelled one is noticed.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) bool {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		writeError(w, http.StatusUnsupportedMediaType, "not_json", "The body must be application/json.")
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		writeError(w, http.StatusRequestEntityTooLarge, "too_large", "The body is too large.")
		return false
	case err != nil:
		badRequest(w, "The body could not be read.")
		return false
	case !utf8.Valid(body): // encoding/json would replace invalid bytes
		badRequest(w, "The body is not valid UTF-8.")
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if decoder.Decode(v) != nil {
		badRequest(w, "The body is not the JSON expected here.")
		return false
	}
	if _, err := decoder.Token(); err != io.EOF {
		badRequest(w, "Something follows the JSON.")
		return false
	}
	return true
}

// field is a field of a body that may be missing, which differs from null.
type field[T any] struct {
	present bool
	value   T
}

func (f *field[T]) UnmarshalJSON(b []byte) error {
	f.present = true
	return json.Unmarshal(b, &f.value)
}

// pointer returns nil if the field is missing.
func (f *field[T]) pointer() *T {
	if !f.present {
		return nil
	}
	return &f.value
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
	_, _ = w.Write(body) // an error means that the client has gone
}
