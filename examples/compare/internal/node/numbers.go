package node

// numbers is a set of numbers of events, which are almost consecutive: 64 in each entry.
type numbers map[int64]uint64

// add adds a number, and reports whether the set did not have it.
func (s numbers) add(n int64) bool {
	word, bit := n/64, uint64(1)<<(n%64)
	if s[word]&bit != 0 {
		return false
	}
	s[word] |= bit
	return true
}
