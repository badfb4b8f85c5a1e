package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// host is a service with the REST contract of the quickstart, of as many plans as are asked for.
type host struct {
	*httptest.Server
	hub *room.Hub

	options hostOptions
	gone    chan protocol.CloseCode // of connections

	order sync.Mutex // held while a change is made

	mu      sync.Mutex // guards the following
	logins  int
	issued  map[string]string // user by token
	changes int
	at      map[int]func() // what to do before a change is made, by its number from 1 on
}

type hostOptions struct {
	hub       room.Options
	transport transport.Options
	forbidden bool
	silent    bool // does not pass on who made a change
	mute      bool // makes no broadcast at all
	joined    func()
	refuse    func(r *http.Request) int
}

func newHost(t *testing.T, o hostOptions) *host {
	t.Helper()
	h := &host{options: o, issued: make(map[string]string), at: make(map[int]func()), gone: make(chan protocol.CloseCode, 1000)}
	o.hub.Authorize = func(context.Context, auth.Identity, string) error {
		if o.forbidden {
			return room.ErrForbidden
		}
		return nil
	}
	o.hub.Observer.Disconnect = func(d room.DisconnectInfo) { h.gone <- d.Code }
	if o.joined != nil {
		o.hub.Observer.Join = func(room.JoinInfo) { o.joined() }
	}
	h.hub = room.NewHub(&o.hub)
	mux := http.NewServeMux()
	mux.Handle("GET /ws", transport.NewHandler(h.hub, auth.VerifierFunc(h.verify), &o.transport))
	mux.HandleFunc("POST /api/login", h.login)
	mux.HandleFunc("GET /api/plans/{plan}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"tasks":[{"id":"task-of-`+r.PathValue("plan")+`"}]}`)
	})
	mux.HandleFunc("PATCH /api/tasks/{task}", h.change)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.refuse != nil {
			if status := o.refuse(r); status != 0 {
				http.Error(w, "not now", status)
				return
			}
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		h.Close()
		if err := h.hub.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *host) verify(_ context.Context, token string) (auth.Identity, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	user, ok := h.issued[token]
	if !ok {
		return auth.Identity{}, auth.ErrInvalidToken
	}
	return auth.Identity{UserID: user, Name: user}, nil
}

func (h *host) login(w http.ResponseWriter, r *http.Request) {
	var body struct{ User string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.User == "" {
		http.Error(w, "whose?", http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.logins++
	token := body.User + "-" + string(rune('a'+h.logins))
	h.issued[token] = body.User
	_ = json.NewEncoder(w).Encode(map[string]string{"token": token})
}

// forget has tokens refused that were issued.
func (h *host) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.issued)
}

// before has f called once, before the change with a number from 1 on.
func (h *host) before(number int, f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at[number] = f
}

func (h *host) change(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.changes++
	f := h.at[h.changes]
	h.mu.Unlock()
	if f != nil {
		f()
	}
	id, err := h.verify(r.Context(), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if err != nil {
		http.Error(w, "unauthorized", http.StatusUnauthorized)
		return
	}
	task, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	author := transport.Author(r, id.UserID)
	if h.options.silent {
		author, task = room.By(id.UserID), []byte(`{"id":"x"}`)
	}
	plan := strings.TrimPrefix(r.PathValue("task"), "task-of-")
	if !h.options.mute {
		// Two events for each change, as in the quickstart, and one change after the other.
		h.order.Lock()
		defer h.order.Unlock()
		_, err = h.hub.BroadcastTaskUpdated(r.Context(), plan, json.RawMessage(task), author)
		if err == nil {
			_, err = h.hub.BroadcastProgressUpdated(r.Context(), plan, map[string]int{"completedTasks": 1}, author)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (h *host) endpoint() string { return "ws" + strings.TrimPrefix(h.URL, "http") + "/ws" }

// meddler lies between viewers and a host, and does to the events of one connection what the host
// never would.
type meddler struct {
	listener net.Listener
	host     string
	// meddle gets each event of the first connection with its number from 1 on, and returns what is
	// passed on. Nil cuts the connection.
	meddle func(n int, frame []byte) [][]byte

	conns sync.WaitGroup
	mu    sync.Mutex // guards the following
	first bool
	open  []net.Conn
}

// newMeddler returns the address at which h is reached through a meddler.
func newMeddler(t *testing.T, h *host, meddle func(n int, frame []byte) [][]byte) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	m := &meddler{listener: ln, host: u.Host, meddle: meddle, first: true}
	m.conns.Go(m.serve)
	t.Cleanup(func() {
		ln.Close()
		m.mu.Lock()
		for _, conn := range m.open {
			conn.Close()
		}
		m.mu.Unlock()
		m.conns.Wait()
	})
	return "ws://" + ln.Addr().String() + "/ws"
}

func (m *meddler) serve() {
	for {
		down, err := m.listener.Accept()
		if err != nil {
			return
		}
		up, err := net.Dial("tcp", m.host)
		if err != nil {
			down.Close()
			continue
		}
		m.mu.Lock()
		m.open = append(m.open, down, up)
		m.mu.Unlock()
		m.conns.Go(func() { _, _ = io.Copy(up, down); up.Close() })
		m.conns.Go(func() { m.answer(down, up); down.Close(); up.Close() })
	}
}

// answer passes on what the host says.
func (m *meddler) answer(down, up net.Conn) {
	r := bufio.NewReader(up)
	status, err := r.ReadString('\n')
	if err != nil {
		return
	}
	_, _ = io.WriteString(down, status)
	if !strings.Contains(status, "101") {
		_, _ = io.Copy(down, r)
		return
	}
	for line := ""; line != "\r\n"; {
		if line, err = r.ReadString('\n'); err != nil {
			return
		}
		_, _ = io.WriteString(down, line)
	}
	m.mu.Lock()
	chosen := m.first
	m.first = false
	m.mu.Unlock()
	for n := 0; ; {
		frame, payload, err := readFrame(r)
		if err != nil {
			return
		}
		frames := [][]byte{frame}
		if event, err := protocol.Decode(payload); chosen && err == nil && event.Seq > 0 {
			n++
			if frames = m.meddle(n, frame); frames == nil {
				return
			}
		}
		for _, frame := range frames {
			if _, err := down.Write(frame); err != nil {
				return
			}
		}
	}
}

// readFrame reads one frame of a server.
func readFrame(r io.Reader) (frame, payload []byte, err error) {
	frame = make([]byte, 2)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, nil, err
	}
	n := int(frame[1])
	if n == 126 {
		var wide [2]byte
		if _, err := io.ReadFull(r, wide[:]); err != nil {
			return nil, nil, err
		}
		n = int(binary.BigEndian.Uint16(wide[:]))
		frame = append(frame, wide[:]...)
	}
	payload = make([]byte, n) // no test has longer ones
	if _, err := io.ReadFull(r, payload); err != nil {
		return nil, nil, err
	}
	return append(frame, payload...), payload, nil
}

// settingsFor are those of a run that somebody has to end.
func settingsFor(t *testing.T, endpoint string, args ...string) *settings {
	t.Helper()
	s, err := parse(append([]string{
		"-url", endpoint, "-plans", "demo", "-conns", "4", "-rate", "400", "-inflight", "8", "-for", "1h", "-drain", "10s",
	}, args...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s.backoff, s.patience = 20*time.Millisecond, time.Second
	return s
}
