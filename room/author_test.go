package room_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

func TestAuthorAsText(t *testing.T) {
	for want, a := range map[string]room.Author{
		"":          {},
		"tab-1.m_1": {ClientID: "tab-1", MutationID: "m_1"},
		"tab1.":     {ClientID: "tab1"},
		".m1":       {MutationID: "m1"},
	} {
		text, err := a.MarshalText()
		if err != nil || string(text) != want {
			t.Errorf("MarshalText of %+v = %q, %v, want %q", a, text, err, want)
		}
		got := room.Author{ClientID: "before"}
		if err := got.UnmarshalText(text); err != nil || got != a {
			t.Errorf("UnmarshalText(%q) = %+v, %v, want %+v", text, got, err, a)
		}
	}
	malformed := room.Author{ClientID: "tab.1", MutationID: strings.Repeat("m", 65)}
	if text, err := malformed.MarshalText(); err != nil || len(text) > 0 {
		t.Errorf("MarshalText of malformed IDs = %q, %v", text, err)
	}
	for _, text := range []string{"tab1", ".", "a.b.c", "a b.c", "tab1.m\n", "é.", strings.Repeat("m", 65) + ".m"} {
		kept := room.Author{ClientID: "kept"}
		if err := kept.UnmarshalText([]byte(text)); !errors.Is(err, room.ErrAuthor) || kept.ClientID != "kept" {
			t.Errorf("UnmarshalText(%q) = %+v, %v, want ErrAuthor", text, kept, err)
		}
	}
	if b, err := json.Marshal(map[string]room.Author{"author": {ClientID: "tab1", MutationID: "m1"}}); err != nil || string(b) != `{"author":"tab1.m1"}` {
		t.Errorf("as JSON: %s, %v", b, err)
	}
}

// A message can carry the author of a context, without the user.
func TestAuthorIn(t *testing.T) {
	author := room.Author{ClientID: "tab", MutationID: "m-1"}
	if got := room.AuthorIn(room.WithAuthor(t.Context(), author)); got != author {
		t.Errorf("AuthorIn = %+v, want %+v", got, author)
	}
	if got := room.AuthorIn(room.WithAuthor(t.Context(), room.Author{ClientID: "tab.1", MutationID: "m-1"})); got != (room.Author{MutationID: "m-1"}) {
		t.Errorf("AuthorIn with a malformed ID = %+v", got)
	}
	if got := room.AuthorIn(t.Context()); got != (room.Author{}) {
		t.Errorf("AuthorIn without an author = %+v", got)
	}
}

// The author of a change comes from the option alone, and its user is always the one passed.
func TestAuthorFrom(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		tab, bobs := connect(t, h, "ann", "tab"), connect(t, h, "bob", "tab")
		tab.Join("p", nil)
		bobs.Join("p", nil)
		other := roomtest.Join(t, h, "ann", "p")
		author := room.Author{ClientID: "tab", MutationID: "m-1"}
		for name, test := range map[string]struct {
			author room.Author
			user   string
			tab    protocol.Type // what ann's tab gets
			want   string        // author and mutation
		}{
			"both":             {author, "ann", protocol.TypeReceipt, "ann m-1"},
			"of bob":           {author, "bob", protocol.TypeTaskUpdated, "bob m-1"},
			"no client":        {room.Author{MutationID: "m-1"}, "ann", protocol.TypeTaskUpdated, "ann m-1"},
			"no mutation":      {room.Author{ClientID: "tab"}, "ann", protocol.TypeReceipt, "ann "},
			"none":             {room.Author{}, "ann", protocol.TypeTaskUpdated, "ann "},
			"no user":          {author, "", protocol.TypeTaskUpdated, " m-1"},
			"malformed client": {room.Author{ClientID: "t b", MutationID: "m-1"}, "ann", protocol.TypeTaskUpdated, "ann m-1"},
			"malformed":        {room.Author{ClientID: "tab", MutationID: "m 1"}, "ann", protocol.TypeReceipt, "ann "},
		} {
			ctx := room.WithAuthor(t.Context(), test.author)
			for _, opt := range []room.BroadcastOption{room.AuthorFrom(ctx, test.user), test.author.By(test.user)} {
				if _, err := h.BroadcastTaskUpdated(ctx, "p", 1, opt); err != nil {
					t.Fatal(err)
				}
				got, others := tab.Next(), other.Next()
				if got.Type != test.tab || got.By+" "+got.MutationID != test.want || others.Type != protocol.TypeTaskUpdated || others.By != got.By {
					t.Errorf("%s: the tab got %s by %q, mutation %q, the other tab %s by %q", name, got.Type, got.By, got.MutationID, others.Type, others.By)
				}
				if m := bobs.Next(); m.Type == protocol.TypeReceipt != (test.user == "bob") {
					t.Errorf("%s: bob's tab with the same client ID got %s", name, m.Type)
				}
			}
		}
		ctx := room.WithAuthor(t.Context(), author)
		if _, err := h.BroadcastTaskUpdated(ctx, "p", 1); err != nil {
			t.Fatal(err)
		}
		if got := tab.Next(); got.Type != protocol.TypeTaskUpdated || got.By != "" || got.MutationID != "" {
			t.Errorf("Broadcast has read the author from its context: %+v", got)
		}
		if _, err := h.BroadcastTaskUpdated(ctx, "p", 1, room.AuthorFrom(context.Background(), "ann")); err != nil {
			t.Fatal(err)
		}
		if got := tab.Next(); got.Type != protocol.TypeTaskUpdated || got.By != "ann" {
			t.Errorf("a context without an author: %+v", got)
		}
	})
}
