package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/ci/tools/internal/repo"
)

// The commands of the READMEs get the modules from a module proxy, and all packages build in a
// module that has no replace directive. So do the modules for which a release has no tag.
func TestModulesAsUsersGetThem(t *testing.T) {
	original, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := repo.Copy(root, original); err != nil {
		t.Fatal(err)
	}
	version := fmt.Sprintf("v0.0.1-test.%d", time.Now().UnixNano())
	if err := repo.SetVersions(root, version, false); err != nil {
		t.Fatal(err)
	}
	all, err := repo.Modules(root)
	if err != nil {
		t.Fatal(err)
	}
	u := newUser(t, all, version)

	gets := 0
	names, err := repo.Files(original)
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range names {
		for _, path := range goGets(t, filepath.Join(root, document)) {
			gets++
			t.Run(document, func(t *testing.T) { u.imports(t, path, version, sourceOf(root, path)) })
		}
	}
	if gets < 2 {
		t.Errorf("the documents have %d lines with go get; is the syntax understood?", gets)
	}
	for _, m := range all {
		if m.Requires(repo.Path) {
			t.Run(m.Dir, func(t *testing.T) { u.run(t, filepath.Join(root, m.Dir), "vet", "./...") })
		}
	}
}

// user runs the go command with a proxy for the modules of the repository. All other modules come
// from where they usually do.
type user struct{ env []string }

func newUser(t *testing.T, all []repo.Module, version string) user {
	tree := t.TempDir()
	var paths []string
	for _, m := range all {
		if !m.Released() {
			continue
		}
		if err := pack(m, tree, version); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, m.Path)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(tree)))
	t.Cleanup(server.Close)

	u := user{os.Environ()}
	set := func(name, value string) { u.env = append(u.env, name+"="+value) }
	set("GOFLAGS", u.get(t, "GOFLAGS")+" -mod=mod")
	// Without direct, with which the go command looks for repositories at the parent paths.
	others := regexp.MustCompile(`[,|]direct$`).ReplaceAllString(u.get(t, "GOPROXY"), "")
	set("GOPROXY", server.URL+","+others)
	set("GONOSUMDB", strings.Trim(u.get(t, "GONOSUMDB")+","+repo.Path, ","))
	set("GOWORK", "off")
	t.Cleanup(func() { // the modules of this version are of no use to later runs
		cache := u.get(t, "GOMODCACHE")
		for _, path := range paths {
			remove(t, filepath.Join(cache, filepath.FromSlash(path)+"@"+version))
			files, err := filepath.Glob(filepath.Join(cache, "cache", "download", filepath.FromSlash(path), "@v", version+".*"))
			if err != nil {
				t.Error(err)
			}
			for _, name := range files {
				remove(t, name)
			}
		}
	})
	return u
}

// imports gets a module as a new service does, and builds a program with all its packages, which
// are those in the source of the module.
func (u user) imports(t *testing.T, path, version, source string) {
	dir := t.TempDir()
	u.run(t, dir, "mod", "init", "example.com/service")
	u.run(t, dir, "get", path)
	if got := u.run(t, dir, "list", "-m", path); strings.TrimSpace(got) != path+" "+version {
		t.Errorf("go get %s: got %s, want version %s", path, got, version)
	}
	packages := u.importable(t, dir, path+"/...")
	if diff := cmp.Diff(u.importable(t, source, "./..."), packages); diff != "" || len(packages) == 0 {
		t.Errorf("packages of %s (-in the repository +from the proxy):\n%s", path, diff)
	}
	program := "package main\n\nimport (\n"
	for _, path := range packages {
		program += fmt.Sprintf("\t_ %q\n", path)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program+")\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u.run(t, dir, "build", "-o", os.DevNull, ".")
	t.Logf("%d packages of %s", len(packages), path)
}

// sourceOf returns the folder of a module.
func sourceOf(root, path string) string {
	return filepath.Join(root, filepath.FromSlash(strings.TrimPrefix(path, repo.Path)))
}

// importable returns the packages that a service can import.
func (u user) importable(t *testing.T, dir, pattern string) (paths []string) {
	t.Helper()
	for line := range strings.Lines(u.run(t, dir, "list", "-f", "{{if .GoFiles}}{{.Name}} {{.ImportPath}}{{end}}", pattern)) {
		name, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" && name != "main" && !strings.Contains(path, "/internal/") {
			paths = append(paths, path)
		}
	}
	return paths
}

// run runs the go command, and returns what it prints.
func (u user) run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env = dir, u.env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s%s", strings.Join(args, " "), err, stderr.String(), out)
	}
	return string(out)
}

// get returns a setting of the go command.
func (u user) get(t *testing.T, name string) string {
	t.Helper()
	cmd := exec.Command("go", "env", name)
	cmd.Env = u.env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go env %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

// remove deletes a file or a folder of the module cache, whose files are read-only.
func remove(t *testing.T, path string) {
	t.Helper()
	_ = filepath.WalkDir(path, func(name string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = os.Chmod(name, 0o755)
		}
		return err
	})
	if err := os.RemoveAll(path); err != nil {
		t.Error(err)
	}
}

// goGets returns the modules of the repository in the lines of a document that begin with go get.
func goGets(t *testing.T, document string) (paths []string) {
	t.Helper()
	if filepath.Ext(document) != ".md" {
		return nil
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^    go get (github\.com/planrooms/\S+)`).FindAllStringSubmatch(string(text), -1) {
		paths = append(paths, m[1])
	}
	return paths
}
