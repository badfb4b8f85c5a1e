package room

import "slices"

// without removes x from a list, in place. It returns nil if the list is then empty. The lists of a
// connection are short, and a map would take some 200 bytes for its first element, so they are
// slices.
func without[T comparable](list []T, x T) []T {
	if i := slices.Index(list, x); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 {
		return nil
	}
	return list
}
