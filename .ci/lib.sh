# Functions that the scripts in this folder share. Loading it changes to the top folder of the
# repository. It needs bash, git and Go.
! declare -F main >/dev/null || return 0 # a script before this one has loaded it

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. .ci/runner.sh

readonly golangci_lint=github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
readonly platforms='windows/amd64 darwin/arm64 linux/386' # besides this one

export GOFLAGS="${GOFLAGS:-} -buildvcs=false" # a clone need not belong to the user who runs this
unset GOOS GOARCH

# files lists the files of the project, committed or not, without those that git ignores.
files() {
	git ls-files -z --cached --others --exclude-standard -- "$@" |
		while IFS= read -r -d '' f; do [ ! -e "$f" ] || printf '%s\n' "$f"; done | sort -u
}

# copy_tree makes a repository with the files of this working tree.
copy_tree() {
	mkdir -p "$1"
	files | tar -cf - -T - | tar -xf - -C "$1"
	git -C "$1" init -q
	git -C "$1" add -A
	git -C "$1" -c user.name=ci -c user.email=ci@localhost commit -q -m 'the working tree'
}

# remove deletes a directory, also one that holds a module cache, whose files are read-only.
remove() {
	chmod -R u+w "$1" 2>/dev/null || true
	rm -rf "$1"
}

# debian installs Debian packages if the script runs as root, and fails otherwise. It starts no
# services.
debian() (
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "not installed: $*"
	policy=/usr/sbin/policy-rc.d # asked before a service is started
	if ! [ -e "$policy" ]; then
		trap 'rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
	fi
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "$@" >/dev/null
)

# packages installs the npm packages of the lock file in the current folder, and runs none of their
# install scripts.
packages() { npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; }

# pass runs go test -v with the other arguments, and fails unless each test that the first argument
# lists has passed. go test alone also succeeds if -run matches no test or a test is skipped.
pass() {
	local name names=$1 results
	results=$(mktemp "$work/pass.XXXXXX")
	shift
	go test -v "$@" >"$results" 2>&1 || { cat "$results" >&2; fail "go test $*"; }
	for name in $names; do
		grep -E "^ *--- PASS: $name " "$results" || { cat "$results" >&2; fail "$name has not passed"; }
	done
}
