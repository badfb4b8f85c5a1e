package transporttest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// failing is a testing.TB that keeps its first failure. Like the real one, it ends the goroutine.
type failing struct {
	testing.TB
	failure string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) { f.Fatal(fmt.Sprintf(format, args...)) }

func (f *failing) Fatal(args ...any) {
	f.failure = fmt.Sprint(args...)
	runtime.Goexit()
}

// failureOf returns the failure that use reports, or "".
func failureOf(t *testing.T, use func(testing.TB)) string {
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		use(f)
	}()
	<-done
	return f.failure
}

// scripted starts a plan room that sends a hello and the given frames, and returns its URL.
func scripted(t *testing.T, frames ...frame) string {
	hello := frame{Opcode: opText, Payload: []byte(`{"type":"pong","data":{"userId":"ann","connected":true}}`)}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		nc, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		_, _ = nc.Write(append([]byte(upgraded), server(append([]frame{hello}, frames...)...)...))
		for {
			if _, err := rw.ReadByte(); err != nil { // until the client closes
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func text(s string) frame { return frame{Opcode: opText, Payload: []byte(s)} }

// TestClient calls each method of a Client successfully.
func TestClient(t *testing.T) {
	join := text(`{"type":"join-plan","planId":"p","data":{"success":true,"participantCount":3}}`)
	c := transporttest.Connect(t, scripted(t, join, join, frame{Opcode: opPong, Payload: []byte("other")}, frame{Opcode: opPong, Payload: []byte("x")}, text(`{"type":"pong"}`)), nil)
	if c.Hello.UserID != "ann" {
		t.Errorf("hello %+v", c.Hello)
	}
	c.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "p"})
	var answer protocol.JoinAnswer
	if m := c.Want(protocol.TypeJoinPlan, &answer); m.PlanID != "p" || answer.ParticipantCount != 3 {
		t.Errorf("message %+v, answer %+v", m, answer)
	}
	c.WantPong("x")
	if m := c.Next(); m.Type != protocol.TypePong {
		t.Errorf("message %+v", m)
	}
	for _, f := range [][]frame{
		{text(`{"type":"goodbye","data":{"code":4403,"reason":"disconnected","reconnect":false,"reauth":false,"retryAfterMs":0}}`), closing(4403, "disconnected")},
		{closing(4403, "")},
	} {
		c := transporttest.Connect(t, scripted(t, f...), nil)
		go func() { // the server closes after the client's answer
			_ = c.CloseWrite()
		}()
		c.WantEnd(4403)
	}
}

// TestClientFails calls each method in a case where it must fail the test.
func TestClientFails(t *testing.T) {
	connect := func(t testing.TB, url string) *transporttest.Client { return transporttest.Connect(t, url, nil) }
	cases := []struct {
		name   string
		frames []frame
		use    func(t testing.TB, url string)
		want   string // part of the failure
	}{
		{"refused", nil, func(t testing.TB, url string) { connect(t, url+"/refuse") }, "status 401"},
		{"no server", nil, func(t testing.TB, url string) { connect(t, "ftp://x") }, "handshake"},
		{"bad request", nil, func(t testing.TB, url string) {
			connect(t, url).Request(protocol.Request{Type: protocol.TypeUpdatePresence, State: []byte("{")})
		}, ""},
		{"close instead of a message", []frame{closing(4401, "")}, func(t testing.TB, url string) { connect(t, url).Next() }, "opcode 0x8"},
		{"violation", []frame{{Opcode: 3}}, func(t testing.TB, url string) { connect(t, url).Next() }, "reserved opcode"},
		{"not JSON", []frame{text("x")}, func(t testing.TB, url string) { connect(t, url).Next() }, "Decode"},
		{"another type", []frame{text(`{"type":"error","data":{"code":"forbidden"}}`)},
			func(t testing.TB, url string) { connect(t, url).Want(protocol.TypePong, nil) }, "forbidden"},
		{"other data", []frame{text(`{"type":"pong","data":3}`)},
			func(t testing.TB, url string) { connect(t, url).Want(protocol.TypePong, &protocol.Hello{}) }, "data of"},
		{"close instead of a pong", []frame{closing(4401, "")}, func(t testing.TB, url string) { connect(t, url).WantPong("x") }, "want a pong"},
		{"violation instead of a pong", []frame{{Opcode: 3}}, func(t testing.TB, url string) { connect(t, url).WantPong("x") }, "reserved opcode"},
		{"another code", []frame{closing(4401, "")}, func(t testing.TB, url string) {
			c := connect(t, url)
			_ = c.CloseWrite()
			c.WantEnd(4403)
		}, "want code 4403"},
		{"violation at the end", []frame{closing(4403, ""), text("x")}, func(t testing.TB, url string) { connect(t, url).WantEnd(4403) }, "after the close frame"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			url := scripted(t, c.frames...)
			got := failureOf(t, func(tb testing.TB) { c.use(tb, url) })
			if got == "" || !strings.Contains(got, c.want) {
				t.Errorf("failure %q, want one with %q", got, c.want)
			}
		})
	}
}
