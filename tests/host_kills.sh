#!/bin/bash
# host_kills.sh - grant, revoke, observe and learn are killed at system calls of theirs, of bpf and mount kind and others:
# what is allowed is then what it was or what was asked, and commands that come after leave nothing behind. EVERY=1 tries
# every call of the commands (thousands), SCENES and CALLS choose.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
[ -n "$reason" ] || ! kernel_before 6.1 || reason="grants for what runs below a cgroup need Linux 6.1"
[ -n "$reason" ] || command -v strace >/dev/null || reason="strace is not installed"
[ -n "$reason" ] || strace -o "$T/trace" -e inject=getppid:error=EPERM true 2>/dev/null || reason="strace cannot trace here"
[ -n "$reason" ] || command -v bpftool >/dev/null || reason="bpftool is not installed"
[ -z "$reason" ] || { skip "killed at system calls" "$reason"; summary; exit; }
build_opener
chmod 755 "$T"

# ---- a container of a kind: a cgroup with a filter that grants may open, a mount namespace with a /dev of its own --------

cat >"$T/box.rb" <<'R'
policy "box"
grants :allowed
allow "c 1:3 rwm"
R
mkdir "$T/dev" "$T/nodes"
for node in null:1:3 zero:1:5 fuse:10:229 tun:10:200; do
	IFS=: read -r name major minor <<<"$node"
	mknod -m 666 "$T/nodes/$name" c "$major" "$minor"
done
scratch other; OTHER=$CG
scratch box
for cg in "$CG" "$OTHER"; do
	"$DEVGUARD" apply "$T/box.rb" "$cg" >"$T/log" 2>&1 || fail "the filter" "$(cat "$T/log")"
done
inside "$CG" unshare -m --propagation private sh -c 'mount -t tmpfs -o mode=755 tmpfs "$0" && exec sleep 7200' "$T/dev" &
BACKGROUND+=($!)
disown $! # the shell says nothing of its end
until BOX=$(head -n 1 "$CG/cgroup.procs") && [ "$(cat "/proc/$BOX/comm" 2>/dev/null)" = sleep ]; do sleep 0.01; done
BACKGROUND+=($BOX)
cp /proc/$BOX/mountinfo "$T/mounts"

answer() { inside "$1" "$OPENER" open r "$T/nodes/$2"; } # answer CGROUP NODE
maps() { bpftool map show 2>/dev/null | grep -c 'name devguard_\(host\|grants\|guards\|watch\|rings\|counts\|lost\)'; }
ours() # what there is of the host program
{
	local i n
	for ((i = 0; i < 40; i++)); do
		n=$(bpftool cgroup list "$CG2" 2>/dev/null | grep -c devguard_host)
		[ "$n" != 0 ] || [ "$(maps)" != "$MAPS" ] || break # maps go a moment later than their program
		sleep 0.05
	done
	[ "$n" = 0 ] || echo "$n host programs"
	[ "$(maps)" = "$MAPS" ] || echo "maps: $(maps), before $MAPS"
	diff "$T/mounts" /proc/$BOX/mountinfo
	in_box 'ls -A "$0"' "$T/dev"
	transient | grep -vxF -f "$T/transient" # of learn
	find /sys/fs/bpf/rucy-devguard -type f 2>/dev/null
	"$DEVGUARD" grants 2>&1 | grep -F "${CG#"$CG2"}"
}
in_box() { nsenter -t $BOX -m sh -c "$@"; }
transient() { find "$CG2" -maxdepth 3 -type d -name '*devguard*' ! -name 'devguard-unit.*' 2>/dev/null; }
{ echo none; transient; } >"$T/transient"
MAPS=$(maps)
text=$(ours)
[ -z "$text" ] && pass "nothing of a host program before" || { fail "nothing of a host program before" "$text"; summary; exit; }

# ---- what is killed -------------------------------------------------------------------------------------------------

# A scene sets ARGS, the command; before() makes the state that it starts from.
reset() { "$DEVGUARD" revoke --all >"$T/log" 2>&1; "$DEVGUARD" grant "$CG" "c 10:200" r --reason "stays" >"$T/log" 2>&1 || cat "$T/log"; }
before() { reset; }
FUSE=(grant "$CG" "c 10:229" rw)
scene_grant() { ARGS=("${FUSE[@]}" --for 1h --reason "a test"); }
scene_node() { ARGS=("${FUSE[@]}" --node="$T/dev/fuse"); }
scene_again() { ARGS=("${FUSE[@]}" --for 1h); before() { reset; "$DEVGUARD" "${FUSE[@]}" --for 2h >"$T/log" 2>&1; }; }
scene_revoke() { ARGS=(revoke "$CG" "c 10:229"); before() { reset; "$DEVGUARD" "${FUSE[@]}" >"$T/log" 2>&1; }; }
scene_unnode() { ARGS=(revoke "$CG" "c 10:229"); before() { reset; "$DEVGUARD" "${FUSE[@]}" --node="$T/dev/fuse" >"$T/log" 2>&1; }; }
scene_observe() { ARGS=(observe "$CG" --timeout 0.1); }
scene_pin() { ARGS=(observe "$CG" --pin --timeout 0); }
scene_unpin() { ARGS=(observe "$CG" --unpin); before() { reset; "$DEVGUARD" observe "$CG" --pin --timeout 0 >"$T/log" 2>&1; }; }
scene_learn() { ARGS=(learn -o "$T/learned.rb" -- "$OPENER" open r "$T/nodes/zero"); }
scene_permissive() { ARGS=(learn --permissive -o "$T/learned.rb" -- "$OPENER" open r "$T/nodes/zero"); }

