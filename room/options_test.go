package room_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

func TestNewHubPanics(t *testing.T) {
	tests := []struct {
		field string
		opts  *room.Options
	}{
		{"Authorize", nil},
		{"Authorize", &room.Options{}},
		{"AuthorizeTimeout", &room.Options{AuthorizeTimeout: -1}},
		{"ReauthorizeEvery", &room.Options{ReauthorizeEvery: -1}},
		{"RemoveAfter", &room.Options{RemoveAfter: -1}},
		{"HistoryEvents", &room.Options{HistoryEvents: -1}},
		{"HistoryBytes", &room.Options{HistoryBytes: -1}},
		{"HistoryAge", &room.Options{HistoryAge: -1}},
		{"HistoryTotal", &room.Options{HistoryTotal: -1}},
		{"MaxPayload", &room.Options{MaxPayload: -1}},
		{"RoomsPerConnection", &room.Options{RoomsPerConnection: -1}},
		{"ConnectionsPerUser", &room.Options{ConnectionsPerUser: -1}},
		{"PresenceLimit", &room.Options{PresenceLimit: -1}},
		{"PingTimeout", &room.Options{PingTimeout: -1}},
		{"WriteTimeout", &room.Options{WriteTimeout: -1}},
		{"FirstMessageTimeout", &room.Options{FirstMessageTimeout: -1}},
		{"Linger", &room.Options{Linger: -1}},
		{"JanitorEvery", &room.Options{JanitorEvery: -1}},
		{"IdleTimeout", &room.Options{IdleTimeout: -1}},
	}
	for _, test := range tests {
		t.Run(test.field, func(t *testing.T) {
			if test.field != "Authorize" {
				test.opts.Authorize = anyone
			}
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, "room: Options."+test.field+" ") {
					t.Errorf("NewHub panics with %q, want the field %s in it", got, test.field)
				}
			}()
			room.NewHub(test.opts)
		})
	}
}

// A duration without a unit is a number of nanoseconds, which is a mistake.
func TestNewHubRefusesDurationsWithoutAUnit(t *testing.T) {
	good := room.Options{Authorize: anyone}
	fields := reflect.ValueOf(&good).Elem()
	tested := 0
	for n := range fields.NumField() {
		name := fields.Type().Field(n).Name
		if fields.Field(n).Type() != reflect.TypeFor[time.Duration]() {
			continue
		}
		tested++
		t.Run(name, func(t *testing.T) {
			opts := room.Options{Authorize: anyone}
			reflect.ValueOf(&opts).Elem().Field(n).SetInt(300)
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, "room: Options."+name+" is 300ns") {
					t.Errorf("NewHub panics with %q, want the field %s in it", got, name)
				}
			}()
			room.NewHub(&opts)
		})
		fields.Field(n).SetInt(int64(time.Millisecond))
	}
	if tested < 10 {
		t.Errorf("%d durations in Options", tested)
	}
	room.NewHub(&good)
}

// NewHub copies the options.
func TestOptionsAreCopied(t *testing.T) {
	opts := &room.Options{Linger: time.Second}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		*opts = room.Options{}
		bob := roomtest.Join(t, h, "bob", "p")
		roomtest.Join(t, h, "alice", "p").Cut()
		time.Sleep(time.Second)
		wantReceived(t, bob, joined("p", "alice", 2), left("p", "alice", 1))
	})
}

// An idle hub and an unused hub have no goroutine. Otherwise the bubble would not end.
func TestUnusedHub(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		room.NewHub(&room.Options{Authorize: anyone})
	})
}
