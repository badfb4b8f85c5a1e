package main

import (
	"io"
	"strings"
	"testing"
)

// TestStorm has all connections cut at once: all come back and miss nothing.
func TestStorm(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"RS256", "EdDSA", ""} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			args := strings.Fields("-rooms 4 -conns 40 -rate 50 -for 2s -cut 200ms")
			if algorithm != "" {
				args = append(args, "-sign", algorithm)
			}
			s, err := parse(args, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			r, err := load(t.Context(), s, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if r.Storm == nil || r.Storm.Cut != 40 || r.Storm.Back != 40 || r.Storm.Resumed != 40 || r.Faults.any() || len(r.Reloads) > 0 {
				t.Errorf("storm %+v, faults %+v, reloads %v", r.Storm, r.Faults, r.Reloads)
			}
			if !strings.Contains(r.text(), "40 connections cut at once, 40 reconnected after") {
				t.Errorf("the report has no row for the storm:\n%s", r.text())
			}
		})
	}
}

func TestUnknownSignature(t *testing.T) {
	s, err := parse([]string{"-sign", "none"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load(t.Context(), s, io.Discard); err == nil || !strings.Contains(err.Error(), "-sign") {
		t.Errorf("got %v, want an error about -sign", err)
	}
}
