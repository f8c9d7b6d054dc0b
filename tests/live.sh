#!/bin/bash
# live.sh - the running kernel as the judge: policies attached to scratch cgroups,
# processes in them asking for devices.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
[ -z "$reason" ] || { skip "live" "$reason"; summary; exit; }
build_opener

# asks NAME ANSWER OPENER-ARGUMENTS...: what the kernel answers a process in $CG
asks()
{
	local name=$1 want=$2 got; shift 2
	got=$(inside "$CG" "$OPENER" "$@" 2>&1)
	if [ "$got" = "$want" ]; then pass "$name"; else fail "$name" "$*: $got, expected $want"; fi
}

apply() { "$DEVGUARD" apply "$1" "${2:-$CG}"; }
ids() # of the device programs attached to a cgroup itself
{
	local out
	if ! kernel_before 6.0; then bpftool cgroup show "${1:-$CG}" 2>/dev/null | awk '$2 ~ /device/ { print $1 }'
	else # later bpftool asks for what these kernels refuse to tell: take our own word
		out=$("$DEVGUARD" status "${1:-$CG}") && sed -n '2,/^[^ ]/s/^  .*  program \([0-9]*\)  .*/\1/p' <<<"$out"
	fi
}
count() # count NAME N: so many programs are attached
{
	local n; n=$(ids | wc -l)
	if [ "$n" = "$2" ]; then pass "$1"; else fail "$1" "$n programs, expected $2"; fi
}
policy() { cat >"$T/$1.rb"; } # policy NAME <<text

DEFAULT=$ROOT/policies/container-default.rb
BLOCK=$T/block; mknod "$BLOCK" b 7 0 # loop0, which need not be there
NULL=$T/null; mknod -m 666 "$NULL" c 1 3
[ "$("$OPENER" open r "$NULL")" = ok ] ||
	{ skip "live" "$T is mounted nodev: set TMPDIR"; summary; exit; }

container_default()
{
	local node
	for node in null zero urandom; do asks "container-default opens $node" ok open r /dev/$node; done
	asks "container-default opens null for both" ok open rw /dev/null
	asks "container-default denies kmsg" EPERM open r /dev/kmsg
	asks "container-default denies a block node" EPERM open r "$BLOCK"
	asks "container-default lets mknod" ok mknod b 8 0 "$T/made"
	asks "container-default lets mknod of char" ok mknod c 1 11 "$T/made"
}

# ---- container-default and what bpftool says of it -----------------------------------

scratch default
if check "apply container-default" apply "$DEFAULT"; then :; fi
container_default
count "one program is attached" 1
check "status shows it" sh -c '"$1" status "$2" | grep -q container-default' - "$DEVGUARD" "$CG"
id=$(ids)
expect "bpftool prog show names the policy in its metadata" 0 "container-default" bpftool prog show id "${id:-0}"
expect "bpftool prog dump prints Ruby lines" 0 "allow" bpftool prog dump xlated id "${id:-0}" linum
expect "and those of the devices, not only of mknod" 0 '; allow :null, :zero' bpftool prog dump xlated id "${id:-0}" linum
expect "bpftool prog dump names the file" 0 "container-default.rb" bpftool prog dump xlated id "${id:-0}" linum

check "apply no-new-nodes beside it" apply "$ROOT/policies/no-new-nodes.rb"
asks "no-new-nodes denies mknod" EPERM mknod c 1 3 "$T/made"
asks "no-new-nodes denies mknod of a block node" EPERM mknod b 8 0 "$T/made"
asks "no-new-nodes leaves opening alone" ok open rw /dev/null
count "two policies are attached" 2
expect "detach wants a name when there are two" 1 "" "$DEVGUARD" detach "$CG"
count "and has detached nothing" 2
check "detach by name" "$DEVGUARD" detach "$CG" no-new-nodes
asks "mknod works again" ok mknod c 1 3 "$T/made"
check "detach" "$DEVGUARD" detach "$CG"
count "nothing is attached" 0
asks "kmsg opens again" ok open r /dev/kmsg
expect "detach of nothing fails" 1 "" "$DEVGUARD" detach "$CG"

# ---- the object alone, as any BPF tool would use it ------------------------------------

