#!/usr/bin/env bash
# Makes a release. .github/RELEASING.md says when to run what.
#
#     bash .ci/release.sh prepare v0.1.0     sets the version and the date in the files
#     bash .ci/release.sh check v0.1.0       prints the notes of the release, and checks the tree
#     bash .ci/release.sh publish v0.1.0     tags the nested modules, and makes the release
#     bash .ci/release.sh develop            sets the version of nested modules between releases
#     bash .ci/release.sh api v0.1.0 v0.2.0  compares the API of the tree with that of a commit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly apidiff=golang.org/x/exp/cmd/apidiff@v0.0.0-20261113113407-e3970619a1a4
readonly root_module=github.com/planrooms/planrooms

fail() {
	printf 'FAIL: %s\n' "$*" >&2
	exit 1
}

release() { go run -C .ci/tools ./release "$@"; }

prepare() {
	release changelog "$1" "$(date -u +%F)"
	release versions "$1"
	(cd transport/browser && npm version --silent --no-git-tag-version --allow-same-version "${1#v}")
}

develop() { release versions v0.0.0; }

# check fails unless the working tree is committed and prepared for the version, and the version
# allows the changes of the API.
check() {
	local before tagged
	[ "$(git rev-parse --is-shallow-repository)" = false ] || fail 'the clone is shallow: fetch the earlier versions'
	if tagged=$(git rev-parse --quiet --verify "refs/tags/$1^{commit}") && [ "$tagged" != "$(git rev-parse HEAD)" ]; then
		fail "the tag $1 is of another commit"
	fi
	release notes "$1"
	before=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' transport/browser/package.json)
	[ "$before" = "${1#v}" ] || fail "the npm package has the version $before"
	release versions "$1" # changes nothing if the versions are right
	[ -z "$(git status --porcelain)" ] || { git status --short >&2; fail "not the tree of $1: prepare and commit it"; }
	if before=$(git describe --tags --abbrev=0 --match 'v[0-9]*' HEAD~1 2>/dev/null); then
		api "$before" "$1"
	else
		echo 'There is no earlier version to compare the API with.'
	fi
	(cd transport/browser && npm publish --dry-run --tag "$(npm_tag "$1")" 2>&1)
}

# npm_tag is latest, or next for a version such as v0.2.0-rc.1.
npm_tag() { case $1 in *-*) echo next ;; *) echo latest ;; esac; }

# api compares the modules that users import with those at a commit. Incompatible changes need a new
# minor version before v1, and a new major version from then on.
api() {
	local changes='' broken='' module old
	old=$(mktemp -d)
	trap "git worktree remove --force '$old/tree' || true; rm -rf '$old'" EXIT
	git worktree add --quiet --detach "$old/tree" "$1"
	for module in . room/metrics room/natsengine; do
		[ -e "$old/tree/$module/go.mod" ] || continue
		(cd "$old/tree/$module" && go run "$apidiff" -m -w "$old/api" "$(path_of "$module")")
		changes+=$(differences "$module" "$old/api")$'\n'
		broken+=$(differences "$module" "$old/api" -incompatible)
	done
	printf 'Changes of the API since %s:\n%s' "$1" "$changes"
	[ -z "$broken" ] || [[ $2 =~ ^v(0\.[0-9]+|[1-9][0-9]*\.0)\.0(-|$) ]] || fail "the API of $2 is not compatible with $1: $broken"
}

differences() { (cd "$1" && go run "$apidiff" -m ${3:-} "$2" "$(path_of "$1")" 2>/dev/null); }

path_of() { if [ "$1" = . ]; then echo "$root_module"; else echo "$root_module/$1"; fi; }

# publish runs after the tag of the root module was pushed, which starts the workflow.
publish() {
	local tag tags notes
	tags=$(release tags "$1")
	for tag in $tags; do
		git tag --force "$tag" "$1^{commit}"
		git push --quiet origin "refs/tags/$tag"
	done
	notes=$(mktemp)
	release notes "$1" >"$notes"
	gh release create "$1" --verify-tag --title "$1" --notes-file "$notes"
	rm -f "$notes"
}

case "${1:-}:$#" in
prepare:2 | check:2 | publish:2 | develop:1 | api:3) "$@" ;;
*) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
