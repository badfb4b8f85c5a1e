package clients_test

import (
	"fmt"
	"testing"
	"time"
)

// patience ends a test that hangs. No test waits for it.
const patience = 30 * time.Second

// target describes the connection that a client opens.
type target struct {
	URL       string   `json:"url"`
	Protocols []string `json:"protocols"`        // offered subprotocols
	Origin    string   `json:"origin,omitempty"` // "": none
}

// event is one event of a client's connection.
type event struct {
	Kind     string `json:"kind"` // text, pong or closed; closed is the last
	Text     string `json:"text"`
	Protocol string `json:"protocol"` // of the event open, which is the first
	// of closed; 1005 and 1006 have the meaning of RFC 6455 section 7.1.5
	Code int `json:"code"`
}

// peer is an open connection of one client. One goroutine calls its methods.
type peer struct {
	protocol string       // the subprotocol that the server chose
	events   <-chan event // closed when the connection has ended

	send     func(text string) error
	fragment func(parts ...string) error // sends one message in several frames; nil: not supported
	ping     func() error                // sends a ping; its pong is an event
	close    func(code int) error        // starts the closing handshake
	// ends the connection; called when the test does not read events any more
	stop func()
}

// implementation is a WebSocket client.
type implementation struct {
	name string
	dial func(t *testing.T, to target) (*peer, error)
}

// next returns the next event.
func (p *peer) next() (event, error) {
	select {
	case e, ok := <-p.events:
		if !ok {
			return event{}, fmt.Errorf("the connection has ended")
		}
		return e, nil
	case <-time.After(patience):
		return event{}, fmt.Errorf("nothing within %v", patience)
	}
}

// end ends the connection and waits for its reader.
func (p *peer) end() {
	p.stop()
	for range p.events { // until the reader closes it
	}
}
