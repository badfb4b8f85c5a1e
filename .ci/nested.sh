#!/usr/bin/env bash
# Checks the modules below the root. It needs bash, git and Go, the module proxy, and Prometheus,
# which it installs from Debian's packages if it runs as root.
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

# nested checks each nested module, which ./... in the root module does not include.
nested() {
	local mod mods dir
	mods=$(files '*/go.mod')
	for mod in $mods; do
		dir=$(dirname "$mod")
		echo "$dir"
		(
			cd "$dir"
			go mod tidy -diff || fail "$mod is not tidy"
			go run "$golangci_lint" run ./... # go vet is among its linters
			# The tests of .ci/tools only wait for programs.
			go test $([ "$dir" = .ci/tools ] || echo -race) -shuffle=on -timeout=10m ./...
		)
	done
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$nested_steps" "$@"
