package main

import (
	"cmp"
	"fmt"
	"strings"
)

// fault is one mistake that a programmer could make.
type fault struct {
	name     string // unique: the part of the program, and what is wrong
	dir      string // of the package, from the root of the module
	function string // the function that gets the fault: f, or t.f for a method of t or *t
	old, new string // old is in the function exactly once, and new replaces it
	tests    string // the names of the tests that catch it, separated by |
	testsIn  string // directory of these tests, from the root of the module; "" means dir

	// equivalent is the reason why no test can see the fault; "" for a fault that has to be caught.
	equivalent string
}

// in returns the faults as faults of the package in a directory.
func in(dir string, faults ...fault) []fault {
	for i := range faults {
		faults[i].dir = dir
	}
	return faults
}

// testDir is where the tests of the fault are.
func (f *fault) testDir() string { return cmp.Or(f.testsIn, f.dir) }

// plant returns the text of the function with the fault in it.
func (f *fault) plant(text string) (string, error) {
	if n := strings.Count(text, f.old); n != 1 {
		return "", fmt.Errorf("%s contains the text %d times, not once:\n%s", f.function, n, f.old)
	}
	if f.old == f.new {
		return "", fmt.Errorf("the fault changes nothing")
	}
	return strings.Replace(text, f.old, f.new, 1), nil
}
