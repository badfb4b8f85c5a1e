// Package bench runs the scenarios: it starts a server and a load generator for each sample, in
// separate processes on separate CPUs, takes the implementations in turn, and prints the medians as
// tables. It needs Linux.
package bench
