package protocol_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
)

var update = flag.Bool("update", false, "write the golden frames")

// at is the timestamp of all golden frames.
var at = time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)

// clientFrames has requests of each kind, by the name of their golden file.
var clientFrames = map[string]protocol.Request{
	"ping":                  {Type: protocol.TypePing},
	"join-plan":             {Type: protocol.TypeJoinPlan, PlanID: "demo"},
	"join-plan-since":       {Type: protocol.TypeJoinPlan, PlanID: "demo", Since: &protocol.Position{Epoch: "E1", Seq: 41}},
	"join-plan-unicode":     {Type: protocol.TypeJoinPlan, PlanID: `Plan "Ä/日本" \ 😀`},
	"leave-plan":            {Type: protocol.TypeLeavePlan, PlanID: "demo"},
	"authenticate":          {Type: protocol.TypeAuthenticate, Token: "head.body.sign"},
	"update-presence":       {Type: protocol.TypeUpdatePresence, PlanID: "demo", State: json.RawMessage(`{"editing":"t1"}`)},
	"update-presence-clear": {Type: protocol.TypeUpdatePresence, PlanID: "demo"},
}

// serverFrame is a message from the server that is not an event.
type serverFrame struct {
	planID string
	typ    protocol.Type
	data   any // nil if the message has no data
}

var position = protocol.Position{Epoch: "E1", Seq: 42}

var serverFrames = map[string]serverFrame{
	"pong":       {"", protocol.TypePong, nil},
	"pong-hello": {"", protocol.TypePong, protocol.Hello{UserID: "alice", Connected: true, Timestamp: protocol.Timestamp{Time: at}, ConnectionID: "C1", ClientID: "tab1", Protocol: protocol.Version}},
	"join-plan-answer": {"demo", protocol.TypeJoinPlan, protocol.JoinAnswer{
		Success: true, ParticipantCount: 2, Position: position, Recovered: true, Participants: []protocol.Participant{
			{UserID: "alice", UserName: "Alice", Connections: 2, State: json.RawMessage(`{"editing":"t1"}`)},
			{UserID: "bob", UserName: "Bob", Connections: 0},
		},
	}},
	"join-plan-joined":        {"demo", protocol.TypeJoinPlan, protocol.Joined{UserID: "bob", UserName: "Bob <b>", ParticipantCount: 2}},
	"join-plan-count":         {"demo", protocol.TypeJoinPlan, protocol.Count{ParticipantCount: 101}},
	"leave-plan-answer":       {"demo", protocol.TypeLeavePlan, protocol.LeaveAnswer{Success: true}},
	"leave-plan-left":         {"demo", protocol.TypeLeavePlan, protocol.Left{UserID: "bob", ParticipantCount: 1}},
	"presence-updated":        {"demo", protocol.TypePresenceUpdated, protocol.PresenceUpdated{UserID: "bob", State: json.RawMessage(`"away"`)}},
	"presence-updated-clear":  {"demo", protocol.TypePresenceUpdated, protocol.PresenceUpdated{UserID: "bob", State: json.RawMessage(`null`)}},
	"authenticate-answer":     {"", protocol.TypeAuthenticate, protocol.Authenticated{Success: true, ExpiresAt: &protocol.Timestamp{Time: at}}},
	"authenticate-no-expiry":  {"", protocol.TypeAuthenticate, protocol.Authenticated{Success: true}},
	"resync":                  {"demo", protocol.TypeResync, protocol.Resync{Position: position, Reason: "events were missed"}},
	"resync-spread":           {"demo", protocol.TypeResync, protocol.Resync{Position: position, Reason: "events were missed", SpreadMs: 1500}},
	"removed":                 {"demo", protocol.TypeRemoved, protocol.Removed{Reason: "access ended"}},
	"removed-retry":           {"demo", protocol.TypeRemoved, protocol.Removed{Reason: "access could not be checked", Retry: true}},
	"error-of-no-plan":        {"", protocol.TypeError, protocol.Error{Code: protocol.ErrorBadMessage, Message: "text", Re: ""}},
	"error-bad_plan_id":       {"", protocol.TypeError, protocol.Error{Code: protocol.ErrorBadPlanID, Message: "text", Re: protocol.TypeJoinPlan}},
	"error-unknown_type":      {"", protocol.TypeError, protocol.Error{Code: protocol.ErrorUnknownType, Message: "text", Re: "dance"}},
	"error-forbidden":         {"demo", protocol.TypeError, protocol.Error{Code: protocol.ErrorForbidden, Message: "text", Re: protocol.TypeJoinPlan}},
	"error-unavailable":       {"demo", protocol.TypeError, protocol.Error{Code: protocol.ErrorUnavailable, Message: "text", Re: protocol.TypeJoinPlan}},
	"error-not_joined":        {"demo", protocol.TypeError, protocol.Error{Code: protocol.ErrorNotJoined, Message: "text", Re: protocol.TypeLeavePlan}},
	"error-bad_token":         {"", protocol.TypeError, protocol.Error{Code: protocol.ErrorBadToken, Message: "text", Re: protocol.TypeAuthenticate}},
	"error-bad_state":         {"demo", protocol.TypeError, protocol.Error{Code: protocol.ErrorBadState, Message: "text", Re: protocol.TypeUpdatePresence}},
	"error-rate_limited":      {"", protocol.TypeError, protocol.Error{Code: protocol.ErrorRateLimited, Message: "text", Re: protocol.TypePing}},
	"error-too_many_rooms":    {"demo", protocol.TypeError, protocol.Error{Code: protocol.ErrorTooManyRooms, Message: "text", Re: protocol.TypeJoinPlan}},
	"goodbye-1003":            {"", protocol.TypeGoodbye, protocol.CloseUnsupportedData.Goodbye(0)},
	"goodbye-1007":            {"", protocol.TypeGoodbye, protocol.CloseInvalidPayload.Goodbye(0)},
	"goodbye-1009":            {"", protocol.TypeGoodbye, protocol.CloseTooBig.Goodbye(0)},
	"goodbye-4400":            {"", protocol.TypeGoodbye, protocol.CloseBadRequest.Goodbye(0)},
	"goodbye-4401":            {"", protocol.TypeGoodbye, protocol.CloseUnauthorized.Goodbye(0)},
	"goodbye-4403":            {"", protocol.TypeGoodbye, protocol.CloseForbidden.Goodbye(0)},
	"goodbye-4408":            {"", protocol.TypeGoodbye, protocol.CloseTimeout.Goodbye(0)},
	"goodbye-4409":            {"", protocol.TypeGoodbye, protocol.CloseReplaced.Goodbye(0)},
	"goodbye-4429":            {"", protocol.TypeGoodbye, protocol.CloseRateLimited.Goodbye(10 * time.Second)},
	"goodbye-4500":            {"", protocol.TypeGoodbye, protocol.CloseInternal.Goodbye(1234 * time.Millisecond)},
	"goodbye-4503":            {"", protocol.TypeGoodbye, protocol.CloseShutdown.Goodbye(505 * time.Millisecond)},
	"goodbye-4508":            {"", protocol.TypeGoodbye, protocol.CloseTooSlow.Goodbye(0)},
	"host-notice-of-no-plan":  {"", "assigned", json.RawMessage(`{"taskId":"t1"}`)},
	"goodbye-reason-has-text": {"", protocol.TypeGoodbye, protocol.Goodbye{Code: 4503, Reason: "a \"quoted\" reason", Reconnect: true, Reauth: false, RetryAfterMs: 1}},
}

