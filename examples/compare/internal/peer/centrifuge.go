package peer

import (
	"context"
	"net/http"

	"github.com/centrifugal/centrifuge"
)

// centrifugeServer is a node with the broker in memory and the JSON protocol. The connection is subscribed to the channel
// of its room by the server. The node runs until the process ends.
type centrifugeServer struct {
	node    *centrifuge.Node
	handler http.Handler
}

type centrifugeRoom struct{} // the key of the room in a context

func newCentrifuge(Options) (Server, error) {
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelNone})
	if err != nil {
		return nil, err
	}
	node.OnConnecting(func(ctx context.Context, _ centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		room, _ := ctx.Value(centrifugeRoom{}).(string)
		return centrifuge.ConnectReply{
			Credentials:   &centrifuge.Credentials{},
			Subscriptions: map[string]centrifuge.SubscribeOptions{room: {}},
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
