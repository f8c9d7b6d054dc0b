#!/bin/bash
# calls.sh - every system call of every process of the tool fails once (HOW=fail), or is the last
# one: that process is killed as it makes the call (HOW=kill). By strace, on the plain build.
# FAULTY: the tool with faulty.c in it. SCENES, CALLS, SHOW=1 choose.
. "$(dirname "$0")/../containers.sh"
. "$(dirname "$0")/scenes.sh"
FAULTY=${FAULTY:-$BUILD/tests/faulty}
[ -x "$FAULTY" ] || { fail "$FAULTY is not built"; summary; exit; }
cp "$FAULTY" "$T/tool" && FAULTY=$T/tool # nobody else's processes are this one
END=$((SECONDS + ${LIMIT:-1000000}))
unset DEVGUARD_FAULT
export DEVGUARD_TIMEOUT=60 # strace takes time
mkfifo "$T/pid"
exec {PIDS}<>"$T/pid"

# What each may well answer; calls that are not here do not fail.
declare -A ERRORS=(
	[openat]="EMFILE EIO" [open]=EMFILE [read]=EIO [write]="ENOSPC EIO" [pread64]=EIO [pwrite64]=ENOSPC [writev]=EIO
	[mmap]=ENOMEM [mprotect]=ENOMEM [mremap]=ENOMEM [pipe2]=EMFILE [clone]=EAGAIN [clone3]=EAGAIN
	[fork]=EAGAIN [vfork]=EAGAIN [bpf]="ENOMEM EPERM" [poll]=ENOMEM [close_range]=EINVAL [prctl]=EINVAL
	[seccomp]=EINVAL [capset]=EPERM [setresuid]=EAGAIN [setresgid]=EAGAIN [setgroups]=ENOMEM [prlimit64]=EPERM
	[setrlimit]=EPERM [rename]=EIO [renameat]=EIO [renameat2]=EIO [link]=EIO [linkat]=EIO [unlink]=EIO [unlinkat]=EIO
	[fsync]=EIO [memfd_create]=ENOMEM [mkdir]=ENOSPC [mkdirat]=ENOSPC [rmdir]=EBUSY [flock]=ENOLCK [fcntl]=EMFILE
	[ftruncate]=ENOSPC [newfstatat]=EIO [fstat]=EIO [stat]=EIO [lstat]=EIO [statx]=EIO [statfs]=EIO [fstatfs]=EIO
	[fchmod]=EPERM [dup2]=EMFILE [dup3]=EMFILE [wait4]=ECHILD [getdents64]=EIO [readlink]=EIO [readlinkat]=EIO
	[pidfd_open]=EMFILE [access]=EIO [faccessat]=EIO [faccessat2]=EIO [ioctl]=EIO [getcwd]=ENOMEM [mount]=EPERM
	[capget]=EPERM [lseek]=EIO [name_to_handle_at]=EIO [unshare]=EPERM [setns]=EPERM [execve]=ENOMEM [rt_sigaction]=EINVAL
	[sigaltstack]=ENOMEM [kill]=EPERM [getsockopt]=EIO [sendto]=EIO [umask]=ENOSYS [clock_getres]=EINVAL
)

# traced P FILE STRACE-OPTION...: the scene's command with strace on its process P from the
# start; its status in RC. STATUS 125: there is no such process.
traced() { attempt "$@" 2>>"$T/shell"; } # bash tells of each process that is killed
attempt()
{
	local p=$1 file=$2 pid tool line fd watch; shift 2
	rm -rf "${W:?}"/*
	"$BEFORE"
	(cd "$W" && DEVGUARD_FAULT_STOP=$p:$T/pid exec "$FAULTY" "${ARGS[@]}") <"$INPUT" >"$W/out" 2>"$W/err" &
	tool=$!
	pid=
	until read -r -t 0.1 -u $PIDS pid; do kill -0 $tool 2>/dev/null || break; done
	if [ -n "$pid" ]; then
		until [[ $(<"/proc/$pid/stat") == *") T "* ]]; do [ -d "/proc/$pid" ] || break; done
		exec {fd}< <(exec strace -o "$file" "$@" -p "$pid" 2>&1)
		read -r -t 20 -u $fd line
		kill -CONT "$pid"
	fi
	# once in a while a stop comes after its end: again; and nothing may wait for ever
	(for ((i = 0; i < 40; i++)); do sleep 1; [ -z "$pid" ] || kill -CONT "$pid"; done; kill -9 $tool) & watch=$!
	wait $tool; RC=$?
	kill $watch; wait $watch
	[ -z "$pid" ] || exec {fd}<&-
}

# Processes of the tool that go on although it has ended.
orphans()
{
	local i p
	for ((i = 0; i < 40; i++)); do
		p=$(find /proc -maxdepth 2 -path '/proc/[1-9]*/exe' -lname "$FAULTY" 2>/dev/null | grep -o '[0-9]*')
		p=$(for p in $p; do grep -q '^devguard-keeper' "/proc/$p/comm" 2>/dev/null || echo "$p"; done)
		[ -n "$p" ] || return
		sleep 0.05
	done
	echo "still there: ${p//$'\n'/ }"
	kill -9 $p
}

