package tenure_test

import (
	"flag"
	"testing"
)

var (
	model = flag.Bool("model", false, "TestModel and TestModelPlanted explore all worlds but those of -deep, which takes some 15 s")
	deep  = flag.Bool("deep", false, "TestModel and TestModelPlanted explore larger worlds, too, which takes minutes and some GB of memory")
)

// skipWorld skips a world that takes too long for each run of the tests.
func skipWorld(t *testing.T, quick, larger bool) {
	t.Helper()
	switch {
	case larger && !*deep:
		t.Skip("only with -deep")
	case !quick && !*model && !*deep:
		t.Skip("only with -model")
	case !quick && raceEnabled:
		t.Skip("too slow under the race detector, and one goroutine does all")
	}
}

// TestModel explores worlds in which the rules of this package have to hold.
func TestModel(t *testing.T) {
	for _, tt := range []struct {
		name  string
		deep  bool
		world world
	}{
		{name: "delays", world: world{ttl: 3, delay: 2, servers: 1, beats: 2, records: 2}},
		{name: "tenures that end early", world: world{ttl: 2, delay: 1, servers: 1, beats: 2, records: 3, ends: 1}},
		{name: "beats that are stored late or twice", world: world{ttl: 2, delay: 1, servers: 1, beats: 2, records: 2, late: true, twice: 1}},
		{name: "lists that are old or lack a node", world: world{ttl: 2, delay: 1, servers: 1, beats: 2, records: 2, stale: true, lacking: true}},
		{name: "nodes that are gone", world: world{ttl: 2, delay: 1, servers: 1, beats: 2, records: 1, times: true}},
		{name: "suspended machines", world: world{ttl: 5, delay: 0, servers: 1, begun: true, beats: 1, records: 2, asleep: 2}},
		{name: "trimmed records", world: world{ttl: 2, delay: 0, servers: 1, begun: true, beats: 1, records: 2, trims: 1}},
		{name: "trimmed records, and a young caller", world: world{ttl: 2, delay: 0, servers: 1, begun: true, beats: 1, records: 2, trims: 1, opensLate: true}},
		{name: "epochs", world: world{ttl: 2, delay: 0, servers: 1, begun: true, beats: 1, records: 2, recreates: 1, forgets: true}},
		{name: "two servers", world: world{ttl: 2, delay: 1, servers: 2, begun: true, beats: 0, records: 3}},

		{name: "more beats", deep: true, world: world{ttl: 2, delay: 1, servers: 1, beats: 3, records: 3}},
		{name: "more old lists", deep: true, world: world{ttl: 3, delay: 2, servers: 1, beats: 2, records: 3, stale: true, lacking: true, late: true}},
		{name: "more suspended machines", deep: true, world: world{ttl: 5, delay: 1, servers: 1, beats: 2, records: 2, asleep: 2}},
		{name: "more trimmed records", deep: true, world: world{ttl: 2, delay: 1, servers: 1, beats: 2, records: 3, trims: 1, opensLate: true}},
		{name: "more epochs", deep: true, world: world{ttl: 2, delay: 0, servers: 1, begun: true, beats: 2, records: 2, recreates: 1, forgets: true}},
		{name: "two servers that beat", deep: true, world: world{ttl: 2, delay: 0, servers: 2, begun: true, beats: 1, records: 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			skipWorld(t, tt.name == "two servers", tt.deep)
			states, broken, steps := explore(&tt.world)
			t.Logf("%d states", states)
			if broken != "" {
				t.Errorf("broken: %s\n%s", broken, steps)
			}
		})
	}
}

// TestModelPlanted shows that the model notices when a rule of the package is missing.
func TestModelPlanted(t *testing.T) {
	small := world{ttl: 2, delay: 1, servers: 1, beats: 2, records: 2, only: ruleRevoke}
	begun := world{ttl: 2, delay: 0, servers: 1, beats: 1, records: 2, only: ruleRevoke, begun: true}
	for _, tt := range []struct {
		name  string
		deep  bool
		fault planted
		world world
		more  func(w *world)
	}{
		{name: "any own record opens the gate", fault: planted{anyRecord: true}, world: small},
		{name: "the record of the tenure before opens the gate", fault: planted{oldRecord: true}, world: small},
		{name: "a late answer extends the tenure", fault: planted{lateAnswer: true}, world: small},
		{name: "a trimmed record keeps the gate open", deep: true, fault: planted{trimmedRecord: true}, world: begun,
			more: func(w *world) { w.trims, w.beats = 1, 3 }},
		{name: "a suspension is not noticed", fault: planted{sleeps: true}, world: begun, more: func(w *world) { w.ttl, w.asleep = 5, 3 }},
		{name: "a gate without a wall clock", fault: planted{gateSleeps: true}, world: begun, more: func(w *world) { w.ttl, w.asleep = 5, 3 }},
		{name: "a note says that a tenure has ended during a write", fault: planted{shutsEarly: true}, world: small,
			more: func(w *world) { w.ends = 1 }},
		{name: "lists from before the record count", fault: planted{earlyVerdict: true}, world: small},
		{name: "absence is a verdict", fault: planted{absence: true}, world: small, more: func(w *world) { w.lacking = true }},
		{name: "old lists count", fault: planted{staleLists: true}, world: small, more: func(w *world) { w.stale = true }},
		{name: "old lists count: who is gone", fault: planted{staleLists: true}, world: small,
			more: func(w *world) { w.stale, w.times, w.only, w.records = true, true, ruleGone, 1 }},
		{name: "lists count until their answer", fault: planted{askedLate: true}, world: small},
		{name: "lists count from their question", fault: planted{answeredEarly: true}, world: small},
		{name: "a record that is stored late is the newest one", fault: planted{lateRecord: true}, world: small,
			more: func(w *world) { w.records, w.ends = 3, 1 }},
		{name: "a note ends a newer tenure", fault: planted{anyShut: true}, world: small, more: func(w *world) { w.ends = 1 }},
		{name: "a young caller does not wait for a list", fault: planted{unlisted: true}, world: begun,
			more: func(w *world) { w.trims, w.opensLate = 1, true }},
		{name: "the caller does not wait until it has applied R", fault: planted{unapplied: true}, world: small},
		{name: "members need no check in a new epoch", fault: planted{keepsMembers: true}, world: small, more: func(w *world) { w.recreates = 1 }},
		{name: "a new epoch has only nodes that it shows", fault: planted{noReset: true}, world: begun, more: func(w *world) { w.recreates = 1 }},
		{name: "acks of another epoch count", fault: planted{noEpoch: true}, world: begun, more: func(w *world) { w.recreates, w.others = 1, 1 }},
		{name: "acks of a node with the same name count", fault: planted{reusedName: true}, world: begun,
			more: func(w *world) { w.servers, w.beats, w.records = 2, 0, 3 }},
		{name: "nobody judges", fault: planted{neverJudges: true}, world: small, more: func(w *world) { w.only = ruleReturns }},
		{name: "a verdict on the living", fault: planted{absence: true}, world: small, more: func(w *world) { w.lacking, w.only = true, ruleEnded }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			skipWorld(t, false, tt.deep)
			w := tt.world
			if w.planted = tt.fault; tt.more != nil {
				tt.more(&w)
			}
			states, broken, steps := explore(&w)
			t.Logf("%d states; %s\n%s", states, broken, steps)
			if broken == "" {
				t.Error("the fault breaks no rule")
			}
		})
	}
}
