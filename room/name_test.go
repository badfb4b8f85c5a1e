package room_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A name is cut after 64 code points wherever it comes from, and never within one.
func TestNameIsCut(t *testing.T) {
	for name, test := range map[string]struct{ name, want string }{
		"ASCII":            {strings.Repeat("x", 100_000), strings.Repeat("x", 64)},
		"four bytes each":  {strings.Repeat("😀", 65), strings.Repeat("😀", 64)},
		"exactly as long":  {strings.Repeat("ä", 64), strings.Repeat("ä", 64)},
		"one more":         {strings.Repeat("ä", 64) + "x", strings.Repeat("ä", 64)},
		"of broken UTF-8":  {strings.Repeat("\xff", 65), strings.Repeat("\ufffd", 64)},
		"short":            {"Ann", "Ann"},
		"without any name": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				bob := roomtest.Join(t, h, "bob", "p")
				v := auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) {
					return auth.Identity{UserID: "ann", Name: "Z" + test.name}, nil
				})
				ann := roomtest.Connect(t, h, auth.Identity{UserID: "ann", Name: test.name}, &roomtest.Options{Verifier: v})
				ann.Join("p", nil)
				if got := ann.Joined.Participants[1].UserName; got != test.want {
					t.Errorf("the answer to the join has the name %q", got)
				}
				var joined protocol.Joined
				mustDecode(t, bob.NextMessage(), &joined)
				if joined.UserName != test.want {
					t.Errorf("the other members received the name %q", joined.UserName)
				}
				if got := ann.Session().Identity().Name; len(got) > 4*64 {
					t.Errorf("the identity has a name of %d bytes", len(got))
				}
				ann.Request(protocol.Request{Type: protocol.TypeAuthenticate, Token: "t"})
				synctest.Wait()
				info, _ := h.Room("p")
				if got := info.People[1].UserName; !strings.HasPrefix(got, "Z") || utf8.RuneCountInString(got) > 64 {
					t.Errorf("the name after authenticate is %q", got)
				}
			})
		})
	}
}
