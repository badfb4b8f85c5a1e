package clients_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

func dialCoder(t *testing.T, to target) (*peer, error) {
	header := http.Header{}
	if to.Origin != "" {
		header.Set("Origin", to.Origin)
	}
	c, resp, err := websocket.Dial(t.Context(), to.URL, &websocket.DialOptions{Subprotocols: to.Protocols, HTTPHeader: header})
	if err != nil {
		return nil, err
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	c.SetReadLimit(1 << 20) // by default a message above 32 KiB ends the connection
	ctx, cancel := context.WithCancel(context.Background())
	events := make(chan event)
	closed := make(chan int, 2) // the code of a Close that has received the server's close frame; and that of stop
	var running sync.WaitGroup
	running.Go(func() {
		for {
			_, b, err := c.Read(ctx)
			if err != nil {
				end := event{Kind: "closed", Code: int(websocket.CloseStatus(err)), Text: err.Error()}
				if errors.Is(err, net.ErrClosed) { // Close has read the server's close frame before Read could
					end.Code = <-closed
				}
				if end.Code == -1 {
					end.Code = 1006
				}
				events <- end
				return
			}
			events <- event{Kind: "text", Text: string(b)}
		}
	})
	go func() {
		defer close(events)
		running.Wait()
	}()
	return &peer{
		protocol: c.Subprotocol(),
		events:   events,
		send:     func(text string) error { return c.Write(ctx, websocket.MessageText, []byte(text)) },
		fragment: func(parts ...string) error {
			w, err := c.Writer(ctx, websocket.MessageText)
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
		ping: func() error { // Ping waits for the pong, which Read receives
			running.Go(func() {
				if c.Ping(ctx) == nil {
					events <- event{Kind: "pong"}
				}
			})
			return nil
		},
		close: func(code int) error { // Close waits for the server's close frame and reads it
			running.Go(func() {
				if c.Close(websocket.StatusCode(code), "") != nil {
					code = -1
				}
				closed <- code
			})
			return nil
		},
		stop: func() {
			cancel()
			_ = c.CloseNow()
			select {
			case closed <- -1: // there was no Close
			default:
			}
		},
	}, nil
}
