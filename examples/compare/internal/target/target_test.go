package target_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/compare/internal/peer"
	"github.com/planrooms/planrooms/examples/compare/internal/target"
)

func start(t *testing.T, impl string) *target.Client {
	t.Helper()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	served, err := target.New(target.Config{Impl: impl, TokenKey: public})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(served)
	client := target.NewClient(strings.TrimPrefix(srv.URL, "http://"), time.Minute)
	t.Cleanup(func() {
		client.Close()
		srv.Close()
		served.Close()
	})
	return client
}

func TestStatsGrow(t *testing.T) {
	client := start(t, peer.Raw)
	before, err := client.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := client.Stats(t.Context())
	if err != nil || after.Collections <= before.Collections || after.Mallocs <= before.Mallocs || after.RSS <= 0 {
		t.Errorf("after a collection the stats are %+v, %v, before it %+v", after, err, before)
	}
}

func TestCalls(t *testing.T) {
	client := start(t, peer.Ours)
	plan := target.CallPlan{Room: "plan", Count: 3, Every: time.Millisecond, Size: 400}
	calls, err := client.Calls(t.Context(), plan)
	if err != nil || len(calls.Times) != 3 || len(calls.Behind) != 3 || len(calls.Allocs) != 3 || plan.Published() != 9 {
		t.Errorf("Calls(%+v) = %+v, %v, want three pairs of times and three counts", plan, calls, err)
	}
	for _, bad := range []target.CallPlan{{}, {Count: 1}, {Count: 1 << 30, Every: 1}} {
		if _, err := client.Calls(t.Context(), bad); err == nil {
			t.Errorf("Calls(%+v) returned no error", bad)
		}
	}
}

func TestVerifyOfABadToken(t *testing.T) {
	if cost, err := start(t, peer.Ours).Verify(t.Context(), "a.b.c"); err == nil {
		t.Errorf("Verify(a.b.c) = %+v, want an error", cost)
	}
	if cost, err := start(t, peer.Raw).Verify(t.Context(), "a.b.c"); err != nil || cost != (target.VerifyCost{}) {
		t.Errorf("Verify by an implementation without tokens = %+v, %v, want nothing", cost, err)
	}
}

func TestProfilesOneAtATime(t *testing.T) {
	client := start(t, peer.Raw)
	file := filepath.Join(t.TempDir(), "p")
	if err := client.StopProfile(t.Context()); err == nil {
		t.Error("StopProfile without a profile returned no error")
	}
	if err := client.StartProfile(t.Context(), filepath.Join(file, "no such folder")); err == nil {
		t.Error("StartProfile in a missing folder returned no error")
	}
	if err := client.StartProfile(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if err := client.StartProfile(t.Context(), file); err == nil {
		t.Error("a second StartProfile returned no error")
	}
	if err := client.StopProfile(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestReadEvents(t *testing.T) {
	type published struct{ Room, Payload string }
	want := []published{{"a", "one"}, {"bb", ""}, {"a", "three"}}
	var stream []byte
	for _, p := range want {
		stream = target.AppendEvent(stream, p.Room, []byte(p.Payload))
	}
	var got []published
	err := target.ReadEvents(bytes.NewReader(stream), func(room string, payload []byte) error {
		got = append(got, published{room, string(payload)})
		return nil
	})
	if diff := cmp.Diff(want, got); diff != "" || err == nil {
		t.Errorf("readEvents: %v, want the end of the stream (-want +got):\n%s", err, diff)
	}
	huge := binary.BigEndian.AppendUint32([]byte{0, 1}, 1<<31)
	if err := target.ReadEvents(bytes.NewReader(huge), nil); err == nil || !strings.Contains(err.Error(), "payload of") {
		t.Errorf("readEvents of a huge payload = %v, want an error that says so", err)
	}
	refused := target.ReadEvents(bytes.NewReader(stream), func(string, []byte) error { return http.ErrNotSupported })
	if refused != http.ErrNotSupported {
		t.Errorf("readEvents = %v, want what publish returned", refused)
	}
}

func TestNewOfAnUnknownImplementation(t *testing.T) {
	if _, err := target.New(target.Config{Impl: "nobody"}); err == nil {
		t.Error("New of an unknown implementation returned no error")
	}
}
