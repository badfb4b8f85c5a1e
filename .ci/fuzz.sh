#!/usr/bin/env bash
# Runs the fuzz tests with new inputs, and looks for known vulnerabilities in what the module
# imports. It needs bash, git and Go, and the module proxy.
#
#     bash .ci/fuzz.sh        all steps; -l lists them
#     bash .ci/fuzz.sh fuzz   only this one
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly fuzz_steps='fuzz vulnerabilities'

readonly fuzz_time=1s
readonly govulncheck=golang.org/x/vuln/cmd/govulncheck@v1.9.0

# fuzz runs every fuzz test for $fuzz_time. On a busy machine the go command sometimes reports the
# end of that time as a failure ("context deadline exceeded"), which does not count. A real failure
# names the input that the go command has written.
fuzz() {
	local package packages name names
	packages=$(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...)
	for package in $packages; do
		names=$(go test -run '^$' -list '^Fuzz' "$package")
		for name in $(grep '^Fuzz' <<<"$names"); do
			echo "$package $name"
			go test -run '^$' -fuzz "^$name\$" -fuzztime "$fuzz_time" -fuzzminimizetime 5s "$package" >"$work/fuzz" 2>&1 ||
				{ grep -q '^ *context deadline exceeded$' "$work/fuzz" && ! grep -q 'Failing input' "$work/fuzz"; } ||
				{ cat "$work/fuzz" >&2; fail "$name"; }
			grep '^fuzz: elapsed' "$work/fuzz" | tail -n 1
		done
	done
}

# vulnerabilities needs a database on the network. Where it cannot be reached, the step is skipped.
vulnerabilities() {
	cat >"$work/reach.go" <<-'GO'
		package main

		import (
			"net/http"
			"os"
			"time"
		)

		func main() {
			c := http.Client{Timeout: 10 * time.Second}
			if r, err := c.Get("https://vuln.go.dev/index/db.json"); err != nil || r.StatusCode != http.StatusOK {
				os.Exit(1)
			}
		}
	GO
	if ! timeout 60 go run "$work/reach.go" 2>/dev/null; then
		echo 'skipped: database unreachable'
		return
	fi
	timeout 300 go run "$govulncheck" ./...
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$fuzz_steps" "$@"
