#!/bin/bash
# engines.sh - observe and grant with containers that crun and runc start, with their lists of devices: what they deny is
# seen, one device more is given and taken back, and no act of theirs takes it away. systemd: services.sh.
. "$(dirname "$0")/containers.sh"

reason=$(need_containers)
[ -n "$reason" ] || ! kernel_before 6.1 || reason="grants for what runs below a cgroup need Linux 6.1"
[ -z "$reason" ] || { skip "containers of others" "$reason"; summary; exit; }
for a in cat mknod ls mv ln mkdir; do ln -s busybox "$T/rootfs/bin/$a"; done
FUSE='[ -c /dev/fuse ] && exec 3<>/dev/fuse && echo fuse opens'
on_exit() { "$DEVGUARD" revoke --all >/dev/null 2>&1; }

opens() { "$RT" exec "$ID" sh -c "$FUSE" >"$T/out" 2>&1; has "$RT: $1" "fuse opens" "$T/out"; }
closed() # closed NAME [PATH]
{
	"$RT" exec "$ID" sh -c "exec 3<>${2:-/dev/fuse2}" >"$T/out" 2>&1
	has "$RT: $1" "Operation not permitted" "$T/out"
}
tool() # tool NAME STATUS TEXT ARGUMENT...
{
	local name=$1 status=$2 text=$3; shift 3
	expect "$RT: $name" "$status" "$text" "$DEVGUARD" "$@"
}
box() # box NAME JQ: a container that stays, without a guard of ours
{
	bundle "$1.$RT" none 'mknod /dev/fuse2 c 10 229; mknod /dev/kmsg c 1 11; exec sleep 3600' "del(.hooks)${2:+ | $2}"
	ID=$DGTEST_PREFIX.$1.$RT BUNDLE_OF=$T/b/$1.$RT
	start
}
start()
{
	local i
	"$RT" run -d -b "$BUNDLE_OF" "$ID" >"$T/out" 2>&1 || { fail "$RT: a container starts" "$(cat "$T/out")"; return 1; }
	for ((i = 0; i < 100; i++)); do "$RT" exec "$ID" sh -c '[ -c /dev/kmsg ]' && break; sleep 0.05; done
}
programs() { bpftool cgroup list "$CG2" 2>/dev/null | grep -c devguard_host; } # on the root
processes() { find /proc -maxdepth 2 -path '/proc/[1-9]*/exe' -lname "$DEVGUARD" 2>/dev/null | grep -c .; }

life() # life RUNTIME
{
	RT=$1
	local i pid
	box life || return
	# observe: what the runtime's filter denies, with the container and who denied it
	"$DEVGUARD" observe / --timeout 60 >"$T/seen" 2>"$T/seen.err" & pid=$!
	BACKGROUND+=($pid)
	for ((i = 0; i < 100; i++)); do
		"$RT" exec "$ID" head -c 1 /dev/kmsg >/dev/null 2>&1
		grep -qs /dev/kmsg "$T/seen" && break
		sleep 0.05
	done
	grep /dev/kmsg "$T/seen" | head -n 1 >"$T/line"
	has "$RT: observe / shows its denial of kmsg" "deny" "$T/line"
	has "$RT: and the container" "$ID" "$T/line"
	has "$RT: and who denied it" "$1" "$T/line"
	kill -INT $pid; wait $pid

	closed "fuse is closed"
	tool "grant" 0 "" grant "$CG" /dev/fuse rw --node --reason "a test"
	opens "opens at the next try"
	tool "grants shows it" 0 "a test" grants "$CG"
	[ "$(processes)" = 0 ] && pass "$RT: and nothing of ours runs" || fail "$RT: and nothing of ours runs"
	tool "another cgroup has none" 0 "no grant is for this cgroup" grants "$CG2"
	echo '{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":3,"access":"rwm"}]}' >"$T/update.json"
	"$RT" update -r "$T/update.json" "$ID" >"$T/out" 2>&1 || fail "$RT: update -r" "$(cat "$T/out")"
	opens "opens after update -r"
	"$RT" pause "$ID" && "$RT" resume "$ID"
	opens "opens after pause and resume"
	tool "revoke" 0 "" revoke "$CG" /dev/fuse
	closed "closed after it"
	"$RT" exec "$ID" ls /dev/fuse >"$T/out" 2>&1 && fail "$RT: and its node is gone" || pass "$RT: and its node is gone"

	# a lease ends in the kernel
	tool "a lease" 0 "" grant "$CG" /dev/fuse --for 2s --node
	opens "opens"
	for ((i = 0; i < 100; i++)); do "$RT" exec "$ID" sh -c 'exec 3<>/dev/fuse2' 2>/dev/null || break; sleep 0.1; done
	closed "closed when it is over"
	tool "grants says so" 0 "over" grants

	# the container is made anew
	tool "grant once more, in the place of what is over" 0 "" grant "$CG" /dev/fuse
	opens "it opens"
	"$RT" delete -f "$ID"
	start || return
	closed "made anew: closed"
	tool "grants says why" 0 "is new" grants
	tool "revoke --all" 0 "" revoke --all
	[ "$(programs)" = 0 ] && pass "$RT: no host program is left" || fail "$RT: no host program is left"
	"$RT" delete -f "$ID"
}

