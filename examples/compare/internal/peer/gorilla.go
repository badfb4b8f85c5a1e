package peer

import (
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Of the chat example of github.com/gorilla/websocket.
const (
	gorillaQueue     = 256
	gorillaWriteWait = 10 * time.Second
	gorillaPongWait  = 60 * time.Second
	gorillaPingEvery = gorillaPongWait * 9 / 10
	gorillaReadLimit = 512
	gorillaBuffer    = 1024
)

// gorilla follows the hub and the client of that example, one hub per room, with a PreparedMessage
// instead of the bytes.
type gorilla struct {
	upgrader websocket.Upgrader

	mu   sync.RWMutex // guards hubs
	hubs map[string]*gorillaHub
}

// gorillaHub is one room. Its clients are owned by run, which ends with the process.
type gorillaHub struct {
	clients    map[*gorillaClient]bool
	broadcast  chan *websocket.PreparedMessage
	register   chan *gorillaClient
	unregister chan *gorillaClient
}

type gorillaClient struct {
	hub  *gorillaHub
	conn *websocket.Conn
	send chan *websocket.PreparedMessage
}

func newGorilla(Options) (Server, error) {
	return &gorilla{
		upgrader: websocket.Upgrader{ReadBufferSize: gorillaBuffer, WriteBufferSize: gorillaBuffer},
		hubs:     map[string]*gorillaHub{},
	}, nil
}

func (s *gorilla) find(room string) *gorillaHub {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.hubs[room]
}

func (s *gorilla) findOrMake(room string) *gorillaHub {
	if h := s.find(room); h != nil {
		return h
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hubs[room]
	if h == nil {
		h = &gorillaHub{
			clients:    map[*gorillaClient]bool{},
			broadcast:  make(chan *websocket.PreparedMessage),
			register:   make(chan *gorillaClient),
			unregister: make(chan *gorillaClient),
		}
		s.hubs[room] = h
		go h.run()
	}
	return h
}

func (s *gorilla) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &gorillaClient{hub: s.findOrMake(roomOf(r)), conn: conn, send: make(chan *websocket.PreparedMessage, gorillaQueue)}
	c.hub.register <- c
	go c.write()
	go c.read()
}

func (s *gorilla) Publish(room string, payload []byte) error {
	h := s.find(room)
	if h == nil {
		return nil
	}
	m, err := websocket.NewPreparedMessage(websocket.TextMessage, payload)
	if err != nil {
		return err
	}
	h.broadcast <- m
	return nil
}

func (h *gorillaHub) run() {
	for {
		select {
		case c := <-h.register:
			h.clients[c] = true
		case c := <-h.unregister:
			if h.clients[c] {
				delete(h.clients, c)
				close(c.send)
			}
		case m := <-h.broadcast:
			for c := range h.clients {
				select {
				case c.send <- m:
				default:
					close(c.send)
					delete(h.clients, c)
				}
			}
		}
	}
}

func (c *gorillaClient) read() {
	defer func() {
		c.hub.unregister <- c
		c.conn.Close()
	}()
	c.conn.SetReadLimit(gorillaReadLimit)
	c.conn.SetReadDeadline(time.Now().Add(gorillaPongWait))
	c.conn.SetPongHandler(func(string) error { return c.conn.SetReadDeadline(time.Now().Add(gorillaPongWait)) })
	for {
		if _, _, err := c.conn.ReadMessage(); err != nil {
			return
		}
	}
}

func (c *gorillaClient) write() {
	ticker := time.NewTicker(gorillaPingEvery)
	defer func() {
		ticker.Stop()
		c.conn.Close()
	}()
	for {
		select {
		case m, ok := <-c.send:
			c.conn.SetWriteDeadline(time.Now().Add(gorillaWriteWait))
			if !ok {
				c.conn.WriteMessage(websocket.CloseMessage, nil) // the connection ends in any case
				return
			}
			if c.conn.WritePreparedMessage(m) != nil {
				return
			}
		case <-ticker.C:
			c.conn.SetWriteDeadline(time.Now().Add(gorillaWriteWait))
			if c.conn.WriteMessage(websocket.PingMessage, nil) != nil {
				return
			}
		}
	}
}
