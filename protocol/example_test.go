package protocol_test

import (
	"fmt"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// A server encodes an event once for all clients and adds the position when it appends the event to
// the history of the room.
func ExampleEncodeEvent() {
	encoded, err := protocol.EncodeEvent(protocol.TaskDeleted("t1"), protocol.EventMeta{
		PlanID: "demo", By: "alice", Timestamp: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
	}, 1024)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(encoded.Splice(43, 42)))
	// Output: {"type":"task-deleted","planId":"demo","data":{"taskId":"t1"},"timestamp":"2026-03-04T05:06:07.000Z","by":"alice","seq":43,"prev":42}
}

func ExampleDecodeRequest() {
	request, err := protocol.DecodeRequest([]byte(`{"type":"join-plan","planId":"demo","since":{"epoch":"E1","seq":42}}`))
	fmt.Println(request.Type, request.PlanID, request.Since.Seq, err)
	_, err = protocol.DecodeRequest([]byte(`{"type":"join-plan"}`))
	fmt.Println(err)
	// Output:
	// join-plan demo 42 <nil>
	// protocol: bad_plan_id: planId is missing or not valid
}

// A client reads the messages of one plan.
func ExampleChain() {
	var chain protocol.Chain
	for _, text := range []string{
		`{"type":"join-plan","planId":"demo","data":{"success":true,"position":{"epoch":"E1","seq":42}}}`,
		`{"type":"task-deleted","planId":"demo","data":{"taskId":"t1"},"seq":43,"prev":42}`,
		`{"type":"task-deleted","planId":"demo","data":{"taskId":"t1"},"seq":43,"prev":42}`,
		`{"type":"task-deleted","planId":"demo","data":{"taskId":"t4"},"seq":50,"prev":47}`,
	} {
		m, err := protocol.Decode([]byte(text))
		if err != nil {
			fmt.Println(err)
			return
		}
		switch chain.Take(m) {
		case protocol.PlaceStart:
			fmt.Println("load the plan")
		case protocol.PlaceNext:
			fmt.Println("apply event", m.Seq)
		case protocol.PlaceDuplicate:
			fmt.Println("ignore event", m.Seq)
		case protocol.PlaceGap:
			fmt.Println("join again since", chain.Position().Seq)
		}
	}
	// Output:
	// load the plan
	// apply event 43
	// ignore event 43
	// join again since 43
}

func ExampleCloseCode_Advice() {
	fmt.Printf("%+v\n", protocol.CloseUnauthorized.Advice())
	// Output: {Reconnect:true Reauth:true RetryAfterMin:0s RetryAfterMax:0s}
}
