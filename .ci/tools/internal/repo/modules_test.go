package repo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/ci/tools/internal/repo"
)

// A release sets the version of each requirement and changes nothing else. Without replace
// directives and back, the files are equivalent to those of the repository.
func TestSetVersions(t *testing.T) {
	root := copyOf(t)
	before := goMods(t, root)
	set := func(version string, replace bool) map[string]string {
		t.Helper()
		if err := repo.SetVersions(root, version, replace); err != nil {
			t.Fatal(err)
		}
		return goMods(t, root)
	}
	for dir, text := range set("v1.2.3", true) {
		want := strings.ReplaceAll(before[dir], " v0.0.0\n", " v1.2.3\n")
		if diff := cmp.Diff(want, text); diff != "" {
			t.Errorf("%s/go.mod with v1.2.3 (-want +got):\n%s", dir, diff)
		}
	}
	if diff := cmp.Diff(before, set("v0.0.0", true)); diff != "" {
		t.Errorf("back (-want +got):\n%s", diff)
	}
	for dir, text := range set("v0.0.0", false) {
		if strings.Contains(text, "replace ") {
			t.Errorf("%s/go.mod still has a replace directive:\n%s", dir, text)
		}
	}
	for dir, text := range set("v0.0.0", true) {
		if strings.Count(text, "replace ") != strings.Count(before[dir], "replace ") {
			t.Errorf("%s/go.mod has other replace directives than before:\n%s", dir, text)
		}
	}
}

// goMods returns the text of each go.mod, by folder.
func goMods(t *testing.T, root string) map[string]string {
	t.Helper()
	all, err := repo.Modules(root)
	if err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]string)
	for _, m := range all {
		text, err := os.ReadFile(filepath.Join(root, m.Dir, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		texts[m.Dir] = string(text)
	}
	return texts
}

func TestModules(t *testing.T) {
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	all, err := repo.Modules(root)
	if err != nil {
		t.Fatal(err)
	}
	var released []string
	for _, m := range all {
		if m.Released() {
			released = append(released, m.Dir)
		}
		if m.Dir == "examples/taskboard" && !m.Requires(repo.Path) {
			t.Error("the taskboard does not require the library")
		}
	}
	if diff := cmp.Diff([]string{".", "room/metrics", "room/natsengine"}, released); diff != "" {
		t.Errorf("modules that users import (-want +got):\n%s", diff)
	}
	if len(all) < 6 {
		t.Errorf("found %d modules", len(all))
	}
}

func copyOf(t *testing.T) string {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := repo.Copy(dir, root); err != nil {
		t.Fatal(err)
	}
	return dir
}