var eventMeta = protocol.EventMeta{PlanID: "demo", By: "alice", MutationID: "m-1", Timestamp: at}

// eventFrames has events of each kind. Their seq is 43 and their prev is 42.
var eventFrames = map[string]protocol.Event{
	"task-updated":           protocol.TaskUpdated(map[string]any{"id": "t1", "title": "Zürich <&> 日本"}),
	"task-created":           protocol.TaskCreated(json.RawMessage(`{"id":"t1","title":"x"}`)),
	"task-deleted":           protocol.TaskDeleted("t1"),
	"task-reordered":         protocol.TaskReordered([]string{"t2", "t1"}),
	"task-deleted-number":    protocol.TaskDeleted(int64(7)),
	"task-reordered-numbers": protocol.TaskReordered([]int64{8, 7}),
	"progress-updated":       protocol.ProgressUpdated(map[string]any{"totalTasks": 2, "completedTasks": 1, "completionPercentage": 50}),
	"host-event":             {Type: "comment-added", Data: map[string]any{"text": "hello"}},
}

// golden compares got with a golden frame and returns that frame.
func golden(t *testing.T, path string, got []byte) []byte {
	t.Helper()
	path = filepath.Join("testdata", "golden", path+".json")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want = bytes.TrimSuffix(want, []byte("\n"))
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
	if !json.Valid(want) {
		t.Errorf("%s is not JSON", path)
	}
	return want
}

