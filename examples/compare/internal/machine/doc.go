// Package machine pins processes to CPUs and reads what they, and the machine as a whole, have
// used. It needs Linux.
package machine
