package room_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// hostError is an error of the host that implements runtime.Error.
type hostError struct{}

func (hostError) Error() string { return "secret" }
func (hostError) RuntimeError() {}

var _ runtime.Error = hostError{}

// TestPanicLog has Authorize and an Observer panic with values of several types, and looks for
// type, text and stack in the log.
func TestPanicLog(t *testing.T) {
	var none []int
	for _, c := range []struct {
		name   string
		panics func()
		want   string
	}{
		{"index", func() { _ = none[len(t.Name())] }, "index out of range ["},
		{"nil map", func() { noMap()["x"] = 1 }, "assignment to entry in nil map"},
		{"nil pointer", func() { var p *hostError; _ = p.Error() }, "nil pointer dereference"},
		{"type", func() { _ = any(t).(error) }, "TypeAssertionError: interface conversion: *testing.T is not error"},
		{"string", func() { panic("secret") }, "panic=string"},
		{"error", func() { panic(errors.New("secret")) }, "panic=*errors.errorString"},
		{"error of the host", func() { panic(hostError{}) }, "panic=room_test.hostError"},
		{"nil", func() { panic(nil) }, "panic=*runtime.PanicNilError: panic called with nil argument"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			opts := &room.Options{
				Logger:    slog.New(slog.NewTextHandler(&log, nil)),
				Authorize: func(context.Context, auth.Identity, string) error { c.panics(); return nil },
				Observer:  room.Observer{Refused: func(room.RefusalInfo) { c.panics() }},
			}
			bubble(t, opts, func(t *testing.T, h *room.Hub) {
				h.ReportRefusal(room.RefusalInfo{})
				m := connect(t, h, "alice", "")
				m.Send(`{"type":"join-plan","planId":"p"}`)
				wantError(t, m, "p", protocol.TypeJoinPlan, protocol.ErrorUnavailable)
				wantClosed(t, m, protocol.CloseInternal)
			})
			lines := slices.DeleteFunc(strings.Split(log.String(), "\n"), func(line string) bool {
				return !strings.Contains(line, "level=ERROR")
			})
			if len(lines) != 2 {
				t.Fatalf("log %q, want a line for the Observer and one for Authorize", lines)
			}
			for _, line := range lines {
				if !strings.Contains(strings.ReplaceAll(line, `"`, ""), c.want) {
					t.Errorf("log %q lacks %q", line, c.want)
				}
				if !strings.Contains(line, "TestPanicLog") {
					t.Errorf("log %q lacks the stack", line)
				}
				if strings.Contains(log.String(), "secret") {
					t.Errorf("log %q has the text of the host's value", line)
				}
			}
		})
	}
}

// noMap returns a nil map, which linters do not see.
func noMap() map[string]int { return nil }
