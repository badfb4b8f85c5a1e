package room_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A join that cannot resume from its position differs from a first join: it is observed, counted
// and logged, with the reason.
func TestFailedResumeIsReported(t *testing.T) {
	var log notebook
	var failed []room.ResumeInfo
	opts := &room.Options{HistoryEvents: 4, Logger: log.logger(), Observer: room.Observer{
		ResumeFailed: func(r room.ResumeInfo) { failed = append(failed, r) },
	}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		old := bob.Position()
		for n := range 10 {
			update(t, h, "p", n)
			wantEvent(t, bob, n)
		}
		end := bob.Position()
		alice := connect(t, h, "alice", "")
		alice.Join("p", nil)  // a first join
		alice.Join("p", &end) // a resume
		if n := h.Stats().ResumesFailed; n != 0 || len(failed) != 0 || len(log.lines("")) != 0 {
			t.Errorf("%d failed resumes counted, %v observed, log %q; want none", n, failed, log.lines(""))
		}
		want := func(since protocol.Position, reason room.ResumeReason) {
			t.Helper()
			failed = nil
			before := h.Stats().ResumesFailed
			alice.Join("p", &since)
			if alice.Joined.Recovered {
				t.Fatalf("resumed from %v", since)
			}
			info := room.ResumeInfo{Connection: alice.Session().Info(), PlanID: "p", Since: since, Position: end, Reason: reason}
			if diff := cmp.Diff([]room.ResumeInfo{info}, failed); diff != "" {
				t.Errorf("observed (-want +got):\n%s", diff)
			}
			if n := h.Stats().ResumesFailed - before; n != 1 {
				t.Errorf("counted %d, want 1", n)
			}
			if n := len(log.lines("INFO", "could not resume", `reason="`+string(reason)+`"`, "user=alice", "plan=p")); n != 1 && reason != room.ResumeAhead {
				t.Errorf("%d lines logged, want 1: %q", n, log.lines(""))
			}
		}
		want(old, room.ResumeTooOld)
		want(protocol.Position{Epoch: "before the restart", Seq: end.Seq}, room.ResumeOtherEpoch)
		want(protocol.Position{Epoch: end.Epoch, Seq: end.Seq + 1}, room.ResumeAhead)
		if n := len(log.lines("reason=ahead")); n != 1 {
			t.Errorf("%d lines logged, want 1: %q", n, log.lines(""))
		}
	})
}
