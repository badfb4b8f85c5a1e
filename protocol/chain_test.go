package protocol_test

import (
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
)

func event(seq, prev uint64) protocol.Message {
	return protocol.Message{Type: protocol.TypeTaskUpdated, PlanID: "demo", Seq: seq, Prev: prev}
}

func inEpoch(epoch string, seq uint64) protocol.Position {
	return protocol.Position{Epoch: epoch, Seq: seq}
}

func withData(typ protocol.Type, data string) protocol.Message {
	return protocol.Message{Type: typ, PlanID: "demo", Data: []byte(data)}
}

func TestChainTake(t *testing.T) {
	long := `"` + strings.Repeat("e", protocol.MaxEpochBytes+1) + `"`
	for name, tt := range map[string]struct {
		m     protocol.Message // after the position 5 of epoch e
		place protocol.Place
		at    protocol.Position
	}{
		"next":                      {event(6, 5), protocol.PlaceNext, inEpoch("e", 6)},
		"next with a higher seq":    {event(20, 5), protocol.PlaceNext, inEpoch("e", 20)},
		"a prev that is too small":  {event(6, 2), protocol.PlaceNext, inEpoch("e", 6)},
		"no prev":                   {event(6, 0), protocol.PlaceNext, inEpoch("e", 6)},
		"the last one again":        {event(5, 4), protocol.PlaceDuplicate, inEpoch("e", 5)},
		"an earlier one":            {event(3, 1), protocol.PlaceDuplicate, inEpoch("e", 5)},
		"one is missing":            {event(8, 6), protocol.PlaceGap, inEpoch("e", 5)},
		"a receipt":                 {protocol.Message{Type: protocol.TypeReceipt, Seq: 6, Prev: 5}, protocol.PlaceNext, inEpoch("e", 6)},
		"a receipt after a gap":     {protocol.Message{Type: protocol.TypeReceipt, Seq: 7, Prev: 6}, protocol.PlaceGap, inEpoch("e", 5)},
		"resync":                    {withData(protocol.TypeResync, `{"position":{"epoch":"e","seq":9}}`), protocol.PlaceStart, inEpoch("e", 9)},
		"resync to an earlier one":  {withData(protocol.TypeResync, `{"position":{"epoch":"e","seq":2}}`), protocol.PlaceStart, inEpoch("e", 2)},
		"resync to another epoch":   {withData(protocol.TypeResync, `{"position":{"epoch":"f","seq":5}}`), protocol.PlaceStart, inEpoch("f", 5)},
		"resync without an epoch":   {withData(protocol.TypeResync, `{"position":{"seq":9}}`), protocol.PlaceNone, inEpoch("e", 5)},
		"resync with a long epoch":  {withData(protocol.TypeResync, `{"position":{"epoch":`+long+`,"seq":9}}`), protocol.PlaceNone, inEpoch("e", 5)},
		"resync with a seq of 2^53": {withData(protocol.TypeResync, `{"position":{"epoch":"e","seq":9007199254740992}}`), protocol.PlaceNone, inEpoch("e", 5)},
		"resync without data":       {withData(protocol.TypeResync, ``), protocol.PlaceNone, inEpoch("e", 5)},
		"recovered":                 {withData(protocol.TypeJoinPlan, `{"success":true,"recovered":true,"position":{"epoch":"e","seq":5}}`), protocol.PlaceNext, inEpoch("e", 5)},
		"recovered elsewhere":       {withData(protocol.TypeJoinPlan, `{"success":true,"recovered":true,"position":{"epoch":"e","seq":7}}`), protocol.PlaceStart, inEpoch("e", 7)},
		"recovered, another epoch":  {withData(protocol.TypeJoinPlan, `{"success":true,"recovered":true,"position":{"epoch":"f","seq":5}}`), protocol.PlaceStart, inEpoch("f", 5)},
		"not recovered":             {withData(protocol.TypeJoinPlan, `{"success":true,"position":{"epoch":"e","seq":5}}`), protocol.PlaceStart, inEpoch("e", 5)},
		"another epoch":             {withData(protocol.TypeJoinPlan, `{"success":true,"position":{"epoch":"f","seq":1}}`), protocol.PlaceStart, inEpoch("f", 1)},
		"join without a position":   {withData(protocol.TypeJoinPlan, `{"success":true}`), protocol.PlaceNone, inEpoch("e", 5)},
		"another user joined":       {withData(protocol.TypeJoinPlan, `{"userId":"bob","userName":"Bob","participantCount":2}`), protocol.PlaceNone, inEpoch("e", 5)},
		"presence":                  {withData(protocol.TypePresenceUpdated, `{"userId":"bob","state":1}`), protocol.PlaceNone, inEpoch("e", 5)},
	} {
		t.Run(name, func(t *testing.T) {
			var c protocol.Chain
			c.Reset(inEpoch("e", 5))
			if got := c.Take(tt.m); got != tt.place || c.Position() != tt.at {
				t.Errorf("Take = %d at %v, want %d at %v", got, c.Position(), tt.place, tt.at)
			}
		})
	}
}

