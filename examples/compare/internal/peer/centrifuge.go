package peer

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/centrifugal/centrifuge"
)

// centrifugeServer is a node with the broker in memory and the JSON protocol. The server subscribes
// each connection to the channel of its room. The node runs until the process ends.
type centrifugeServer struct {
	node    *centrifuge.Node
	handler http.Handler
}

// CentrifugePresence is centrifuge with presence, and with a push to the others in the room when a
// user joins or leaves.
const CentrifugePresence = "centrifuge-presence"

type centrifugeRoom struct{} // the key of the room in a context

func newCentrifuge(Options) (Server, error) { return newCentrifugeNode(centrifuge.SubscribeOptions{}) }

func newCentrifugePresence(Options) (Server, error) {
	return newCentrifugeNode(centrifuge.SubscribeOptions{EmitPresence: true, EmitJoinLeave: true, PushJoinLeave: true})
}

func newCentrifugeNode(subscribe centrifuge.SubscribeOptions) (Server, error) {
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelNone})
	if err != nil {
		return nil, err
	}
	var users atomic.Int64
	node.OnConnecting(func(ctx context.Context, _ centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		room, _ := ctx.Value(centrifugeRoom{}).(string)
		user := "user-" + strconv.FormatInt(users.Add(1), 10)
		return centrifuge.ConnectReply{
			Credentials:   &centrifuge.Credentials{UserID: user},
			Subscriptions: map[string]centrifuge.SubscribeOptions{room: subscribe},
		}, nil
	})
	node.OnConnect(func(*centrifuge.Client) {})
	if err := node.Run(); err != nil {
		return nil, err
	}
	return &centrifugeServer{node, centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		ReadBufferSize:     1024,
		UseWriteBufferPool: true,
	})}, nil
}

func (s *centrifugeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), centrifugeRoom{}, roomOf(r))))
}

func (s *centrifugeServer) Publish(room string, payload []byte) error {
	_, err := s.node.Publish(room, payload)
	return err
}
