package roster_test

import (
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/roster"
)

// Nodes of two releases read each other: these bytes never change.
const (
	goldenDelta = "01" +
		"1b" + "07" + "0170" + "03616e6e" + "03416e6e" + "02" + "8080a0bbd29df1fa31" + "03" + "04" + "037b7d20" +
		"05" + "00" + "03626f62" +
		"06" + "02" + "0171" + "02636a"
	goldenPage = "01" + "01" + "01" + "01" +
		"1b" + "07" + "0170" + "03616e6e" + "03416e6e" + "02" + "8080a0bbd29df1fa31" + "03" + "04" + "037b7d20"
)

func TestGoldenBytes(t *testing.T) {
	ann := roster.Person{
		UserID: "ann", UserName: "Ann", NameAt: 2, JoinedAt: time.Unix(1_800_000_000, 0), Connections: 3,
		State: []byte("{} "), StateAt: 4,
	}
	own := roster.NewOwn()
	own.Set("p", ann)
	own.Set("p", person("bob"))
	own.Remove("p", "bob")
	own.Set("q", person("cj"))
	own.Remove("q", "cj")
	if got := hex.EncodeToString(delta(t, own)); got != goldenDelta {
		t.Errorf("delta\n%s, want\n%s", got, goldenDelta)
	}
	if got := hex.EncodeToString(own.Pages(maxBytes)[0]); got != goldenPage {
		t.Errorf("page\n%s, want\n%s", got, goldenPage)
	}
	ann.NameBy, ann.StateBy = "a", "a"
	for _, take := range []func(x *roster.Others){
		func(x *roster.Others) { x.Delta("a", unhex(goldenDelta)) },
		func(x *roster.Others) { x.Page("a", unhex(goldenPage)) },
	} {
		x := others("a")
		take(x)
		got, _ := x.Merged("p", "ann")
		if diff := cmp.Diff(ann, got); diff != "" {
			t.Error(diff)
		}
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestEntryOfLaterVersion(t *testing.T) {
	x := others("a")
	// An unknown flag, and a field behind the known ones.
	body := unhex("01" + "0e" + "f3" + "0170" + "026a6a" + "014a" + "00" + "00" + "01" + "ffffff")
	pass(t, x, "a", body)
	if p, ok := x.Merged("p", "jj"); !ok || p.UserName != "J" || p.Connections != 1 {
		t.Errorf("%+v, %v", p, ok)
	}
}

func TestBrokenBodies(t *testing.T) {
	delta, page := unhex(goldenDelta), unhex(goldenPage)
	for n := range delta {
		x := others("a")
		changed, gap := x.Delta("a", delta[:n])
		if whole := n == 1 || n == 29 || n == 35; gap == whole || (len(changed) > 0) != (n > 1 && whole) {
			t.Errorf("the first %d bytes of a delta: gap %v, changed %v", n, gap, changed)
		}
	}
	for n := range page {
		x := others("a")
		if changed, again := x.Page("a", page[:n]); len(changed) > 0 || again {
			t.Errorf("the first %d bytes of a page: changed %v, again %v", n, changed, again)
		}
	}
	x := others("a")
	for _, numbers := range []string{"01010001", "01010200", "01010201", "0101" + strings.Repeat("ff", 9) + "02" + "01"} {
		if changed, again := x.Page("a", append(unhex(numbers), page[4:]...)); len(changed) > 0 || again {
			t.Errorf("page %s: changed %v, again %v", numbers, changed, again)
		}
	}
	huge := unhex("01" + "ffffffffffffffffff01" + "00")
	if changed, gap := x.Delta("a", huge); len(changed) > 0 || !gap {
		t.Errorf("an entry of 2^64-1 bytes: changed %v, gap %v", changed, gap)
	}
	x = others("a")
	if changed, gap := x.Delta("a", unhex("ffffffffffffffffff02")); len(changed) > 0 || !gap || x.Behind("a", 0) {
		t.Errorf("a number of 65 bits: changed %v, gap %v", changed, gap)
	}
	// A node that says that it has very many pages costs only what has arrived.
	before := x.Bytes()
	x.Page("a", append(unhex("0101"+"01"+"ffffffffffffffff7f"), page[4:]...))
	if n := x.Bytes() - before; n <= 0 || n > 200 {
		t.Errorf("a page uses %d bytes", n)
	}
}

// TestValuesThatClientsMustNotReceive passes what the hub of another node never lists.
func TestValuesThatClientsMustNotReceive(t *testing.T) {
	own, x := roster.NewOwn(), others("a")
	set := func(plan string, change func(*roster.Person)) {
		p := person("ann")
		p.State, p.StateAt = []byte("1"), 1
		change(&p)
		own.Set(plan, p)
	}
	set(strings.Repeat("p", protocol.MaxPlanIDBytes+1), func(p *roster.Person) {})
	set("bad\n", func(p *roster.Person) {})
	set("plan", func(p *roster.Person) { p.UserID = "\xff" })
	set("plan", func(p *roster.Person) { p.UserID = strings.Repeat("u", protocol.MaxUserIDBytes+1) })
	set("plan", func(p *roster.Person) { p.UserID, p.State = "bad state", []byte("{") })
	set("plan", func(p *roster.Person) {
		p.UserID, p.State = "long state", []byte(strings.Repeat("1", protocol.MaxStateBytes+1))
	})
	set("plan", func(p *roster.Person) { p.UserID, p.UserName = "long name", strings.Repeat("ä", 500) })
	set("plan", func(p *roster.Person) { p.UserID, p.Connections = "many", math.MaxInt })
	set("plan", func(p *roster.Person) { p.UserID, p.Connections = "negative", -1 })
	pass(t, x, "a", delta(t, own))
	wantUsers(t, x, "bad\n")
	wantUsers(t, x, "plan", "bad state", "long name", "long state", "many", "negative")
	for p := range x.Plan("plan") {
		if hasState := !strings.HasSuffix(p.UserID, "state"); (p.State != nil) != hasState {
			t.Errorf("%s has the state %q", p.UserID, p.State)
		}
		if len(p.UserName) > 300 || !slices.Contains([]int{0, 1, 1 << 20}, p.Connections) {
			t.Errorf("%s has a name of %d bytes and %d connections", p.UserID, len(p.UserName), p.Connections)
		}
	}
	// A stamp that leaves no higher one.
	high := person("high")
	high.NameAt = math.MaxUint64
	own.Set("plan", high)
	if _, gap := x.Delta("a", delta(t, own)); !gap {
		t.Error("a stamp of 2^64-1 is taken")
	}
}
