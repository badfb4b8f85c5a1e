package transport_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// fetchInterval is the minimum time between two fetches of a key set by package jwtauth.
const fetchInterval = 30 * time.Second

// TestKeyRotation connects clients and renews their tokens while the login service rotates its keys
// and invalid tokens cause fetches. A client with a valid token must not get 401, 4401 or
// bad_token. It may get 503, 4500 or unavailable. It must succeed when it retries at the given
// time.
func TestKeyRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		login := &loginService{}
		login.rotate()
		keys := serveInMemory(t, login)
		tokens, err := jwtauth.New(&jwtauth.Options{
			JWKSURL:    "http://localhost/jwks.json",
			HTTPClient: &http.Client{Transport: &http.Transport{DialContext: keys.dial, DisableKeepAlives: true}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer tokens.Close()
		hub := room.NewHub(&room.Options{
			Authorize: func(context.Context, auth.Identity, string) error { return nil },
			Logger:    testLogger(t),
		})
		plans := serveInMemory(t, transport.NewHandler(hub, tokens, &transport.Options{Logger: testLogger(t)}))
		defer hub.Shutdown(context.Background())

		// Invalid tokens cause a fetch as soon as the next one is allowed.
		flood := make(chan struct{})
		var flooding sync.WaitGroup
		flooding.Go(func() {
			stranger := &rotationClient{t: t, plans: plans, login: login, user: "stranger"}
			for n := 0; ; n++ {
				select {
				case <-flood:
					return
				case <-time.After(2 * time.Second):
					stranger.expectRefusal(login.issueWith(rand.Text()), n%2 == 0)
				}
			}
		})

		var all []*rotationClient
		var clients sync.WaitGroup
		start := func(stay time.Duration, browser bool) {
			c := &rotationClient{t: t, plans: plans, login: login, user: fmt.Sprint("user", len(all))}
			all = append(all, c)
			clients.Go(func() { c.run(stay, browser) })
		}
		for range 4 {
			start(10*time.Minute, false)
			time.Sleep(time.Second)
		}
		for range 12 {
			time.Sleep(47 * time.Second)
			login.rotate()
			for n := range 4 {
				start(0, n%2 == 0)
			}
		}
		clients.Wait()
		close(flood)
		flooding.Wait()

		var total rotationClient
		for _, c := range all {
			total.delayed503 += c.delayed503
			total.delayed4500 += c.delayed4500
			total.delayedRenewals += c.delayedRenewals
		}
		if total.delayed503 == 0 || total.delayed4500 == 0 || total.delayedRenewals == 0 {
			t.Errorf("%d clients got 503, %d got 4500, %d got unavailable; want at least one of each",
				total.delayed503, total.delayed4500, total.delayedRenewals)
		}
		for i, at := range login.fetches {
			if i > 0 && at.Sub(login.fetches[i-1]) < fetchInterval {
				t.Errorf("fetches %d and %d began %v apart", i-1, i, at.Sub(login.fetches[i-1]))
			}
		}
	})
}

// rotationClient is a client of the server. One goroutine owns it.
type rotationClient struct {
	t     *testing.T
	plans *memoryListener
	login *loginService
	user  string

	delayed503, delayed4500, delayedRenewals int
}

// run connects, stays for some time, and disconnects. It renews the token every 20 s.
func (c *rotationClient) run(stay time.Duration, browser bool) {
	messages, conn := c.connect(browser)
	if conn == nil {
		return
	}
	end := time.Now().Add(stay)
	for time.Now().Before(end) {
		select {
		case m := <-messages:
			c.t.Errorf("%s: unexpected message %q %s", c.user, m.Type, m.Data)
			return
		case <-time.After(20 * time.Second):
		}
		if !c.renew(messages, conn) {
			return
		}
	}
	_ = conn.Close()
	for range messages { // until the reader ends
	}
}

