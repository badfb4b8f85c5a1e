package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A template is a request as a flag gives it: METHOD URL [BODY], with placeholders such as {plan}.
type template struct{ method, url, body string }

var placeholder = regexp.MustCompile(`\{([a-z]+)\}`)

// parseTemplate reads a template in which the placeholders named may stand.
func parseTemplate(text string, known ...string) (*template, error) {
	method, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	address, body, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if method == "" || method != strings.ToUpper(method) || address == "" {
		return nil, fmt.Errorf("%q is not METHOD URL [BODY]", text)
	}
	for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(known, found[1]) {
			return nil, fmt.Errorf("%s is not a placeholder here; use {%s}", found[0], strings.Join(known, "}, {"))
		}
	}
	return &template{method, address, strings.TrimSpace(body)}, nil
}

// has reports whether the template has a placeholder.
func (t *template) has(name string) bool {
	return t != nil && (strings.Contains(t.url, "{"+name+"}") || strings.Contains(t.body, "{"+name+"}"))
}

// request fills in the values: escaped as a part of a path in the URL, save {http} which is the
// beginning of one, and as JSON in the body.
func (t *template) request(ctx context.Context, values map[string]string) (*http.Request, error) {
	fill := func(text string, escape func(name, value string) string) string {
		return placeholder.ReplaceAllStringFunc(text, func(match string) string {
			name := match[1 : len(match)-1]
			return escape(name, values[name])
		})
	}
	address := fill(t.url, func(name, value string) string {
		if name == "http" {
			return value
		}
		return url.PathEscape(value)
	})
	body := fill(t.body, func(_, value string) string {
		quoted, _ := json.Marshal(value) // a string can always be encoded
		return string(quoted[1 : len(quoted)-1])
	})
	req, err := http.NewRequestWithContext(ctx, t.method, address, strings.NewReader(body))
	if err == nil && body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, err
}

// lookup returns the value in a JSON document at a path such as tasks.0.id.
func lookup(document []byte, path string) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var at any
	if err := decoder.Decode(&at); err != nil {
		return "", fmt.Errorf("the response is not JSON: %w", err)
	}
	for _, name := range strings.Split(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return "", fmt.Errorf("the response has no %q of %q", name, path)
			}
			at = v[i]
		default:
			return "", fmt.Errorf("the response has no %q of %q", name, path)
		}
	}
	switch v := at.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	}
	return "", fmt.Errorf("the value at %q of the response is neither a string nor a number", path)
}
