package room_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/room"
)

var compareErrors = cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) || errors.Is(b, a) })

func TestReportRefusal(t *testing.T) {
	down := errors.New("down")
	var got []room.RefusalInfo
	h := newHub(t, &room.Options{Observer: room.Observer{Refused: func(r room.RefusalInfo) {
		got = append(got, r)
		if r.Reason == room.RefusedGone {
			panic("oops")
		}
	}}})
	reported := []room.RefusalInfo{
		{Reason: room.RefusedOrigin, Status: 403, Origin: "https://evil.example"},
		{Reason: room.RefusedUnavailable, Status: 503, Code: 4500, RemoteAddr: "192.0.2.1:1", Err: down},
		{Reason: room.RefusedUnavailable, Status: 503, UserID: "ann", Err: down},
		{Reason: room.RefusedGone},
		{Reason: "made up"},
		{},
	}
	for _, r := range reported {
		h.ReportRefusal(r)
	}
	want := append([]room.RefusalInfo(nil), reported...)
	want[4].Reason, want[5].Reason = room.RefusedOther, room.RefusedOther
	if diff := cmp.Diff(want, got, compareErrors); diff != "" {
		t.Errorf("the observer got (-want +got):\n%s", diff)
	}
	counts := map[room.RefusalReason]uint64{room.RefusedOrigin: 1, room.RefusedUnavailable: 2, room.RefusedGone: 1, room.RefusedOther: 2}
	if diff := cmp.Diff(counts, h.Stats().Refused); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}
