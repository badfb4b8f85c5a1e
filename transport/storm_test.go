package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// stormEvent is the task of an event in TestStorm.
type stormEvent struct {
	Publisher, N int
	Text         string
	Sum          uint32
}

// TestStorm runs several publishers, with events from a few bytes to more than a socket buffer.
// Clients ping with random payloads, some read slowly, and they end in every way while events are
// in flight. Each client strictly checks frames (client.frame), the order of each publisher's
// events, the chain of positions, checksums, and its pongs.
func TestStorm(t *testing.T) {
	eachKind(t, storm)
}

func storm(t *testing.T, k kind) {
	const clients, publishers, events = 9, 4, 100
	s := newServer(t, config{kinds: []kind{k}})

	var readers sync.WaitGroup
	joined := make(chan struct{}, clients)
	for i := range clients {
		user := fmt.Sprintf("user%d", i)
		c := dial(t, s.Server, user)
		readers.Go(func() {
			if err := stormReader(s, c, i, user, joined); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	for range clients {
		receive(t, joined)
	}
	var writers sync.WaitGroup
	for p := range publishers {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(p), 1))
			for n := range events {
				size := r.IntN(400)
				if n%40 == 39 {
					size = r.IntN(70_000)
				}
				text := strings.Repeat(string(rune('a'+p)), size)
				e := stormEvent{p, n, text, crc32.ChecksumIEEE([]byte(text))}
				_, err := s.hub.BroadcastTaskUpdated(context.Background(), "p", e)
				if err != nil && !errors.Is(err, room.ErrHubClosed) {
					t.Errorf("publisher %d: %v", p, err)
				}
			}
		})
	}
	writers.Wait()
	if err := s.hub.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	readers.Wait()
}

// stormReader is one client. Its number selects how it ends.
func stormReader(s *server, c *client, number int, user string, joined chan<- struct{}) error {
	c.text(`{"type":"join-plan","planId":"p"}`)
	var (
		want  protocol.CloseCode
		pings []string
		last  = map[int]int{}
		chain protocol.Chain
		count int
		gap   bool // after a resync, events may be missing
	)
	var others sync.WaitGroup
	defer others.Wait()
	r := rand.New(rand.NewPCG(uint64(number), 2))
	for {
		f, err := c.read()
		if isCut(err) {
			// The server cuts a connection that does not read its last frames within a second.
			// Disconnect cuts one in the middle of a write. On a busy machine this can happen to
			// any client.
			c.t.Logf("client %d was cut after %d events", number, count)
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %d events: %w", count, err)
		}
		if f.Opcode == opClose {
			break
		}
		m, err := protocol.Decode(f.Payload)
		if err != nil {
			return err
		}
		before := chain.Position().Seq
		place := chain.Take(m)
		switch m.Type {
		case protocol.TypeJoinPlan:
			if place == protocol.PlaceStart {
				joined <- struct{}{}
			}
		case protocol.TypeResync:
			if place != protocol.PlaceStart {
				return fmt.Errorf("resync %s", m.Data)
			}
			gap = true
			clear(last)
		case protocol.TypeTaskUpdated:
			var d struct{ Task stormEvent }
			if err := json.Unmarshal(m.Data, &d); err != nil {
				return err
			}
			e := d.Task
			if place != protocol.PlaceNext || m.Prev != before { // a hub sends the exact prev
				return fmt.Errorf("event %d has prev %d, want %d", m.Seq, m.Prev, before)
			}
			if crc32.ChecksumIEEE([]byte(e.Text)) != e.Sum {
				return fmt.Errorf("event %d of publisher %d is damaged", e.N, e.Publisher)
			}
			previous, known := last[e.Publisher]
			if !known {
				previous = -1
			}
			if e.N <= previous || !gap && e.N != previous+1 {
				return fmt.Errorf("publisher %d: event %d after %d", e.Publisher, e.N, previous)
			}
			last[e.Publisher] = e.N
			count++
			if count%20 == 0 && len(pings) < 15 && want == 0 { // below the limit of control frames
				payload := make([]byte, r.IntN(126))
				for i := range payload {
					payload[i] = byte(r.Uint32())
				}
				pings = append(pings, string(payload))
				c.send(opPing, payload)
			}
			if count == 50+number {
				switch number % 5 {
				case 0:
					want = protocol.CloseNormal
					c.send(opClose, closePayload(want, "enough"))
				case 1:
					want = protocol.CloseForbidden
					others.Go(func() { // waits until the connection has ended
						if _, err := s.hub.Disconnect(context.Background(), user); err != nil && !errors.Is(err, room.ErrHubClosed) {
							c.t.Error(err)
						}
					})
				case 2:
					want = protocol.CloseUnsupportedData
					c.send(opBinary, []byte("x"))
				case 3:
					want = protocol.CloseProtocolError
					c.write([]byte{fin | opText, 1, 'x'})
				default:
					want = protocol.CloseShutdown // after Shutdown
				}
			}
		}
	}
	if err := pongsMatch(pings, c.Pongs()); err != nil {
		return err
	}
	return stormEnd(c, want)
}

// pongsMatch checks that pongs answer pings in order. A newer pong may replace one that was queued.
func pongsMatch(pings []string, pongs []string) error {
	i := 0
	for _, pong := range pongs {
		for i < len(pings) && pings[i] != pong {
			i++
		}
		if i == len(pings) {
			return fmt.Errorf("pong %x answers no ping, or comes out of order", pong)
		}
		i++
	}
	return nil
}

// stormEnd reads to the end after a close frame.
func stormEnd(c *client, want protocol.CloseCode) error {
	c.send(opClose, closePayload(want, ""))
	if f, err := c.frame(); err == nil || transporttest.IsViolation(err) {
		return fmt.Errorf("opcode %#x after the close frame (%v)", f.Opcode, err)
	}
	_ = c.nc.Close() // the server has closed as well
	return nil
}

// isCut reports whether a connection ended without a close frame.
func isCut(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op) && !op.Timeout()
}
