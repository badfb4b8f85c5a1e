#!/usr/bin/env bash
# Checks the JavaScript and the pages, and runs WebSocket clients and proxies of other projects. It
# needs bash, git, Go, and npm with Node 20.19 or 22.12 or newer. The step interop also needs nginx,
# HAProxy, Caddy and Python's websockets, which it installs from Debian's packages if it runs as
# root.
#
#     bash .ci/web.sh               all steps; -l lists them
#     bash .ci/web.sh client pages  only these
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly web_steps='js client consumers pages interop'

# js runs Biome on all JavaScript and TypeScript.
js() (
	cd .ci
	packages
	npm run --silent check
)

# client checks the browser client: its types, its tests with their coverage, and its size. The
# generated files must equal those in the repository.
client() (
	cd transport/browser
	packages
	npm run --silent check
	npm test --silent
	npm run --silent size
	cp -R types "$work/types"
	go generate ./...
	diff -ru "$work/types" types >&2 || fail 'transport/browser/types was not current: run go generate ./transport/browser'
)

# consumers builds and runs programs that use the packed browser client.
consumers() (
	cd transport/browser/consumers
	packages
	npm test --silent
)

# pages builds the page of each example that has one. The build must equal the one in the
# repository.
pages() {
	local page pages
	pages=$(files 'examples/*/web/package.json')
	for page in $pages; do
		page=$(dirname "$page")
		echo "$page"
		(
			cd "$page"
			packages
			npm run --silent check
			npm test --silent
			rm -rf "$work/dist"
			cp -R dist "$work/dist"
			npm run --silent build
			diff -rq "$work/dist" dist >&2 || fail "$page/dist was not current: run npm run build"
		)
	done
}

# interop runs WebSocket clients of Node and Python, and proxies, against a server.
interop() {
	interop_programs
	clients_and_proxies
}

# interop_programs installs the programs that are missing.
interop_programs() {
	local program missing=()
	for program in nginx haproxy caddy; do
		command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || missing+=("$program")
	done
	"${PYTHON:-/usr/bin/python3}" -c 'import websockets' 2>/dev/null || missing+=(python3-websockets)
	[ ${#missing[@]} = 0 ] || debian "${missing[@]}"
}

clients_and_proxies() (
	cd transport/interop
	(cd js && packages)
	export INTEROP_REQUIRED=1
	pass 'TestClients/npm_ws TestClients/npm_undici TestClients/python_websockets' \
		-race -count=1 -run '^TestClients$/^(npm|python)' ./clients
	go run ./proxies
)

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$web_steps" "$@"
