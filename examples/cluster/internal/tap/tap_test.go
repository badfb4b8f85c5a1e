package tap_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"nhooyr.io/websocket"

	"github.com/planrooms/planrooms/examples/cluster/internal/tap"
)

// A tap sees the messages of both directions, whatever their length, and the end.
func TestTap(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Node", "n7")
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		c.SetReadLimit(-1)
		var pings sync.WaitGroup
		defer pings.Wait()
		defer func() { _ = c.CloseNow() }()
		for {
			kind, text, err := c.Read(context.WithoutCancel(r.Context()))
			if err != nil {
				return
			}
			pings.Go(func() { _ = c.Ping(context.WithoutCancel(r.Context())) }) // a control frame is not a message
			w, err := c.Writer(r.Context(), kind)
			if err != nil {
				return
			}
			for part := range strings.SplitAfterSeq(string(text), ";") { // in fragments
				_, _ = w.Write([]byte(part))
			}
			_ = w.Close()
		}
	}))
	defer server.Close()

	var node string
	var sent, received []string
	closed := make(chan struct{})
	client := &http.Client{Transport: &tap.Tap{
		Base: http.DefaultTransport,
		Opened: func(resp *http.Response) tap.Listener {
			node = resp.Header.Get("X-Node")
			return tap.Listener{
				Sent:     func(text []byte) { sent = append(sent, string(text)) },
				Received: func(text []byte) { received = append(received, string(text)) },
				Closed:   func() { close(closed) },
			}
		},
	}}
	c, _, err := websocket.Dial(t.Context(), server.URL, &websocket.DialOptions{
		HTTPClient: client, CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(-1)
	var want []string
	for _, text := range []string{"", "short", "a;few;parts", strings.Repeat("long;", 1000), strings.Repeat("x", 1<<17)} {
		want = append(want, text)
		if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(t.Context()); err != nil || string(got) != text {
			t.Fatalf("the client has read %d bytes (%v), want %d", len(got), err, len(text))
		}
	}
	_ = c.CloseNow()
	<-closed
	if node != "n7" {
		t.Errorf("the header of the response says %q", node)
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%.500s", diff)
	}
	if diff := cmp.Diff(want, received); diff != "" {
		t.Errorf("received (-want +got):\n%.500s", diff)
	}
}
