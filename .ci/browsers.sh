#!/usr/bin/env bash
# Runs the examples in Chromium, and the client and its React hook in Chromium and Firefox. It needs
# bash, git, Go, and npm with Node 20.19 or 22.12 or newer, and the two browsers (CHROMIUM and
# FIREFOX name them), which it installs from Debian's packages if it runs as root.
#
#     bash .ci/browsers.sh        its one step, browser
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly browsers_steps='browser'

beside='' # the process of the step, if it runs in the background

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

# beside starts the step in the background, since most of its time it waits. It runs in a copy of
# the working tree, because other steps rebuild the pages. The browsers are installed before it
# starts: only one apt-get can run at a time.
beside() {
	local pid
	attend browsers
	copy_tree "$work/beside"
	start in_copy >"$work/beside.log" 2>&1
	beside=$pid
}

in_copy() {
	cd "$work/beside"
	pages_and_client
}

# beside_ended waits for the step in the background, and prints the results of its tests.
beside_ended() {
	wait "$beside" || { cat "$work/beside.log" >&2; fail 'browser'; }
	running=''
	grep -E '^ *[0-9]+ passed|^# (tests|pass|fail) ' "$work/beside.log"
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$browsers_steps" "$@"
