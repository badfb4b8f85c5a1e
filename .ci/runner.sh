# Runs steps, which are functions of the scripts, one after the other. Each runs in its own process
# group. At the end it prints how long each step took. When the script ends, also because of a
# signal or a failed step, it ends the processes that still run. lib.sh loads this file.

. .ci/processes.sh

readonly time_limit=30 # minutes

work=$(mktemp -d)        # a folder for the steps; cleanup removes it
export TMPDIR=$work/tmp  # so cleanup also removes what killed programs leave
mkdir "$TMPDIR"
step=''                  # the step that runs
times=()                 # of the steps that have passed: name, seconds
declare -A background=() # the processes of the steps that run in the background

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

# beside starts a command in the background: a step that ended will wait for.
beside() {
	local pid name=$1
	shift
	start "$@" >"$work/$name.log" 2>&1
	background[$name]=$pid
}

# ended waits for a step in the background. The other arguments are a command that prints what its
# output should show.
ended() {
	local name=$1
	shift
	wait "${background[$name]}" || { cat "$work/$name.log" >&2; fail "$name"; }
	running=${running// -${background[$name]}/}
	"$@" <"$work/$name.log"
}

# choose sets chosen to the steps that the arguments name. The first argument lists all steps, which
# are the default. With -l it prints that list and exits.
choose() {
	local all=$1 name
	shift
	[ "${1:-}" != -l ] || { printf '%s\n' $all; exit; }
	for name in "$@"; do
		[[ " $all " == *" $name "* ]] || fail "no such step: $name; bash $0 -l lists them"
	done
	chosen=${*:-$all}
}

# main runs the steps of one script. .ci/run does not call it.
main() {
	local name
	choose "$@"
	for name in $chosen; do timed "$name" attend "$name"; done
	printf '\nall passed\n'
}
