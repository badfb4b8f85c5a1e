package client

import "github.com/planrooms/planrooms/protocol"

// maxVersions bounds the keys of each of the two maps of versions.
const maxVersions = 1024

// versions has the last versions of the keys that a plan received most recently, in two
// generations: when recent is full, it becomes older, and the keys of older are forgotten. The zero
// value is ready to use.
type versions struct{ recent, older map[string]int64 }

// outdated reports whether v is below the last version of its key, and otherwise records v.
func (s *versions) outdated(v protocol.EventVersion) bool {
	if v.Key == "" {
		return false
	}
	last, ok := s.recent[v.Key]
	if !ok {
		last, ok = s.older[v.Key]
	}
	outdated := ok && v.N < last
	if outdated {
		v.N = last
	}
	if _, ok := s.recent[v.Key]; !ok && len(s.recent) == maxVersions {
		s.older, s.recent = s.recent, nil
	}
	if s.recent == nil {
		s.recent = make(map[string]int64)
	}
	s.recent[v.Key] = v.N
	return outdated
}
