package clients_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func dialGorilla(t *testing.T, to target) (*peer, error) {
	// A small write buffer makes gorilla fragment a message: it sends a frame when the buffer is
	// full.
	d := websocket.Dialer{Subprotocols: to.Protocols, WriteBufferSize: 64}
	header := http.Header{}
	if to.Origin != "" {
		header.Set("Origin", to.Origin)
	}
	c, resp, err := d.DialContext(t.Context(), to.URL, header)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	events := make(chan event)
	c.SetPongHandler(func(string) error {
		events <- event{Kind: "pong"}
		return nil
	})
	go func() {
		defer close(events)
		for {
			kind, b, err := c.ReadMessage()
			if err != nil {
				end := event{Kind: "closed", Code: websocket.CloseAbnormalClosure, Text: err.Error()}
				var ce *websocket.CloseError
				if errors.As(err, &ce) {
					end.Code, end.Text = ce.Code, ce.Text
				}
				events <- end
				return
			}
			if kind == websocket.TextMessage {
				events <- event{Kind: "text", Text: string(b)}
			}
		}
	}()
	return &peer{
		protocol: c.Subprotocol(),
		events:   events,
		send:     func(text string) error { return c.WriteMessage(websocket.TextMessage, []byte(text)) },
		fragment: func(parts ...string) error {
			w, err := c.NextWriter(websocket.TextMessage)
			if err != nil {
				return err
			}
			for _, part := range parts {
				if _, err := w.Write([]byte(part)); err != nil {
					return err
				}
			}
			return w.Close()
		},
		ping: func() error { return c.WriteControl(websocket.PingMessage, []byte("p"), time.Now().Add(patience)) },
		close: func(code int) error {
			return c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(patience))
		},
		stop: func() { _ = c.Close() },
	}, nil
}
