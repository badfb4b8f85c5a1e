package roomtest_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// write calls TryWrite and fails the test unless it takes n bytes.
func write(t *testing.T, k *roomtest.Sink, text string, n int) {
	t.Helper()
	if got, err := k.TryWrite([]byte(text)); got != n || err != nil {
		t.Errorf("TryWrite(%q) = %d, %v, want %d", text, got, err, n)
	}
}

func wantTaken(t *testing.T, k *roomtest.Sink, want string) {
	t.Helper()
	if got := k.Take(); got != want {
		t.Errorf("the client has read %q, want %q", got, want)
	}
}

func TestLines(t *testing.T) {
	for mark, want := range map[string]string{"": "{}\n(ping)\n(close 4401 unauthorized)\n", "a ": "a {}\na (ping)\na (close 4401 unauthorized)\n"} {
		f := roomtest.Lines{Mark: mark}
		got := string(f.AppendClose(f.AppendPing(f.AppendMessage(nil, []byte("{}"))), 4401, "unauthorized"))
		if got != want {
			t.Errorf("frames %q, want %q", got, want)
		}
	}
}

// The window is the number of bytes that the connection still takes, in one write or in several.
func TestWindow(t *testing.T) {
	k := roomtest.NewSink(nil)
	write(t, k, "without a limit\n", 16)
	k.SetWindow(5)
	write(t, k, "abc", 3)
	write(t, k, "defg", 2)
	write(t, k, "fg", 0)
	wantTaken(t, k, "without a limit\nabcde")
	k.SetWindow(-1)
	write(t, k, "fg\n", 3)
	wantTaken(t, k, "fg\n")
	if c := k.Counts(); c.Bytes.Load() != 24 || c.Writes.Load() != 4 {
		t.Errorf("%d bytes in %d writes, want 24 in 4", c.Bytes.Load(), c.Writes.Load())
	}
}

// A stalled client reads nothing, and the connection takes as much as its buffer holds.
func TestStall(t *testing.T) {
	k := roomtest.NewSink(nil)
	k.Stall(6)
	write(t, k, "abcdefgh", 6)
	wantTaken(t, k, "")
	k.Sip(2)
	wantTaken(t, k, "ab")
	write(t, k, "ghij", 2)
	k.Stall(9) // two more than are unread
	write(t, k, "ijklm", 3)
	if !k.State().Stalled {
		t.Error("not stalled")
	}
	k.Unstall()
	wantTaken(t, k, "cdefghijk")
	write(t, k, "lm", 2)
}

// Write blocks until the connection takes something, until the deadline, or until the end.
func TestWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := roomtest.NewSink(&roomtest.SinkOptions{Blocking: true})
		k.SetWindow(0)
		write(t, k, "text", 0)
		start := time.Now()
		if n, err := k.Write([]byte("text"), start.Add(time.Second)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write = %d, %v, want the deadline", n, err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("Write took %v", took)
		}
		for _, c := range []struct {
			change func()
			n      int
			err    error
		}{
			{func() { k.SetWindow(3) }, 3, nil},
			{func() { k.Fail(os.ErrPermission) }, 0, os.ErrPermission},
			{func() { _ = k.Close() }, 0, net.ErrClosed},
		} {
			time.AfterFunc(time.Second, c.change)
			if n, err := k.Write([]byte("text"), time.Now().Add(time.Minute)); n != c.n || err != c.err {
				t.Errorf("Write = %d, %v, want %d, %v", n, err, c.n, c.err)
			}
			k.Fail(nil)
		}
		wantTaken(t, k, "tex")
		if s := k.State(); !s.Cut || !s.Over || s.Finished {
			t.Errorf("state %+v after Close", s)
		}
	})
}

