package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// block returns the text of the fenced block of a language in a Markdown file. There must be
// exactly one.
func block(file, language string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	found := regexp.MustCompile("(?ms)^ *```"+language+"\n(.*?)^ *```$").FindAllStringSubmatch(string(text), -1)
	if len(found) != 1 {
		return "", fmt.Errorf("%s has %d blocks of %s, want 1", file, len(found), language)
	}
	return found[0][1], nil
}

// documentedAddr is the address of the plan server in the README.
const documentedAddr = "http://127.0.0.1:8080;"

// withBackend returns a block of the README with the address of another server.
func withBackend(block, addr string) (string, error) {
	if strings.Count(block, documentedAddr) != 1 {
		return "", fmt.Errorf("the block of the README does not name %s exactly once", documentedAddr)
	}
	return strings.Replace(block, documentedAddr, "http://"+addr+";", 1), nil
}
