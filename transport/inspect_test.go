package transport_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
	"github.com/planrooms/planrooms/transport"
)

func everyone(*http.Request) bool { return true }

// inspected is a request to the operators' handler, made by a browser if html is set.
func inspected(h http.Handler, method, target string, html bool) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	if html {
		r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// inspectJSON decodes the JSON of a request, which has to succeed.
func inspectJSON(t *testing.T, h http.Handler, query string, v any) string {
	t.Helper()
	w := inspected(h, http.MethodGet, "/ops/rooms?"+query, false)
	if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != "application/json" {
		t.Fatalf("%s: status %d, %s: %s", query, w.Code, got, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return w.Body.String()
}

type inspectView struct {
	Stats struct {
		Connections, Rooms int
		Closed, Refused    map[string]int
		ShuttingDown       bool
	}
	Total, Matching int
	Rooms           []room.Summary
	Room            *struct {
		room.Summary
		PeopleMatching     int
		People             []map[string]any
		LaggingConnections []room.LaggingConnection
	}
	Explanation *struct {
		room.Explanation
		Further int
	}
}

func TestInspect(t *testing.T) {
	s := newServer(t, config{})
	ann, bob := dial(t, s.Server, "ann"), dial(t, s.Server, "bob")
	ann.join("p")
	bob.join("p")
	bob.join("q")
	ann.SendText(`{"type":"update-presence","planId":"p","data":{"state":{"secret":"payload"}}}`)
	for bob.next().Type != protocol.TypePresenceUpdated { // until the hub has the state
		continue
	}
	var positions [2]protocol.Position
	for i := range positions {
		var err error
		if positions[i], err = s.hub.BroadcastTaskUpdated(t.Context(), "p", map[string]string{"id": "secret-payload"}); err != nil {
			t.Fatal(err)
		}
		for bob.next().Seq != positions[i].Seq { // when he has the second, the write of the first is over
			continue
		}
	}
	h := transport.Inspect(s.hub, everyone)

	var v inspectView
	text := inspectJSON(t, h, "", &v)
	if v.Total != 2 || v.Matching != 2 || len(v.Rooms) != 2 || v.Rooms[0].PlanID != "p" || v.Rooms[0].Participants != 2 || v.Room != nil || v.Stats.Connections != 2 {
		t.Errorf("rooms %s, want p with ann and bob, and q", text)
	}
	if !strings.Contains(text, `"refused":{}`) || !strings.Contains(text, `"closed":{}`) {
		t.Errorf("counters %s, want empty objects", text)
	}
	text = inspectJSON(t, h, fmt.Sprintf("plan=p&user=bob&seq=%d", positions[0].Seq), &v)
	if v.Room == nil || v.Room.Position != positions[1] || len(v.Room.People) != 2 || v.Room.People[0]["userName"] != "ANN" {
		t.Errorf("room %s", text)
	}
	if x := v.Explanation; x == nil || len(x.Connections) != 1 || x.Connections[0].Outcome != room.OutcomeWritten || x.Position != positions[0] {
		t.Errorf("explanation %s", text)
	}
	if strings.Contains(text, "secret") || strings.Contains(text, `"state"`) {
		t.Errorf("JSON contains a payload or a presence state: %s", text)
	}
	v = inspectView{}
	inspectJSON(t, h, "plan=none&person=x", &v)
	if v.Room != nil {
		t.Errorf("a room without members: %+v", v.Room)
	}
	v = inspectView{}
	inspectJSON(t, h, "plan=p&person=BO", &v)
	if v.Room.PeopleMatching != 1 || v.Room.People[0]["userId"] != "bob" {
		t.Errorf("people with BO: %+v", v.Room)
	}
}

// Each order puts the room first that has the most of what the order is about.
func TestInspectOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := newHub(t)
		defer hub.Shutdown(context.Background())
		join := func(plan string, users ...string) (m *roomtest.Member) {
			for _, user := range users {
				m = roomtest.Join(t, hub, user, plan, &roomtest.Options{SocketBuffer: 10})
			}
			return m
		}
		update := func(plan, text string) {
			t.Helper()
			if _, err := hub.BroadcastTaskUpdated(t.Context(), plan, text); err != nil {
				t.Fatal(err)
			}
		}
		join("1 alone", "ann")
		join("2 tabs", "ann", "ann", "ann", "ann")
		join("3 people", "ann", "bob", "cleo")
		update("4 history", strings.Repeat("x", 10_000))
		slow := join("5 lagging", "ann")
		synctest.Wait()
		time.Sleep(time.Second)
		slow.Stall()
		update("5 lagging", "more than the socket takes")
		time.Sleep(time.Second)
		update("6 active", "x")
		synctest.Wait()
		h := transport.Inspect(hub, everyone)
		for sort, want := range map[string]string{
			"plan": "1 alone", "connections": "2 tabs", "people": "3 people", "history": "4 history", "lagging": "5 lagging", "activity": "6 active",
		} {
			var v inspectView
			if inspectJSON(t, h, "sort="+sort, &v); len(v.Rooms) != 6 || v.Rooms[0].PlanID != want {
				t.Errorf("%s: %+v, want %s first", sort, v.Rooms, want)
			}
		}
	})
}

