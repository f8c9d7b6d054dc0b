#!/bin/bash
# who_kills.sh - `apply` of a policy that asks who, killed at system calls of its: at each that makes or changes something of bpf, and
# at others. After that the guard that was there is whole, or the new one is: by what the kernel says to processes, and by `verify`.
# Nothing else is left, and `apply` works. ALL=1 kills at all of the former, in all scenes (three minutes), EVERY=1 at every
# call (thousands); SCENES choose.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
[ -n "$reason" ] || [ -r /sys/kernel/btf/vmlinux ] || reason="this kernel does not tell its types"
[ -n "$reason" ] || command -v strace >/dev/null || reason="strace is not installed"
[ -n "$reason" ] || strace -o "$T/trace" -e inject=getppid:error=EPERM true 2>/dev/null || reason="strace cannot trace here"
[ -n "$reason" ] || { command -v bpftool && command -v jq && command -v setpriv; } >/dev/null || reason="bpftool, jq or setpriv is not installed"
[ -z "$reason" ] || { skip "apply killed at system calls" "$reason"; summary; exit; }
[ -n "${WHO_KILLS_APART:-}" ] || { rm -rf "$T"; trap - EXIT; WHO_KILLS_APART=1 exec unshare --mount --propagation private "$BASH" "$0"; }
on_exit() { cd /; umount -l "$T/run" 2>/dev/null; }
mkdir "$T/run" && mount -t tmpfs -o mode=755 none "$T/run" && cd "$T/run" || exit 1
build_opener
D=$T/run NAME=k$$ # the policy's: no other program has it
cp "$OPENER" tool && cp "$OPENER" other
for node in zero:5 full:7 random:8; do mknod -m 666 "${node%:*}" c 1 "${node#*:}"; done
scratch kills
mkdir "$CG/a" "$CG/b"

# policy FILE GROUP CGROUP
policy()
{
	cat <<X
policy "$NAME"
allow "c 1:3 rw"
allow("c 1:5 r") { |ctx| ctx.exe == "$D/$1" }
allow("c 1:7 r") { |ctx| ctx.in_group?($2) }
allow("c 1:8 r") { |ctx| ctx.under?("/${CG##*/}/$3") && ctx.parent_exe != "$D/none" }
X
}
policy tool 44 a >old.rb
policy other 45 b >new.rb
# What the kernel says to processes of each kind: with neither guard, with the old one, with the new one.
NONE="ok ok ok ok ok ok" OLD="ok EPERM ok EPERM ok EPERM" NEW="EPERM ok EPERM ok EPERM ok"
says()
{
	local said=()
	said+=("$(inside "$CG" ./tool open r zero)" "$(inside "$CG" ./other open r zero)")
	said+=("$(inside "$CG" setpriv --groups 44 ./tool open r full)" "$(inside "$CG" setpriv --groups 45 ./tool open r full)")
	said+=("$(inside "$CG/a" ./tool open r random)" "$(inside "$CG/b" ./tool open r random)")
	echo "${said[*]}"
}
programs() { bpftool -j cgroup list "$CG" | jq '.[].id'; }
# What there is beside what is attached: programs and maps of that name, maps of names that no program has, iterators, pins.
left()
{
	local attached=$1
	bpftool -j prog show >progs
	jq -r --arg name "$NAME" --argjson a "${attached:-0}" '.[] | select(.name == $name and .id != $a) | "program \(.id)"' progs
	bpftool -j map show >maps 2>/dev/null
	jq '[.[].map_ids // [] | .[]] | unique' progs >used
	jq -r --slurpfile used used --arg name "$NAME" '.[] | select((.name // "" | startswith($name + ".")) or .name == "devguard_who") | .id as $id |
		select($used[0] | index($id) | not) | "map \(.name) \($id)"' maps
	bpftool link show 2>/dev/null | grep -A1 ': iter ' | grep -B1 'target_name task_file'
	find /sys/fs/bpf/rucy-devguard -type f -newer "$D/old.rb" 2>/dev/null
}
# Waits until nothing is left: the kernel takes a moment, and others on this machine make such maps, too, and end.
settled()
{
	local i text
	for ((i = 0; i < 60; i++)); do
		text=$(left "$1")
		[ -n "$text" ] || return 0
		sleep 0.05
	done
	echo "left: $text"
}

