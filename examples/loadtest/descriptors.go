package main

import "fmt"

// spareDescriptors are for the program itself.
const spareDescriptors = 64

// descriptorsNeeded is how many open files a run takes: one for each connection, two with the
// server in this process, and one for each change that is under way.
func descriptorsNeeded(s *settings) uint64 {
	if s.endpoint == nil {
		return uint64(2*s.conns + spareDescriptors)
	}
	return uint64(s.conns + s.inflight + spareDescriptors)
}

// enoughDescriptors is an error if the process may not open as many files as the run takes.
func enoughDescriptors(s *settings) error {
	limit, known := descriptorLimit()
	if need := descriptorsNeeded(s); known && need > limit {
		return fmt.Errorf("%d connections need %d descriptors, and the limit of this process is %d: use ulimit -n %d, or fewer -conns", s.conns, need, limit, need)
	}
	return nil
}