func TestGoldenClientFrames(t *testing.T) {
	for name, request := range clientFrames {
		t.Run(name, func(t *testing.T) {
			got, err := protocol.EncodeRequest(request)
			if err != nil {
				t.Fatal(err)
			}
			decoded, err := protocol.DecodeRequest(golden(t, "client/"+name, got))
			if err != nil {
				t.Fatalf("DecodeRequest = %v", err)
			}
			if diff := cmp.Diff(request, decoded); diff != "" {
				t.Errorf("DecodeRequest (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGoldenServerFrames(t *testing.T) {
	for name, frame := range serverFrames {
		t.Run(name, func(t *testing.T) {
			got, err := protocol.Encode(frame.typ, frame.planID, frame.data, at)
			if err != nil {
				t.Fatal(err)
			}
			m, err := protocol.Decode(golden(t, "server/"+name, got))
			if err != nil {
				t.Fatalf("Decode = %v", err)
			}
			if m.Type != frame.typ || m.PlanID != frame.planID || !m.Timestamp.Equal(at) || m.Seq != 0 {
				t.Errorf("Decode = %+v", m)
			}
			data, _ := json.Marshal(frame.data)
			if frame.data == nil {
				data = nil
			}
			if diff := cmp.Diff(compact(t, data), compact(t, m.Data)); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGoldenEventFrames(t *testing.T) {
	for name, event := range eventFrames {
		t.Run(name, func(t *testing.T) {
			encoded, err := protocol.EncodeEvent(event, eventMeta, 1<<10)
			if err != nil {
				t.Fatal(err)
			}
			m, err := protocol.Decode(golden(t, "server/"+name, encoded.Splice(43, 42)))
			if err != nil {
				t.Fatalf("Decode = %v", err)
			}
			m.Data = nil
			want := protocol.Message{Type: event.Type, PlanID: "demo", Timestamp: at, Seq: 43, Prev: 42, By: "alice", MutationID: "m-1"}
			if diff := cmp.Diff(want, m); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
		})
	}
	versioned := eventMeta
	versioned.Version = protocol.EventVersion{Key: "t1", N: 7}
	t.Run("version", func(t *testing.T) {
		encoded, err := protocol.EncodeEvent(eventFrames["host-event"], versioned, 1<<10)
		if err != nil {
			t.Fatal(err)
		}
		m, err := protocol.Decode(golden(t, "server/host-event-version", encoded.Splice(43, 42)))
		if err != nil || m.Version != versioned.Version || m.Seq != 43 {
			t.Errorf("Decode = %+v, %v, want version %v", m, err, versioned.Version)
		}
		m, err = protocol.Decode(protocol.AppendReceipt(nil, versioned, 43, 42))
		if err != nil || m.Version != versioned.Version {
			t.Errorf("Decode of the receipt = %+v, %v, want version %v", m, err, versioned.Version)
		}
	})
	t.Run("receipt", func(t *testing.T) {
		m, err := protocol.Decode(golden(t, "server/receipt", protocol.AppendReceipt(nil, eventMeta, 43, 42)))
		want := protocol.Message{Type: protocol.TypeReceipt, PlanID: "demo", Timestamp: at, Seq: 43, Prev: 42, By: "alice", MutationID: "m-1"}
		if diff := cmp.Diff(want, m); diff != "" || err != nil {
			t.Errorf("Decode = %v (-want +got):\n%s", err, diff)
		}
	})
	t.Run("notice", func(t *testing.T) {
		b, err := protocol.EncodeNotice(protocol.TaskDeleted("t1"), at, 100)
		if err != nil {
			t.Fatal(err)
		}
		m, err := protocol.Decode(golden(t, "server/task-deleted-of-no-plan", b))
		if err != nil || m.PlanID != "" || m.Seq != 0 || string(m.Data) != `{"taskId":"t1"}` {
			t.Errorf("Decode = %+v, %v", m, err)
		}
	})
}

// Every golden frame must belong to a test: a message that is removed must take its frames along.
func TestGoldenFramesAreUsed(t *testing.T) {
	used := map[string]bool{"server/receipt": true, "server/host-event-version": true, "server/task-deleted-of-no-plan": true}
	for name := range clientFrames {
		used["client/"+name] = true
	}
	for name := range serverFrames {
		used["server/"+name] = true
	}
	for name := range eventFrames {
		used["server/"+name] = true
	}
	files, err := filepath.Glob("testdata/golden/*/*.json")
	if err != nil || len(files) != len(used) {
		t.Errorf("%d golden frames, %d used (%v)", len(files), len(used), err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(f), "testdata/golden/"), ".json")
		if !used[name] {
			t.Errorf("no test uses %s", f)
		}
	}
}

func compact(t *testing.T, raw []byte) string {
	t.Helper()
	if raw == nil {
		return ""
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	b, _ := json.Marshal(v)
	return string(b)
}
