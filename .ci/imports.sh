#!/usr/bin/env bash
# Checks which package imports which. It needs bash, git and Go.
#
#     bash .ci/imports.sh   its one step, imports
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# import_rule prints what a package of this module may import besides the standard library, as a pattern for [[ =~ ]], and
# after a tab what it may not. %m stands for the module.
import_rule() {
	local below='%m/(protocol|auth|room)(/.*)?'
	case $1 in
	protocol | protocol/*) printf '%s\t%s' 'none' 'net|net/.*|os|os/.*|sync|sync/.*|context' ;;
	auth/jwtauth) printf '%s\t%s' '%m/auth|github\.com/lestrrat-go/jwx/v2(/.*)?' 'none' ;;
	auth) printf '%s\t%s' 'none' 'net|net/.*' ;;
	room) printf '%s\t%s' '%m/(protocol|auth)' 'net|net/.*' ;;
	room/*) printf '%s\t%s' '%m/(protocol|auth|room|room/roomtest)' 'net/.*' ;; # net for net.ErrClosed
	transport) printf '%s\t%s' '%m/(room|auth|protocol)|nhooyr\.io/websocket' 'none' ;;
	transport/client) printf '%s\t%s' '%m/protocol|nhooyr\.io/websocket' 'none' ;;
	transport/*) printf '%s\t%s' '%m/protocol' 'none' ;;
	examples | examples/*) printf '%s\t%s' "$below|%m/transport(/.*)?|%m/$1(/.*)?|github\\.com/lestrrat-go/jwx/v2(/.*)?" '.*/internal/.*' ;;
	*) printf '%s\t%s' 'none' '.*' ;; # a package that no rule knows
	esac
}

# Tests may import what their package may, the package itself, go-cmp, and what is named here.
import_rule_tests() {
	case $1 in
	room) printf '%s' '%m/room(/roomtest|/enginetest)?' ;;
	transport | transport/*) printf '%s' '%m/(auth|auth/jwtauth|room|room/roomtest|protocol|transport(/.*)?)' ;;
	*) printf '%s' 'none' ;;
	esac
}

# check_imports reads lines of: package, tab, imports, tab, imports of its tests.
check_imports() {
	local package imports test_imports rel allowed denied i bad=0
	while IFS='|' read -r package imports test_imports; do
		rel=${package#"$module"/}
		IFS=$'\t' read -r allowed denied < <(import_rule "$rel"; echo)
		allowed=${allowed//%m/$module}
		for i in $imports; do
			if [[ $i =~ ^($denied)$ ]] || { [[ ${i%%/*} == *.* ]] && ! [[ $i =~ ^($allowed)$ ]]; }; then
				echo "$rel imports $i" >&2
				bad=1
			fi
		done
		allowed="$allowed|$package|github\\.com/google/go-cmp/cmp(/.*)?|$(import_rule_tests "$rel")"
		allowed=${allowed//%m/$module}
		for i in $test_imports; do
			if [[ ${i%%/*} == *.* ]] && ! [[ $i =~ ^($allowed)$ ]]; then
				echo "the tests of $rel import $i" >&2
				bad=1
			fi
		done
	done
	return $bad
}

# imports go one way, on every platform.
imports() {
	local platform found
	module=$(go list -m)
	for platform in linux/amd64 $platforms; do
		GOOS=${platform%/*} GOARCH=${platform#*/} CGO_ENABLED=0 go list -f \
			'{{.ImportPath}}|{{join .Imports " "}}|{{join .TestImports " "}} {{join .XTestImports " "}}' ./... |
			check_imports || fail "imports ($platform); .github/CONTRIBUTING.md has the rules"
	done
	found=$(files '*.go' | xargs grep -lE '^(import )?[[:space:]]*([[:alnum:]_.]+ )?"nhooyr\.io/websocket' | tr '\n' ' ' || true)
	[ "$found" = 'transport/client/library.go transport/library.go ' ] ||
		fail "nhooyr.io/websocket is imported by: $found; only library.go of transport and transport/client may"
	found=$(files 'room/*.go' | grep -v -e _test.go -e /roomtest/ | xargs grep -nE 'json\.(Marshal|Unmarshal|Valid|Compact|Indent|New)' || true)
	[ -z "$found" ] || fail "JSON is the business of protocol: $found"
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main imports "$@"
