package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// check is a line of the table.
type check struct {
	name string
	run  func(ctx context.Context, e *entrance) error
}

// everything lists the checks for an entrance that is configured as documented.
var everything = []check{
	{"join and events", events},
	{"close by the client", ownClose},
	{"4403 of Disconnect", disconnected},
	{"4401, token invalid", invalid},
	{"4401, token expired", expired},
	{"401 without Origin", unauthorized},
	{"own origin", ownOrigin},
	{"other origins: 403", otherOrigins},
	{"token of 6 KiB", long6},
	{"token of 8 KiB", long8},
	{"token of 8 KiB, 4 KiB of cookies", longCookies},
}

// According to the README, a proxy without its block answers 400 to long headers.
var (
	tokenTooLong   = check{"token of 6 KiB: 400", tooLong(long6)}
	cookiesTooLong = check{"token of 8 KiB, 4 KiB of cookies: 400", tooLong(longCookies)}
)

func tooLong(check func(context.Context, *entrance) error) func(context.Context, *entrance) error {
	return func(ctx context.Context, e *entrance) error { return refused(check(ctx, e), http.StatusBadRequest) }
}

// events receives small events in order, followed by a large one.
func events(ctx context.Context, e *entrance) error {
	conn, plan, err := e.join(ctx, "events", 0)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	const small = 100
	for i := range small {
		if _, err := e.backend.Hub.BroadcastTaskDeleted(ctx, plan, fmt.Sprint(i)); err != nil {
			return err
		}
	}
	large := strings.Repeat("x", 200_000)
	if _, err := e.backend.Hub.BroadcastTaskUpdated(ctx, plan, large); err != nil {
		return err
	}
	var last uint64
	for i := range small {
		m, err := next(conn, protocol.TypeTaskDeleted)
		if err != nil {
			return err
		}
		if i > 0 && m.Prev != last || m.Seq <= last || string(m.Data) != fmt.Sprintf(`{"taskId":"%d"}`, i) {
			return fmt.Errorf("event %d behind seq %d has seq %d, prev %d and data %s", i, last, m.Seq, m.Prev, m.Data)
		}
		last = m.Seq
	}
	m, err := next(conn, protocol.TypeTaskUpdated)
	if err != nil {
		return err
	}
	if want := fmt.Sprintf(`{"task":"%s"}`, large); string(m.Data) != want {
		return fmt.Errorf("the large event came with %d bytes of data, want %d", len(m.Data), len(want))
	}
	return nil
}

func ownClose(ctx context.Context, e *entrance) error {
	conn, _, err := e.join(ctx, "close", 0)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SendClose(protocol.CloseNormal, ""); err != nil {
		return err
	}
	return ended(conn, protocol.CloseNormal)
}

func disconnected(ctx context.Context, e *entrance) error {
	conn, _, err := e.join(ctx, "disconnect", 0)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if n, err := e.backend.Hub.Disconnect(ctx, e.name+" disconnect"); err != nil || n != 1 {
		return fmt.Errorf("disconnected %d: %v", n, err)
	}
	return ended(conn, protocol.CloseForbidden)
}

// invalid connects like a page with an invalid token. The server sends the 101, the goodbye and the
// close frame at once.
func invalid(ctx context.Context, e *entrance) error {
	conn, err := e.dial(ctx, client{origin: e.origin()})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return ended(conn, protocol.CloseUnauthorized)
}

// expired lets a token expire on the open connection. On a slow machine it may expire before the
// connection is open; the check then tries a longer lifetime.
func expired(ctx context.Context, e *entrance) error {
	for lifetime := 2 * time.Second; ; lifetime *= 2 {
		conn, err := e.dial(ctx, client{user: "expired", expires: lifetime})
		if err != nil {
			if lifetime < time.Minute {
				continue
			}
			return err
		}
		defer func() { _ = conn.Close() }()
		if _, err := next(conn, protocol.TypePong); err != nil {
			return err
		}
		return ended(conn, protocol.CloseUnauthorized)
	}
}

func unauthorized(ctx context.Context, e *entrance) error {
	_, err := e.dial(ctx, client{})
	return refused(err, http.StatusUnauthorized)
}

// ownOrigin connects like a page of the proxy's host. Behind TLS the server sees plain HTTP, and
// accepts https.
func ownOrigin(ctx context.Context, e *entrance) error {
	for _, origin := range []string{e.origin(), "https://" + e.host()} {
		conn, err := e.dial(ctx, client{user: "origin", origin: origin})
		if err != nil {
			return fmt.Errorf("%s: %w", origin, err)
		}
		_, err = next(conn, protocol.TypePong)
		_ = conn.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", origin, err)
		}
	}
	return nil
}

func otherOrigins(ctx context.Context, e *entrance) error {
	others := []string{"https://evil.example", "https://" + e.host() + ".evil.example"}
	if e.tls != nil {
		others = append(others, "http://"+e.host())
	}
	for _, origin := range others {
		_, err := e.dial(ctx, client{user: "origin", origin: origin})
		if err := refused(err, http.StatusForbidden); err != nil {
			return fmt.Errorf("%s: %w", origin, err)
		}
	}
	return nil
}

func long6(ctx context.Context, e *entrance) error { return long(ctx, e, 6<<10, 0) }
func long8(ctx context.Context, e *entrance) error { return long(ctx, e, 8<<10, 0) }

func longCookies(ctx context.Context, e *entrance) error { return long(ctx, e, 8<<10, 4<<10) }

// long sends a long token as a subprotocol, which adds a third to the length of the header line,
// and cookies of the given size.
func long(ctx context.Context, e *entrance, token, cookies int) error {
	conn, err := e.dial(ctx, client{user: "long", size: token, cookies: cookies, origin: e.origin()})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_, err = next(conn, protocol.TypePong)
	return err
}

// next reads a message, which must have the given type.
func next(conn *transporttest.Conn, want protocol.Type) (protocol.Message, error) {
	f, err := conn.ReadMessage()
	if err != nil {
		return protocol.Message{}, fmt.Errorf("waiting for %s: %w", want, err)
	}
	if f.Opcode != transporttest.OpText {
		return protocol.Message{}, fmt.Errorf("waiting for %s: a frame of opcode %#x with %q", want, f.Opcode, f.Payload)
	}
	m, err := protocol.Decode(f.Payload)
	if err == nil && m.Type != want {
		err = fmt.Errorf("a message %s %s", m.Type, m.Data)
	}
	if err != nil {
		err = fmt.Errorf("waiting for %s: %w", want, err)
	}
	return m, err
}

// ended reads to the end of the connection, which must end with the given code. If the server sends
// a goodbye, it must have the same code.
func ended(conn *transporttest.Conn, code protocol.CloseCode) error {
	e, err := conn.End()
	if err != nil {
		return err
	}
	wantGoodbye := code
	if code == protocol.CloseNormal || code == protocol.CloseAbnormal {
		wantGoodbye = 0
	}
	if e.Code != code || e.Goodbye != wantGoodbye {
		return fmt.Errorf("the connection ended with %+v, want code %d", e, code)
	}
	return nil
}

func refused(err error, status int) error {
	var answer refusedError
	if !errors.As(err, &answer) || int(answer) != status {
		return fmt.Errorf("want HTTP %d: %v", status, err)
	}
	return nil
}
