package client_test

import (
	"net/http"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/client"
)

func TestPositionOf(t *testing.T) {
	for name, test := range map[string]struct {
		values []string
		want   protocol.Position
		ok     bool
	}{
		"a position": {[]string{"E1.42"}, protocol.Position{Epoch: "E1", Seq: 42}, true},
		"escaped":    {[]string{"a%2Cb.0"}, protocol.Position{Epoch: "a,b"}, true},
		"none":       {nil, protocol.Position{}, false},
		"empty":      {[]string{""}, protocol.Position{}, false},
		"malformed":  {[]string{"42"}, protocol.Position{}, false},
		"two":        {[]string{"E1.42", "E1.43"}, protocol.Position{}, false},
	} {
		got, ok := client.PositionOf(&http.Response{Header: http.Header{transport.HeaderPosition: test.values}})
		if got != test.want || ok != test.ok {
			t.Errorf("%s: %+v, %v, want %+v, %v", name, got, ok, test.want, test.ok)
		}
	}
}

// The position in the header of a plan leads to the events after it.
func TestJoinFromTheHeaderOfASnapshot(t *testing.T) {
	s := newServer(t, config{})
	c := s.dial("ann")
	s.broadcast("demo", 1, 2)
	position, err := s.hub.Position(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	resp := &http.Response{Header: http.Header{}}
	resp.Header.Set(transport.HeaderPosition, position.String())
	s.broadcast("demo", 3, 1) // while the snapshot is on its way
	since, ok := client.PositionOf(resp)
	if !ok || since != position {
		t.Fatalf("PositionOf = %+v, %v, want %+v", since, ok, position)
	}
	want(t, joinSince(t, c, "demo", since), "task 3")
}