attach_by_bpftool() # OBJECT [FLAG], in a mount namespace of its own: bpffs is not mounted everywhere
{
	unshare -m --propagation private bash -c 'mkdir -p "$3/bpf" && mount -t bpf bpf "$3/bpf" &&
		bpftool prog load "$1" "$3/bpf/p" type cgroup/dev &&
		{ bpftool cgroup attach "$2" cgroup_device pinned "$3/bpf/p" $4 ||
		  bpftool cgroup attach "$2" device pinned "$3/bpf/p" $4; }' - "$1" "$CG" "$T" "${2-multi}"
}
scratch object
check "compile to an object" "$DEVGUARD" compile "$DEFAULT" -o "$T/default.o"
check "bpftool attaches the object" attach_by_bpftool "$T/default.o"
container_default
check "the tool knows it as its own" "$DEVGUARD" detach "$CG" container-default
check "apply takes the object" apply "$T/default.o"
container_default
"$DEVGUARD" compile "$DEFAULT" -o "$T/again.o" >/dev/null 2>&1
check "objects are the same byte for byte" cmp "$T/default.o" "$T/again.o"

# ---- one access at a time ----------------------------------------------------------------

scratch access
policy deny-w <<'RUBY'
policy "access"
deny "c 1:3 w"
allow "c 1:3 rw"
RUBY
check "apply deny-w" apply "$T/deny-w.rb"
asks "deny w leaves reading" ok open r "$NULL"
asks "deny w stops writing" EPERM open w "$NULL"
asks "deny w stops O_RDWR" EPERM open rw "$NULL"

policy two-lines <<'RUBY'
policy "access"
allow "c 1:3 r"
allow "c 1:3 w"
RUBY
check "apply two-lines" apply "$T/two-lines.rb"
asks "allow r and allow w on two lines allow O_RDWR" ok open rw "$NULL"
asks "and no mknod" EPERM mknod c 1 3 "$T/made"

policy read-block <<'RUBY'
policy "access"
allow { |ctx| ctx.read? }
RUBY
check "apply read-block" apply "$T/read-block.rb"
asks "read? lets reading" ok open r "$NULL"
asks "read? does not let O_RDWR" EPERM open rw "$NULL"
asks "read? does not let writing" EPERM open w "$NULL"
count "each has taken the other's place" 1

# ---- replacing under load ------------------------------------------------------------------

scratch replace
policy a <<'RUBY'
policy "replaced"
allow "c 1:3 rw"
allow "c 5:0 rw"
RUBY
policy b <<'RUBY'
policy "replaced"
deny { |ctx| ctx.minor == 11 && ctx.char? }
allow { |ctx| ctx.char? && ctx.major == 1 && ctx.minor < 9 }
RUBY
for p in a b; do "$DEVGUARD" compile "$T/$p.rb" -o "$T/$p.o" >/dev/null 2>&1; done
mknod -m 666 "$T/kmsg" c 1 11
replace_200()
{
	local i status loop
	apply "$T/a.rb" >/dev/null || return
	mkfifo "$T/stop"
	inside "$CG" "$OPENER" loop 100000 "$NULL" "$T/kmsg" <"$T/stop" >"$T/loop.out" & loop=$!
	BACKGROUND+=($loop)
	exec 7>"$T/stop"
	status=0
	for ((i = 0; i < 100; i++)); do
		apply "$T/b.o" >/dev/null && apply "$T/a.rb" >/dev/null || { status=1; break; }
	done
	exec 7>&-
	wait $loop || status=1
	cat "$T/loop.out"
	return $status
}
replace_200 >"$T/replace.out" 2>&1
status=$?
if [ $status = 0 ] && grep -qE 'rounds [0-9]{6,} wrong 0$' "$T/replace.out"; then
	pass "200 replacements, two devices opened 100,000 times: no wrong verdict"
else fail "200 replacements, two devices opened 100,000 times: no wrong verdict" "$(cat "$T/replace.out")"; fi
count "one program after 200 replacements" 1

scratch two
two_at_once()
{
	local i a b
	for ((i = 0; i < 20; i++)); do
		apply "$T/a.o" >/dev/null & a=$!
		apply "$T/b.o" >/dev/null & b=$!
		wait $a || return; wait $b || return
		[ "$(ids | wc -l)" = 1 ] || { echo "round $i: $(ids | wc -l) programs"; return 1; }
		"$DEVGUARD" detach "$CG" >/dev/null || return
	done
}
check "two concurrent applies leave exactly one" two_at_once

