package clients_test

import (
	"fmt"
	"testing"
	"time"
)

// patience ends what hangs; no test waits for it.
const patience = 30 * time.Second

// target is what a client connects to, and how.
type target struct {
	URL       string   `json:"url"`
	Protocols []string `json:"protocols"`        // offered subprotocols
	Origin    string   `json:"origin,omitempty"` // "": none
}

// event is what a client sees of its connection.
type event struct {
	Kind     string `json:"kind"` // text, pong or closed, which is the last
	Text     string `json:"text"`
	Protocol string `json:"protocol"` // of the event open, which precedes all others
	Code     int    `json:"code"`     // of closed; 1005 and 1006 as RFC 6455 section 7.1.5 has them
}

// peer is an open connection of one of the clients. Its methods are called from one goroutine.
type peer struct {
	protocol string       // the subprotocol that the server chose
	events   <-chan event // closed when the connection has ended

	send     func(text string) error
	fragment func(parts ...string) error // one message in several frames; nil: the client cannot
	ping     func() error                // the pong is an event
	close    func(code int) error        // begins the closing handshake
	stop     func()                      // ends the connection; called when nobody reads events
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
	for range p.events { // until the reader has closed it
	}
}
