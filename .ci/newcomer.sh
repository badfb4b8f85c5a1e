#!/usr/bin/env bash
# Runs the commands of the READMEs: with the settings of this machine, and as on a machine that has
# only Go. It needs bash, git and Go. As root, with setpriv, it runs the commands as another user.
#
#     bash .ci/newcomer.sh            all steps; -l lists them
#     bash .ci/newcomer.sh commands   only this one
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly newcomer_steps='commands newcomer'

# commands runs the load generator for a second, and the quickstart, which must print the address
# that it listens on and exit with 0 on SIGTERM.
commands() {
	go build -o "$work/bin/" ./examples/...
	"$work/bin/loadtest" -rooms 2 -conns 50 -rate 50 -for 1s -stalled 10% -plot "$work/latency.svg"
	listens TERM 0 "$work/bin/quickstart" -addr 127.0.0.1:0
}

# listens starts a server, which must print the address it listens on, and sends the signal to its
# process group. It checks the exit status. An interrupted go run exits with 1, or with 0 if the
# server has ended before it sees the signal, and prints the status of the server unless that is 0.
listens() (
	signal=$1 want=$2 line='' status=0 pid=''
	shift 2
	rm -f "$work/stdout"
	mkfifo "$work/stdout"
	trap '[ -z "$pid" ] || kill -KILL -- "-$pid" 2>/dev/null || true' EXIT
	set -m # gives the server a process group: go run does not forward signals
	"$@" >"$work/stdout" 2>"$work/stderr" &
	pid=$!
	set +m
	exec 3<"$work/stdout"
	read -r -t 600 line <&3 || line='' # go run compiles first
	echo "quickstart: $line"
	[[ $line =~ ^'listening on http://127.0.0.1:'[0-9]+$ ]] || { cat "$work/stderr" >&2; fail 'the first line of quickstart'; }
	kill "-$signal" -- "-$pid"
	wait "$pid" || status=$?
	[[ $status =~ ^($want)$ ]] && ! grep -q '^exit status' "$work/stderr" ||
		{ cat "$work/stderr" >&2; fail "quickstart ended with status $status"; }
)

# newcomer runs the README's commands for a clone as on a new machine: as an unprivileged user, in a
# clone that another user owns, without caches, flags or settings of Go. The exceptions are the
# settings for module and HTTP proxies, without which some machines reach no modules.
newcomer() {
	local place="$work/newcomer" as=() settings=() commands command name value status=0
	mkdir -p "$place/home/tmp"
	copy_tree "$place/planrooms"
	chmod -R a+rX "$place"
	chmod a+x "$work"

	for name in GOPROXY GOSUMDB GONOSUMDB GONOPROXY GOPRIVATE GOINSECURE; do
		value=$(go env "$name")
		[ -z "$value" ] || settings+=("$name=$value")
	done
	for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR; do
		value=${!name:-}
		[ -z "$value" ] || settings+=("$name=$value")
	done
	if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
		as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
		chown -R 65534:65534 "$place/home"
	fi
	as+=(env -i "PATH=$(go env GOROOT)/bin:/usr/bin:/bin" "HOME=$place/home" "TMPDIR=$place/home/tmp" GOENV=off ${settings[@]+"${settings[@]}"})
	if [ "${as[0]}" != setpriv ]; then
		echo 'not root, or no setpriv: running as this user, who owns the clone'
	elif ! (cd "$place/planrooms" && "${as[@]}" go version); then
		fail "another user cannot run go or cannot read $place"
	fi

	commands=$(awk '/^In a clone of this repository/ { on = 1; next } on && /^    / { sub(/ *#.*/, ""); sub(/^ +/, ""); print; next } on && NF { exit }' README.md)
	[ -n "$commands" ] || fail 'the README has no commands for a clone'
	cd "$place/planrooms"
	while IFS= read -r command; do
		printf '$ %s\n' "$command"
		case $command in
		'go test '*) "${as[@]}" $command ;;
		'go run '*) listens INT '0|1' "${as[@]}" $command -addr 127.0.0.1:0 ;;
		*) fail "newcomer does not know how to run: $command" ;;
		esac
	done <<<"$commands"

	echo '$ the commands for the program of examples/minimal'
	"${as[@]}" go test -count=1 -v -run '^TestREADMEClone$' ./examples -network >"$work/clone" 2>&1 || status=$?
	grep -q '^--- PASS: TestREADMEClone ' "$work/clone" && [ "$status" = 0 ] || { cat "$work/clone" >&2; fail 'TestREADMEClone'; }
	grep '^--- PASS' "$work/clone"
	cd "$OLDPWD"
	remove "$place"
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$newcomer_steps" "$@"
