# Starts commands in process groups of their own, and ends what they leave. runner.sh loads this file.

running='' # the process groups that run, each with a minus sign, for kill

# end_running ends the processes that run. After 10 s it kills those that ignore SIGTERM.
end_running() {
	local tries=100
	[ -n "$running" ] || return 0
	running+=" $(groups)"
	kill -TERM -- $running 2>/dev/null || true
	while ((tries-- > 0)) && kill -0 -- $running 2>/dev/null; do sleep 0.1; done
	kill -KILL -- $running 2>/dev/null || true
}

# groups lists the process groups below this script as $running does. Linters and apidiff run the go
# command in separate groups.
groups() {
	ps -A -o pid=,ppid=,pgid= | awk -v root=$$ '{ parent[$1] = $2; group[$1] = $3 }
		END { for (p in parent) {
			for (q = p; q in parent && q != root; q = parent[q]) ;
			if (q == root && group[p] != group[root]) print "-" group[p]
		} }' | sort -u | tr '\n' ' '
}

# start starts a command in the background, in its own process group, and sets pid to its process.
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

# attend runs a command, waits for it, and ends the processes that it leaves running. The command
# runs in the background so that bash handles a signal immediately, not after the command has ended.
attend() {
	local others=$running pid
	start "$@"
	wait "$pid"
	kill -KILL -- "-$pid" 2>/dev/null || true
	running=$others
}
