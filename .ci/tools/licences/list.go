package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const introduction = `# Licences

Plan rooms has the [MIT licence](../LICENSE). A program that imports it also contains code of
others. The tables name their licences; the texts are in the modules and packages. A test compares
this file with the modules; ` + "`go run -C .ci/tools ./licences -write`" + ` writes it.

## Go

A program that imports the library contains at most the modules with “library”, and with
` + "`room/metrics`" + ` or ` + "`room/natsengine`" + ` those of that module too. The others are in examples and tests
alone.

| module | licence | in |
| --- | --- | --- |
`

const pagesIntroduction = `
## Built pages

The repository contains built pages, which bundle npm packages. Beside each page a file has the
texts of their licences, and the program of the example serves it with the page. The browser client
bundles nothing.

| page | package | licence |
| --- | --- | --- |
`

// list returns the text of the document.
func list(root string) (string, error) {
	var b strings.Builder
	b.WriteString(introduction)
	used, err := goModules(root)
	if err != nil {
		return "", err
	}
	for _, path := range slices.Sorted(maps.Keys(used)) {
		m := used[path]
		licence, err := licenceOf(m.dir)
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", path, licence, strings.Join(m.in, ", "))
	}
	b.WriteString(pagesIntroduction)
	pages, err := bundled(root)
	if err != nil {
		return "", err
	}
	for _, p := range pages {
		fmt.Fprintf(&b, "| [%s](../%s) | %s | %s |\n", p.example, p.texts, p.name, p.licence)
	}
	return b.String(), nil
}
