package enginetest_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/room"
)

func openFaults() []fault {
	return []fault{
		{"Open does not see the last record", func(e *engine) {
			e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
				opened, err := e.MemoryEngine.Open(ctx, o, receive)
				if opened.Window.Last > 0 {
					opened.Window.Last--
				}
				return opened, err
			}
		}, "Open OpenAgain CloseKeepsLog"},
		{"Open says that the node is alone", func(e *engine) {
			e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
				opened, err := e.MemoryEngine.Open(ctx, o, receive)
				opened.Alone = true
				return opened, err
			}
		}, "Open"},
		{"Append fails during a second Open", func(e *engine) {
			var opening atomic.Bool
			e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
				opening.Store(true)
				defer opening.Store(false)
				time.Sleep(time.Second)
				return e.MemoryEngine.Open(ctx, o, receive)
			}
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				if opening.Load() {
					return 0, errors.New("not open")
				}
				return e.MemoryEngine.Append(ctx, id, data)
			}
		}, "OpenAgain"},
		{"clusters share a log", func(e *engine) {
			e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
				o.Cluster = "enginetest"
				return e.MemoryEngine.Open(ctx, o, receive)
			}
		}, "OpenForeign"},
		{"Open fails after an error", func(e *engine) {
			failed := error(nil)
			e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
				if failed != nil {
					return room.Opened{}, failed
				}
				opened, err := e.MemoryEngine.Open(ctx, o, receive)
				failed = err
				return opened, err
			}
		}, "OpenForeign OpenEnded CallsCut"},
		{"a second Open keeps the name", func(e *engine) {
			var first room.OpenOptions
			e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
				if first.Node == "" {
					first = o
				}
				return e.MemoryEngine.Open(ctx, first, receive)
			}
		}, "OpenAgain"},
		{"a second Open keeps receive", func(e *engine) {
			var first func(string, []byte)
			e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
				if first == nil {
					first = receive
				}
				return e.MemoryEngine.Open(ctx, o, first)
			}
		}, "OpenAgain"},
		{"names are cut", func(e *engine) {
			e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
				o.Node = o.Node[:min(len(o.Node), 64)]
				return e.MemoryEngine.Open(ctx, o, receive)
			}
		}, "OpenNames"},
	}
}

func beatFaults() []fault {
	return []fault{
		{"Beat reads before it stores", func(e *engine) {
			var before []room.Node
			e.lists(func(nodes []room.Node) []room.Node {
				answer := before
				before = nodes
				return answer
			})
		}, "BeatNumbers OpenAgain OpenNames BeatCut"},
		{"notes of others are old", func(e *engine) {
			var before []room.Node
			e.lists(func(nodes []room.Node) []room.Node {
				own := func(n room.Node) bool { return n.Name == e.options.Node }
				old := slices.DeleteFunc(slices.Clone(before), own)
				before = nodes
				return append(old, nodes[slices.IndexFunc(nodes, own)])
			})
		}, "BeatOthers"},
		{"Beat returns another limit of records", func(e *engine) {
			e.beat = func(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
				nodes, w, err := e.MemoryEngine.Beat(ctx, note)
				w.MaxRecord++
				return nodes, w, err
			}
		}, "BeatWindow"},
		{"numbers grow by two", func(e *engine) {
			e.lists(func(nodes []room.Node) []room.Node {
				for i := range nodes {
					nodes[i].Number *= 2
				}
				return nodes
			})
		}, "BeatNumbers"},
		{"the list has a note twice", func(e *engine) {
			e.lists(func(nodes []room.Node) []room.Node { return append(nodes, nodes...) })
		}, "BeatNumbers BeatOthers"},
		{"notes are cut", func(e *engine) {
			e.beat = func(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
				return e.MemoryEngine.Beat(ctx, note[:min(len(note), 500)])
			}
		}, "BeatSizes"},
		{"the list is read, changed and written", func(e *engine) {
			e.beat = func(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
				_, w, err := e.MemoryEngine.Beat(ctx, note)
				e.c.mu.Lock()
				nodes := map[string]room.Node{}
				for name, n := range e.c.nodes {
					nodes[name] = n
				}
				e.c.mu.Unlock()
				time.Sleep(time.Millisecond)
				nodes[e.options.Node] = room.Node{Name: e.options.Node, Number: nodes[e.options.Node].Number + 1, Note: note}
				e.c.mu.Lock()
				e.c.nodes = nodes
				e.c.mu.Unlock()
				time.Sleep(time.Millisecond)
				e.c.mu.Lock()
				defer e.c.mu.Unlock()
				var list []room.Node
				for _, n := range e.c.nodes {
					list = append(list, n)
				}
				return list, w, err
			}
		}, "BeatAtOnce"},
		{"a closed node is not in the list", func(e *engine) {
			e.close = func() error {
				e.c.mu.Lock()
				defer e.c.mu.Unlock()
				e.c.closed[e.options.Node] = true
				return e.MemoryEngine.Close()
			}
			e.lists(func(nodes []room.Node) []room.Node {
				e.c.mu.Lock()
				defer e.c.mu.Unlock()
				return slices.DeleteFunc(nodes, func(n room.Node) bool { return e.c.closed[n.Name] })
			})
		}, "BeatOthers"},
		{"the window is that of the last beat", func(e *engine) {
			var before room.Window
			e.beat = func(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
				nodes, w, err := e.MemoryEngine.Beat(ctx, note)
				w, before = before, w
				return nodes, w, err
			}
		}, "BeatWindow AppendStored"},
		{"Beat succeeds without a connection", func(e *engine) {
			var list []room.Node
			var window room.Window
			e.beat = func(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
				nodes, w, err := e.MemoryEngine.Beat(ctx, note)
				if err == nil {
					list, window = nodes, w
				}
				return list, window, nil
			}
		}, "BeatCut"},
	}
}

