package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// bundle is an npm package in a built page.
type bundle struct {
	example string // the folder of the example
	texts   string // the file with the texts of the licences
	name    string // of the package
	licence string
}

// texts are the files that the builds write beside the pages, and heading is the line above the
// text of each package in them.
const texts = "examples/*/web/dist/licenses.txt"

var heading = regexp.MustCompile(`(?m)^## (\S+) - \S+ \(([^)]+)\)\n\n[^#\s]`)

// bundled returns the packages in all built pages. A page without such a file is an error.
func bundled(root string) (all []bundle, err error) {
	pages, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(path.Dir(texts))))
	if err != nil {
		return nil, err
	}
	for _, page := range pages {
		name := filepath.Join(page, path.Base(texts))
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return nil, err
		}
		file := filepath.ToSlash(rel)
		found := heading.FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 || len(found) != strings.Count(string(text), "\n## ") {
			return nil, fmt.Errorf("%s: a package has no licence or no text", file)
		}
		for _, m := range found {
			all = append(all, bundle{strings.TrimSuffix(file, "/web/dist/licenses.txt"), file, m[1], m[2]})
		}
	}
	return all, nil
}
