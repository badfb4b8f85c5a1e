# Runs steps, which are functions of the scripts: one after the other, each in a process group of its
# own, and prints the minutes of each. When the script ends, also by a signal or because a step has
# failed, it ends the processes that are left. lib.sh loads this file.

readonly time_limit=30 # minutes

work=$(mktemp -d) # a folder for the steps; cleanup removes it
running=''        # the process groups that run, each with a minus sign, as kill wants them
step=''           # the step that runs
times=()          # of the steps that have passed: name, seconds

fail() {
	printf 'FAIL: %s\n' "$*" >&2
	exit 1
}

cleanup() {
	local status=$?
	trap '' HUP INT TERM
	end_running
	remove "$work"
	[ "$status" = 0 ] || [ -z "$step" ] || printf 'FAIL: the step %s (status %d)\n' "$step" "$status" >&2
	[ "${#times[@]}" = 0 ] || table
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# end_running ends the processes that run. After 10 s it kills those that ignore SIGTERM.
end_running() {
	local tries=100
	[ -n "$running" ] || return 0
	kill -TERM -- $running 2>/dev/null || true
	while ((tries-- > 0)) && kill -0 -- $running 2>/dev/null; do sleep 0.1; done
	kill -KILL -- $running 2>/dev/null || true
}

# start starts a command in the background, in a process group of its own, and sets pid to its process.
start() {
	set -m # gives it the group
	(
		set +m
		"$@"
	) </dev/null &
	pid=$!
	set +m
	running+=" -$pid"
}

# attend runs a command and ends what the command leaves running. While bash waits for a command in the
# background, a signal reaches the script at once; it would otherwise have to wait for the command, too.
attend() {
	local before=$running pid
	start "$@"
	wait "$pid"
	kill -KILL -- "-$pid" 2>/dev/null || true
	running=$before
}

# timed runs a command as a step: it prints the name, and notes how long the command takes.
timed() {
	local started=$SECONDS
	step=$1
	shift
	printf '\n==> %s\n' "$step"
	"$@"
	times+=("$step $((SECONDS - started))")
	step=''
}

# table prints how long the steps have taken.
table() {
	local name seconds
	printf '\n'
	while read -r name seconds; do
		printf '%-16s %3d min %02d s\n' "$name" $((seconds / 60)) $((seconds % 60))
	done < <(printf '%s\n' "${times[@]}" "total $SECONDS")
	((SECONDS < 60 * time_limit)) || printf 'more than the %d minutes that all steps may take\n' "$time_limit"
}

# choose sets chosen to the steps that the arguments name, or else to all, which are the first argument.
# With -l it lists them instead.
choose() {
	local all=$1 name
	shift
	[ "${1:-}" != -l ] || { printf '%s\n' $all; exit; }
	for name in "$@"; do
		[[ " $all " == *" $name "* ]] || fail "no such step: $name; bash $0 -l lists them"
	done
	chosen=${*:-$all}
}

# main is what a script does if it does not run as a part of .ci/run.
main() {
	local name
	choose "$@"
	for name in $chosen; do timed "$name" attend "$name"; done
	printf '\nall passed\n'
}