# ---- a user namespace that maps every uid to itself is none of the host's ------------------------

if unshare -U true 2>/dev/null; then # not in a chroot
	mkfifo "$T/mapped"
	unshare -U sh -c 'read -r go <"$1"; exec "$2" doctor' - "$T/mapped" "$DEVGUARD" >"$T/doctor" 2>&1 &
	p=$!
	for ((i = 0; i < 100; i++)); do [ "$(readlink /proc/$p/ns/user)" = "$(readlink /proc/self/ns/user)" ] || break; sleep 0.05; done
	echo "0 0 4294967295" >/proc/$p/uid_map && echo "0 0 4294967295" >/proc/$p/gid_map
	timeout 10 sh -c 'echo go >"$1"' - "$T/mapped"
	wait $p
	check "doctor in a mapped user namespace" grep -q "^FAIL  privileges: in a user namespace" "$T/doctor"
else skip "doctor in a mapped user namespace" "no user namespace can be made"; fi

# ---- dry-run, other people's programs ---------------------------------------------------------

scratch dry
check "apply --dry-run" "$DEVGUARD" apply "$DEFAULT" "$CG" --dry-run
count "attaches nothing" 0
asks "decides nothing" ok open r /dev/kmsg
policy foreign <<'RUBY'
policy "foreign"
allow "a *:*"
RUBY
cat >"$T/foreign.c" <<'C'
__attribute__((section("cgroup/dev"), used)) int foreign(void *ctx) { return 1; }
char gpl[] __attribute__((section("license"), used)) = "GPL";
C
if command -v clang >/dev/null && clang -O2 -target bpf -c "$T/foreign.c" -o "$T/foreign.o" 2>"$T/clang.out"; then
	check "attach another's program" attach_by_bpftool "$T/foreign.o"
	check "apply beside it" apply "$DEFAULT"
	count "both are there" 2
	check "detach ours" "$DEVGUARD" detach "$CG"
	count "theirs stays" 1
	expect "theirs is not ours to detach" 1 "" "$DEVGUARD" detach "$CG"
	count "theirs still stays" 1
	# a program that keeps others out, beside and above: said by status, apply and --dry-run
	for flag in "" override; do
		scratch "alone${flag:+.$flag}"
		mkdir "$CG/below"
		check "attach another's program ${flag:-exclusively}" attach_by_bpftool "$T/foreign.o" "$flag"
		expect "apply beside it says why not" 1 "BPF_F_ALLOW_MULTI" "$DEVGUARD" apply "$DEFAULT" "$CG"
		expect "so does --dry-run" 1 "BPF_F_ALLOW_MULTI" "$DEVGUARD" apply "$DEFAULT" "$CG" --dry-run
		expect "status warns of it" 0 "warning: this " "$DEVGUARD" status "$CG/below"
		count "it is alone" 1
	done
	expect "below one that may be overridden" 0 "attached" "$DEVGUARD" apply "$DEFAULT" "$CG/below"
	# the first above that has programs decides, as for the kernel
	scratch above
	mkdir -p "$CG/parent/child"
	check "ours on the parent" apply "$DEFAULT" "$CG/parent"
	check "then one above that admits none" attach_by_bpftool "$T/foreign.o" ""
	expect "below ours: --dry-run" 0 "would be attached" "$DEVGUARD" apply "$DEFAULT" "$CG/parent/child" --dry-run
	expect "below ours: apply" 0 "attached" "$DEVGUARD" apply "$DEFAULT" "$CG/parent/child"
	expect "ours again, below it: --dry-run" 1 "is attached exclusively" "$DEVGUARD" apply "$DEFAULT" "$CG/parent" --dry-run
	expect "ours again, below it: apply" 1 "is attached exclusively" "$DEVGUARD" apply "$DEFAULT" "$CG/parent"
else skip "another's program" "no clang for bpf"; fi

scratch full
for ((i = 0; i < 64; i++)); do
	echo "policy \"p$i\"; allow :null" | "$DEVGUARD" apply - "$CG"
