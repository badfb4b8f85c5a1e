#!/usr/bin/env bash
# Checks the modules below the root. It needs bash, git and Go, the module proxy, and Prometheus and
# Redis, which it installs from Debian's packages if it runs as root.
#
#     bash .ci/nested.sh          all steps; -l lists them
#     bash .ci/nested.sh metrics  only this one
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly nested_steps='metrics nested'

# metrics has a Prometheus server scrape the taskboard.
metrics() (
	command -v prometheus >/dev/null && command -v promtool >/dev/null || debian prometheus
	cd examples/taskboard
	export PROMETHEUS_REQUIRED=1
	pass 'TestPrometheus TestPromtool' -race -count=1 -run '^Test(Prometheus|Promtool)$' .
)

# nested checks each nested module, which ./... in the root module does not include. It tests two at
# a time, since tests with processes of their own mostly wait, and begins with those that take long.
# The tests of examples/compare start Redis servers.
nested() {
	local mod mods dirs dir
	command -v redis-server >/dev/null || debian redis-server
	export REDIS_REQUIRED=1
	mods=$(files '*/go.mod')
	for mod in $mods; do
		dir=$(dirname "$mod")
		echo "$dir"
		(
			cd "$dir"
			go mod tidy -diff || fail "$mod is not tidy"
			go run "$golangci_lint" run ./... # go vet is among its linters
		)
	done
	dirs=$long_modules
	for dir in $(dirname $mods); do
		[[ " $long_modules " == *" $dir "* ]] || dirs+=" $dir"
	done
	printf '%s\n' $dirs | xargs -P 2 -I {} bash .ci/nested.sh -module {}
}

readonly long_modules='examples/cluster room/natsengine examples/compare'

# module tests one nested module, and prints the results when it is done. The tests of .ci/tools only
# wait for programs.
module() {
	local status=0 race=-race
	[ "$1" != .ci/tools ] || race=''
	mkdir -p "$work/$1"
	(cd "$1" && go test $race -p 1 -shuffle=on -timeout=10m ./...) >"$work/$1/results" 2>&1 || status=$?
	cat "$work/$1/results"
	return "$status"
}

if [ "${BASH_SOURCE[0]}" = "$0" ] && [ "${1:-}" = -module ]; then
	module "$2"
	exit
fi
[ "${BASH_SOURCE[0]}" != "$0" ] || main "$nested_steps" "$@"
