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

func ExampleCloseCode_Advice() {
	fmt.Printf("%+v\n", protocol.CloseUnauthorized.Advice())
	// Output: {Reconnect:true Reauth:true RetryAfterMin:0s RetryAfterMax:0s}
}