done >"$T/full.out" 2>&1
count "64 policies" 64
expect "the 65th" 1 "already has 64" "$DEVGUARD" apply "$DEFAULT" "$CG"
expect "--dry-run of the 65th" 1 "already has 64" "$DEVGUARD" apply "$DEFAULT" "$CG" --dry-run
expect "status warns that it is full" 0 "all 64 program slots are in use" "$DEVGUARD" status "$CG"
check "room is made" "$DEVGUARD" detach "$CG" p63
check "and used" apply "$DEFAULT"

# ---- what is told when it cannot be told ----------------------------------------------------------

scratch closed
check "apply for those without the right to look" apply "$DEFAULT"
cannot() # cannot NAME COMMAND...: status says so, in text and as JSON
{
	local name=$1; shift
	expect "status: $name" 1 "cannot tell" "$@" "$DEVGUARD" status "$CG"
	"$@" "$DEVGUARD" status "$CG" >"$T/closed" 2>&1
	check "status: $name: no guess" sh -c '! grep -E "1970|not ours|[^0-9]0 instructions" "$1"' - "$T/closed"
	"$@" "$DEVGUARD" status "$CG" --json >"$T/closed.json" 2>&1
	check "status: $name: JSON" grep -qE '"(ours|programs)": null' "$T/closed.json"
	check "status: $name: no guess in JSON" sh -c '! grep -E "\"(ours\": false|instructions\": 0|loaded_at\": 0)" "$1"' - "$T/closed.json"
}
cp "$DEVGUARD" "$T/devguard"; chmod 755 "$T" "$T/devguard"
chmod 755 "$T"
DEVGUARD_WAS=$DEVGUARD DEVGUARD=$T/devguard
cannot "not root" setpriv --reuid 65534 --regid 65534 --clear-groups
cannot "root without capabilities" setpriv --bounding-set=-all --inh-caps=-all
cannot "CAP_NET_ADMIN alone" setpriv --bounding-set=-all,+net_admin --inh-caps=-all
cannot "CAP_NET_ADMIN and CAP_BPF" setpriv --bounding-set=-all,+net_admin,+bpf --inh-caps=-all
unshare -Ur true 2>/dev/null && cannot "a user namespace" unshare -Ur
expect "apply --dry-run does not guess either" 1 "cannot tell whose" setpriv --bounding-set=-sys_admin "$DEVGUARD" apply --dry-run "$ROOT/policies/gpu.rb" "$CG"
expect "nor detach" 1 "cannot tell whose" setpriv --bounding-set=-sys_admin "$DEVGUARD" detach "$CG"
DEVGUARD=$DEVGUARD_WAS

# ---- warnings ----------------------------------------------------------------------------------------

scratch warned
policy nonull <<'RUBY'
policy "nonull"
default :allow
deny "c 1:3 w"
RUBY
policy somenull <<'RUBY'
policy "somenull"
default :allow
deny("c 1:3 rw") { |ctx| ctx.uid == 12345 }
RUBY
expect "a policy without /dev/null: a warning" 0 "warning: writing /dev/null (c 1:3) is denied" "$DEVGUARD" apply "$T/nonull.rb" "$CG"
count "it is attached nevertheless" 1
expect "deny-all: reading and writing" 0 "warning: reading and writing /dev/null" "$DEVGUARD" apply "$ROOT/policies/deny-all.rb" "$CG" --dry-run
quiet() { "$DEVGUARD" apply "$@" 2>&1 | grep -q warning && return 1 || return 0; }
check "not when it depends on the caller" quiet "$T/somenull.rb" "$CG" --dry-run
check "not when nothing is denied" quiet "$ROOT/policies/deny-all.rb" "$CG" --dry-run --mode permissive
expect "permissive without audit: a warning" 0 "permissive without audit: nothing is denied and nothing is reported" \
	"$DEVGUARD" apply "$DEFAULT" "$CG" --dry-run --mode permissive --audit none
check "not when it enforces" quiet "$DEFAULT" "$CG" --dry-run --mode enforce --audit none
check "not with container-default" quiet "$DEFAULT" "$CG" --dry-run
expect "the root of the hierarchy: a warning" 0 "warning: this is the root of the hierarchy" "$DEVGUARD" apply "$DEFAULT" "$CG2" --dry-run
expect "--ring without audit: a warning" 0 "--ring means nothing here" "$DEVGUARD" apply "$T/somenull.rb" "$CG" --ring 64K --dry-run

