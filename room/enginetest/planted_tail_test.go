package enginetest_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/planrooms/planrooms/room"
)

func tailFaults() []fault {
	skip := func(n uint64) func(records []room.Record) []room.Record {
		return func(records []room.Record) []room.Record {
			return slices.DeleteFunc(records, func(r room.Record) bool { return r.Seq%n == 0 })
		}
	}
	return []fault{
		{"Tail has gaps", func(e *engine) { e.each(skip(7)) }, "TailFromEverySeq AppendOrder"},
		{"Tail delivers twice", func(e *engine) {
			e.each(func(records []room.Record) []room.Record { return append(records, records[len(records)-1]) })
		}, "TailFromEverySeq AppendOrder"},
		{"Tail is out of order", func(e *engine) {
			e.each(func(records []room.Record) []room.Record {
				if len(records) > 3 {
					records[1], records[2] = records[2], records[1]
				}
				return records
			})
		}, "TailFromEverySeq"},
		{"Tail begins with the seq itself", func(e *engine) {
			e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
				return e.MemoryEngine.Tail(ctx, max(after, 1)-1, apply)
			}
		}, "TailFromEverySeq"},
		{"nodes have the records in another order", func(e *engine) {
			e.each(func(records []room.Record) []room.Record {
				if e.options.Node == "node-2" && len(records) > 2 {
					records[0].Data, records[1].Data = records[1].Data, records[0].Data
				}
				return records
			})
		}, "TailFromEverySeq"},
		{"Tail returns nil", func(e *engine) {
			e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
				_ = e.MemoryEngine.Tail(ctx, after, apply)
				return nil
			}
		}, "TailEnds CallsEnded"},
		{"Tail returns the cause of its context", func(e *engine) {
			e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
				if err := e.MemoryEngine.Tail(ctx, after, apply); ctx.Err() == nil {
					return err
				}
				return context.Cause(ctx)
			}
		}, "TailEnds"},
		{"Tail is woken by the next record", func(e *engine) {
			var held []room.Record
			e.each(func(records []room.Record) []room.Record {
				records = append(held, records...)
				held = records[len(records)-1:]
				return records[:len(records)-1]
			})
		}, "AppendStored TailEnds"},
		{"Append waits for apply", func(e *engine) {
			var mu sync.Mutex
			e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
				return e.MemoryEngine.Tail(ctx, after, func(records []room.Record) {
					mu.Lock()
					defer mu.Unlock()
					apply(records)
				})
			}
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				for !mu.TryLock() {
					time.Sleep(time.Second)
				}
				defer mu.Unlock()
				return e.MemoryEngine.Append(ctx, id, data)
			}
		}, "TailSlow"},
		{"the data of records is used again", func(e *engine) {
			buf := make([]byte, 1<<20)
			e.each(func(records []room.Record) []room.Record {
				n := 0
				for i, r := range records {
					records[i].Data = buf[n : n+copy(buf[n:], r.Data)]
					n += len(r.Data)
				}
				return records
			})
		}, "TailDataStays"},
		{"Append changes its argument", func(e *engine) {
			e.append = func(ctx context.Context, id string, data []byte) (uint64, error) {
				seq, err := e.MemoryEngine.Append(ctx, id, bytes.Clone(data))
				clear(data)
				return seq, err
			}
		}, "TailDataStays"},
		{"Tail misses what is stored during a cut", func(e *engine) {
			e.each(func(records []room.Record) []room.Record {
				return slices.DeleteFunc(records, func(r room.Record) bool {
					return bytes.HasPrefix(r.Data, []byte("during"))
				})
			})
		}, "TailCut Restart"},
		{"Tail repeats a record after a cut", func(e *engine) {
			e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
				var last []room.Record
				return e.MemoryEngine.Tail(ctx, after, func(records []room.Record) {
					if e.healed.Swap(false) {
						apply(last)
					}
					last = slices.Clone(records)
					apply(records)
				})
			}
		}, "TailCut Chaos"},
		{"Tail goes on behind a trimmed part", func(e *engine) {
			e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
				for {
					err := e.MemoryEngine.Tail(ctx, after, apply)
					var trimmed *room.TrimmedError
					if !errors.As(err, &trimmed) {
						return err
					}
					after = trimmed.First - 1
				}
			}
		}, "Trim TrimAll TrimDuringTail Hole"},
		{"Tail goes on behind a part that is trimmed meanwhile", func(e *engine) {
			e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
				any := false
				for {
					err := e.MemoryEngine.Tail(ctx, after, func(records []room.Record) { any = true; apply(records) })
					var trimmed *room.TrimmedError
					if !any || !errors.As(err, &trimmed) {
						return err
					}
					after = trimmed.First - 1
				}
			}
		}, "TrimDuringTail"},
		{"the error names another seq", func(e *engine) {
			e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
				err := e.MemoryEngine.Tail(ctx, after, apply)
				var trimmed *room.TrimmedError
				if errors.As(err, &trimmed) {
					return &room.TrimmedError{First: trimmed.First - 1}
				}
				return err
			}
		}, "Trim TrimAll Hole"},
		{"the window ignores gaps", func(e *engine) {
			e.windows(func(w room.Window) room.Window { w.First = 1; return w })
		}, "Trim Hole"},
		{"an empty log has no last seq", func(e *engine) {
			e.windows(func(w room.Window) room.Window {
				if w.First > w.Last {
					w.First, w.Last = 1, 0
				}
				return w
			})
		}, "TrimAll"},
		{"the epoch changes with each restart", func(e *engine) {
			restarted := ""
			e.c.restart = func() { restarted = "again"; e.c.memoryCluster.Restart() }
			e.windows(func(w room.Window) room.Window { w.Epoch += restarted; return w })
		}, "Restart"},
		{"a restart loses a record", func(e *engine) { e.c.restart = func() { e.c.LoseTail(1) } }, "Restart"},
	}
}
