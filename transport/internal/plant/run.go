package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// runner runs test binaries that have all faults.
type runner struct {
	root    string        // of the module
	work    string        // directory for the overlay and the binaries
	timeout time.Duration // of the tests of one fault
	skip    string        // pattern of tests that are left out when all are run
	instead string        // pattern of the tests that are tried instead of those that the faults name
	faults  []fault
}

// result is what became of one fault.
type result struct {
	verdict verdict
	test    string // that has failed; "" if none has
	err     error  // of verdictError
	took    time.Duration
}

type verdict string

const (
	verdictCaught     verdict = "caught"
	verdictElsewhere  verdict = "caught by another test" // than those that the list names
	verdictNot        verdict = "NOT CAUGHT"
	verdictEquivalent verdict = "equivalent"
	verdictError      verdict = "ERROR"
)

// good reports whether the verdict is the one that the list expects.
func (v verdict) good() bool { return v != verdictNot && v != verdictError }

// overlay writes the files with the faults and returns the name of the overlay.
func (r *runner) overlay() (string, error) {
	files, err := variants(r.root, r.faults)
	if err != nil {
		return "", err
	}
	replace := make(map[string]string)
	for file, text := range files {
		replace[file] = filepath.Join(r.work, fmt.Sprintf("planted%d.go", len(replace)))
		if err := os.WriteFile(replace[file], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	content, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(r.work, "overlay.json")
	return overlay, os.WriteFile(overlay, content, 0o600)
}

// compile compiles the packages with their faults.
func (r *runner) compile() error {
	overlay, err := r.overlay()
	if err != nil {
		return err
	}
	args := []string{"build", "-buildvcs=false", "-overlay", overlay}
	for i := range r.faults {
		if dir := "./" + r.faults[i].dir; !slices.Contains(args, dir) {
			args = append(args, dir)
		}
	}
	_, err = command(r.root, "go", args...)
	return err
}

// build builds the test binaries, and runs the named tests without a fault: they have to pass.
func (r *runner) build() error {
	overlay, err := r.overlay()
	if err != nil {
		return err
	}
	named := make(map[string][]string) // by directory
	for i := range r.faults {
		f := &r.faults[i]
		list := named[f.testDir()]
		for name := range strings.SplitSeq(f.tests, "|") {
			if name != "" && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
		named[f.testDir()] = list
	}
	for dir, list := range named {
		_, err := command(r.root, "go", "test", "-c", "-vet=off", "-buildvcs=false", "-ldflags=-w", "-overlay", overlay, "-o", r.binary(dir), "./"+dir)
		if err != nil {
			return err
		}
		if len(list) == 0 || r.instead != "" {
			continue
		}
		for _, name := range list {
			found, err := command(filepath.Join(r.root, dir), r.binary(dir), "-test.list", "^("+name+")$")
			if err != nil {
				return err
			}
			if strings.TrimSpace(found) == "" {
				return fmt.Errorf("%s has no test %s", dir, name)
			}
		}
		failed, output, err := r.test(dir, 0, "^("+strings.Join(list, "|")+")$", "", 10*r.timeout)
		if err != nil {
			return err
		}
		if failed != "" {
			return fmt.Errorf("without a fault: %s\n%s", failed, output)
		}
	}
	return nil
}

// binary returns the name of the test binary of a package.
func (r *runner) binary(dir string) string {
	return filepath.Join(r.work, strings.ReplaceAll(dir, "/", "-")+".test")
}

// run runs the tests that fault i names, and all tests of the package if these pass.
func (r *runner) run(i int) (res result) {
	f, begin := &r.faults[i], time.Now()
	defer func() { res.took = time.Since(begin) }()
	if f.equivalent != "" {
		return result{verdict: verdictEquivalent}
	}
	verdict, failed := verdictCaught, ""
	var err error
	if r.instead != "" {
		failed, _, err = r.test(f.testDir(), i+1, r.instead, r.skip, 5*r.timeout)
	} else if f.tests != "" {
		failed, _, err = r.test(f.testDir(), i+1, "^("+f.tests+")$", "", r.timeout)
	}
	if failed == "" && err == nil && r.instead == "" {
		verdict = verdictElsewhere
		failed, _, err = r.test(f.testDir(), i+1, "", r.skip, 5*r.timeout)
	}
	switch {
	case err != nil:
		return result{verdict: verdictError, err: err}
	case failed == "":
		return result{verdict: verdictNot}
	case strings.HasSuffix(failed, timedOut) && (verdict == verdictElsewhere || r.instead != ""):
		// Named tests are few: they hang. Many tests may also have been too slow.
		return result{verdict: verdictError, err: errors.New(failed)}
	}
	return result{verdict: verdict, test: failed}
}

// test runs a test binary with a fault, or without one if number is 0. It returns the first test
// that has failed, or why the binary has, and what was printed.
func (r *runner) test(dir string, number int, pattern, skip string, timeout time.Duration) (failed, output string, err error) {
	cmd := exec.Command(r.binary(dir), "-test.run", pattern, "-test.skip", skip, "-test.failfast", "-test.timeout", timeout.String())
	cmd.Dir = filepath.Join(r.root, filepath.FromSlash(dir))
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", variable, number))
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return "", "", err
	}
	if err == nil {
		return "", string(out), nil
	}
	return failure(string(out)), string(out), nil
}

var (
	failLine = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	// A test that runs when the time is up.
	runningLine = regexp.MustCompile(`(?m)^\s+(\S+) \([0-9.ms]+\)$`)
	panicLine   = regexp.MustCompile(`(?m)^(?:panic|fatal error): (.*)$`)
	stackLine   = regexp.MustCompile(`_test\.(Test\w+)`)
)

// timedOut ends the result of a test that took longer than its timeout.
const timedOut = "test timed out"

// failure returns the name of the test that has failed, from what a test binary has printed.
func failure(output string) string {
	if m := panicLine.FindStringSubmatch(output); m != nil {
		name, what := "a test", m[1]
		if strings.HasPrefix(what, timedOut) {
			what = timedOut
		}
		if running := runningLine.FindStringSubmatch(output); running != nil {
			name = running[1]
		} else if line := failLine.FindStringSubmatch(output); line != nil {
			name = line[1]
		} else if stack := stackLine.FindStringSubmatch(output); stack != nil {
			name = stack[1]
		}
		return name + ": " + what
	}
	var names []string
	for _, m := range failLine.FindAllStringSubmatch(output, -1) {
		names = append(names, m[1])
	}
	if len(names) == 0 {
		return "the test binary"
	}
	return names[0]
}

// all runs the faults, some of them at a time, and calls done for each that has ended.
func (r *runner) all(parallel int, done func(i int, res result)) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex // held for done
		next = make(chan int)
	)
	for range parallel {
		wg.Go(func() {
			for i := range next {
				res := r.run(i)
				mu.Lock()
				done(i, res)
				mu.Unlock()
			}
		})
	}
	for i := range r.faults {
		next <- i
	}
	close(next)
	wg.Wait()
}

// command runs a command and returns what it prints on its standard output.
func command(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "", fmt.Errorf("%s: %w\n%s", name, err, exit.Stderr)
	}
	return string(out), err
}