func TestChainSkip(t *testing.T) {
	var c protocol.Chain
	c.Reset(inEpoch("e", 5))
	for _, m := range []protocol.Message{event(8, 7), event(9, 2)} {
		c.Skip(m)
		if got := c.Take(m); got != protocol.PlaceNext || c.Position() != inEpoch("e", m.Seq) {
			t.Errorf("Take after Skip = %d at %v, want %d at %d", got, c.Position(), protocol.PlaceNext, m.Seq)
		}
	}
	c.Skip(withData(protocol.TypeResync, "{}"))
	c.Skip(event(3, 2))
	c.Skip(event(12, 12)) // not a message that Decode returns
	if c.Position() != inEpoch("e", 9) {
		t.Errorf("Skip without a gap moves to %v", c.Position())
	}
}

// FuzzChain compares a chain with a server that knows which events it has published. The server
// loses, repeats and reorders messages, and may name an earlier predecessor than the last one.
func FuzzChain(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 2, 3, 4, 0, 5, 0})
	f.Add([]byte{0, 4, 0, 0, 4, 4, 1, 0})
	f.Fuzz(func(t *testing.T, acts []byte) {
		var c protocol.Chain
		c.Reset(inEpoch("e", 0))
		published := []uint64{0} // the seqs of all events
		read := 0                // the index of the last event that the reader has taken
		for _, act := range acts {
			last := published[len(published)-1]
			switch act % 6 {
			case 0, 1: // publish an event, which is lost
				published = append(published, last+1+uint64(act%3))
			case 2: // send an event again, or for the first time, with the exact prev
				i := int(act) % len(published)
				if i == 0 {
					continue
				}
				got := c.Take(event(published[i], published[i-1]))
				switch {
				case i <= read && got != protocol.PlaceDuplicate,
					i == read+1 && got != protocol.PlaceNext,
					i > read+1 && got != protocol.PlaceGap:
					t.Fatalf("event %d of %v after %d: %d", i, published, read, got)
				case i == read+1:
					read++
				}
			case 3: // send the next event with an earlier prev
				if read+1 == len(published) {
					continue
				}
				read++
				if got := c.Take(event(published[read], published[int(act)%read])); got != protocol.PlaceNext {
					t.Fatalf("event %d of %v with an earlier prev: %d", read, published, got)
				}
			case 4: // the reader reloads the plan
				read = len(published) - 1
				if got := c.Resync(protocol.Resync{Position: inEpoch("e", last)}); got != protocol.PlaceStart {
					t.Fatalf("resync: %d", got)
				}
			case 5: // the reader joins again
				a := protocol.JoinAnswer{Success: true, Recovered: true, Position: c.Position()}
				if got := c.Join(a); got != protocol.PlaceNext {
					t.Fatalf("recovered join: %d", got)
				}
			}
			if c.Position() != inEpoch("e", published[read]) {
				t.Fatalf("at %v, want %d", c.Position(), published[read])
			}
		}
	})
}
