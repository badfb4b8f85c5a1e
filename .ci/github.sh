#!/usr/bin/env bash
# Checks what runs on GitHub, and rehearses releases. It needs bash, git, Go and npm, and the module
# proxy and the npm registry.
#
#     bash .ci/github.sh           all steps; -l lists them
#     bash .ci/github.sh release   only this one
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly github_steps='workflows release'

readonly actionlint=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

# workflows runs actionlint, and go build, the only command of the workflows that no other step
# runs. The step nested tests the other files of .github.
workflows() {
	go run "$actionlint" -no-color -shellcheck= -pyflakes=
	go build ./...
}

# release makes releases in a copy of the working tree, with all that the workflow runs. A folder is
# the remote repository, and a script that records its arguments replaces gh.
release() (
	export GOFLAGS="$GOFLAGS -trimpath" # compiles each package once, whatever folder it is in
	export GIT_AUTHOR_NAME=ci GIT_AUTHOR_EMAIL=ci@localhost GIT_COMMITTER_NAME=ci GIT_COMMITTER_EMAIL=ci@localhost
	copy_tree "$work/tree"
	mkdir "$work/fake"
	cat >"$work/fake/gh" <<-'GH'
		#!/bin/sh
		echo "gh $*" >"$(dirname "$0")/called"
		while [ "$1" != --notes-file ]; do shift; done
		cp "$2" "$(dirname "$0")/notes"
	GH
	chmod +x "$work/fake/gh"
	PATH=$work/fake:$PATH
	git init -q --bare "$work/origin"
	cd "$work/tree"
	git remote add origin "$work/origin"

	refused v0.7.0 'not prepared' 'no section 0.7.0'
	first
	incompatible
)

first() {
	echo 'v0.7.0: the first version'
	printf 'package auth\n\n// Soon is removed in the next version.\nconst Soon = 1\n' >auth/soon.go
	tag v0.7.0
	accepted v0.7.0 '^There is no earlier version' 'planrooms-0.7.0.tgz' ' LICENSE$'
	bash .ci/release.sh publish v0.7.0
	grep '^gh release create v0.7.0 --verify-tag --title v0.7.0 --notes-file ' "$work/fake/called" || fail 'the call of gh'
	grep -q '^### Added' "$work/fake/notes" || fail 'the notes of the release'
	[ "$(git -C "$work/origin" rev-parse room/metrics/v0.7.0)" = "$(git rev-parse v0.7.0)" ] || fail 'the tag of room/metrics'
	[ "$(git -C "$work/origin" rev-parse room/natsengine/v0.7.0)" = "$(git rev-parse v0.7.0)" ] || fail 'the tag of room/natsengine'
	grep -q '^	github.com/planrooms/planrooms v0.7.0$' room/metrics/go.mod || fail 'room/metrics requires another version'
	bash .ci/release.sh develop
	git diff --exit-code v0.7.0~1 -- '*go.mod' || fail 'develop does not restore go.mod'
}

incompatible() {
	echo 'v0.7.1: an incompatible change, for which the number has to be v0.8.0'
	git rm -q auth/soon.go
	change 'No constant.'
	tag v0.7.1
	refused v0.7.0 'released' 'the tag v0.7.0 is of another commit'
	refused v0.7.1 'incompatible' 'the API of v0.7.1 is not compatible with v0.7.0'
	bash .ci/release.sh api v0.7.0 v0.8.0 | grep 'Soon: removed'
}

# change adds a line to the changelog.
change() { sed -i "s/^## \[Unreleased\]\$/&\n\n### Changed\n\n- $1/" .github/CHANGELOG.md; }

# tag does for a version what RELEASING.md asks of a maintainer.
tag() {
	bash .ci/release.sh prepare "$1"
	git add -A
	git commit -q -m "Release $1"
	git tag "$1"
	git push -q origin HEAD:refs/heads/main "refs/tags/$1"
}

# accepted runs check, which has to pass and to print lines that match the patterns.
accepted() {
	local pattern version=$1
	bash .ci/release.sh check "$version" >"$work/check" 2>&1 || { cat "$work/check" >&2; fail "check of $version"; }
	shift
	for pattern in "$@"; do grep -q "$pattern" "$work/check" || { cat "$work/check" >&2; fail "no line $pattern"; }; done
}

# refused runs check, which has to fail with a message.
refused() {
	! bash .ci/release.sh check "$1" >"$work/check" 2>&1 || fail "check has accepted a version that is $2"
	grep "$3" "$work/check" | sed 's/^/as expected: /' || { cat "$work/check" >&2; fail "check of $1 has failed for another reason"; }
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$github_steps" "$@"
