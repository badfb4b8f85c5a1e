package metrics_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/metrics"
	"github.com/planrooms/planrooms/room/roomtest"
)

func newHub(o room.Observer) *room.Hub {
	return room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil }, Observer: o, PingEvery: -1,
	})
}

func broadcast(t testing.TB, h *room.Hub, planID string) {
	t.Helper()
	if _, err := h.BroadcastTaskUpdated(t.Context(), planID, map[string]string{"id": "1"}); err != nil {
		t.Fatal(err)
	}
}

// 10,000 plans, each with a user, an event type and a close code that no other plan has, have as
// many series as one plan.
func TestSeriesDoNotDependOnPlans(t *testing.T) {
	series := func(plans int) (names map[string]bool) {
		synctest.Test(t, func(t *testing.T) {
			m := metrics.New(nil)
			h := newHub(m.Observer(room.Observer{}))
			m.Watch(h)
			for n := range plans {
				plan := fmt.Sprint("plan", n)
				member := roomtest.Join(t, h, fmt.Sprint("user", n), plan)
				if _, err := h.Broadcast(t.Context(), plan, protocol.Event{Type: protocol.Type(fmt.Sprint("type-", n)), Data: map[string]int{"n": n}}); err != nil {
					t.Fatal(err)
				}
				h.ReportRefusal(room.RefusalInfo{Reason: room.RefusalReason(plan)})
				member.Sink().SendClose(protocol.CloseCode(3000 + n%2000))
			}
			synctest.Wait()
			got := gather(t, register(t, m))
			if n := int(got["planrooms_broadcasts_total"]); n != plans {
				t.Errorf("%d broadcasts, want %d", n, plans)
			}
			names = map[string]bool{}
			for name := range got {
				names[name] = true
			}
			if err := h.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
		return names
	}
	one := series(1)
	if diff := cmp.Diff(one, series(10_000)); diff != "" {
		t.Errorf("series with one plan and with 10,000 (-one +10,000):\n%s", diff)
	}
	if len(one) > 100 {
		t.Errorf("%d series, want at most 100", len(one))
	}
}

// Each reason, result and close code has its series from the start: the rate of a series that
// begins with 1 misses that 1.
func TestEachValueHasASeriesFromTheStart(t *testing.T) {
	m := metrics.New(nil)
	h := newHub(m.Observer(room.Observer{}))
	defer h.Shutdown(t.Context())
	m.Watch(h)
	got := gather(t, register(t, m))
	for _, c := range []struct{ pkg, typ, series string }{
		{"room", "RefusalReason", "planrooms_refusals_total{reason=%q}"},
		{"room", "LeaveReason", "planrooms_leaves_total{reason=%q}"},
		{"room", "RecheckResult", "planrooms_rechecks_total{result=%q}"},
		{"protocol", "CloseCode", "planrooms_disconnects_total{code=%q}"},
	} {
		values := constants(t, "github.com/planrooms/planrooms/"+c.pkg, c.typ)
		if len(values) < 3 {
			t.Errorf("%s.%s has the constants %q", c.pkg, c.typ, values)
		}
		for _, value := range values {
			if name := fmt.Sprintf(c.series, value); got[name] != 0 {
				t.Errorf("%s = %v", name, got[name])
			} else if _, ok := got[name]; !ok {
				t.Errorf("no series %s", name)
			}
		}
	}
}

// constants returns the values of the exported constants of a type in a package.
func constants(t *testing.T, pkg, typ string) (values []string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}`, pkg).Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.Lines(string(out)) {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(strings.TrimSpace(name)), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if of, ok := spec.Type.(*ast.Ident); ok && of.Name == typ && spec.Names[0].IsExported() {
				for _, v := range spec.Values {
					if literal, ok := v.(*ast.BasicLit); ok {
						values = append(values, strings.Trim(literal.Value, `"`))
					}
				}
			}
			return true
		})
	}
	return values
}
