package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	list := flag.Bool("list", false, "print the names of the faults")
	check := flag.Bool("check", false, "plant and compile all faults, but run no test")
	run := flag.String("run", "", "only the faults whose name matches this `regexp`")
	parallel := flag.Int("p", 2, "how many faults are tried at a time")
	skip := flag.String("skip", "", "leave tests that match this `pattern` out when all tests of a package are run")
	tests := flag.String("tests", "", "try the tests that match this `pattern` instead of those that the list names")
	timeout := flag.Duration("timeout", time.Minute, "of the tests of one fault")
	flag.Parse()
	if flag.NArg() > 0 || *parallel < 1 {
		flag.Usage()
		os.Exit(2)
	}
	faults, err := matching(slices.Concat(lists...), *run)
	if err != nil {
		exit(err)
	}
	if *list {
		for i := range faults {
			fmt.Println(faults[i].name)
		}
		return
	}
	out, err := command(".", "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		exit(err)
	}
	root := strings.TrimSpace(out)
	work, err := os.MkdirTemp("", "plant")
	if err != nil {
		exit(err)
	}
	r := &runner{root: root, work: work, timeout: *timeout, skip: *skip, instead: *tests, faults: faults}
	if *check {
		err = r.compile()
	} else {
		err = runAll(r, *parallel)
	}
	_ = os.RemoveAll(work)
	if err != nil {
		exit(err)
	}
	if *check {
		fmt.Printf("%d faults can be planted\n", len(faults))
	}
}

// matching returns the faults whose name matches a regexp. None is an error, because a run without
// faults would look like a good one.
func matching(faults []fault, pattern string) ([]fault, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	var found []fault
	for _, f := range faults {
		if re.MatchString(f.name) {
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("-run: no fault matches %q; -list prints the names", pattern)
	}
	return found, nil
}

func exit(err error) {
	fmt.Fprintln(os.Stderr, "plant:", err)
	os.Exit(1)
}

// runAll runs the tests against each fault and prints a row for each as it ends.
func runAll(r *runner, parallel int) error {
	fmt.Printf("%d faults; first their tests without a fault\n", len(r.faults))
	if err := r.build(); err != nil {
		return err
	}
	counts, ended, good := make(map[verdict]int), 0, true
	r.all(parallel, func(i int, res result) {
		ended++
		counts[res.verdict]++
		good = good && res.verdict.good()
		fmt.Printf("%3d/%d  %5.1f s  %-70s  %s", ended, len(r.faults), res.took.Seconds(), r.faults[i].name, res.verdict)
		switch {
		case res.err != nil:
			fmt.Printf(": %v", res.err)
		case res.test != "":
			fmt.Printf(": %s", res.test)
		case res.verdict == verdictEquivalent:
			fmt.Printf(": %s", r.faults[i].equivalent)
		}
		fmt.Println()
	})
	fmt.Println()
	for _, v := range []verdict{verdictCaught, verdictElsewhere, verdictNot, verdictEquivalent, verdictError} {
		if counts[v] > 0 {
			fmt.Printf("%4d %s\n", counts[v], v)
		}
	}
	if !good {
		return fmt.Errorf("some faults are not caught")
	}
	return nil
}
