package protocol_test

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
)

// FuzzPayloads compares the payloads that encode themselves with the result of encoding/json.
func FuzzPayloads(f *testing.F) {
	f.Add("ann", "Ann Lee", `{"x":1}`, "epoch", uint64(7), int64(1764000000123), 3, true)
	f.Add("", "", "", "", uint64(0), int64(0), 0, false)
	f.Add("a\"\\\n\x00\x7f", "\u2028<&>\u00e9", ` [ 1 , null ] `, "\U0001F600", uint64(1<<53-1), int64(-1), -5, true)
	f.Fuzz(func(t *testing.T, id, name, state, epoch string, seq uint64, at int64, n int, yes bool) {
		id, name, epoch = strings.ToValidUTF8(id, "?"), strings.ToValidUTF8(name, "?"), strings.ToValidUTF8(epoch, "?")
		if !json.Valid([]byte(state)) {
			state = `"none"`
		}
		state = strings.ToValidUTF8(state, "?")
		some := protocol.Participant{UserID: id, UserName: name, Connections: n, State: json.RawMessage(state)}
		answer := protocol.JoinAnswer{
			Success: yes, ParticipantCount: n, Position: protocol.Position{Epoch: epoch, Seq: seq}, Recovered: !yes,
			Participants: []protocol.Participant{some, {UserID: name, UserName: id}},
		}
		empty := answer
		empty.Participants = []protocol.Participant{}
		for _, payload := range []any{
			protocol.Hello{
				UserID: id, Connected: yes, Timestamp: protocol.Timestamp{Time: time.UnixMilli(at % 1e14)},
				ConnectionID: epoch, ClientID: name, Protocol: n,
			},
			answer, empty, protocol.JoinAnswer{},
			protocol.Joined{UserID: id, UserName: name, ParticipantCount: n},
			protocol.Left{UserID: id, ParticipantCount: n},
			protocol.Count{ParticipantCount: n},
		} {
			b, err := protocol.Encode(protocol.TypePong, "", payload, time.Time{})
			if err != nil {
				t.Fatalf("Encode(%#v) = %v", payload, err)
			}
			reference, err := json.Marshal(map[string]any{"type": protocol.TypePong, "data": payload})
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := json.Unmarshal(b, &got); err != nil {
				t.Fatalf("Encode(%#v) = %q, which is not JSON: %v", payload, b, err)
			}
			if err := json.Unmarshal(reference, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Encode(%#v) differs from encoding/json (-want +got):\n%s", payload, diff)
			}
		}
	})
}

// The estimates of appender.size fit messages of usual length.
func TestEncodeAllocatesOnce(t *testing.T) {
	const user, name, plan = "auth0|5f7c8ec7c33c6c004bbafe82", "Maximiliane Mustermann", "0b5ddc8a-1a34-4dd5-b7dc-0c0ffee0beef"
	id := rand.Text()
	payloads := []any{
		protocol.Hello{UserID: user, Connected: true, Timestamp: protocol.Timestamp{Time: time.Now()}, ConnectionID: id, ClientID: id, Protocol: protocol.Version},
		protocol.JoinAnswer{
			Success: true, ParticipantCount: 2, Position: protocol.Position{Epoch: id, Seq: 1 << 40},
			Participants: []protocol.Participant{{UserID: user, UserName: name, Connections: 1, State: []byte(`{"cursor":12}`)}, {UserID: user, UserName: name, Connections: 1}},
		},
		protocol.Joined{UserID: user, UserName: name, ParticipantCount: 123},
		protocol.Left{UserID: user, ParticipantCount: 123},
		protocol.Count{ParticipantCount: 12345},
	}
	for _, data := range payloads {
		allocs := testing.AllocsPerRun(100, func() {
			if _, err := protocol.Encode(protocol.TypeJoinPlan, plan, data, time.Time{}); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 1 {
			t.Errorf("%T: %v allocations, want 1", data, allocs)
		}
	}
}
