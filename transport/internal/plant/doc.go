// Command plant checks the tests: it plants a fault in a function, runs the tests, and expects one
// of them to fail. Run it in a clone of the repository:
//
//	go run ./transport/internal/plant               # all faults, a row for each
//	go run ./transport/internal/plant -run '^feed'  # those whose name matches
//	go run ./transport/internal/plant -list         # print the names
//	go run ./transport/internal/plant -check        # plant and compile all, but run no test
//
// The files list_*.go have the faults. Each replaces a text that its function contains exactly
// once, and names the tests that catch it. The source files stay as they are: the go command gets
// the changed ones by its flag -overlay. If the named tests pass with a fault, plant tries all
// tests of the package.
//
// Before the first row, plant builds the tests of the packages, which takes some 20 seconds. A row
// says which test caught the fault, and with what if that was a panic or a timeout.
//
// The exit status is 1 if no fault matches -run, if a fault does not apply any more or does not
// compile, if a named test fails without a fault, or if a fault is not caught. A fault that is
// marked as equivalent changes nothing that the library promises: plant compiles it but runs no
// test.
package main
