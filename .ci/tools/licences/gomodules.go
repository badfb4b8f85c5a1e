package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"

	"github.com/planrooms/planrooms/ci/tools/internal/repo"
)

// use is a module of others that modules of this repository are built with.
type use struct {
	dir string   // in the module cache
	in  []string // where it is used
}

// goModules returns the modules whose packages are compiled into the packages of this repository,
// tests left out, by path. It lists those for Linux, so that the result is the same everywhere.
func goModules(root string) (map[string]use, error) {
	all, err := repo.Modules(root)
	if err != nil {
		return nil, err
	}
	used := make(map[string]use)
	for _, module := range all {
		in := module.Dir
		switch {
		case in == ".":
			in = "library"
		case strings.HasPrefix(in, ".ci/"): // tools of the repository
			continue
		}
		cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Dir}}{{end}}", "./...")
		cmd.Dir, cmd.Stderr = filepath.Join(root, module.Dir), os.Stderr
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list in %s: %w", in, err)
		}
		for line := range strings.Lines(string(out)) {
			path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
			if path == "" || path == repo.Path || strings.HasPrefix(path, repo.Path+"/") {
				continue
			}
			u := used[path]
			u.dir = dir
			if !slices.Contains(u.in, in) {
				u.in = append(u.in, in)
			}
			used[path] = u
		}
	}
	return used, nil
}

// licenceFile matches the names that a file with a licence has.
var licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying)([-.].*)?$`)

// licenceOf returns the SPDX identifiers of the licences in the files of a module.
func licenceOf(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var ids []string
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return "", err
		}
		for _, match := range licensecheck.Scan(text).Match {
			if !match.IsURL && !slices.Contains(ids, match.ID) {
				ids = append(ids, match.ID)
			}
		}
	}
	if len(ids) == 0 {
		return "", errors.New("no licence found")
	}
	return strings.Join(ids, " and "), nil
}