# ---- the lock ------------------------------------------------------------------------------------------

scratch locked
LOCK=/run/rucy-devguard/lock/$(stat -c %i "$CG")
expect "a lock on the cgroup's own directory" 0 "attached" flock "$CG" timeout 10 "$DEVGUARD" apply "$DEFAULT" "$CG"
check "no lock file is left" test ! -e "$LOCK"
(umask 077; exec flock -o "$LOCK" sleep 100) & HOLDER=$!
BACKGROUND+=($HOLDER)
until [ -e "$LOCK" ] && ! flock -n "$LOCK" true; do sleep 0.02; done
"$DEVGUARD" apply "$DEFAULT" "$CG" >"$T/held.1" 2>&1 & BACKGROUND+=($!)
HELD=$!
"$DEVGUARD" detach "$CG" >"$T/held.2" 2>&1 & BACKGROUND+=($!)
HELD2=$!
# in_run COMMANDS TEXT NAME: a /run of such a kind, and what apply says of it
in_run()
{
	expect "/run: $3" 1 "$2" unshare -m --propagation private sh -c 'mount -t tmpfs -o mode=755 none /run && '"$1"' && exec "$1" apply "$2" "$3"' - "$DEVGUARD" "$ROOT/policies/gpu.rb" "$CG"
}
in_run 'mount -o remount,ro /run' "Read-only file system" "read-only"
in_run 'mkdir -m 777 /run/rucy-devguard' "chown root" "a directory all may write"
in_run 'mkdir -m 700 /run/rucy-devguard && mkdir -m 755 /run/rucy-devguard/lock' "chmod 700" "a lock directory all may enter"
in_run 'mkdir -m 700 /run/rucy-devguard && ln -s /tmp /run/rucy-devguard/lock' "remove what is in the place" "a symbolic link for the lock directory"
in_run 'mkdir /run/x && ln -s x /run/rucy-devguard' "remove what is in the place" "a symbolic link for our directory"
in_run 'mkdir -p -m 700 /run/rucy-devguard/lock && ln -s /etc/passwd "/run/rucy-devguard/lock/$(stat -c %i "$3")"' "Too many levels" "a symbolic link for the lock"
in_run 'mount -t tmpfs -o mode=755,nr_inodes=1 none /run' "make room in /run" "full"
expect "/run: missing" 1 "cannot lock the cgroup" unshare -m --propagation private sh -c 'mount -t tmpfs none /run && mkdir /run/old && mount --move /run /mnt 2>/dev/null; mount --bind /proc /run && exec "$1" apply "$2" "$3"' - "$DEVGUARD" "$ROOT/policies/gpu.rb" "$CG"
count "nothing was attached by any of them" 1

# ---- limits --------------------------------------------------------------------------------------------

limited() { bash -c 'ulimit '"$1"'; shift; "$@" 2>&1 | cat; exit ${PIPESTATUS[0]}' - "$@"; } # limited LIMIT COMMAND...
for verb in "apply $DEFAULT $CG" "detach $CG" "status $CG" "check $DEFAULT" "doctor" "audit --all --timeout 0" "run $DEFAULT -- true"; do
	for n in 8 12 20 30; do
		expect "ulimit -n $n: ${verb%% *}" 1 "Too many open files" limited "-n $n" "$DEVGUARD" $verb
	done
done
check "ulimit -n 64 is enough for all" limited "-n 64" "$DEVGUARD" test "$DEFAULT"
count "nothing changed" 1
expect "ulimit -f 0: apply" 1 "File too large" limited "-f 0" "$DEVGUARD" apply "$ROOT/policies/gpu.rb" "$CG" --dry-run
expect "ulimit -f 0: import -o" 1 "File too large" limited "-f 0" "$DEVGUARD" import docker 'c 1:3 r' -o "$T/limited.rb"
expect "ulimit -f 0: eval" 0 "allow" limited "-f 0" "$DEVGUARD" eval "$DEFAULT" 'c 1:3 r'
expect "ulimit -f 0: stdout" 1 "cannot write to stdout: File too large" bash -c 'ulimit -f 0; { "$1" eval "$2" "c 1:3 r" >"$3"; } 2>&1 | cat; exit ${PIPESTATUS[0]}' - "$DEVGUARD" "$DEFAULT" "$T/limited.out"
expect "run's command has SIGXFSZ as it was" 153 "" "$DEVGUARD" run "$DEFAULT" -- bash -c 'ulimit -f 0; exec head -c 100 /dev/zero >"$1"' - "$T/limited.out"
LONG=$(head -c 5000 /dev/zero | tr '\0' x)
for verb in "apply $DEFAULT /$LONG" "apply /$LONG $CG" "detach /$LONG" "status /$LONG" "compile $DEFAULT -o /$LONG" "check /$LONG" "audit /$LONG" "eval $DEFAULT /dev/$LONG" "import oci /$LONG" "apply --config /$LONG.yaml"; do
	expect "a path of 5,000 bytes: ${verb%%x*}" 1 "File name too long" "$DEVGUARD" $verb