# "CALL MOST" for each call in a trace. Where the room is locked no call can be made to fail: strace
# puts another in its place, and that one the filter forbids.
calls_of() # calls_of TRACE HOW
{
	sed -n 's/^\([a-z_0-9]*\)(.*/\1/p' "$1" | if [ "$2" = kill ]; then cat; else sed '/^seccomp$/q'; fi |
		sort | uniq -c | awk '{ print $2, $1 }'
}

judge_kill() # of the process P
{
	local left
	if [ "$1" != 0 ]; then
		KILLED=1 judge "$RC"
		orphans
		return
	fi
	[ "$RC" = 137 ] || [ "$RC" = "$RIGHT" ] || echo "exit $RC"
	KILLED=1 "$AFTER" 137
	left=$(cd "$W" && ls | grep -vxF -e out -e err -e "${ARTIFACT:-out}")
	[ -z "$left" ] || echo "left: $left"
	[ ! -e "$W/${ARTIFACT:-none}" ] || cmp -s "$W/$ARTIFACT" "$T/right/$ARTIFACT" || echo "a wrong $ARTIFACT"
	orphans
}

scene() # scene SCENE HOW
{
	local scene=$1 how=$2 n=0 p call most i error text
	prepare "$scene" "$FAULTY" || return
	for ((p = 0; p < 6; p++)); do
		traced $p "$T/trace.$p"
		[ -s "$T/trace.$p" ] || break
		while read -r call most; do
			[ -z "${CALLS-}" ] || [[ " $CALLS " == *" $call "* ]] || continue
			for ((i = 1; i <= most; i++)); do
				for error in $([ "$how" = kill ] && echo kill || echo ${ERRORS[$call]-}); do
					[ $SECONDS -lt $END ] || break 4
					if [ "$how" = kill ]; then traced $p "$T/trace" -e trace="$call" -e "inject=$call:signal=KILL:when=$i"
					else traced $p "$T/trace" -e trace="$call" -e "inject=$call:error=$error:when=$i"; fi
					if [ "$how" = kill ]; then judge_kill $p; else judge $RC; fi >"$T/judged"
					text=$(<"$T/judged")
					n=$((n + 1))
					[ -z "$text" ] || note "process $p $call $i $error" "$text"
					[ "$RC" = "$RIGHT" ] || echo "$call: $(head -n 1 "$W/err")" >>"$T/said"
				done
			done
		done < <(calls_of "$T/trace.$p" "$how")
	done
	text=$(orphans)
	[ -z "$text" ] || note "at the end" "$text"
	report "$scene, $([ "$how" = kill ] && echo "killed at a system call" || echo "a system call fails")" $n
}

need_strace() # the reason why it cannot trace, or nothing
{
	if ! command -v strace >/dev/null; then echo "strace is not installed"
	elif ! strace -o "$T/trace" -e inject=getppid:error=EPERM true 2>/dev/null; then echo "strace cannot trace here"; fi
}
reason=$(need_strace)
[ -z "$reason" ] || { skip "system calls" "$reason"; summary; exit; }
reason=$(need_containers)
[ -n "$reason" ] || live faults
for s in ${SCENES:-$SCENES_PLAIN $SCENES_KERNEL}; do
	if [[ " $SCENES_KERNEL " == *" $s "* && -n $reason ]]; then skip "$s" "$reason"; continue; fi
	for how in ${HOW:-fail kill}; do scene "$s" "$how"; done
done
echo "$FAULTS faults injected"
summary
