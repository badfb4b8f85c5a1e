// Package bench runs the scenarios: it starts a server and a load generator for each sample, in processes of their own on
// CPUs of their own, takes the implementations in turn, and prints the medians as tables. It needs Linux.
package bench