# A scene says what is there before, and what may be said afterwards.
scene_first() { before() { "$DEVGUARD" detach "$CG" >/dev/null 2>&1; }; MAY=$NONE; ARGS=(apply new.rb "$CG"); }
scene_replace() { before() { "$DEVGUARD" apply old.rb "$CG" >/dev/null 2>&1; }; MAY=$OLD; ARGS=(apply new.rb "$CG"); }
scene_object() { THIS=$((3 * THIS)); before() { "$DEVGUARD" apply old.rb "$CG" >/dev/null 2>&1; }; MAY=$OLD; ARGS=(apply new.o "$CG"); }
scene_audited() { THIS=$((3 * THIS)); before() { "$DEVGUARD" apply old.rb "$CG" --audit denied >/dev/null 2>&1; }; MAY=$OLD; ARGS=(apply new.rb "$CG" --audit denied); }

judge() # what is wrong after a kill
{
	local n said id args=("${ARGS[@]:3}")
	id=$(programs)
	n=$(wc -w <<<"$id")
	said=$(says)
	case $n,$said in
	"0,$NONE") [ "$MAY" = "$NONE" ] || echo "there is no guard any more" ;;
	"1,$OLD") [ "$MAY" = "$OLD" ] || echo "a guard that nobody attached"
		"$DEVGUARD" verify old.rb "$CG" "${args[@]}" >out 2>&1 || echo "the old guard: $(cat out)" ;;
	"1,$NEW") "$DEVGUARD" verify new.rb "$CG" "${args[@]}" >out 2>&1 || echo "the new guard: $(cat out)" ;;
	*) echo "$n programs, which say $said" ;;
	esac
	settled "$id"
}

# points TRACE: "CALL N" for those to be killed at: what makes or changes something of bpf, and the call behind it (or each THIS-th of
# these); of the others some, evenly spread; or each EVERY-th of all.
points()
{
	sed -n 's/^\([a-z_0-9]*\)(\([A-Z_]*\).*/\1 \2/p' "$1" | awk -v every="${EVERY-}" -v this="$THIS" '
		{ n[$1]++
		  makes = $1 == "bpf" && $2 ~ /^BPF_(MAP_CREATE|MAP_UPDATE_ELEM|MAP_FREEZE|PROG_LOAD|PROG_ATTACH|PROG_BIND_MAP|LINK_CREATE|ITER_CREATE|OBJ_PIN)$/
		  kind = makes || after ? 1 : $1 == "bpf" ? 2 : $1 == "read" ? 3 : 4
		  after = makes
		  list[kind, ++count[kind]] = $1 " " n[$1] }
		END { for (kind = 1; kind <= 4; kind++) {
			step = every != "" ? every : kind == 1 ? this : count[kind] / (kind == 3 ? 2 : 5)
			for (at = step < 1 ? 1 : step; at <= count[kind]; at += step < 1 ? 1 : step) print list[kind, int(at)] } }'
}
killed() { strace -o /dev/null -e trace="$1" -e "inject=$1:signal=KILL:when=$2" "$DEVGUARD" "${ARGS[@]}" >out 2>&1 </dev/null; }

check "an object of the new one" "$DEVGUARD" compile new.rb -o new.o
equal "without a guard" "$NONE" "$(says)"
before() { :; }
total=0 made=0
for scene in ${SCENES-first replace ${ALL:+object audited}}; do
	THIS=${ALL:-6}
	"scene_$scene"
	before
	equal "$scene: before" "$MAY" "$(says)"
	strace -o "$T/trace" "$DEVGUARD" "${ARGS[@]}" >out 2>&1 </dev/null
	equal "$scene: without a kill" "$NEW" "$(says)"
	equal "$scene: nothing is left" "" "$(judge)"
	points "$T/trace" >points.$scene
	bad=0 n=0
	while read -r call nth; do
		before
		killed "$call" "$nth" 2>>"$T/shell" # which tells of it
		[ $? = 137 ] || continue # it made fewer calls this time
		n=$((n + 1))
		[ "$call" != bpf ] || made=$((made + 1))
		text=$(judge)
		"$DEVGUARD" "${ARGS[@]}" >out 2>&1 || text="$text
apply does not work then: $(cat out)"
		[ -z "$text" ] || { bad=$((bad + 1)); fail "$scene, killed at $call $nth" "$text"; }
	done <points.$scene
	[ $bad != 0 ] || pass "$scene, killed at $n system calls"
	total=$((total + n))
done
"$DEVGUARD" detach "$CG" >/dev/null 2>&1
echo "killed at $total system calls, $made of them bpf"
[ -n "${SCENES-}${EVERY-}" ] || if [ $total -ge 30 ] && [ $made -ge 15 ]; then pass "there were enough of them"; else fail "there were enough of them"; fi
summary