done
full() { unshare -m --propagation private sh -c 'mount -t tmpfs -o size=4k none "$1" && head -c 4096 /dev/zero >"$1/full"; shift; exec "$@"' - "$@"; }
mkdir "$T/small"
expect "a full disk: compile -o" 1 "No space left" full "$T/small" "$DEVGUARD" compile "$DEFAULT" -o "$T/small/x.o"
expect "a full disk: import -o" 1 "No space left" full "$T/small" "$DEVGUARD" import docker 'c 1:3 r' -o "$T/small/x.rb"

wait $HELD; status=$?
[ $status = 1 ] && grep -q "locked by process $HOLDER (flock)" "$T/held.1" && pass "a lock that stays: says who has it" || fail "a lock that stays: says who has it" "status $status
$(cat "$T/held.1")"
wait $HELD2; status=$?
[ $status = 1 ] && grep -q "locked by process $HOLDER" "$T/held.2" && pass "detach too" || fail "detach too" "status $status
$(cat "$T/held.2")"
kill $HOLDER; wait $HOLDER 2>/dev/null
check "a lock file that was left is no lock" timeout 10 "$DEVGUARD" detach "$CG"
check "and is gone then" test ! -e "$LOCK"

# ---- a pure v2 view at /sys/fs/cgroup ----------------------------------------------------------

scratch pure
pure_v2()
{
	unshare -m --propagation private bash -c 'umount -R /sys/fs/cgroup && mkdir -p /sys/fs/cgroup &&
		mount -t cgroup2 none /sys/fs/cgroup && "$1" apply "$2" "/sys/fs/cgroup/$3"' - \
		"$DEVGUARD" "$DEFAULT" "${CG##*/}"
}
check "apply with cgroup2 at /sys/fs/cgroup" pure_v2
asks "it denies" EPERM open r /dev/kmsg
asks "it allows" ok open rw /dev/null

# ---- run ------------------------------------------------------------------------------------------