# A container whose root is nobody of this host: mknod cannot work there, so the node is a mount, or it is said why not.
mapped() # mapped RUNTIME
{
	RT=$1
	local ids='[{"containerID": 0, "hostID": 2000000000, "size": 65536}]'
	box mapped ".linux.namespaces += [{type: \"user\"}] | .linux.uidMappings = $ids | .linux.gidMappings = $ids
		| .process.args[2] = \"exec sleep 3600\"" ||
		{ FAILED=$((FAILED - 1)); skip "$RT: a container with a user namespace" "$(head -n 1 "$T/out" | cut -c 1-120)"; return; }
	"$DEVGUARD" grant "$CG" /dev/fuse rw --node >"$T/said" 2>&1; local rc=$?
	"$RT" exec "$ID" sh -c "$FUSE" >"$T/out" 2>&1
	if [ $rc = 0 ]; then has "$RT, user namespace: --node makes one that opens" "fuse opens" "$T/out"
	else has "$RT, user namespace: --node says why not" "hint: " "$T/said"; fi
	tool "user namespace: revoke" 0 "" revoke "$CG"
	"$RT" exec "$ID" sh -c "[ ! -e /dev/fuse ] && echo gone" >"$T/out" 2>&1
	has "$RT, user namespace: no node is left" gone "$T/out"
	"$RT" delete -f "$ID"
}

# The lines of grants.md for crun, with another name for the container: what they print is what the page says.
page()
{
	local line n=0
	bundle demo none 'exec sleep 3600' 'del(.hooks)'
	mkdir "$T/path"
	ln -s "$DEVGUARD" "$T/path/rucy-devguard"
	export -f crun; export T CRUN
	steady() { sed -E "s/$DGTEST_PREFIX\\.demo/demo/g; s/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]+/DATE/; s/(grant|--id) [0-9]+/\\1 N/g"; }
	awk '/^## / { on = $0 == "## crun and runc" } on && /^```/ { in_block = $0 == "```console"; next } on && in_block' "$ROOT/cmd/grants.md" >"$T/page"
	: >"$T/ran"
	while IFS= read -r line; do
		[[ $line == "# "* ]] || continue
		n=$((n + 1))
		echo "$line" >>"$T/ran"
		line=$(sed -E "s/\bdemo\b/$DGTEST_PREFIX.demo/" <<<"${line#\# }")
		(cd "$T/b/demo" && PATH=$T/path:$PATH bash -c "$line") >>"$T/ran" 2>&1 </dev/null
	done <"$T/page"
	steady <"$T/page" >"$T/want"
	steady <"$T/ran" >"$T/got"
	[ $n -ge 8 ] && same "grants.md: crun" "$T/want" "$T/got" || fail "grants.md: crun" "$n lines"
}

