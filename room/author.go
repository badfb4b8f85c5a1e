package room

import (
	"context"
	"errors"
	"strings"

	"github.com/planrooms/planrooms/protocol"
)

// Author identifies the client that requested a change, for code that broadcasts the change later
// or elsewhere: it travels in a context ([WithAuthor]), and as text in the metadata of a message.
// It does not contain the user: the code that broadcasts passes the user that the host has
// verified.
type Author struct {
	ClientID   string // "" if unknown
	MutationID string // "" if there is none
}

// ErrAuthor is returned by [Author.UnmarshalText] for text that [Author.MarshalText] does not make.
var ErrAuthor = errors.New("room: invalid author")

// MarshalText returns the client ID and the mutation ID with a dot between them. It omits an ID
// that is not valid. The zero Author is the empty text. The error is always nil.
func (a Author) MarshalText() ([]byte, error) {
	if a = a.valid(); a == (Author{}) {
		return nil, nil
	}
	return []byte(a.ClientID + "." + a.MutationID), nil
}

// UnmarshalText is the reverse of [Author.MarshalText]. Error: [ErrAuthor].
func (a *Author) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = Author{}
		return nil
	}
	client, mutation, ok := strings.Cut(string(text), ".")
	got := Author{ClientID: client, MutationID: mutation}
	if !ok || got == (Author{}) || got != got.valid() {
		return ErrAuthor
	}
	*a = got
	return nil
}

// valid returns a without the IDs that are not valid.
func (a Author) valid() Author {
	if !protocol.ValidClientID(a.ClientID) {
		a.ClientID = ""
	}
	if !protocol.ValidMutationID(a.MutationID) {
		a.MutationID = ""
	}
	return a
}

// By combines the options [By], [ExceptClient] and [Mutation] for a change that the user made with
// this client. The host must have verified the user. IDs that are not valid are ignored.
func (a Author) By(userID string) BroadcastOption {
	a = a.valid()
	o := BroadcastOption{by: userID, mutationID: a.MutationID}
	if a.ClientID != "" {
		o.except = exclusion{userID: userID, clientID: a.ClientID}
	}
	return o
}

type authorKey struct{}

// WithAuthor returns a context with the author of the change that it is for.
func WithAuthor(ctx context.Context, a Author) context.Context {
	return context.WithValue(ctx, authorKey{}, a.valid())
}

// AuthorIn returns the author in ctx, or the zero Author if ctx has none. Code that publishes a
// message puts it into the metadata of the message, as text ([Author.MarshalText]).
func AuthorIn(ctx context.Context) Author {
	a, _ := ctx.Value(authorKey{}).(Author)
	return a
}

// AuthorFrom returns [Author.By] of the author in ctx, or [By] if ctx has none. The broadcasting
// methods do not read the author from their ctx: a change without this option has no author.
func AuthorFrom(ctx context.Context, userID string) BroadcastOption {
	return AuthorIn(ctx).By(userID)
}
