package examples_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var network = flag.Bool("network", false, "fail where the module cache does not suffice for go mod tidy, and let it fetch what is missing")

// TestREADMEClone runs the commands that examples/minimal gives for a clone, in an empty directory
// beside it. They end with go run, which the test replaces by a build so that it can choose the
// port.
//
// go mod tidy reads more modules than go test has fetched: the tests of dependencies and what these
// need. Without the flag -network the test uses what the module cache holds, and is skipped if that
// is not enough.
func TestREADMEClone(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "live")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	switch err := os.Symlink(root(t), filepath.Join(base, "planrooms")); {
	case err != nil && runtime.GOOS == "windows" && !*network:
		t.Skip("Windows lets only some users make symbolic links: ", err)
	case err != nil:
		t.Fatal(err)
	}
	write(t, dir, "main.go", theProgram(t))
	for _, command := range cloneCommands(t) {
		out, err := goCommand(t, dir, *network, command...)
		if err != nil && !*network && strings.Contains(out, "disabled by GOPROXY=off") {
			t.Skipf("go %s needs modules that are not in the module cache; go test ./examples -network fetches them\n%s", strings.Join(command, " "), out)
		}
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
	p := start(t, build(t, dir))
	p.call(t, "ann", http.MethodGet, "/plans/demo", http.StatusOK, nil)
	p.dial(t, "ann")
}

// cloneCommands returns the arguments of the go commands that examples/minimal gives for a clone,
// without the go run at their end.
func cloneCommands(t *testing.T) (commands [][]string) {
	t.Helper()
	block := regexp.MustCompile(`(?m)(?:^    go .+\n)*^    go mod edit -replace .+\n(?:^    go .+\n)*`).FindString(read(t, "minimal/README.md"))
	for line := range strings.Lines(block) {
		commands = append(commands, strings.Fields(line)[1:])
	}
	if len(commands) == 0 || !slices.Equal(commands[len(commands)-1], []string{"run", "."}) {
		t.Fatalf("the commands of examples/minimal for a clone are %q, want some with go run . at the end", commands)
	}
	return commands[:len(commands)-1]
}

// moduleOfItsOwn puts the program into a module that replaces this one with the sources under test.
// It has the requirements of this module, as go mod tidy would give them to it. A build reads
// nothing besides them, so it needs no module that go test has not fetched.
func moduleOfItsOwn(t *testing.T, program string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	file, sums := read(t, "../go.mod"), read(t, "../go.sum")
	file = regexp.MustCompile(`(?m)^module .*$`).ReplaceAllLiteralString(file, "module live")
	file += fmt.Sprintf("\nrequire github.com/planrooms/planrooms v0.0.0\n\nreplace github.com/planrooms/planrooms => %q\n", root(t))
	write(t, dir, "go.mod", file)
	write(t, dir, "go.sum", sums)
	write(t, dir, "main.go", program)
	return dir
}

// build compiles the program in dir without the network.
func build(t *testing.T, dir string) (binary string) {
	t.Helper()
	mustGo(t, dir, "build", "-buildvcs=false", "-o", "live.exe", ".")
	return filepath.Join(dir, "live.exe")
}

// mustGo runs the go command in dir without the network, and fails the test unless it succeeds.
func mustGo(t *testing.T, dir string, args ...string) {
	t.Helper()
	if out, err := goCommand(t, dir, false, args...); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// goCommand runs the go command in dir without the flags and the workspace that the tests run with.
// Without network it takes modules from the module cache alone, where go test has checked them.
func goCommand(t *testing.T, dir string, network bool, args ...string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GOFLAGS=", "GOWORK=off")
	if !network {
		cmd.Env = append(cmd.Env, "GOPROXY=off", "GOSUMDB=off")
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// root is the directory of this module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
