package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/planrooms/planrooms/ci/tools/internal/repo"
)

// pack writes a module into the tree of a module proxy, as a version of it. An HTTP server for the
// files of the tree is then a proxy for the module. pack adds a licence to the folder of a nested
// module, so the folder must be one of a copy.
func pack(m repo.Module, tree, version string) error {
	dir := filepath.Join(m.Root, filepath.FromSlash(m.Dir))
	if err := addLicence(m, dir); err != nil {
		return err
	}
	gomod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC()})
	if err != nil {
		return err
	}
	versions := filepath.Join(tree, filepath.FromSlash(m.Path), "@v")
	if err := os.MkdirAll(versions, 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"list": []byte(version + "\n"), version + ".info": info, version + ".mod": gomod,
	} {
		if err := os.WriteFile(filepath.Join(versions, name), content, 0o644); err != nil {
			return err
		}
	}
	archive, err := os.Create(filepath.Join(versions, version+".zip"))
	if err != nil {
		return err
	}
	defer archive.Close()
	if err := zip.CreateFromDir(archive, module.Version{Path: m.Path, Version: version}, dir); err != nil {
		return fmt.Errorf("pack %s: %w", m.Path, err)
	}
	return archive.Close()
}

// addLicence copies the licence of the repository into a nested module, as the go command does when
// it downloads one from a repository.
func addLicence(m repo.Module, dir string) error {
	text, err := os.ReadFile(filepath.Join(m.Root, "LICENSE"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "LICENSE"), text, 0o644)
}
