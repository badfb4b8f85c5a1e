package transporttest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// A client sends a ping and a message that is not UTF-8, and looks at what the server does.
func Example() {
	hub := room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return nil },
	})
	defer hub.Shutdown(context.Background())
	users := auth.Static(map[string]auth.Identity{"secret": {UserID: "ann", Name: "Ann"}})
	srv := httptest.NewServer(transport.NewHandler(hub, users, nil))
	defer srv.Close()

	c, resp, err := transporttest.Dial(srv.URL+"/ws?client=tab1", &transporttest.Options{
		Header: http.Header{"Authorization": {"Bearer secret"}, "Sec-WebSocket-Protocol": {protocol.Subprotocol}},
		Split:  transporttest.Bytes, // one write for each byte
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Status, resp.Header.Get("Sec-WebSocket-Protocol"))

	c.SendPing("still there?")
	c.SendText("\xff")
	end, err := c.End()
	fmt.Printf("%q %v %s (goodbye %v) %v\n", c.Pongs(), end.Code, end.Reason, end.Goodbye, err)
	// Output:
	// 101 Switching Protocols planrooms.v1
	// ["still there?"] 1007 text is not valid UTF-8 (goodbye 1007) <nil>
}
