package transport_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// knownToOriginal are the types that the original browser client understands. It ignores others.
var knownToOriginal = []protocol.Type{
	protocol.TypePong, protocol.TypeJoinPlan, protocol.TypeLeavePlan, protocol.TypeError, protocol.TypeTaskCreated,
	protocol.TypeTaskUpdated, protocol.TypeTaskDeleted, protocol.TypeTaskReordered, protocol.TypeProgressUpdated,
}

// TestOriginalClient plays the recorded conversation of the original browser client over sockets,
// with JSON Web Tokens. A failure means that pages written for the original server no longer work.
func TestOriginalClient(t *testing.T) {
	t.Parallel()
	secret := []byte("a secret of the login service, 32 bytes or more")
	v, err := jwtauth.New(&jwtauth.Options{
		Keys:       []jwtauth.Key{jwtauth.HMAC("", secret)},
		Algorithms: []jwtauth.Algorithm{jwtauth.HS256},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, config{
		verifier: v,
		hub: room.Options{Authorize: func(_ context.Context, _ auth.Identity, planID string) error {
			if planID == "secret" {
				return room.ErrForbidden
			}
			return nil
		}},
	})
	p := &player{t: t, server: s, conns: make(map[string]*transporttest.Conn)}
	for _, l := range recordedLines(t) {
		if err := p.play(l, secret); err != nil {
			t.Fatalf("%s:%d: %s\n%v", recording, l.number, l.text, err)
		}
	}
}

// player has the connections of the recorded conversation.
type player struct {
	t      *testing.T
	server *server
	conns  map[string]*transporttest.Conn // by name
}

// play does what a line says, or compares it with what the server sends.
func (p *player) play(l recordedLine, secret []byte) error {
	c := p.conns[l.who]
	switch {
	case l.who == "host":
		return p.broadcast(l.verb, l.argument)
	case l.verb == "connect":
		return p.connect(l.who, hs256(secret, l.argument))
	case l.verb == "connect-foreign":
		return p.connect(l.who, hs256([]byte("not the secret of the login service"), l.argument))
	case c == nil:
		return fmt.Errorf("%s is not connected", l.who)
	case strings.HasPrefix(l.argument, "close "):
		code, err := strconv.ParseUint(strings.TrimPrefix(l.argument, "close "), 10, 16)
		if err != nil {
			return err
		}
		if l.verb == ">" {
			return c.SendClose(protocol.CloseCode(code), "")
		}
		delete(p.conns, l.who)
		return wantClose(c, protocol.CloseCode(code))
	case l.verb == ">":
		return c.SendText(l.argument)
	case l.verb == "<":
		got, err := nextKnown(c)
		if err != nil {
			return err
		}
		return compareRecorded(l.argument, string(got.Payload))
	}
	return fmt.Errorf("not understood")
}

// connect opens a connection as a browser does: the page comes from the server, and the token is in
// the query.
func (p *player) connect(who, token string) error {
	c, resp, err := transporttest.Dial(p.server.URL+"/ws?token="+url.QueryEscape(token), &transporttest.Options{
		Header: http.Header{"Origin": {p.server.URL}}, Timeout: testTimeout,
	})
	if err != nil {
		return err
	}
	if c == nil {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	p.conns[who] = c
	p.t.Cleanup(func() { _ = c.Close() }) // the server may have closed it
	return nil
}

// broadcast makes a change as the handlers of the host do.
func (p *player) broadcast(eventType, argument string) error {
	plan, value, _ := strings.Cut(argument, " ")
	ctx, h, raw := context.Background(), p.server.hub, json.RawMessage(value)
	var id string
	var ids []string
	var err error
	switch protocol.Type(eventType) {
	case protocol.TypeTaskCreated:
		_, err = h.BroadcastTaskCreated(ctx, plan, raw)
	case protocol.TypeTaskUpdated:
		_, err = h.BroadcastTaskUpdated(ctx, plan, raw)
	case protocol.TypeTaskDeleted:
		if err = json.Unmarshal(raw, &id); err == nil {
			_, err = h.BroadcastTaskDeleted(ctx, plan, id)
		}
	case protocol.TypeTaskReordered:
		if err = json.Unmarshal(raw, &ids); err == nil {
			_, err = h.BroadcastTaskReordered(ctx, plan, ids)
		}
	case protocol.TypeProgressUpdated:
		_, err = h.BroadcastProgressUpdated(ctx, plan, raw)
	default:
		err = fmt.Errorf("no broadcast of type %s", eventType)
	}
	return err
}

// nextKnown reads up to the next message of a type that the original client understands, or a close
// frame.
func nextKnown(c *transporttest.Conn) (transporttest.Frame, error) {
	for {
		f, err := c.ReadMessage()
		if err != nil || f.Opcode != transporttest.OpText {
			return f, err
		}
		var m struct {
			Type protocol.Type `json:"type"`
		}
		if err := json.Unmarshal(f.Payload, &m); err != nil {
			return f, fmt.Errorf("%s: %w", f.Payload, err)
		}
		if slices.Contains(knownToOriginal, m.Type) {
			return f, nil
		}
	}
}

// wantClose reads a close frame with the code.
func wantClose(c *transporttest.Conn, code protocol.CloseCode) error {
	f, err := nextKnown(c)
	if err != nil {
		return err
	}
	if f.Opcode != transporttest.OpClose || !bytes.HasPrefix(f.Payload, transporttest.ClosePayload(uint16(code), "")) {
		return fmt.Errorf("got frame %d %q, want close code %d", f.Opcode, f.Payload, code)
	}
	return nil
}

// hs256 returns a JSON Web Token with the claims, which is valid for an hour.
func hs256(secret []byte, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	claims = fmt.Sprintf(`%s,"exp":%d}`, strings.TrimSuffix(claims, "}"), time.Now().Add(time.Hour).Unix())
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}
