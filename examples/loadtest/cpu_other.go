//go:build !unix

package main

// cpuSeconds returns 0: the processor time is not known here.
func cpuSeconds() float64 { return 0 }
