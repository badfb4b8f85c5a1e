package enginetest

// message is what a node has sent to another one.
type message struct {
	from string
	data []byte
}

// inbox has the messages that a node has not received yet, and calls receive with them, one at a
// time. run does so until end is called, which waits for it.
type inbox struct {
	link     *link
	receive  func(from string, msg []byte)
	messages chan message
	stop     chan struct{}
	ended    chan struct{}
}

// inboxSize is the number of messages that a node can be behind. Further ones are lost.
const inboxSize = 4096

func newInbox(l *link, receive func(from string, msg []byte)) *inbox {
	return &inbox{l, receive, make(chan message, inboxSize), make(chan struct{}), make(chan struct{})}
}

// put adds a message, unless the connection of the node is cut or its inbox is full.
func (in *inbox) put(m message) {
	if in.link.cutOff() {
		return
	}
	select {
	case in.messages <- m:
	default:
	}
}

func (in *inbox) run() {
	defer close(in.ended)
	for {
		select {
		case <-in.stop:
			return
		case m := <-in.messages:
			if in.link.awaitRunning(in.stop) != nil {
				return
			}
			in.receive(m.from, m.data)
		}
	}
}

// end stops run. Afterwards receive is not called any more.
func (in *inbox) end() {
	close(in.stop)
	<-in.ended
}
