#!/usr/bin/env bash
# Runs the examples in Chromium, and the client and its React hook in Chromium and Firefox. It needs
# bash, git, Go, and npm with Node 20.19 or 22.12 or newer, and the two browsers (CHROMIUM and
# FIREFOX name them), which it installs from Debian's packages if it runs as root.
#
#     bash .ci/browsers.sh        its one step, browser
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly browsers_steps='browser'

browser() {
	browsers
	pages_and_client
}

pages_and_client() (
	cd examples/e2e
	packages
	npm test --silent
	npm run --silent browsers
)

# browsers installs the browsers that are missing.
browsers() {
	[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || debian chromium
	[ -x "${FIREFOX:-/usr/bin/firefox-esr}" ] || debian firefox-esr
}

# browser_in_copy is the step in a copy of the working tree, because other steps rebuild the pages.
browser_in_copy() {
	copy_tree "$work/beside"
	cd "$work/beside"
	pages_and_client
}

# browser_results prints the results of the tests in the output of the step.
browser_results() { grep -E '^ *[0-9]+ passed|^# (tests|pass|fail) '; }

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$browsers_steps" "$@"
