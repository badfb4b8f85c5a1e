package bus_test

import (
	"encoding/json"
	"testing"

	"github.com/planrooms/planrooms/examples/integrations/bus"
	"github.com/planrooms/planrooms/examples/integrations/internal/kit"
	"github.com/planrooms/planrooms/transport/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m) }

func TestBus(t *testing.T) {
	kit.TestHost(t, func(t *testing.T) *kit.Host {
		store, messages := bus.NewStore(), &bus.Bus{}
		live := bus.NewLive(store, messages)
		return &kit.Host{
			URL:       kit.Serve(t, bus.New(store, messages, live), live.Hub),
			Plans:     "/lists/",
			Hub:       live.Hub,
			Move:      func(listID string) any { return map[string]json.Number{"listId": json.Number(listID)} },
			Drain:     messages.Wait,
			Ann:       kit.Bearer("token-of-ann"),
			Bob:       kit.Bearer("token-of-bob"),
			BobsPhone: kit.Bearer("token-of-bobs-phone"),
			Cleo:      kit.Bearer("token-of-cleo"),
			Visitor:   kit.Bearer("link-5"),
		}
	})
}
