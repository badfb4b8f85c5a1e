package transport_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// TestAuthor broadcasts changes that ann made, with Author and with CaptureAuthor and AuthorFrom.
// It checks what two tabs of ann and one of bob receive.
func TestAuthor(t *testing.T) {
	type received struct {
		Type           protocol.Type
		By, MutationID string
	}
	updated := func(mutation string) received { return received{protocol.TypeTaskUpdated, "ann", mutation} }
	receipt := func(mutation string) received { return received{protocol.TypeReceipt, "ann", mutation} }
	cases := []struct {
		name             string
		client, mutation string
		tab1, bob        received
	}{
		{"no headers", "", "", updated(""), updated("")},
		{"client", "tab1", "", receipt(""), updated("")},
		{"both", "tab1", "m-1", receipt("m-1"), updated("m-1")},
		{"mutation", "", "m-1", updated("m-1"), updated("m-1")},
		{"client of another user", "bobs", "", updated(""), updated("")},
		{"malformed client", "tab1,tab2", "m_2", updated("m_2"), updated("m_2")},
		{"malformed mutation", "tab1", "a b", receipt(""), updated("")},
		{"long mutation", "tab1", strings.Repeat("m", 65), receipt(""), updated("")},
	}
	s := newServer(t, config{})
	tab1 := dialWith(t, s.Server, handshake{query: "?client=tab1", token: tokenOf("ann")})
	tab2 := dialWith(t, s.Server, handshake{query: "?client=tab2", token: tokenOf("ann")})
	bob := dialWith(t, s.Server, handshake{query: "?client=bobs", token: tokenOf("bob")})
	for _, c := range []*client{tab1, tab2, bob} {
		c.join("p")
	}
	event := func(c *client) received {
		for {
			if m := c.next(); m.Seq > 0 {
				return received{m.Type, m.By, m.MutationID}
			}
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPatch, "/tasks/1", nil)
			if c.client != "" {
				r.Header.Set(transport.HeaderClient, c.client)
			}
			if c.mutation != "" {
				r.Header.Set(transport.HeaderMutation, c.mutation)
			}
			captured := transport.CaptureAuthor(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				for name, author := range map[string]room.BroadcastOption{"Author": transport.Author(r, "ann"), "AuthorFrom": room.AuthorFrom(r.Context(), "ann")} {
					if _, err := s.hub.BroadcastTaskUpdated(r.Context(), "p", 1, author); err != nil {
						t.Fatal(err)
					}
					for _, x := range []struct {
						who  string
						c    *client
						want received
					}{{"tab1", tab1, c.tab1}, {"tab2", tab2, c.bob}, {"bob", bob, c.bob}} {
						if diff := cmp.Diff(x.want, event(x.c)); diff != "" {
							t.Errorf("%s: %s received (-want +got):\n%s", name, x.who, diff)
						}
					}
				}
			}))
			captured.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
}
