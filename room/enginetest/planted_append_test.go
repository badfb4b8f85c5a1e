package enginetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/planrooms/planrooms/room"
)

func appendFaults() []fault {
	return []fault{
		{"IDs are ignored", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				return e.MemoryEngine.Append(ctx, fmt.Sprint(id, e.c.next()), data)
			}
		}, "AppendSameID AppendSameIDAtOnce"},
		{"IDs are known on one node only", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				return e.MemoryEngine.Append(ctx, e.options.Node+id, data)
			}
		}, "AppendSameID AppendSameIDAtOnce"},
		{"an ID is looked up before the record is stored", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				e.c.mu.Lock()
				seq := e.c.seqs[id]
				e.c.mu.Unlock()
				if seq > 0 {
					return seq, nil
				}
				time.Sleep(time.Millisecond)
				seq, err := e.MemoryEngine.Append(ctx, fmt.Sprint(id, e.c.next()), data)
				e.c.mu.Lock()
				defer e.c.mu.Unlock()
				e.c.seqs[id] = seq
				return seq, err
			}
		}, "AppendSameIDAtOnce"},
		{"Append does not wait until the record is stored", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				time.AfterFunc(time.Second, func() { _, _ = e.MemoryEngine.Append(ctx, id, data) })
				return e.c.next(), nil
			}
		}, "AppendStored BeatWindow"},
		{"two records have one seq", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				seq, err := e.MemoryEngine.Append(ctx, id, data)
				if seq%10 == 0 {
					seq--
				}
				return seq, err
			}
		}, "AppendOrder"},
		{"seqs have gaps", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				if e.c.next()%10 == 0 {
					_, _ = e.MemoryEngine.Append(ctx, id+" lost", data)
				}
				return e.MemoryEngine.Append(ctx, id, data)
			}
			e.each(func(records []room.Record) []room.Record {
				return slices.DeleteFunc(records, func(r room.Record) bool { return r.Seq%10 == 0 })
			})
		}, "AppendOrder"},
		{"the error of a record that is too large is uncertain", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				seq, err := e.MemoryEngine.Append(ctx, id, data)
				if err != nil {
					err = room.ErrUncertain
				}
				return seq, err
			}
		}, "AppendSizes"},
		{"a record that is too large is repeated", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				seq, err := e.MemoryEngine.Append(ctx, id, data)
				if err != nil {
					<-ctx.Done()
				}
				return seq, err
			}
		}, "AppendSizes"},
		{"the largest record is smaller than Open has said", func(e *engine) {
			e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
				opened, err := e.MemoryEngine.Open(ctx, o, receive)
				opened.MaxRecord++
				return opened, err
			}
		}, "AppendSizes"},
		{"an uncertain record is said to be lost", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				seq, err := e.MemoryEngine.Append(ctx, id, data)
				if errors.Is(err, room.ErrUncertain) {
					err = ctx.Err()
				}
				return seq, err
			}
		}, "AppendStalled"},
		{"a record whose answer is lost is said to be lost", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				seq, err := e.MemoryEngine.Append(context.WithoutCancel(ctx), id, data)
				if ctx.Err() != nil {
					return 0, ctx.Err()
				}
				return seq, err
			}
		}, "Chaos AppendEnded"},
		{"a stalled record is sent again with another ID", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				try, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
				seq, err := e.MemoryEngine.Append(try, id, data)
				if errors.Is(err, room.ErrUncertain) {
					return e.MemoryEngine.Append(ctx, id+" again", data)
				}
				return seq, err
			}
		}, "AppendStalled"},
		{"a record is stored after its context has ended", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				seq, err := e.MemoryEngine.Append(context.WithoutCancel(ctx), id, data)
				return seq, errors.Join(err, ctx.Err())
			}
		}, "AppendEnded"},
		{"Append succeeds without a connection", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				seq, err := e.MemoryEngine.Append(ctx, id, data)
				if errors.Is(err, room.ErrUncertain) {
					return e.c.next() + 1000, nil
				}
				return seq, err
			}
		}, "AppendCut AppendStalled"},
		{"Append ignores its context", func(e *engine) {
			e.append = func(_ context.Context, id string, data []byte) (uint64, error) {
				return e.MemoryEngine.Append(context.Background(), id, data)
			}
		}, "AppendCut CallsCut"},
		{"Append gives up early", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				try, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
				return e.MemoryEngine.Append(try, id, data)
			}
		}, "AppendRepeats"},
	}
}

func lossFaults() []fault {
	return []fault{
		{"Tail goes on after a loss", func(e *engine) {
			e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
				for {
					err := e.MemoryEngine.Tail(ctx, after, func(records []room.Record) {
						after = records[len(records)-1].Seq
						apply(records)
					})
					if !errors.Is(err, room.ErrEpoch) {
						return err
					}
					e.reopen(ctx)
					time.Sleep(time.Second)
				}
			}
		}, allLosses},
		{"Beat does not see a loss", func(e *engine) {
			e.beat = func(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
				nodes, w, err := e.MemoryEngine.Beat(ctx, note)
				if errors.Is(err, room.ErrEpoch) {
					e.reopen(ctx)
					return e.MemoryEngine.Beat(ctx, note)
				}
				return nodes, w, err
			}
		}, allLosses},
		{"a loss is told once", func(e *engine) {
			told := false
			e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
				err := e.MemoryEngine.Tail(ctx, after, apply)
				if errors.Is(err, room.ErrEpoch) && told {
					<-ctx.Done()
					return ctx.Err()
				}
				told = told || errors.Is(err, room.ErrEpoch)
				return err
			}
		}, "LoseTail"},
		{"a log with losses is called complete", func(e *engine) {
			e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
				opened, err := e.MemoryEngine.Open(ctx, o, receive)
				opened.Complete = true
				return opened, err
			}
		}, "LoseTail LoseTailRefilled Restore RestoreRefilled"},
	}
}