# What is wrong with what is allowed: nothing but /dev/fuse may have changed, and that only where it was asked for.
wrong()
{
	local fuse; fuse=$(answer "$CG" fuse)
	[ "$(answer "$CG" null)" = ok ] || echo "null is $(answer "$CG" null)"
	[ "$(answer "$CG" zero)" = EPERM ] || echo "zero is $(answer "$CG" zero)"
	[ "$(answer "$CG" tun)" = "$TUN" ] || echo "tun, granted before, is $(answer "$CG" tun), not $TUN"
	[ "$(answer "$OTHER" fuse)" = EPERM ] || echo "fuse of another cgroup is $(answer "$OTHER" fuse)"
	[[ " $MAY " == *" $fuse "* ]] || echo "fuse is $fuse, not ${MAY// / or }"
}
clean() # the commands that come next, and what is left after them
{
	"$DEVGUARD" "${FUSE[@]}" --node="$T/dev/fuse" >"$T/log" 2>&1 || { echo "grant: $(cat "$T/log")"; }
	[ "$(answer "$CG" fuse)" = ok ] || echo "granted, and fuse is $(answer "$CG" fuse)"
	in_box '[ -c "$0/fuse" ]' "$T/dev" || echo "granted, and there is no node"
	"$DEVGUARD" revoke "$CG" >"$T/log" 2>&1 || echo "revoke: $(cat "$T/log")"
	[ "$(answer "$CG" fuse)" = EPERM ] || echo "revoked, and fuse is $(answer "$CG" fuse)"
	"$DEVGUARD" observe "$CG" --unpin >"$T/log" 2>&1
	"$DEVGUARD" learn -o "$T/learned.rb" -- true >"$T/log" 2>&1 || echo "learn: $(cat "$T/log")"
	ours
}

# points TRACE: "CALL N" for those to be killed at: six of bpf, all of mounts and nodes, four others, evenly spread; or each EVERY-th.
points()
{
	sed -n 's/^\([a-z_0-9]*\)(.*/\1/p' "$1" | awk -v every="${EVERY-}" -v only=" ${CALLS-} " '
		{ n[$1]++; if (only != "  " && !index(only, " " $1 " ")) next
		  kind = $1 == "bpf" ? 1 : $1 ~ /^(mount|umount2|open_tree|move_mount|mknodat|mknod|unlinkat|unlink|setns|unshare)$/ ? 2 : 3
		  list[kind, ++count[kind]] = $1 " " n[$1] }
		END { for (kind = 1; kind <= 3; kind++) {
			step = every != "" ? every : kind == 2 ? 1 : count[kind] / (kind == 1 ? 6 : 4)
			for (at = step < 1 ? 1 : step; at <= count[kind]; at += step < 1 ? 1 : step) print list[kind, int(at)] } }'
}
killed() { strace -o /dev/null -e trace="$1" -e "inject=$1:signal=KILL:when=$2" "$DEVGUARD" "${ARGS[@]}" >"$T/out" 2>&1 </dev/null; }

SCENES=${SCENES-grant node again revoke unnode observe pin unpin learn permissive}
total=0 bpf=0 mounts=0
for scene in $SCENES; do
	before() { reset; }
	TUN=ok MAY=EPERM
	"scene_$scene"
	before
	strace -o "$T/trace" "$DEVGUARD" "${ARGS[@]}" >"$T/out" 2>&1 </dev/null; RC=$?
	[ $RC = 0 ] && pass "$scene without a kill" || { fail "$scene without a kill" "status $RC
$(cat "$T/out")"; continue; }
	case $scene in grant | node | again | revoke | unnode) MAY="EPERM ok" ;; esac
	[ "$scene" != again ] || MAY=ok
	points "$T/trace" >"$T/points"
	bad=0 n=0
	while read -r call nth; do
		before
		killed "$call" "$nth" 2>>"$T/shell" # which tells of it
		[ $? = 137 ] || continue # it made fewer calls this time
		n=$((n + 1))
		case $call in bpf) bpf=$((bpf + 1)) ;; mount | umount2 | open_tree | move_mount | mknodat | mknod | unlinkat | unlink | setns | unshare) mounts=$((mounts + 1)) ;; esac
		for ((i = 0; i < 60; i++)); do # a lease of learn --permissive ends
			text=$(wrong)
			[ -n "$text" ] && [ "$scene" = permissive ] || break
			sleep 0.1
		done
		text=$text$(clean)
		[ -z "$text" ] || { bad=$((bad + 1)); fail "$scene, killed at $call $nth" "$text"; }
	done <"$T/points"
	[ $bad != 0 ] || pass "$scene, killed at $n system calls"
	total=$((total + n))
done
"$DEVGUARD" revoke --all >/dev/null 2>&1
echo "killed at $total system calls, $bpf of them bpf, $mounts of mounts and nodes"
[ -n "${CALLS-}" ] || [ "$SCENES" != "grant node again revoke unnode observe pin unpin learn permissive" ] ||
	if [ $total -ge 50 ] && [ $bpf -ge 20 ] && [ $mounts -ge 3 ]; then pass "there were enough of them"; else fail "there were enough of them"; fi
summary
