package transport_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// piped is the ResponseWriter of a request that arrived over a pipe.
type piped struct {
	http.ResponseWriter
	conn  net.Conn
	early []byte // arrived together with the request
}

func (p piped) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	br := bufio.NewReader(io.MultiReader(bytes.NewReader(p.early), p.conn))
	_, err := br.Peek(len(p.early))
	return p.conn, bufio.NewReadWriter(br, bufio.NewWriter(p.conn)), err
}

// servePiped reads from a pipe like from an upgraded connection, inside a synctest bubble. It
// discards what the server writes.
func servePiped(t *testing.T, early []byte) (client net.Conn, session *recorder) {
	return servePipedSession(t, early, &recorder{ended: make(chan []string, 1)})
}

// servePipedSession is servePiped with a session of the caller.
func servePipedSession(t *testing.T, early []byte, session *recorder) (client net.Conn, _ *recorder) {
	own, peer := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, peer) }() // ends with the pipe
	request := httptest.NewRequest(http.MethodGet, "/ws", nil)
	request.Header.Set("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
	go transport.Serve(piped{httptest.NewRecorder(), own, early}, request, testLogger(t), func(sink room.Sink) transport.Session {
		session.sink = sink
		return session
	})
	synctest.Wait()
	return peer, session
}

// libraryRuns reports whether a goroutine of the WebSocket library runs in this test's bubble.
// Goroutines of other tests run outside the bubble.
func libraryRuns() bool {
	b := make([]byte, 1<<20)
	b = b[:runtime.Stack(b, true)]
	for stack := range strings.SplitSeq(string(b), "\n\n") {
		if strings.Contains(stack, "nhooyr.io/websocket.") && strings.Contains(strings.SplitN(stack, "\n", 2)[0], "synctest bubble") {
			return true
		}
	}
	return false
}

// TestIdle checks whether the library's goroutine runs after each step of a conversation. It must
// run inside a fragmented or long message, and must not run at other times.
func TestIdle(t *testing.T) {
	ping := clientFrame(fin|opPing, []byte("p"))
	medium := bytes.Repeat([]byte("m"), 300) // too long to be read without the library
	synctest.Test(t, func(t *testing.T) {
		client, session := servePiped(t, nil)
		steps := []struct {
			name  string
			bytes []byte
			runs  bool
		}{
			{"the handshake alone", nil, false},
			{"a message", clientFrame(fin|opText, []byte("one")), false},
			{"the first byte of a header", ping[:1], false},
			{"more of a ping", ping[1:7], false},
			{"the rest of a ping", ping[7:], false},
			{"a first fragment", clientFrame(opText, []byte("tw")), true},
			{"a ping between fragments", ping, true},
			{"an empty fragment", clientFrame(opContinuation, nil), true},
			{"a part of a ping between fragments", ping[:7], true},
			{"the rest of it", ping[7:], true},
			{"the last fragment", clientFrame(fin|opContinuation, []byte("o")), false},
			{"a part of a header", clientFrame(fin|opText, medium)[:5], false},
			{"more of it, and a part of the payload", clientFrame(fin|opText, medium)[5:200], true},
			{"the rest of the payload", clientFrame(fin|opText, medium)[200:], false},
			{"a longer message", clientFrame(fin|opText, medium), false},
			{"an empty message", clientFrame(fin|opText, nil), false},
			{"two messages and a part of a third", append(append(clientFrame(fin|opText, []byte("3")), clientFrame(fin|opText, []byte("4"))...), clientFrame(fin|opText, []byte("5"))[:6]...), false},
			{"the rest of the third", clientFrame(fin|opText, []byte("5"))[6:], false},
			{"a pong", clientFrame(fin|opPong, []byte("p")), false},
			{"a message, a ping", append(clientFrame(fin|opText, []byte("6")), ping...), false},
			{"a close frame", clientFrame(fin|opClose, nil), false},
		}
		for _, s := range steps {
			if _, err := client.Write(s.bytes); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			synctest.Wait()
			if got := libraryRuns(); got != s.runs {
				t.Errorf("after %s library runs: %v, want %v", s.name, got, s.runs)
			}
		}
		_ = client.Close()
		calls := slices.DeleteFunc(<-session.ended, func(call string) bool { return !strings.HasPrefix(call, "Receive") && !strings.HasPrefix(call, "End") })
		want := []string{"Receive one", "Receive two", "Receive " + string(medium), "Receive " + string(medium), "Receive ", "Receive 3", "Receive 4", "Receive 5", "Receive 6", "End 1005"}
		if !slices.Equal(calls, want) {
			t.Errorf("calls of the session: %q, want %q", calls, want)
		}
	})
}

