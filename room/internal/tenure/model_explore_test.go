package tenure_test

import (
	"fmt"
	"hash/maphash"
	"math"
)

// explore visits every state that a world can reach, the nearest first, until one breaks a rule. It
// returns how many it has visited, and the rule and the steps to that state. It recognizes a state
// that it has visited by a hash of 64 bits.
func explore(w *world) (states int, broken, steps string) {
	type visit struct {
		before int32 // index of the visit that it comes from
		step   step
	}
	type open struct {
		state
		visit int32
	}
	seed := maphash.MakeSeed()
	begin := w.begin()
	seen := map[uint64]struct{}{maphash.Comparable(seed, w.key(&begin)): {}}
	visits := []visit{{before: -1}}
	for now, next := []open{{begin, 0}}, []open(nil); len(now) > 0; now, next = next, now[:0] {
		for i := range now {
			w.next(&now[i].state, func(st step, s *state, breaks string) {
				hash := maphash.Comparable(seed, w.key(s))
				if _, ok := seen[hash]; broken != "" || ok && breaks == "" {
					return
				}
				seen[hash] = struct{}{}
				visits = append(visits, visit{now[i].visit, st})
				if len(visits) == math.MaxInt32 {
					panic("too many states")
				}
				if broken = w.check(s); broken == "" && (w.only == "" || w.only == breaks) {
					broken = breaks
				}
				if broken == "" && !w.final(s) {
					next = append(next, open{*s, int32(len(visits) - 1)})
				}
			})
			if broken != "" {
				for v := visits[len(visits)-1]; v.before >= 0; v = visits[v.before] {
					steps = fmt.Sprintf("\t%v\n%s", v.step, steps)
				}
				return len(visits), broken, steps
			}
		}
	}
	return len(visits), "", ""
}
