package client_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

// FuzzServer sends any lines, several times, to a client that is in two plans. The client must not
// panic, must not grow without bound, must not flood the server, and must still close.
func FuzzServer(f *testing.F) {
	for _, seed := range serverFrames(f) {
		f.Add(seed)
		f.Add(append(append([]byte(nil), seed...), []byte("\n"+`{"type":"task-updated","planId":"a","data":{"task":1},"seq":9,"prev":8}`)...))
	}
	f.Add([]byte(`{"type":"join-plan","planId":"a","data":{"success":true,"participants":[{},{},{"state":null}],"position":{"epoch":"f","seq":1},"recovered":false}}`))
	f.Add([]byte(`{"type":"goodbye","data":{"code":4503,"reconnect":true,"retryAfterMs":9223372036854775807}}`))
	f.Add([]byte(`{"type":"goodbye","data":{"code":4401,"reconnect":true,"reauth":true,"retryAfterMs":-1}}`))
	f.Add([]byte(`{"type":"resync","planId":"a","data":{"position":{"epoch":"f","seq":1},"spreadMs":9223372036854775807}}`))
	f.Add([]byte(`{"type":"task-updated","planId":"a","data":{},"seq":9,"prev":0,"version":{"key":"k","n":9007199254740991}}`))
	f.Add([]byte("\xff\n{}\n[]\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		bubble(t, func(t *testing.T, s *script) {
			const limit = 100_000
			c, w := s.start(&client.Options{
				QueueEvents: 16, QueueBytes: limit, BackoffMin: time.Millisecond, BackoffMax: time.Millisecond,
				Token: func(context.Context, client.TokenReason) (client.Token, error) {
					return client.Token{Value: "t", ExpiresAt: time.Now().Add(time.Minute)}, nil
				},
			})
			w.enter(c, "a")
			w.enter(c, "b")
			items := 0
			for range 20 {
				for _, line := range bytes.Split(said, []byte("\n")) {
					select {
					case w.down <- line:
					case b := <-w.up:
						items++
						if _, err := protocol.DecodeRequest(b); err != nil {
							t.Fatalf("the client sent %s: %v", b, err)
						}
					case <-w.over:
						return
					case <-c.Done():
						return
					}
				}
			}
			synctest.Wait()
			held, messages := client.Held(c)
			if held > 3*limit+2<<20 {
				t.Errorf("the client holds %d bytes", held)
			}
			// Waiting: a join and a state per plan, a ping, a token. Sent: less than the server's
			// burst.
			if messages > 6 || items > 100 {
				t.Errorf("the client sent %d messages, and %d items were queued", messages, items)
			}
		})
	})
}

// serverFrames returns one encoded message of each kind.
func serverFrames(t testing.TB) (frames [][]byte) {
	t.Helper()
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	add := func(typ protocol.Type, plan string, data any) {
		b, err := protocol.Encode(typ, plan, data, at)
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, b)
	}
	here := protocol.Position{Epoch: "e", Seq: 0}
	add(protocol.TypePong, "", nil)
	add(protocol.TypePong, "", protocol.Hello{UserID: "ann", Connected: true, Timestamp: protocol.Timestamp{Time: at}})
	add(protocol.TypeJoinPlan, "a", protocol.JoinAnswer{Success: true, ParticipantCount: 1, Participants: []protocol.Participant{{UserID: "ann"}}, Position: here, Recovered: true})
	add(protocol.TypeJoinPlan, "a", protocol.Joined{UserID: "bob", UserName: "Bob", ParticipantCount: 2})
	add(protocol.TypeJoinPlan, "a", protocol.Count{ParticipantCount: 200})
	add(protocol.TypeLeavePlan, "a", protocol.Left{UserID: "bob", ParticipantCount: 1})
	add(protocol.TypeLeavePlan, "a", protocol.LeaveAnswer{Success: true})
	add(protocol.TypePresenceUpdated, "a", protocol.PresenceUpdated{UserID: "ann", State: []byte(`{"x":1}`)})
	add(protocol.TypeAuthenticate, "", protocol.Authenticated{Success: true, ExpiresAt: &protocol.Timestamp{Time: at}})
	add(protocol.TypeResync, "a", protocol.Resync{Position: protocol.Position{Epoch: "f", Seq: 7}, Reason: "missed"})
	add(protocol.TypeRemoved, "a", protocol.Removed{Reason: "access ended"})
	add(protocol.TypeRemoved, "a", protocol.Removed{Retry: true})
	for _, re := range []protocol.Type{protocol.TypeJoinPlan, protocol.TypeLeavePlan, protocol.TypeAuthenticate, protocol.TypePing} {
		add(protocol.TypeError, "a", protocol.Error{Code: protocol.ErrorUnavailable, Re: re})
		add(protocol.TypeError, "a", protocol.Error{Code: protocol.ErrorBadToken, Re: re})
	}
	for _, code := range []protocol.CloseCode{protocol.CloseShutdown, protocol.CloseUnauthorized, protocol.CloseForbidden} {
		add(protocol.TypeGoodbye, "", code.Goodbye(0))
	}
	meta := protocol.EventMeta{PlanID: "a", By: "bob", MutationID: "m1", Timestamp: at}
	e, err := protocol.EncodeEvent(protocol.TaskDeleted("t1"), meta, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return append(frames, e.Splice(1, 0), protocol.AppendReceipt(nil, meta, 2, 1))
}