// connect connects with one token. If the server refuses, it retries after the delay that the
// server requests. The second attempt must succeed.
func (c *rotationClient) connect(browser bool) (<-chan protocol.Message, *transporttest.Conn) {
	token := c.login.issue(c.user)
	for attempt := range 2 {
		a := c.dial(token, browser)
		if a.conn != nil {
			return a.messages, a.conn
		}
		switch {
		case a.status == http.StatusServiceUnavailable:
			c.delayed503++
		case a.goodbye.Code == protocol.CloseInternal:
			c.delayed4500++
		default:
			c.t.Errorf("%s, attempt %d: status %d, goodbye %+v", c.user, attempt, a.status, a.goodbye)
			return nil, nil
		}
		if a.retry < time.Second || a.retry > fetchInterval {
			c.t.Errorf("%s: the server asks for a retry after %v", c.user, a.retry)
		}
		time.Sleep(a.retry)
	}
	c.t.Errorf("%s: no connection after the retry delay of the server", c.user)
	return nil, nil
}

// renew sends authenticate with a new token. It repeats the message while the answer is
// unavailable, for one interval.
func (c *rotationClient) renew(messages <-chan protocol.Message, conn *transporttest.Conn) bool {
	token := c.login.issue(c.user)
	for range 4 {
		b, err := protocol.EncodeRequest(protocol.Request{Type: protocol.TypeAuthenticate, Token: token})
		if err != nil {
			c.t.Error(err)
			return false
		}
		_ = conn.SendText(string(b)) // if the server has closed, the channel is closed
		m, ok := <-messages
		if m.Type == protocol.TypeAuthenticate {
			return true
		}
		var e protocol.Error
		if !ok || m.Type != protocol.TypeError || json.Unmarshal(m.Data, &e) != nil || e.Code != protocol.ErrorUnavailable {
			c.t.Errorf("%s: answer to authenticate is %q %s", c.user, m.Type, m.Data)
			return false
		}
		c.delayedRenewals++
		time.Sleep(10 * time.Second)
	}
	c.t.Errorf("%s: no renewal within %v", c.user, fetchInterval)
	return false
}

// expectRefusal connects with a token whose key is unknown.
func (c *rotationClient) expectRefusal(token string, browser bool) {
	a := c.dial(token, browser)
	switch {
	case a.status == http.StatusUnauthorized, a.status == http.StatusServiceUnavailable:
	case a.goodbye.Code == protocol.CloseUnauthorized, a.goodbye.Code == protocol.CloseInternal:
	default:
		c.t.Errorf("token with an unknown key: status %d, goodbye %+v", a.status, a.goodbye)
	}
}

// dialResult is the result of one attempt to connect.
type dialResult struct {
	conn     *transporttest.Conn     // nil: refused
	messages <-chan protocol.Message // messages after the first; closed when the connection ends
	status   int                     // 0 for 101
	goodbye  protocol.Goodbye        // sent to a browser
	retry    time.Duration
}

func (c *rotationClient) dial(token string, browser bool) (a dialResult) {
	header := http.Header{"Authorization": {"Bearer " + token}}
	if browser {
		header.Set("Origin", "http://localhost")
	}
	nc, err := c.plans.dial(c.t.Context(), "", "")
	if err != nil {
		c.t.Error(err)
		return a
	}
	conn, resp, err := transporttest.NewConn(nc, "/ws", "localhost", &transporttest.Options{Header: header, Timeout: -1})
	if err != nil {
		c.t.Errorf("%s: handshake: %v", c.user, err)
		return a
	}
	if conn == nil {
		a.status = resp.StatusCode
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		a.retry = time.Duration(seconds) * time.Second
		return a
	}
	messages := make(chan protocol.Message, 16)
	go func() { // ends with the connection
		defer close(messages)
		for {
			f, err := conn.ReadMessage()
			if err != nil || f.Opcode == transporttest.OpClose {
				_ = conn.Close()
				return
			}
			m, err := protocol.Decode(f.Payload)
			if err != nil {
				c.t.Errorf("%s: Decode(%s): %v", c.user, f.Payload, err)
			}
			messages <- m
		}
	}()
	first := <-messages
	if first.Type != protocol.TypeGoodbye {
		a.conn, a.messages = conn, messages
		return a
	}
	if err := json.Unmarshal(first.Data, &a.goodbye); err != nil {
		c.t.Error(err)
	}
	a.retry = time.Duration(a.goodbye.RetryAfterMs) * time.Millisecond
	for range messages { // until the reader ends
	}
	return a
}
