package clients_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lxzan/gws"
)

// gwsEvents handles the events of a gws connection.
type gwsEvents struct {
	gws.BuiltinEventHandler
	events  chan event
	closing atomic.Int32 // the code of the client's own close frame
}

func (h *gwsEvents) OnMessage(_ *gws.Conn, m *gws.Message) {
	defer func() { _ = m.Close() }()
	if m.Opcode == gws.OpcodeText {
		h.events <- event{Kind: "text", Text: m.Data.String()}
	}
}

func (h *gwsEvents) OnPing(c *gws.Conn, payload []byte) { _ = c.WritePong(payload) }

func (h *gwsEvents) OnPong(*gws.Conn, []byte) { h.events <- event{Kind: "pong"} }

func (h *gwsEvents) OnClose(_ *gws.Conn, err error) {
	end := event{Kind: "closed", Code: 1006, Text: err.Error()}
	var ce *gws.CloseError
	if errors.As(err, &ce) {
		end.Code, end.Text = int(ce.Code), string(ce.Reason)
	} else if own := h.closing.Load(); own != 0 {
		end.Code = int(own) // gws does not wait for the server's close frame
	}
	h.events <- end
}

func dialGWS(_ *testing.T, to target) (*peer, error) {
	header := http.Header{"Sec-Websocket-Protocol": {strings.Join(to.Protocols, ", ")}}
	if to.Origin != "" {
		header.Set("Origin", to.Origin)
	}
	h := &gwsEvents{events: make(chan event)}
	c, resp, err := gws.NewClient(h, &gws.ClientOption{Addr: to.URL, RequestHeader: header})
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	go func() {
		defer close(h.events)
		c.ReadLoop()
	}()
	return &peer{
		protocol: c.SubProtocol(),
		events:   h.events,
		send:     c.WriteString,
		ping:     func() error { return c.WritePing([]byte("p")) },
		close: func(code int) error {
			h.closing.Store(int32(code))
			return c.WriteClose(uint16(code), nil)
		},
		stop: func() { _ = c.NetConn().Close() },
	}, nil
}