// Ten thousand rooms do not make a page of ten thousand rows.
func TestInspectIsLimited(t *testing.T) {
	hub := newHub(t)
	for i := range 1500 {
		for range i%3 + 1 {
			if _, err := hub.BroadcastTaskUpdated(t.Context(), fmt.Sprintf("Plan-%04d", i), map[string]string{"id": "1"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	h := transport.Inspect(hub, everyone)
	for query, want := range map[string]string{
		"":                            "1500 1500 100 Plan-0000",
		"limit=3":                     "1500 1500 3 Plan-0000",
		"limit=1000":                  "1500 1500 1000 Plan-0000",
		"search=plan-12":              "1500 100 100 Plan-1200",
		"search=PLAN-123":             "1500 10 10 Plan-1230",
		"search=nothing":              "1500 0 0",
		"sort=activity&limit=1":       "1500 1500 1 Plan-1499",
		"sort=history&limit=5":        "1500 1500 5 Plan-0002",
		"sort=plan&search=plan-00":    "1500 100 100 Plan-0000",
		"format=json&sort=people":     "1500 1500 100 Plan-0000",
		"sort=lagging&limit=1":        "1500 1500 1 Plan-0000",
		"sort=connections&limit=1000": "1500 1500 1000 Plan-0000",
	} {
		var v inspectView
		inspectJSON(t, h, query, &v)
		got := fmt.Sprint(v.Total, v.Matching, len(v.Rooms))
		if len(v.Rooms) > 0 {
			got += " " + v.Rooms[0].PlanID
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{
		"limit=0", "limit=1001", "limit=x", "sort=x", "format=xml", "plan=p&seq=0", "plan=p&seq=x", "plan=p&seq=1", "plan=p&user=u&seq=-1",
	} {
		if w := inspected(h, http.MethodGet, "/?"+query, false); w.Code != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400: %s", query, w.Code, w.Body)
		}
	}
}

// A request that allow refuses learns nothing, whatever it asks for.
func TestInspectAccess(t *testing.T) {
	h := transport.Inspect(newHub(t), func(r *http.Request) bool { return r.Header.Get("Authorization") == "operator" })
	for _, target := range []string{"/", "/?format=html", "/?file=page.js", "/?limit=x"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			w := inspected(h, method, target, true)
			if w.Code != http.StatusNotFound || w.Body.Len() != 0 || w.Header().Get("Content-Security-Policy") != "" || w.Header().Get("Allow") != "" {
				t.Errorf("%s %s: status %d, headers %v, body %q; want an empty 404", method, target, w.Code, w.Header(), w.Body)
			}
		}
	}
	for name, f := range map[string]func(){
		"nil hub":   func() { transport.Inspect(nil, everyone) },
		"nil allow": func() { transport.Inspect(newHub(t), nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestInspectMethods(t *testing.T) {
	h := transport.Inspect(newHub(t), everyone)
	for method, want := range map[string]int{
		http.MethodGet: http.StatusOK, http.MethodHead: http.StatusOK, http.MethodPost: http.StatusMethodNotAllowed,
		http.MethodDelete: http.StatusMethodNotAllowed, http.MethodOptions: http.StatusMethodNotAllowed,
	} {
		for _, html := range []bool{false, true} {
			w := inspected(h, method, "/", html)
			if w.Code != want || want != http.StatusOK && w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s: status %d, Allow %q; want %d", method, w.Code, w.Header().Get("Allow"), want)
			}
		}
	}
}

// The page and each of its files come with headers that a browser holds them to.
func TestInspectPage(t *testing.T) {
	h := transport.Inspect(newHub(t), everyone)
	types := map[string]string{
		"/ops/rooms": "text/html; charset=utf-8", "/?format=html": "text/html; charset=utf-8",
		"/a/b/?file=page.js": "text/javascript; charset=utf-8", "/?file=why.js": "text/javascript; charset=utf-8",
		"/?file=style.css": "text/css; charset=utf-8", "/?file=icon.svg": "image/svg+xml",
	}
	for target, want := range types {
		w := inspected(h, http.MethodGet, target, true)
		head := w.Header()
		if w.Code != http.StatusOK || head.Get("Content-Type") != want || w.Body.Len() == 0 {
			t.Errorf("%s: status %d, type %q, want %q", target, w.Code, head.Get("Content-Type"), want)
		}
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "Vary": "Accept",
		} {
			if got := head.Get(name); got != want {
				t.Errorf("%s: %s: %q, want %q", target, name, got, want)
			}
		}
		policy := head.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", target, policy)
		}
	}
	for _, name := range []string{"x.js", "..%2Finspect.go", "%2E%2E", "inspect.go", "."} {
		if w := inspected(h, http.MethodGet, "/?file="+name, true); w.Code != http.StatusNotFound {
			t.Errorf("file %s: status %d", name, w.Code)
		}
	}
	if w := inspected(h, http.MethodGet, "/?format=json", true); w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("format=json from a browser: %s", w.Header().Get("Content-Type"))
	}
}

// No file of the page makes markup of text, has code or styles that the policy forbids, or names
// another host.
func TestInspectPageIsWhole(t *testing.T) {
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|` +
		`<style|style=|\son[a-z]+=|javascript:`)
	foreign := regexp.MustCompile(`https?://[a-z]`)
	wanted := regexp.MustCompile(`\?file=([a-z.]+)|'file=([a-z.]+)'`)
	files := os.DirFS("inspect")
	names, err := fs.Glob(files, "*")
	if err != nil || len(names) < 5 {
		t.Fatalf("files %v, %v", names, err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		if m := forbidden.Find(text); m != nil {
			t.Errorf("%s uses %s", name, m)
		}
		if m := foreign.Find(text); m != nil && !strings.HasSuffix(name, ".svg") { // the namespace of SVG is a URL
			t.Errorf("%s names another host: %s", name, m)
		}
		for _, m := range wanted.FindAllSubmatch(text, -1) {
			if _, err := fs.Stat(files, string(m[1])+string(m[2])); err != nil {
				t.Errorf("%s asks for %s%s", name, m[1], m[2])
			}
		}
	}
}

// The page has a sentence for each outcome, and a meaning for each close code.
func TestInspectSentences(t *testing.T) {
	text, err := os.ReadFile("inspect/why.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []room.Outcome{
		room.OutcomeWritten, room.OutcomeExcluded, room.OutcomeWriting, room.OutcomeSlow, room.OutcomeResynced, room.OutcomeNotJoined,
		room.OutcomeJoinedLater, room.OutcomeLeft, room.OutcomeUnwritten, room.OutcomeUnknown,
	} {
		if !strings.Contains(string(text), "\n  "+string(o)+": (") {
			t.Errorf("no sentence for outcome %s", o)
		}
	}
	for _, reason := range []room.LeaveReason{
		room.LeaveRequested, room.LeaveClosed, room.LeaveRevoked, room.LeaveForbidden, room.LeaveUnconfirmed,
	} {
		if !strings.Contains(string(text), "case '"+string(reason)+"'") {
			t.Errorf("no sentence for reason %s", reason)
		}
	}
	for code := protocol.CloseCode(1); code < 5000; code++ {
		if code.Reason() != "" && !strings.Contains(string(text), fmt.Sprintf("\n  %d: '", code)) {
			t.Errorf("no meaning for code %d", code)
		}
	}
}

// The handler answers until the end of the hub, and shows that it shuts down.
func TestInspectDuringShutdown(t *testing.T) {
	s := newServer(t, config{})
	ann := dial(t, s.Server, "ann")
	ann.join("p")
	h := transport.Inspect(s.hub, everyone)
	if err := s.hub.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	var v inspectView
	text := inspectJSON(t, h, "plan=p&user=ann&seq=1", &v)
	if !v.Stats.ShuttingDown || v.Stats.Connections != 0 || v.Stats.Closed["4503"] != 1 || v.Total != 0 {
		t.Errorf("after the shutdown: %s", text)
	}
}