// Messages end at the ends of lines, wherever the writes end. Their ends are counted in bytes.
func TestMessages(t *testing.T) {
	for _, step := range []int{1, 5, 1000} {
		var seen []string
		k := roomtest.NewSink(&roomtest.SinkOptions{
			Framing:   roomtest.Lines{Mark: "x "},
			OnMessage: func(m roomtest.Received) { seen = append(seen, m.Text) },
		})
		text := "x {\"type\":\"pong\"}\nx (ping)\nx {\"type\":\"notice\",\"planId\":\"p\"}\nx (close 4403 gone)\n"
		for rest := text; rest != ""; rest = rest[min(step, len(rest)):] {
			write(t, k, rest[:min(step, len(rest))], min(step, len(rest)))
		}
		var got []string
		var ends []int64
		for _, m := range k.Messages() {
			got, ends = append(got, string(m.Type)+m.PlanID), append(ends, m.End)
		}
		if diff := cmp.Diff([]string{"pong", "noticep"}, got); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		first, second := int64(strings.Index(text, "\n")+1), int64(strings.Index(text, "x (close"))
		if diff := cmp.Diff([]int64{first, second}, ends); diff != "" {
			t.Errorf("ends (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{`{"type":"pong"}`, `{"type":"notice","planId":"p"}`}, seen); diff != "" {
			t.Errorf("OnMessage (-want +got):\n%s", diff)
		}
		if code := k.State().Code; code != 4403 || len(k.Faults()) > 0 {
			t.Errorf("close code %d, faults %q", code, k.Faults())
		}
	}
}

// Each violation of the contract is a fault.
func TestFaults(t *testing.T) {
	for want, breach := range map[string]func(k *roomtest.Sink){
		"two calls of Finish": func(k *roomtest.Sink) { k.Finish(); k.Finish() },
		"after the close frame": func(k *roomtest.Sink) {
			_, _ = k.TryWrite([]byte("x (close 4403 gone)\nx (ping)\n"))
		},
		"without the mark": func(k *roomtest.Sink) { _, _ = k.TryWrite([]byte("{}\n")) },
		"message":          func(k *roomtest.Sink) { _, _ = k.TryWrite([]byte("x nothing\n")); k.Messages() },
		"two writes": func(k *roomtest.Sink) {
			hold := roomtest.NewHold(t)
			k = roomtest.NewSink(&roomtest.SinkOptions{Hold: hold})
			hold.Arm()
			first := make(chan struct{})
			go func() { defer close(first); _, _ = k.TryWrite([]byte("1")) }()
			hold.Wait()
			_, _ = k.TryWrite([]byte("2"))
			hold.Release()
			<-first
			if got := strings.Join(k.Faults(), ""); got != "two writes at the same time" {
				t.Errorf("faults %q", got)
			}
		},
	} {
		k := roomtest.NewSink(&roomtest.SinkOptions{Framing: roomtest.Lines{Mark: "x "}})
		breach(k)
		if got := k.Faults(); want != "two writes" && (len(got) != 1 || !strings.Contains(got[0], want)) {
			t.Errorf("faults %q, want one with %q", got, want)
		}
	}
}

// An armed hold stops one write and lets the others pass. Otherwise it stops nothing.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := roomtest.NewHold(t)
		hold.Release()
		for _, o := range []roomtest.SinkOptions{{Hold: hold}, {Framing: roomtest.Lines{Hold: hold}}} {
			for range 2 { // it can be armed again
				k := roomtest.NewSink(&o)
				put := func() { _, _ = k.TryWrite(k.Framing().AppendMessage(nil, []byte("{}"))) }
				put()
				hold.Arm()
				go put()
				hold.Wait()
				synctest.Wait()
				wantTaken(t, k, "{}\n")
				hold.Release()
				synctest.Wait()
				put()
				wantTaken(t, k, "{}\n{}\n")
			}
		}
		hold.Arm()
		hold.Release() // before any message arrived
		write(t, roomtest.NewSink(&roomtest.SinkOptions{Hold: hold}), "x", 1)
	})
}

// A sink that discards only counts, and several may share the counts.
func TestDiscard(t *testing.T) {
	counts := &roomtest.Counts{}
	for range 2 {
		k := roomtest.NewSink(&roomtest.SinkOptions{Discard: true, Counts: counts})
		k.SetWindow(0)
		write(t, k, "text", 4)
		if n, err := k.Write([]byte("more"), time.Time{}); n != 4 || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
		wantTaken(t, k, "")
	}
	if counts.Bytes.Load() != 16 || counts.Writes.Load() != 4 {
		t.Errorf("%d bytes in %d writes, want 16 in 4", counts.Bytes.Load(), counts.Writes.Load())
	}
}

// A connection to a hub: requests, pings, a close frame of the client, and what the hub reports.
func TestSinkOfAHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended []protocol.CloseCode
		h := newHub(t, &room.Options{Observer: room.Observer{
			Disconnect: func(i room.DisconnectInfo) { ended = append(ended, i.Code) },
		}})
		connect := func(o *roomtest.SinkOptions) *roomtest.Sink {
			k := roomtest.NewSink(o)
			if err := k.Connect(h, auth.Identity{UserID: "ann"}, nil); err != nil {
				t.Fatal(err)
			}
			return k
		}
		k, mute := connect(nil), connect(&roomtest.SinkOptions{Mute: true})
		mute.Join("q", nil) // a connection without a message is closed in any case
		k.Join("p", nil)
		k.Leave("p")
		if !k.Wait(time.Second, func() bool { return len(k.Messages()) == 0 && h.Stats().Joins == 2 }) {
			t.Error("no answers")
		}
		if k.Wait(time.Second, func() bool { return false }) {
			t.Error("Wait returned true")
		}
		time.Sleep(time.Minute) // pings
		if k.State().Over || !mute.State().Over {
			t.Errorf("the client that answers pings: %+v, the other: %+v", k.State(), mute.State())
		}
		k.SendClose(protocol.CloseGoingAway)
		synctest.Wait()
		if s := k.State(); !s.Finished || s.Cut || s.Code != protocol.CloseGoingAway {
			t.Errorf("state %+v after the client's close frame", s)
		}
		connect(nil).End(protocol.CloseAbnormal)
		synctest.Wait()
		if got := ended[1:]; len(got) != 2 || got[0] != protocol.CloseGoingAway || got[1] != protocol.CloseAbnormal {
			t.Errorf("ended with %v", ended)
		}

		gone := roomtest.NewSink(nil) // it ends before Connect returns
		gone.End(protocol.CloseAbnormal)
		if err := gone.Connect(h, auth.Identity{UserID: "ann"}, nil); err == nil {
			synctest.Wait()
			if n := h.UserConnections("ann"); n != 0 {
				t.Errorf("%d connections", n)
			}
		}
		if err := h.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := k.Connect(h, auth.Identity{UserID: "ann"}, nil); !errors.Is(err, room.ErrHubClosed) {
			t.Errorf("Connect: %v", err)
		}
		defer func() {
			if recover() == nil {
				t.Error("a request that cannot be encoded did not panic")
			}
		}()
		k.Request(protocol.Request{Type: protocol.TypeUpdatePresence, State: []byte("{")})
	})
}