# From a cgroup of this script's own: below it run makes its own.
scratch runs
RUNS=$CG
ran() { inside "$RUNS" "$DEVGUARD" run "$@"; }
expect "run returns the exit status" 7 "" ran "$DEFAULT" -- sh -c 'exit 7'
expect "run guards: denied" 1 "EPERM" ran "$DEFAULT" -- "$OPENER" open r /dev/kmsg
expect "run guards: allowed" 0 "ok" ran "$DEFAULT" -- "$OPENER" open rw /dev/null
expect "run: not found is 127" 127 "" ran "$DEFAULT" -- /no/such/command
expect "run: not executable is 126" 126 "" ran "$DEFAULT" -- /etc/passwd
expect "run: a signal is 128 + its number" 143 "" ran "$DEFAULT" -- sh -c 'kill -TERM $$'
policy syntax <<'RUBY'
allow {
RUBY
expect "run: a refused policy starts nothing" 3 "error" ran "$T/syntax.rb" -- touch "$T/started"
check "run: nothing was started" test ! -e "$T/started"

run_signalled() # run_signalled SIGNAL STATUS: the signal goes to the tool
{
	local pid i
	(echo "$BASHPID" >"$RUNS/cgroup.procs" && exec "$DEVGUARD" run "$DEFAULT" -- sh -c 'echo $$ >"$1"; exec sleep 100' - "$T/child") & pid=$!
	BACKGROUND+=($pid)
	for ((i = 0; i < 100; i++)); do [ -s "$T/child" ] && break; sleep 0.05; done
	kill -"$1" $pid
	wait $pid; local status=$?
	[ $status = "$2" ] || { echo "status $status, expected $2"; return 1; }
	for ((i = 0; i < 40; i++)); do [ -d "/proc/$(cat "$T/child")" ] || break; sleep 0.05; done
	[ ! -d "/proc/$(cat "$T/child")" ] || { echo "the command still runs"; kill -9 "$(cat "$T/child")"; return 1; }
	rm "$T/child"
}
check "run passes TERM on" run_signalled TERM 143
check "run passes HUP on" run_signalled HUP 129
check "run: the command ends when the tool is killed" run_signalled KILL 137
check "run leaves nothing running behind" ran "$DEFAULT" -- sh -c 'sleep 100 & exit 0'
cleaned() { local i; for ((i = 0; i < 100; i++)); do [ -n "$(find "$RUNS" -mindepth 1 -type d 2>/dev/null)" ] || return 0; sleep 0.05; done; find "$RUNS" -type d; return 1; }
check "run leaves no cgroup" cleaned
scratch outer
check "apply a policy to the caller's cgroup" apply "$ROOT/policies/no-new-nodes.rb"
asks_run() # asks_run NAME ANSWER COMMAND...: what a command run from inside $CG is told
{
	local name=$1 want=$2 got; shift 2
	got=$(inside "$CG" "$DEVGUARD" run "$ROOT/policies/allow-all.rb" -- "$@" 2>&1)
	if [ "$got" = "$want" ]; then pass "$name"; else fail "$name" "$*: $got, expected $want"; fi
}
asks_run "run does not leave the caller's policy" EPERM "$OPENER" mknod c 1 3 "$T/made"
asks_run "run allows what both allow" ok "$OPENER" open rw "$NULL"
asks_run "nor does a run in a run" EPERM "$DEVGUARD" run "$ROOT/policies/allow-all.rb" "$OPENER" mknod c 1 3 "$T/made"
check "its cgroup is gone" rmdir "$CG"

# ---- eval of many ------------------------------------------------------------------------------------

for ((i = 0; i < 100000; i++)); do echo "c $((i % 4096)):$((i % 256)) rw"; done >"$T/requests"
eval_lines()
{
	local n
	timeout 60 "$DEVGUARD" eval "$DEFAULT" - <"$T/requests" >"$T/verdicts"
	[ $? = 2 ] || { echo "the exit status must be 2"; return 1; }
	n=$(wc -l <"$T/verdicts")
	[ "$n" = 100000 ] || { echo "$n verdicts"; return 1; }
}
check "eval decides 100,000 lines" eval_lines
check "eval's verdicts are right" grep -qP '^deny c 1:1 rw\t' "$T/verdicts"
# ---- ctx.uid and ctx.gid are the real ids, and groups beside them are not seen ---------------------

scratch ids
cat >"$T/ids.rb" <<'RUBY'
allow("c 1:5 r", label: "the real user") { |ctx| ctx.uid == 1000 }
allow("c 1:7 r", label: "the real group") { |ctx| ctx.gid == 44 }
allow :null
RUBY
check "ids: attached" "$DEVGUARD" apply "$T/ids.rb" "$CG"
mknod -m 666 "$T/ids.zero" c 1 5 && mknod -m 666 "$T/ids.full" c 1 7 && chmod 755 "$T"
as() # as WANT NODE OPTION...: setpriv with these opens it, and gets that
{
	local want=$1 node=$2 got; shift 2
	got=$(inside "$CG" setpriv "$@" "$OPENER" open r "$T/ids.$node" </dev/null 2>&1)
	if [ "$got" = "$want" ]; then pass "ids: $node with $*: $want"; else fail "ids: $node with $*" "$got, expected $want"; fi
}
if command -v setpriv >/dev/null; then
	as ok zero --ruid 1000 # as in a set-uid program of root that a user started
	as EPERM zero --euid 1000
	as ok zero --reuid 1000 --clear-groups
	as EPERM zero --reuid 1001 --clear-groups
	as ok full --rgid 44 --keep-groups
	as EPERM full --egid 44 --keep-groups
	as EPERM full --groups 44
	as EPERM full --rgid 1000 --groups 44,1000
else skip "ids" "no setpriv"; fi
check "ids: detached" "$DEVGUARD" detach "$CG"
summary
