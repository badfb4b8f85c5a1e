//go:build !unix

package main

// descriptorLimit returns how many files the process may have open, which has no limit worth
// knowing here.
func descriptorLimit() (limit uint64, known bool) { return 0, false }
