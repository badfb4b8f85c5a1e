package cost_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/examples/compare/internal/cost"
)

func TestPrint(t *testing.T) {
	sample := func(name string, callP50 float64, change func(*cost.Sample)) cost.Sample {
		s := cost.Sample{
			Contestant: name, Measure: cost.Events, Plans: 10,
			Steady: &cost.Load{Events: 5, Deliveries: 10, CallP50: callP50, ElsewhereP50: 1500},
			One:    &cost.Load{Events: 8, Deliveries: 8, Missing: 2, PerSecond: 123456},
		}
		if change != nil {
			change(&s)
		}
		return s
	}
	disturbed := func(s *cost.Sample) { s.Disturbed = true }
	var b bytes.Buffer
	cost.Print(&b, cost.Quick(), []cost.Sample{
		sample("centrifuge-redis", 0.5, disturbed),
		sample("planrooms-nats-r1", 30, nil),
		sample("planrooms-nats-r1", 10, nil),
		sample("planrooms-nats-r1", 20, nil),
		sample("planrooms-nats-r1", 1000, disturbed), // does not count beside quiet ones
		sample("planrooms-nats-r3", 1, func(s *cost.Sample) { s.Err = "no leader" }),
	})
	for _, want := range []string{
		"| 10 | planrooms-nats-r1 | 20 (10–30) | – | – | – | 1,500 | – | 0 | 3 |\n| 10 | centrifuge-redis | 0.50 | – | – | – | 1,500 | – | 0 | 1 \\* |\n",
		"| 10 | planrooms-nats-r1 | 123,456 | – | 25 | – | – | – | 3 |\n",
		"- planrooms-nats-r3 with 10 plans failed: no leader.\n",
		"- centrifuge-redis: when the call returns, the event is in the memory of the Redis primary.\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the tables have no %q:\n%s", want, b.String())
		}
	}
	for _, unwanted := range []string{"### Memory", "| planrooms |", "| planrooms-nats-r3 |"} {
		if strings.Contains(b.String(), unwanted) {
			t.Errorf("the tables have %q, which was not measured:\n%s", unwanted, b.String())
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 7: "7", 0.123: "0.12", 9.876: "9.88", 98.76: "98.8", 999.4: "999", 1234.5: "1,235", 1234567: "1,234,567", 1e6: "1,000,000", -1234: "-1,234",
	} {
		if got := cost.Number(v); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
}