// TestControlWithoutLibrary checks that the connection itself answers a control frame between two
// messages. The library answers only those inside a message.
func TestControlWithoutLibrary(t *testing.T) {
	text := clientFrame(fin|opText, []byte("text"))
	ping, closing := clientFrame(fin|opPing, []byte("p")), clientFrame(fin|opClose, []byte{3, 232})
	fragment := clientFrame(opText, []byte("te"))
	for _, c := range []struct {
		name  string
		bytes [][]byte
		runs  []bool // at each answer
	}{
		{"a ping", [][]byte{ping}, []bool{false}},
		{"a ping in two parts", [][]byte{ping[:3], ping[3:]}, []bool{false}},
		{"a ping after a message", [][]byte{append(bytes.Clone(text), ping...)}, []bool{false}},
		{"a ping after a long message", [][]byte{append(clientFrame(fin|opText, make([]byte, 500)), ping...)}, []bool{false}},
		{"a close frame", [][]byte{closing}, []bool{false}},
		{"a ping and a close frame", [][]byte{append(bytes.Clone(ping), closing...)}, []bool{false, false}},
		{"between fragments", [][]byte{fragment, ping, closing}, []bool{true, true}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var got []bool
			session := &recorder{ended: make(chan []string, 1), answer: func() { got = append(got, libraryRuns()) }}
			client, _ := servePipedSession(t, nil, session)
			for _, b := range c.bytes {
				if _, err := client.Write(b); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
			_ = client.Close()
			<-session.ended
			if !slices.Equal(got, c.runs) {
				t.Errorf("%s: at the answers library runs: %v, want %v", c.name, got, c.runs)
			}
		})
	}
}

// TestIdleLosesNothing sends unfragmented and fragmented messages and pings, in pieces of all
// sizes, with and without pauses. Some of the bytes arrive together with the handshake.
func TestIdleLosesNothing(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 7))
		var stream []byte
		var want []string
		for n := range 40 {
			text := fmt.Sprintf("%d ", n) + strings.Repeat("x", r.IntN(1<<r.IntN(11)))
			switch r.IntN(3) {
			case 0:
				stream = append(stream, clientFrame(fin|opText, []byte(text))...)
			case 1:
				cut := r.IntN(len(text))
				stream = append(stream, clientFrame(opText, []byte(text[:cut]))...)
				if r.IntN(2) == 0 {
					stream = append(stream, clientFrame(fin|opPong, []byte(text)[:min(len(text), 125)])...)
				}
				stream = append(stream, clientFrame(fin|opContinuation, []byte(text[cut:]))...)
			case 2:
				stream = append(stream, clientFrame(fin|opPing, []byte(text)[:min(len(text), 125)])...)
				continue
			}
			want = append(want, "Receive "+text)
		}
		stream = append(stream, clientFrame(fin|opClose, nil)...)
		synctest.Test(t, func(t *testing.T) {
			early := r.IntN(2) * r.IntN(min(len(stream), 4<<10))
			client, session := servePiped(t, stream[:early])
			stream = stream[early:]
			for len(stream) > 0 {
				n := min(len(stream), 1+r.IntN(1<<r.IntN(11)))
				if _, err := client.Write(stream[:n]); err != nil {
					t.Fatal(err)
				}
				if stream = stream[n:]; r.IntN(2) == 0 {
					synctest.Wait()
				}
			}
			got := slices.DeleteFunc(<-session.ended, func(call string) bool { return !strings.HasPrefix(call, "Receive") })
			if !slices.Equal(got, want) {
				t.Errorf("seed %d: calls of the session: %q, want %q", seed, got, want)
			}
			_ = client.Close()
		})
	}
}