func sendFaults() []fault {
	return []fault{
		{"a message comes twice", func(e *engine) {
			e.send = func(ctx context.Context, to string, msg []byte) error {
				_ = e.MemoryEngine.Send(ctx, to, msg)
				return e.MemoryEngine.Send(ctx, to, msg)
			}
		}, "SendToOne SendToAll SendAtOnce"},
		{"a message comes to its sender", func(e *engine) {
			e.send = func(ctx context.Context, to string, msg []byte) error {
				if to == "" {
					e.receive(e.options.Node, msg)
				}
				return e.MemoryEngine.Send(ctx, to, msg)
			}
		}, "SendToAll SendAtOnce"},
		{"a message to one comes to all", func(e *engine) {
			e.send = func(ctx context.Context, _ string, msg []byte) error { return e.MemoryEngine.Send(ctx, "", msg) }
		}, "SendToOne"},
		{"a message to all comes to one", func(e *engine) {
			e.send = func(ctx context.Context, to string, msg []byte) error {
				if to == "" {
					to = "node-1"
				}
				return e.MemoryEngine.Send(ctx, to, msg)
			}
		}, "SendToAll SendToOne"},
		{"large messages are lost", func(e *engine) {
			e.send = func(ctx context.Context, to string, msg []byte) error {
				if len(msg) > 60000 {
					return nil
				}
				return e.MemoryEngine.Send(ctx, to, msg)
			}
		}, "SendSizes"},
		{"messages are cut", func(e *engine) {
			e.send = func(ctx context.Context, to string, msg []byte) error {
				return e.MemoryEngine.Send(ctx, to, msg[:min(len(msg), 8000)])
			}
		}, "SendSizes"},
		{"receive is called at once", func(e *engine) {
			e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
				return e.MemoryEngine.Open(ctx, o, func(from string, msg []byte) { go receive(from, msg) })
			}
		}, "SendAtOnce"},
	}
}

func callFaults() []fault {
	hang := func(ctx context.Context) {
		if ctx.Err() != nil {
			time.Sleep(time.Minute)
		}
	}
	return []fault{
		{"Append waits for Tail", func(e *engine) {
			e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
				for !e.c.lock.TryLock() {
					time.Sleep(time.Second)
				}
				defer e.c.lock.Unlock()
				return e.MemoryEngine.Tail(ctx, after, apply)
			}
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				for !e.c.lock.TryLock() {
					time.Sleep(time.Second)
				}
				defer e.c.lock.Unlock()
				return e.MemoryEngine.Append(ctx, id, data)
			}
		}, "CallsAtOnce"},
		{"Tail ends with a record only", func(e *engine) {
			e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
				err := e.MemoryEngine.Tail(ctx, after, apply)
				hang(ctx)
				return err
			}
		}, "CallsEnded"},
		{"Send ignores its context", func(e *engine) {
			e.send = func(ctx context.Context, to string, msg []byte) error {
				hang(ctx)
				return e.MemoryEngine.Send(ctx, to, msg)
			}
		}, "CallsEnded"},
		{"Beat waits for a connection", func(e *engine) {
			e.beat = func(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
				for tries := 0; ; tries++ {
					nodes, w, err := e.MemoryEngine.Beat(context.WithoutCancel(ctx), note)
					if err == nil || tries == 100 {
						return nodes, w, err
					}
					time.Sleep(time.Second)
				}
			}
		}, "CallsCut BeatCut"},
		{"Close returns early", func(e *engine) {
			e.close = func() error {
				time.AfterFunc(time.Minute, func() { _ = e.MemoryEngine.Close() })
				return nil
			}
		}, "CloseEndsCalls CloseDuringCut CloseEndsReceive"},
		{"Close removes the log", func(e *engine) {
			e.close = func() error { e.c.Wipe(); return e.MemoryEngine.Close() }
		}, "CloseKeepsLog"},
		{"a goroutine stays", func(e *engine) {
			e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
				go time.Sleep(time.Hour)
				return e.MemoryEngine.Open(ctx, o, receive)
			}
		}, "CloseLeavesNothing"},
	}
}