# ---- what root in a container may try ---------------------------------------------------------------------------

# What was counted of the container, in cgroups that are there and that are gone.
denied() { "$DEVGUARD" stats --observe "$CG" --json >"$T/counts" 2>&1; jq '[.observers[].counts[].denied] | add // 0' "$T/counts"; }
attacks()
{
	local before
	RT=crun
	$CC -D_GNU_SOURCE -O2 -static -o "$T/rootfs/bin/hider" "$TESTS/hider.c" 2>"$T/log" || { skip "what root in a container may try" "no static programs"; return; }
	box attack '.linux.namespaces += [{type: "cgroup"}]
		| .mounts += [{destination: "/sys/fs/cgroup", type: "cgroup2", source: "cgroup2", options: ["rw"]}]' || return
	try() { "$RT" exec "$ID" "$@" >"$T/out" 2>&1; }
	tool "observe --pin" 0 "" observe "$CG" --pin --timeout 0

	tool "a grant" 0 "" grant "$CG" /dev/fuse rw
	try hider bpf
	has "from inside: no program is shown" "programs EPERM" "$T/out"
	has "from inside: no map is shown" "maps EPERM" "$T/out"
	has "from inside: nothing attached is shown" "attached EPERM" "$T/out"
	try sh -c 'exec 3<>/dev/fuse2 && echo opens'
	has "it opens inside" opens "$T/out"
	try sh -c 'mkdir /sys/fs/cgroup/below && echo $$ >/sys/fs/cgroup/below/cgroup.procs && exec 3<>/dev/fuse2 && echo opens'
	has "and below" opens "$T/out"
	# a process in a cgroup of its own, that opens until it is refused
	(try sh -c 'echo $$ >/sys/fs/cgroup/below/cgroup.procs; while (exec 3<>/dev/fuse2) 2>/dev/null; do :; done; echo refused') &
	tool "revoke" 0 "" revoke "$CG"
	wait $!
	has "from inside: no open after revoke" refused "$T/out"
	try sh -c 'echo $$ >/sys/fs/cgroup/below/cgroup.procs; exec 3<>/dev/fuse2'
	has "nor in a cgroup below" "not permitted" "$T/out"

	before=$(denied)
	try hider spread /sys/fs/cgroup 300 /dev/fuse2 || fail "from inside: many cgroups" "$(cat "$T/out")"
	[ $(($(denied) - before)) = 300 ] && pass "from inside: requests in 300 cgroups that are gone are counted" ||
		fail "from inside: requests in 300 cgroups that are gone are counted" "$before and then $(denied)
$(cat "$T/counts")"
	before=$(denied)
	try hider deep /sys/fs/cgroup 20 /dev/fuse2
	has "from inside: in a deep cgroup" EPERM "$T/out"
	try hider move /sys/fs/cgroup 200 /dev/fuse2
	try hider name $'a\e[31m\nb' /dev/fuse2
	[ $(($(denied) - before)) = 202 ] && pass "from inside: in a deep one, while moved about, and under an odd name: counted" ||
		fail "from inside: in a deep one, while moved about, and under an odd name: counted" "$before and then $(denied)
$(cat "$T/counts")"
	"$DEVGUARD" observe "$CG" --timeout 0 >"$T/seen" 2>&1
	! grep -q $'\e' "$T/seen" && pass "no control byte of a name is printed" || fail "no control byte of a name is printed" "$(cat -v "$T/seen" | tail -n 5)"
	tool "observe --unpin" 0 "" observe "$CG" --unpin
	"$RT" delete -f "$ID"
	[ "$(programs)" = 0 ] && pass "no host program is left" || fail "no host program is left"
}

for rt in ${RUNTIMES-crun runc}; do
	if type -P $rt >/dev/null; then life $rt; mapped $rt; else skip "$rt" "it is not installed"; fi
done
if type -P crun >/dev/null; then page; attacks; fi
summary
