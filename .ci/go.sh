#!/usr/bin/env bash
# Checks the Go code of the root module. It needs bash, git and Go, and the module proxy for its
# tools.
#
#     bash .ci/go.sh              all steps; -l lists them
#     bash .ci/go.sh vet imports  only these
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly go_steps='layout format tidy imports vet lint plant tests cover model cross'

readonly top_level='LICENSE README.md auth examples go.mod go.sum protocol room transport'
readonly coverage_floor=85 # percent
readonly coverage_of='protocol auth auth/jwtauth room room/enginetest room/roomtest transport transport/browser transport/client transport/transporttest'

layout() {
	local found
	found=$(files | cut -d/ -f1 | sort -u | grep -v '^\.' | LC_ALL=C sort | tr '\n' ' ')
	[ "${found% }" = "$top_level" ] || fail "the top level holds: $found; expected: $top_level"
	found=$(files '*go.work' '*go.work.sum')
	[ -z "$found" ] || fail "no go.work in the repository: $found"
}

format() {
	local found
	found=$(files '*.go' | tr '\n' '\0' | xargs -0 gofmt -l)
	[ -z "$found" ] || fail "gofmt: $found"
}

# tidy also fails if the module has other direct dependencies than its three.
tidy() {
	go mod tidy -diff || fail 'go.mod is not tidy: run go mod tidy'
	go mod verify
	local direct
	direct=$(awk '/^\)/ { list = 0 } /^require / && !/\(/ && !/\/\/ indirect/ { print $2 }
		list && NF && !/\/\/ indirect/ { print $1 } /^require \(/ { list = 1 }' go.mod | LC_ALL=C sort | tr '\n' ' ')
	[ "$direct" = 'github.com/google/go-cmp github.com/lestrrat-go/jwx/v2 nhooyr.io/websocket ' ] ||
		fail "direct dependencies: $direct"
}

# imports checks the import rules of .golangci.yml on Linux and on $platforms. -exec starts the
# linter, which is built for this machine, with the platform whose files it should load.
# Each platform has its own cache: the linter would take the results of another for those of this one.
imports() {
	local platform
	for platform in linux/amd64 $platforms; do
		echo "$platform"
		GOLANGCI_LINT_CACHE=$work/lint/$platform \
			go run -exec "env GOOS=${platform%/*} GOARCH=${platform#*/} CGO_ENABLED=0" "$golangci_lint" run --enable-only depguard ./... ||
			fail "imports ($platform): .github/CONTRIBUTING.md has the rules"
	done
}

vet() { go vet ./...; }

lint() { go run "$golangci_lint" run ./...; }

# plant checks that each planted fault still applies to the source and compiles. It does not run the
# tests that must catch the faults: that takes the command without -check.
plant() { go run ./transport/internal/plant -check; }

# tests runs all tests of the module in random order under the race detector. Those of room take the
# longest, so they begin first. cover reads the output.
tests() { go test -race -shuffle=on -timeout=10m -cover -covermode=atomic ./room ./... | tee "$work/tests"; }

# cover fails if the tests of a package cover less than $coverage_floor percent of it.
cover() {
	[ -e "$work/tests" ] || tests
	local p percent
	for p in $coverage_of; do
		percent=$(awk -v p="$(go list -m)/$p" '$1 == "ok" && $2 == p { for (i = 3; i <= NF; i++) if ($i == "coverage:") print $(i + 1) + 0 }' "$work/tests")
		printf '%-14s %s %%\n' "$p" "${percent:-none}"
		awk -v c="${percent:-0}" -v floor="$coverage_floor" 'BEGIN { exit !(c >= floor) }' || fail "coverage of $p is below $coverage_floor %"
	done
}

# model explores the model of room/internal/tenure, which the race detector would make ten times
# slower.
model() { go test -count=1 -run '^TestModel' ./room/internal/tenure -model; }

# cross compiles and vets the packages and their tests for other systems.
cross() {
	local platform
	for platform in $platforms; do
		echo "$platform"
		GOOS=${platform%/*} GOARCH=${platform#*/} CGO_ENABLED=0 go vet ./...
	done
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$go_steps" "$@"
