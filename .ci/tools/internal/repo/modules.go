// Package repo knows the Go modules and the files of this repository.
package repo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// Path is the path of the root module. Those of the nested modules begin with it.
const Path = "github.com/planrooms/planrooms"

// Root returns the folder of the repository, which is above the current one.
//
// The go command does not notice when files there change, and would reuse the result of an earlier
// test: run the tests of this module with -count=1, or as .ci/run does with -shuffle=on.
func Root() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		text, _ := os.ReadFile(filepath.Join(dir, "go.mod"))
		if modfile.ModulePath(text) == Path {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			err = errors.New("not in a clone of " + Path)
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// Module is a Go module of the repository.
type Module struct {
	Root string // the folder of the repository
	Dir  string // the folder of the module in it, with slashes; "." for the root module
	Path string // the module path

	file *modfile.File
}

// Modules returns the modules below root, the root module first, then those that users import.
func Modules(root string) (all []Module, err error) {
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.Name() != "go.mod":
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := modfile.Parse(name, text, nil)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(name))
		all = append(all, Module{root, filepath.ToSlash(dir), file.Module.Mod.Path, file})
		return err
	})
	rank := func(m Module) int {
		switch {
		case m.Dir == ".":
			return 0
		case m.Released():
			return 1
		}
		return 2
	}
	slices.SortFunc(all, func(a, b Module) int {
		if rank(a) != rank(b) {
			return rank(a) - rank(b)
		}
		return strings.Compare(a.Dir, b.Dir)
	})
	return all, err
}

// Released reports whether users import the module, so that a release has a tag for it. The others
// are examples, tests and tools.
func (m Module) Released() bool {
	for _, folder := range []string{"examples", "transport/interop", ".ci"} {
		if m.Dir == folder || strings.HasPrefix(m.Dir, folder+"/") {
			return false
		}
	}
	return true
}

// Requires reports whether go.mod requires the module with that path.
func (m Module) Requires(path string) bool {
	return slices.ContainsFunc(m.file.Require, func(r *modfile.Require) bool { return r.Mod.Path == path })
}

// SetVersions makes each module below root require a version of the others. With replace, each
// go.mod also says that the folders of the clone replace them, which the go command ignores in the
// modules that a program imports. Otherwise no go.mod says so any longer.
func SetVersions(root, version string, replace bool) error {
	all, err := Modules(root)
	if err != nil {
		return err
	}
	for _, m := range all {
		for _, other := range all {
			if !m.Requires(other.Path) {
				continue
			}
			if err := m.require(other, version, replace); err != nil {
				return err
			}
		}
		m.file.Cleanup()
		text, err := m.file.Format()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, m.Dir, "go.mod"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (m Module) require(other Module, version string, replace bool) error {
	if err := m.file.AddRequire(other.Path, version); err != nil {
		return err
	}
	if !replace {
		return m.file.DropReplace(other.Path, "")
	}
	folder, err := filepath.Rel(filepath.FromSlash(m.Dir), filepath.FromSlash(other.Dir))
	if err != nil {
		return err
	}
	return m.file.AddReplace(other.Path, "", filepath.ToSlash(folder), "")
}
