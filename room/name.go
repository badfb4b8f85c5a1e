package room

import "strings"

// clipName returns the first maxName code points of a user's name: all participants of a room hold
// and receive it.
func clipName(name string) string {
	n := 0
	for i := range name {
		if n++; n > maxName {
			return strings.Clone(name[:i]) // without a reference to the rest
		}
	}
	return name
}
