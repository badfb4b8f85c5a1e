// Package github_test checks the files in .github that only GitHub reads.
package github_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/planrooms/planrooms/ci/tools/internal/repo"
)

// commands are those that workflows may run: each is one that .ci/run runs too, at the place named.
var commands = map[string]string{
	`bash .ci/run`:                                   "itself",
	`bash .ci/run vulnerabilities`:                   "step vulnerabilities",
	`bash .ci/release.sh check "$GITHUB_REF_NAME"`:   "step release",
	`bash .ci/release.sh publish "$GITHUB_REF_NAME"`: "step release",
	`go build ./...`:                                 "step workflows",
	`go test ./...`:                                  "step newcomer",
	`go vet ./...`:                                   "step vet",
}

// writers are the jobs that may write something, with what.
var writers = map[string]map[string]string{
	"release.yml publish": {"contents": "write"},
	"security.yml codeql": {"contents": "read", "security-events": "write"},
}

type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		Permissions map[string]string
		Steps       []struct{ Run, Uses string }
	}
}

// Workflows run only commands that .ci/run runs, use actions at a fixed commit, and may read.
func TestWorkflows(t *testing.T) {
	pinned := regexp.MustCompile(`^[\w-]+/[\w-]+(/[\w-]+)?@[0-9a-f]{40}$`)
	run := make(map[string]bool)
	for name, text := range glob(t, ".github/workflows/*.yml") {
		var w workflow
		decode(t, name, text, &w)
		if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
			t.Errorf("%s: permissions %v, want contents: read", name, w.Permissions)
		}
		for id, job := range w.Jobs {
			if want := writers[name+" "+id]; !maps.Equal(job.Permissions, want) {
				t.Errorf("%s: job %s has permissions %v, want %v", name, id, job.Permissions, want)
			}
			for _, step := range job.Steps {
				if step.Uses != "" && !pinned.MatchString(step.Uses) {
					t.Errorf("%s: %s is not an action at a commit", name, step.Uses)
				}
				if step.Run != "" && commands[step.Run] == "" {
					t.Errorf("%s: no step of .ci/run is known to run %s", name, step.Run)
				}
				run[step.Run] = true
			}
		}
		if strings.Count(text, "uses: ") != len(regexp.MustCompile(`uses: \S+ # v\d+\.\d+\.\d+\n`).FindAllString(text, -1)) {
			t.Errorf("%s: an action has no comment with its version", name)
		}
	}
	for command := range commands {
		if !run[command] {
			t.Errorf("no workflow runs %s", command)
		}
	}
}

// Dependabot updates every Go module and every npm package with a lock file.
func TestDependabot(t *testing.T) {
	var config struct {
		Version int
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directory   string
			Directories []string
		}
	}
	for name, text := range glob(t, ".github/dependabot.yml") {
		decode(t, name, text, &config)
	}
	got := map[string][]string{}
	for _, u := range config.Updates {
		got[u.Ecosystem] = append(u.Directories, u.Directory)
	}
	ecosystems := map[string]string{"go.mod": "gomod", "package-lock.json": "npm"}
	found := 0
	for _, name := range files(t) {
		if ecosystem := ecosystems[filepath.Base(name)]; ecosystem != "" {
			found++
			dir := strings.TrimSuffix("/"+filepath.ToSlash(filepath.Dir(name)), "/.")
			if dir == "" {
				dir = "/"
			}
			if !slices.Contains(got[ecosystem], dir) {
				t.Errorf("dependabot.yml has no directory %s for %s", dir, ecosystem)
			}
		}
	}
	if found < 8 || config.Version != 2 || !slices.Contains(got["github-actions"], "/") {
		t.Errorf("found %d lock files; dependabot.yml: %+v", found, config)
	}
}

// The forms for issues have what GitHub requires of a form.
func TestIssueForms(t *testing.T) {
	types := []string{"markdown", "textarea", "input", "dropdown", "checkboxes"}
	forms := 0
	for name, text := range glob(t, ".github/ISSUE_TEMPLATE/*.yml") {
		if name == "config.yml" {
			continue
		}
		forms++
		var form struct {
			Name, Description string
			Labels            []string
			Body              []struct {
				Type, ID   string
				Attributes struct {
					Label, Description, Placeholder, Render string
					Multiple                                bool
					Options                                 []string
				}
				Validations struct{ Required bool }
			}
		}
		decode(t, name, text, &form)
		if form.Name == "" || form.Description == "" || len(form.Body) == 0 {
			t.Errorf("%s: no name, description or body", name)
		}
		seen := map[string]bool{}
		for _, field := range form.Body {
			if !slices.Contains(types, field.Type) || field.Attributes.Label == "" || field.ID == "" || seen[field.ID] {
				t.Errorf("%s: field %q of type %q with label %q", name, field.ID, field.Type, field.Attributes.Label)
			}
			if (field.Type == "dropdown") != (len(field.Attributes.Options) > 0) {
				t.Errorf("%s: field %s has the options %q", name, field.ID, field.Attributes.Options)
			}
			seen[field.ID] = true
		}
	}
	if forms < 2 {
		t.Errorf("found %d forms", forms)
	}
}

// glob returns the texts of files of the repository, by their last name.
func glob(t *testing.T, pattern string) map[string]string {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, no files", pattern, err)
	}
	texts := make(map[string]string)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(name)] = string(text)
	}
	return texts
}

// files returns the names of the files of the repository.
func files(t *testing.T) []string {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	names, err := repo.Files(root)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// decode decodes a YAML file.
func decode(t *testing.T, name, text string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
