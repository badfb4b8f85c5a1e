#!/usr/bin/env bash
# Runs the fuzz tests with new inputs, and looks for known vulnerabilities in what the module
# imports. It needs bash, git and Go, and the module proxy.
#
#     bash .ci/fuzz.sh        all steps; -l lists them
#     bash .ci/fuzz.sh fuzz   only this one
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly fuzz_steps='fuzz vulnerabilities'

readonly fuzz_time=2s
readonly govulncheck=golang.org/x/vuln/cmd/govulncheck@v1.9.0

# fuzz runs every fuzz test of the root module for $fuzz_time. It compiles each package once. On a
# busy machine a test sometimes reports the end of that time as a failure ("context deadline
# exceeded"), which does not count. A real failure names the input that it has written.
fuzz() {
	local package name
	go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' ./... >"$work/packages"
	for package in $(cat "$work/packages"); do
		grep -qs '^func Fuzz' "$package"/*_test.go || continue
		go test -c -fuzz . -o "$work/fuzz.test" "$package"
		for name in $(cd "$package" && "$work/fuzz.test" -test.list '^Fuzz'); do
			echo "${package#"$PWD/"} $name"
			(cd "$package" && "$work/fuzz.test" -test.run '^$' -test.fuzz "^$name\$" -test.fuzztime "$fuzz_time" \
				-test.fuzzminimizetime 5s -test.fuzzcachedir "$work/inputs") >"$work/fuzz" 2>&1 ||
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
