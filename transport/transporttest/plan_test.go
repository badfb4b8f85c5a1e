package transporttest_test

import (
	"bufio"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

const (
	goodbyeText = `{"type":"goodbye","data":{"code":4403,"reason":"disconnected","reconnect":false,"reauth":false,"retryAfterMs":0}}`
	joinAnswer  = `{"type":"join-plan","planId":"p","data":{"success":true,"participantCount":2,"participants":[],"position":{"epoch":"e","seq":7},"recovered":true}}`
	joinNotice  = `{"type":"join-plan","planId":"p","data":{"userId":"bob","userName":"Bob","participantCount":2}}`
	presence    = `{"type":"presence-updated","planId":"p","data":{"userId":"bob","state":1}}`
	taskUpdated = `{"type":"task-updated","planId":"p","data":{"task":{}},"seq":8,"prev":7}`
)

// TestPlan joins a plan, reads an event and a goodbye, and skips presence before each.
func TestPlan(t *testing.T) {
	c := transporttest.Connect(t, scripted(t, text(joinNotice), text(joinAnswer), text(presence), text(joinNotice), text(taskUpdated),
		text(joinNotice), text(presence), text(goodbyeText), closing(4403, "disconnected")), nil)
	if a := c.Join("p", &protocol.Position{Epoch: "e", Seq: 7}); a.Position.Seq != 7 || !a.Recovered {
		t.Errorf("answer %+v", a)
	}
	if m := c.Await(protocol.TypeTaskCreated, protocol.TypeTaskUpdated); m.Seq != 8 {
		t.Errorf("message %+v", m)
	}
	if n := transporttest.DataOf[protocol.Joined](t, c.Await(protocol.TypeJoinPlan)); n.UserID != "bob" {
		t.Errorf("notice %+v", n)
	}
	if goodbye, code := c.WantClose(); code != 4403 || goodbye.Code != 4403 {
		t.Errorf("goodbye %+v, code %d", goodbye, code)
	}
}

func TestPlanFails(t *testing.T) {
	cases := []struct {
		name  string
		frame frame
		use   func(*transporttest.Client)
		want  string
	}{
		{"join", text(`{"type":"error","planId":"p","data":{"code":"forbidden"}}`), func(c *transporttest.Client) { c.Join("p", nil) }, "forbidden"},
		{"await", text(taskUpdated), func(c *transporttest.Client) { c.Await(protocol.TypeTaskDeleted) }, `message "task-updated"`},
		{"no goodbye", closing(4403, ""), func(c *transporttest.Client) { c.WantClose() }, "opcode 0x8"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			url := scripted(t, c.frame)
			got := failureOf(t, func(tb testing.TB) { c.use(transporttest.Connect(tb, url, nil)) })
			if !strings.Contains(got, c.want) {
				t.Errorf("failure %q, want one with %q", got, c.want)
			}
		})
	}
	for want, frames := range map[string][]frame{
		"want a close frame": {text(goodbyeText), text(presence)},
		"half a code":        {text(goodbyeText), {Opcode: opClose, Payload: []byte{3}}},
	} {
		url := scripted(t, frames...)
		got := failureOf(t, func(tb testing.TB) { transporttest.Connect(tb, url, nil).WantClose() })
		if !strings.Contains(got, want) {
			t.Errorf("failure %q, want one with %q", got, want)
		}
	}
	got := failureOf(t, func(tb testing.TB) {
		transporttest.DataOf[protocol.Joined](tb, protocol.Message{Type: "x", Data: []byte("3")})
	})
	if !strings.Contains(got, `data of "x"`) {
		t.Errorf("failure %q", got)
	}
}

// TestUpgraded performs the handshake step by step.
func TestUpgraded(t *testing.T) {
	u, err := url.Parse(scripted(t, text(presence)))
	if err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	var o *transporttest.Options
	request := string(o.Request("/ws", u.Host))
	if early := string((&transporttest.Options{Early: []byte("early")}).Request("/ws", u.Host)); early != request+"early" {
		t.Errorf("request %q", early)
	}
	if _, err := nc.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(nc)
	if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("response %v, %v", resp, err)
	}
	c := transporttest.NewClient(t, transporttest.Upgraded(nc, r))
	c.Want(protocol.TypePong, nil)
	if got := c.NextText(); got != presence {
		t.Errorf("message %s", got)
	}
}

func TestTokenSubprotocols(t *testing.T) {
	want := protocol.Subprotocol + ", " + protocol.TokenSubprotocolPrefix + "c2VjcmV0"
	if got := transporttest.TokenSubprotocols("secret"); got != want {
		t.Errorf("subprotocols %q, want %q", got, want)
	}
}
