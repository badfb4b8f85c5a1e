package main

import (
	"io"
	"strings"
	"testing"
)

func TestTemplate(t *testing.T) {
	tmpl, err := parseTemplate(`PATCH {http}/api/tasks/{task}?by={n} {"title":"{mutation} {pad}","n":{n}}`, "http", "task", "n", "mutation", "pad")
	if err != nil {
		t.Fatal(err)
	}
	req, err := tmpl.request(t.Context(), map[string]string{
		"http": "http://127.0.0.1:1", "task": "a/b c", "n": "7", "mutation": "m-1", "pad": `"x\`,
	})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := req.Method + " " + req.URL.String() + " " + string(body)
	const want = `PATCH http://127.0.0.1:1/api/tasks/a%2Fb%20c?by=7 {"title":"m-1 \"x\\","n":7}`
	if got != want {
		t.Errorf("request = %s, want %s", got, want)
	}
	if got := req.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type = %q, want JSON", got)
	}
	if !tmpl.has("task") || tmpl.has("plan") || (*template)(nil).has("task") {
		t.Error("has is wrong about {task} or {plan}")
	}
}

func TestParseTemplateErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "METHOD URL",
		"GET":                    "METHOD URL",
		"http://host/x":          "METHOD URL",
		"get http://host/x":      "METHOD URL",
		"GET http://host/{id}":   "{id} is not a placeholder",
		`POST /x {"a":"{body}"}`: "{body} is not a placeholder",
	} {
		if _, err := parseTemplate(text, "plan"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseTemplate(%q) = %v, want %q", text, err, want)
		}
	}
}

func TestLookup(t *testing.T) {
	const document = `{"token":"t","data":{"tasks":[{"id":12345678901234567890},{"id":"b"}]},"none":null}`
	for _, test := range []struct{ path, want, err string }{
		{"token", "t", ""},
		{"data.tasks.0.id", "12345678901234567890", ""},
		{"data.tasks.1.id", "b", ""},
		{"data.tasks.2.id", "", `no "2"`},
		{"data.tasks.x.id", "", `no "x"`},
		{"token.x", "", `no "x"`},
		{"nothing", "", "neither"},
		{"none", "", "neither"},
		{"data", "", "neither"},
	} {
		got, err := lookup([]byte(document), test.path)
		if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("lookup(%q) = %q, %v, want %q, %q", test.path, got, err, test.want, test.err)
		}
	}
	if _, err := lookup([]byte("<html>"), "token"); err == nil {
		t.Error("lookup in HTML: no error")
	}
}
