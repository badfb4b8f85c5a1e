package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/planrooms/planrooms/ci/tools/internal/repo"
)

const unreleased = "## [Unreleased]\n"

// cut makes the section Unreleased the one of a version. A new Unreleased above it is empty.
func cut(text, version, date string) (string, error) {
	number := strings.TrimPrefix(version, "v")
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\d$`).MatchString(date) {
		return "", fmt.Errorf("%q is not a date such as 2026-01-31", date)
	}
	if strings.Contains(text, "## ["+number+"]") {
		return "", fmt.Errorf("the changelog has a section %s already", number)
	}
	head, body, ok := strings.Cut(text, unreleased)
	if !ok {
		return "", fmt.Errorf("the changelog has no line %q", unreleased)
	}
	link := regexp.MustCompile(`(?m)^\[Unreleased\]: (.*)/(?:commits|compare)/.*$`)
	found := link.FindStringSubmatch(body)
	if found == nil {
		return "", fmt.Errorf("the changelog has no link [Unreleased]")
	}
	links := fmt.Sprintf("[Unreleased]: %[1]s/compare/%[2]s...HEAD\n[%[3]s]: %[1]s/releases/tag/%[2]s", found[1], version, number)
	body = link.ReplaceAllLiteralString(body, links)
	text = head + unreleased + "\n## [" + number + "] - " + date + "\n" + body
	_, err := notes(text, version)
	return text, err
}

// notes returns the text of the section of a version, without its heading and with absolute links.
func notes(text, version string) (string, error) {
	number := strings.TrimPrefix(version, "v")
	heading := regexp.MustCompile(`(?m)^## \[` + regexp.QuoteMeta(number) + `\] - \d{4}-\d\d-\d\d\n`)
	at := heading.FindStringIndex(text)
	if at == nil {
		return "", fmt.Errorf("the changelog has no section %s with a date", number)
	}
	section := text[at[1]:]
	if end := regexp.MustCompile(`(?m)^(?:## |\[[^\]]+\]: )`).FindStringIndex(section); end != nil {
		section = section[:end[0]]
	}
	if section = strings.TrimSpace(section); section == "" {
		return "", fmt.Errorf("the section %s of the changelog is empty", number)
	}
	// The page of a release is in no folder of the repository.
	absolute := "](https://" + repo.Path + "/blob/" + version + "/.github/$1)"
	return relativeLink.ReplaceAllString(section, absolute) + "\n", nil
}

// relativeLink matches a Markdown link to a file.
var relativeLink = regexp.MustCompile(`\]\(([^):#][^):]*)\)`)
