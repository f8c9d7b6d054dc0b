#!/bin/bash
# hook.sh - containers that real runtimes start with the hook; states no runtime gives.
. "$(dirname "$0")/containers.sh"

reason=$(need_containers)
[ -z "$reason" ] || { skip "hook" "$reason"; summary; exit; }

# ---- policies, and what is left of containers ---------------------------------------------

NAME=hk$$ # of every policy here: nobody else's programs are counted
POLICIES=$T/policies
mkdir "$POLICIES"
FIRST='true </dev/urandom; true </dev/zero && echo zero opens; true </dev/urandom'

policy() { cat >"$POLICIES/$1.rb"; } # policy NAME <<text
policy guard <<RUBY
policy "$NAME"
audit :denied
default :allow
deny "c 1:9 rw", label: "no urandom"
RUBY
policy broken <<'RUBY'
allow { |ctx| ctx.nonsense }
RUBY
policy minor <<RUBY
policy "$NAME"
minor = param :minor, 5
default :allow
deny { |ctx| ctx.char? && ctx.major == 1 && ctx.minor == minor }
RUBY

RUNTIMES=
for a in crun runc; do
	if type -P "$a" >/dev/null; then RUNTIMES="$RUNTIMES $a"; else skip "hook: $a" "it is not installed"; fi
done

keepers() # processes of ours in this mount namespace
{
	local p
	for p in $(find /proc -maxdepth 2 -path '/proc/[1-9]*/comm' -exec grep -l '^devguard-keeper$' {} + 2>/dev/null); do
		[ "$(readlink "${p%comm}ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] || basename "${p%/comm}"
	done
}
programs() { bpftool prog show 2>/dev/null | grep -c "name $NAME "; }
left() # what there is still of containers and their guards
{
	ls "$PINS" 2>/dev/null
	keepers
	find "$CG2" -maxdepth 1 -name "$DGTEST_PREFIX.*"
	[ "$(programs)" = 0 ] || bpftool prog show name "$NAME"
}
gone() # gone WHAT: within some seconds
{
	local i
	for ((i = 0; i < 50; i++)); do [ -n "$(left)" ] || break; sleep 0.1; done
	if [ $i -lt 50 ]; then pass "$1: nothing is left"; else fail "$1: nothing is left" "$(left)"; fi
}
# has NAME FILE TEXT...: the file has each
has()
{
	local name=$1 file=$2 text; shift 2
	for text; do
		grep -qF -- "$text" "$file" || { fail "$name" "no: $text
$(cat "$file")"; return; }
	done
	pass "$name"
}
guarded() # guarded NAME COUNT FILE: urandom was denied so often, zero opened
{
	if [ "$(grep -c 'urandom: Operation not permitted' "$3")" = "$2" ] && grep -q 'zero opens' "$3"; then pass "$1"
	else fail "$1" "$(cat "$3")"; fi
}
awaited() # awaited FILE: a detached container has done its first actions
{
	local i
	for ((i = 0; i < 50; i++)); do [ "$(grep -c 'urandom:' "$1")" = 2 ] && break; sleep 0.1; done
}
# refused NAME TEXT RUNTIME BUNDLE: the container does not start, and it is told why
refused()
{
	local out rc
	rm -f "$T/started"
	out=$("$3" run -b "$T/b/$4" "$DGTEST_PREFIX.$4" 2>&1); rc=$?
	if [ $rc != 0 ] && [[ $out == *"$2"* && $out != *started* ]]; then pass "$1 ($3)"
	else fail "$1 ($3)" "status $rc
$out"; fi
}

# ---- a life: run, exec, pause, update, delete ---------------------------------------------

life() # life RUNTIME
{
	local rt=$1 name=life.$1 id=$DGTEST_PREFIX.life.$1 stage
	for stage in createRuntime prestart; do
		bundle "$stage.$rt" $stage "$FIRST" . --policy "$POLICIES/guard.rb"
		"$rt" run -b "$T/b/$stage.$rt" "$DGTEST_PREFIX.$stage.$rt" >"$T/out" 2>&1
		guarded "$rt: $stage: guarded from the first action on" 2 "$T/out"
	done
	gone "$rt: ended by itself"

	bundle "$name" createRuntime "$FIRST; sleep 60" . --policy "$POLICIES/guard.rb"
	"$rt" run -d -b "$T/b/$name" "$id" >"$T/out" 2>&1 || fail "$rt: run -d" "$(cat "$T/out")"
	sees() # sees NAME: what a process in it sees
	{
		"$rt" exec "$id" sh -c "$FIRST" >"$T/out" 2>&1
		guarded "$rt: $1" 2 "$T/out"
	}
	sees "exec"
	"$DEVGUARD" audit "$CG" --timeout 0.2 >"$T/out" 2>&1
	has "$rt: audit names the container and the rule" "$T/out" "${CG#"$CG2"}" "/dev/urandom" "no urandom"
	"$DEVGUARD" status "$CG" >"$T/out" 2>&1
	has "$rt: status shows the guard" "$T/out" "$NAME"
	"$rt" pause "$id" && "$rt" resume "$id"
	sees "after pause and resume"
	echo '{"devices":[{"allow":true,"type":"a","access":"rwm"}]}' >"$T/update.json"
	if "$rt" update -r "$T/update.json" "$id" >"$T/out" 2>&1; then pass "$rt: update -r"; else fail "$rt: update -r" "$(cat "$T/out")"; fi
	sees "after update -r with all devices"
	"$DEVGUARD" apply "$ROOT/policies/container-default.rb" "$CG" >/dev/null 2>&1
	sees "after another policy was applied beside it"
	"$rt" delete -f "$id"
	gone "$rt: deleted"
	"$rt" run -d -b "$T/b/$name" "$id" >"$T/out" 2>&1
	sees "started again"
	"$rt" delete -f "$id"
	gone "$rt: deleted again"
}
for rt in $RUNTIMES; do life $rt; done

# ---- what does not start ---------------------------------------------------------------------

manifest() { { printf 'version: 1\npolicies: [%s]\n' "$POLICIES"; cat; } >"$T/$1.yaml"; } # manifest NAME <<text
manifest good <<'Y'
match:
  - name: of the annotation
    annotations: {"org.example.guard": "yes"}
    policy: minor
    params_from: {minor: {annotation: "org.example.minor", range: 0..9}}
  - name: by id
    id: "*.byid.*"
    policy: guard
  - name: broken
    id: "*.broken.*"
    policy: broken
  - name: free
    id: "*.free.*"
    none: true
Y
manifest wrong <<'Y'
matches: []
Y
cp "$POLICIES/guard.rb" "$POLICIES/open.rb"; chmod 666 "$POLICIES/open.rb"
ln -s guard.rb "$POLICIES/linked.rb"

refusals() # refusals RUNTIME
{
	local rt=$1
	refuses() # refuses NAME BUNDLE TEXT HOOK-ARGUMENT...
	{
		local name=$1 b=$2.$rt text=$3; shift 3
		bundle "$b" createRuntime 'echo started' "${JQ:-.}" "$@"
		refused "$name" "$text" "$rt" "$b"
	}
	refuses "a policy that does not compile" compile nonsense --policy "$POLICIES/broken.rb"
	refuses "the same by the manifest" broken nonsense --config "$T/good.yaml"
	refuses "a manifest with an error" wrong matches --config "$T/wrong.yaml"
	refuses "no manifest" none "there is no such manifest" --config "$T/absent.yaml"
	refuses "no match" nomatch "is refused" --config "$T/good.yaml"
	refuses "a policy all may write" open "others than root" --policy "$POLICIES/open.rb"
	refuses "a policy by a symbolic link" linked "symbolic link" --policy "$POLICIES/linked.rb"
	refuses "no such policy" absent "no such file" --policy "$POLICIES/absent.rb"
	refuses "a relative policy" relative "no absolute path" --policy guard.rb
	JQ='.annotations = {"org.example.guard": "yes", "org.example.minor": "10"}' \
		refuses "a parameter out of its range" range "0..9" --config "$T/good.yaml"
	bundle "late.$rt" createContainer 'echo started' . --policy "$POLICIES/guard.rb"
	refused "a createContainer hook" "stage" "$rt" "late.$rt"
	gone "$rt: refused"
	# starts NAME BUNDLE COUNT: so often urandom is denied
	starts()
	{
		"$rt" run -b "$T/b/$2" "$DGTEST_PREFIX.$2" >"$T/out" 2>&1
		if [ "$3" = 0 ]; then has "$1 ($rt)" "$T/out" "zero opens"; check "$1: unguarded ($rt)" sh -c '! grep -q "not permitted" "$1"' - "$T/out"
		else guarded "$1 ($rt)" "$3" "$T/out"; fi
	}
	bundle "byid.$rt" createRuntime "$FIRST" . --config "$T/good.yaml"
	starts "matched by id" "byid.$rt" 2
	bundle "free.$rt" createRuntime "$FIRST" . --config "$T/good.yaml"
	starts "none: true" "free.$rt" 0
	bundle "ann.$rt" createRuntime "$FIRST" '.annotations = {"org.example.guard": "yes", "org.example.minor": "9"}' --config "$T/good.yaml"
	starts "matched by annotation, with its parameter" "ann.$rt" 2
	bundle "loud.$rt" createRuntime "$FIRST" . --policy "$POLICIES/broken.rb" --on-error allow
	starts "--on-error allow" "loud.$rt" 0
	[ "$rt" != crun ] || has "--on-error allow is loud" "$T/out" "STARTS WITHOUT ITS DEVICE GUARD"
	gone "$rt: manifest"
	if [ -w /dev/kmsg ] && dmesg >"$T/kmsg" 2>&1; then
		has "--on-error allow: the kernel's log tells ($rt)" "$T/kmsg" "container $DGTEST_PREFIX.loud.$rt STARTS WITHOUT ITS DEVICE GUARD: "
		has "the kernel's log tells of refusals ($rt)" "$T/kmsg" "rucy-devguard: container $DGTEST_PREFIX.nomatch.$rt is refused: "
	else skip "--on-error allow: the kernel's log ($rt)" "it cannot be read"; fi
}
for rt in $RUNTIMES; do refusals $rt; done

# ---- podman ------------------------------------------------------------------------------------

podman_runs() # podman_runs YES-OR-NO: with that annotation; what it prints in $T/out
{
	timeout 30 podman --root "$T/pod/root" --runroot "$T/pod/run" --tmpdir "$T/pod/tmp" --runtime "$T/runtime" \
		--cgroup-manager=cgroupfs --events-backend=file --storage-driver=vfs --hooks-dir "$T/hooks.d" \
		run -i --rm --cgroup-parent "/$DGTEST_PREFIX.pod" --annotation "org.example.guard=$1" --network none \
		--log-driver none --pids-limit -1 --ulimit nofile=20000:20000 --ulimit nproc=8000:8000 ${USERNS-} \
		--rootfs "$T/rootfs" sh -c "$FIRST" >"$T/out" 2>&1 < <(:)
}
podman_hook() # podman_hook POLICY
{
	jq -nc --arg d "$DEVGUARD" --arg p "$1" '{version: "1.0.0", hook: {path: $d, env: ["PATH=/usr/bin:/bin"], args: ["rucy-devguard", "oci-hook",
		"--policy", $p]}, when: {annotations: {"^org.example.guard$": "^yes$"}}, stages: ["createRuntime"]}' >"$T/hooks.d/guard.json"
}
podman_by() # podman_by RUNTIME: from here on it runs them
{
	printf '#!/bin/sh\n%sexec "%s" "$@"\n' "$([ $1 = runc ] || echo "export LD_PRELOAD=$T/nolimit.so; ")" \
		"$(type -P $1)" >"$T/runtime"; chmod 755 "$T/runtime"
}
# podman 5 starts no container where the hierarchy has no pids or memory controller.
NOPODMAN=
mkdir -p "$T/hooks.d"
if ! command -v podman >/dev/null || [ -z "$RUNTIMES" ]; then NOPODMAN="it is not installed, or no runtime"
else
	for a in $RUNTIMES; do
		podman_by $a
		podman_runs no || ! grep -qE 'controller .(pids|memory). is not available|memory\.events' "$T/out" ||
			NOPODMAN="with $a: $(grep -oE "controller .* is not available|memory\.events: .*" "$T/out" | head -n 1 | cut -c 1-80)"
	done
	[ ! -d "$CG2/$DGTEST_PREFIX.pod" ] || find "$CG2/$DGTEST_PREFIX.pod" -depth -type d -exec rmdir {} + 2>/dev/null
fi
if [ -z "$NOPODMAN" ]; then
	for a in $RUNTIMES; do
		podman_by $a
		podman_hook "$POLICIES/guard.rb"
		podman_runs yes; guarded "podman with $a: annotated" 2 "$T/out"
		podman_runs no; has "podman with $a: not annotated" "$T/out" "zero opens"
		check "podman with $a: not annotated, not guarded" sh -c '! grep "not permitted" "$1"' - "$T/out"
		podman_hook "$POLICIES/broken.rb"
		podman_runs yes && fail "podman with $a: a broken policy" "$(cat "$T/out")"
		# of what runc says podman shows one line, a warning of its own
		[ $a = runc ] || has "podman with $a: says why it does not start" "$T/out" "nonsense"
	done
	rmdir "$CG2/$DGTEST_PREFIX.pod"/* "$CG2/$DGTEST_PREFIX.pod" 2>/dev/null
	gone "podman"
else skip "podman" "$NOPODMAN"; fi

# What podman passes over in silence is a hook whose program is not there: install-hook names one that stays.
if [ -z "$NOPODMAN" ] && command -v make >/dev/null; then
	inst() { make -s -C "$ROOT" --no-print-directory BUILD="$BUILD" PREFIX="$T/inst" HOOK_DIRS="$T/hooks.d" "$@"; }
	installed() { inst install && "$T/inst/bin/rucy-devguard" install-hook --dir "$T/hooks.d" --name guard --policy "$POLICIES/guard.rb" --annotation 'org.example.guard=^yes$'; }
	refuses() # refuses NAME: podman starts no container that is annotated, and others still
	{
		if podman_runs yes || grep -q 'zero opens' "$T/out"; then fail "podman: $1: nothing unguarded" "$(cat "$T/out")"
		else pass "podman: $1: nothing unguarded"; fi
		[ -z "${2-}" ] || has "podman: $1: and says why" "$T/out" "$2"
		podman_runs no; has "podman: $1: others start" "$T/out" "zero opens"
	}
	# the last of the runtimes above; runc's own message hides what the hook said
	[ "${RUNTIMES##* }" = runc ] && WHY= || WHY="is gone or no program"
	rm -f "$T/hooks.d/"*
	check "install and install-hook" installed
	podman_runs yes; guarded "podman: by the wrapper" 2 "$T/out"
	expect "make uninstall: not while the hook is there" 2 "guard.json" inst uninstall
	podman_runs yes; guarded "podman: still guarded" 2 "$T/out"
	check "make uninstall FORCE=1" inst uninstall FORCE=1
	refuses "after make uninstall FORCE=1" "$WHY"
	installed >/dev/null
	podman_runs yes; guarded "podman: installed again" 2 "$T/out"
	rm "$T/inst/bin/rucy-devguard"
	refuses "after rm of the tool" "$WHY"
	: >"$T/inst/bin/rucy-devguard"; chmod 755 "$T/inst/bin/rucy-devguard"
	refuses "an empty file in its place" "$WHY"
	# why there is a wrapper: should this fail one day, podman has learnt to refuse
	podman_hook "$POLICIES/guard.rb"
	jq '.hook.path = "/no/such/tool"' "$T/hooks.d/guard.json" >"$T/direct" && cat "$T/direct" >"$T/hooks.d/guard.json"
	podman_runs yes && ! grep -q 'not permitted' "$T/out" && echo "note: podman alone starts a container whose hook is not there"
	rm -rf "$T/inst" "$T/hooks.d/"*
	rmdir "$CG2/$DGTEST_PREFIX.pod"/* "$CG2/$DGTEST_PREFIX.pod" 2>/dev/null
	gone "podman and install-hook"
else skip "podman and install-hook" "${NOPODMAN:-make is not installed}"; fi
for rt in $RUNTIMES; do # runtimes themselves do refuse: config.json may name the tool
	bundle "direct.$rt" createRuntime 'echo started' '.hooks.createRuntime[0].path = "/no/such/tool"'
	refused "a hook in config.json that is not there" "" "$rt" "direct.$rt"
done

# ---- without root's rights ----------------------------------------------------------------------

USER_ID=43210
AS="setpriv --reuid $USER_ID --regid $USER_ID --clear-groups"
# rootless COMMAND HOOK-ARGUMENT...: the hook in a user namespace of a user (AS); its container is what COMMAND starts
rootless()
{
	timeout 60 $AS unshare -Ur bash -c '
		$1 sleep 60 & p=$!
		until [ "$(tr "\\0" " " <"/proc/$p/cmdline")" = "sleep 60 " ]; do sleep 0.01; done
		printf "{\"ociVersion\":\"1.0.2\",\"id\":\"box\",\"status\":\"created\",\"pid\":%s,\"bundle\":\"/\"}" "$p" | "${@:2}"
		rc=$?; kill "$p"; exit $rc' - "$1" "$DEVGUARD" oci-hook "${@:2}"
}
SKIPPED_FOR="starts without a device guard: its runtime is rootless (in a user namespace)"
if $AS unshare -Ur unshare -m true 2>/dev/null; then
	expect "in a user namespace: skipped, and said so" 0 "rucy-devguard: warning: container box $SKIPPED_FOR" rootless "unshare -m" --policy "$POLICIES/guard.rb"
	expect "with a policy that is broken, too" 0 "$SKIPPED_FOR" rootless "unshare -m" --policy "$POLICIES/broken.rb" --rootless skip
	expect "--rootless refuse" 1 "it cannot be guarded: its runtime is rootless" rootless "unshare -m" --policy "$POLICIES/guard.rb" --rootless refuse
	expect "--rootless refuse --on-error allow" 0 "STARTS WITHOUT ITS DEVICE GUARD" rootless "unshare -m" --policy "$POLICIES/guard.rb" --rootless refuse --on-error allow
	AS= expect "root in a user namespace: never skipped" 1 "it cannot be guarded: its runtime is root's, but not the host's" rootless "unshare -m" --policy "$POLICIES/guard.rb"
	AS= expect "nor by --rootless skip" 1 "it cannot be guarded" rootless "unshare -m" --policy "$POLICIES/guard.rb" --rootless skip
	# a hook inside of the container is no rootless one: its mount namespace is the container's
	expect "in the mount namespace of the container: refused" 1 error rootless "" --policy "$POLICIES/guard.rb"
	live userns
	state "$LIVE" >"$T/state"
	if $AS unshare -Ur "$DEVGUARD" oci-hook --policy "$POLICIES/guard.rb" <"$T/state" >"$T/out" 2>&1; then fail "a process that it may not look at: refused" "$(cat "$T/out")"
	else pass "a process that it may not look at: refused"; fi
	kill "$LIVE"; wait "$LIVE" 2>/dev/null; rmdir "$CG"
	state 0 >"$T/state"
	if $AS unshare -Ur "$DEVGUARD" oci-hook --policy "$POLICIES/guard.rb" <"$T/state" >"$T/out" 2>&1; then fail "no pid: refused" "$(cat "$T/out")"
	else pass "no pid: refused"; fi
	gone "a user namespace"
else skip "the hook in a user namespace" "none can be made"; fi

# An ordinary user's podman reads root's hooks, too. The user is one of this mount namespace only.
podman_user() # what an ordinary user needs
{
	local f
	for f in passwd group subuid subgid; do
		{ [ ! -e "/etc/$f" ] || cat "/etc/$f"; } >"$T/etc.$f"
	done
	echo "dgtest:x:$USER_ID:$USER_ID::$T/home:/bin/sh" >>"$T/etc.passwd"; echo "dgtest:x:$USER_ID:" >>"$T/etc.group"
	echo dgtest:2000000000:65536 | tee -a "$T/etc.subuid" >>"$T/etc.subgid"
	for f in passwd group subuid subgid; do chmod 644 "$T/etc.$f"; mount --bind "$T/etc.$f" "/etc/$f" 2>/dev/null || return; done
	mkdir -p "$T/home" "/run/user/$USER_ID" && cp -a "$T/rootfs" "$T/home/rootfs"
	chown -R $USER_ID:$USER_ID "$T/home" "/run/user/$USER_ID"
	scratch user; mkdir "$CG/own"; chown -R $USER_ID:$USER_ID "$CG"
}
user_runs() # user_runs COMMAND: in a container of that user's podman; what it prints in $T/out
{
	inside "$CG2/$DGTEST_PREFIX.user/own" setpriv --reuid $USER_ID --regid $USER_ID --clear-groups timeout 60 env -i PATH="$PATH" HOME="$T/home" XDG_RUNTIME_DIR=/run/user/$USER_ID \
		sh -c 'cd; exec "$@"' - podman --runtime "$T/runtime" --cgroup-manager=cgroupfs --events-backend=file --storage-driver=vfs --hooks-dir "$T/hooks.d" \
		run --name box --replace --network none --log-driver k8s-file --pids-limit -1 --ulimit nofile=1024:1024 --ulimit nproc=8000:8000 \
		--rootfs "$T/home/rootfs" sh -c "$1" >"$T/out" 2>&1 </dev/null
}
user_logs() { setpriv --reuid $USER_ID --regid $USER_ID --clear-groups env -i PATH="$PATH" HOME="$T/home" XDG_RUNTIME_DIR=/run/user/$USER_ID sh -c 'cd; exec podman --cgroup-manager=cgroupfs --events-backend=file --storage-driver=vfs logs box' >"$T/logs" 2>&1; }
if [ -n "$NOPODMAN" ] || ! command -v newuidmap >/dev/null; then skip "podman of an ordinary user" "${NOPODMAN:-newuidmap is not installed}"
elif ! podman_user; then skip "podman of an ordinary user" "no user can be made here"
else
	rm -f "$T/hooks.d/"*
	for a in $RUNTIMES; do
		podman_by $a
		user_runs 'echo it runs' || { skip "podman of an ordinary user with $a" "$(tail -n 1 "$T/out" | cut -c 1-200)"; continue; }
		rm -f "$T/hooks.d/"*
		"$DEVGUARD" install-hook --dir "$T/hooks.d" --policy "$POLICIES/guard.rb" >/dev/null
		user_runs "$FIRST; echo it runs"
		has "podman of an ordinary user with $a: it starts" "$T/out" "it runs" "zero opens"
		user_logs
		has "and podman logs says why it has no guard ($a)" "$T/logs" "$SKIPPED_FOR" "it runs"
		"$DEVGUARD" install-hook --dir "$T/hooks.d" --policy "$POLICIES/guard.rb" --rootless refuse >/dev/null
		if user_runs 'echo it runs' || grep -q 'it runs' "$T/out"; then fail "--rootless refuse: it does not start ($a)" "$(cat "$T/out")"
		else has "--rootless refuse: it does not start, and podman says why ($a)" "$T/out" "it cannot be guarded: its runtime is rootless"; fi
		"$DEVGUARD" install-hook --dir "$T/hooks.d" --remove >/dev/null
	done
	user_end() # its podman leaves a process that holds the user namespace
	{
		local i
		kill -9 $(cat "$CG2/$DGTEST_PREFIX.user/own/cgroup.procs") 2>/dev/null
		for ((i = 0; i < 50; i++)); do
			find "$CG2/$DGTEST_PREFIX.user" -depth -type d -exec rmdir {} + 2>/dev/null
			[ -d "$CG2/$DGTEST_PREFIX.user" ] || return
			sleep 0.1
		done
	}
	user_end
	gone "podman of an ordinary user"
fi
# Root's containers with a user namespace: their hooks are in the host's.
if [ -z "$NOPODMAN" ]; then
	for a in $RUNTIMES; do
		podman_by $a
		podman_hook "$POLICIES/guard.rb"
		USERNS="--uidmap 0:200000:65536 --gidmap 0:200000:65536" podman_runs yes
		guarded "podman with $a: --uidmap: guarded" 2 "$T/out"
	done
	rm -f "$T/hooks.d/"*
	rmdir "$CG2/$DGTEST_PREFIX.pod"/* "$CG2/$DGTEST_PREFIX.pod" 2>/dev/null
	gone "podman with user namespaces"
else skip "podman with user namespaces" "$NOPODMAN"; fi

# ---- the bundle's own list -----------------------------------------------------------------------

PARTS='.linux.devices = [{path: "/dev/part", type: "c", major: 7, minor: 77, fileMode: 438}] |
	.linux.resources.devices += [{allow: true, type: "c", major: 7, minor: 77, access: "rwm"}, {allow: false, type: "c", major: 7, minor: 77, access: "w"}]'
PROBE='true </dev/part; true >/dev/part; true <>/dev/part; true </dev/zero && echo zero opens'
for rt in $RUNTIMES; do
	bundle "spec.$rt" createRuntime "$PROBE" "$PARTS" --policy-from-spec
	"$rt" run -b "$T/b/spec.$rt" "$DGTEST_PREFIX.spec.$rt" >"$T/out" 2>&1
	has "$rt: --policy-from-spec: a deny of w" "$T/out" "open /dev/part: No such device" "create /dev/part: Operation not permitted" "zero opens"
	check "$rt: and O_RDWR is denied too" test "$(grep -c 'part: Operation not permitted' "$T/out")" = 2
	bundle "bare.$rt" createRuntime "$PROBE" "$PARTS | del(.hooks)"
	"$rt" run -b "$T/b/bare.$rt" "$DGTEST_PREFIX.bare.$rt" >"$T/out" 2>&1
	[ "$(grep -c 'part: Operation not permitted' "$T/out")" != 1 ] || echo "note: $rt alone lets O_RDWR pass a deny of w"
done
[ -z "$RUNTIMES" ] || gone "--policy-from-spec"

# Without a list runc leaves what every container has, crun everything: guarded, it is the former.
NODE='.linux.devices = [{path: "/dev/part", type: "c", major: 7, minor: 77, fileMode: 438}] | '
for rt in $RUNTIMES; do
	n=0
	for list in 'del(.linux.resources)' '.linux.resources.devices = []' '.linux.resources.devices = null'; do
		bundle "silent$((++n)).$rt" createRuntime "$PROBE" "$NODE $list" --policy-from-spec
		"$rt" run -b "$T/b/silent$n.$rt" "$DGTEST_PREFIX.silent$n.$rt" >"$T/out" 2>&1
		has "$rt: --policy-from-spec without a list: $list" "$T/out" "zero opens"
		check "$rt: and nothing else opens: $list" test "$(grep -c 'part: Operation not permitted' "$T/out")" = 3
	done
done
[ -z "$RUNTIMES" ] || gone "--policy-from-spec without a list"

# ---- states, without a runtime ------------------------------------------------------------------------

for a in "--config $T/good.yaml" --policy-from-spec ""; do
	expect "--param without a policy: $a" 64 "--param does not go with" "$DEVGUARD" oci-hook $a --param minor=1
done
shopt -s lastpipe # `state ... | hostile ...` counts here
hook() { ${IN:+inside "$IN"} timeout 60 "$DEVGUARD" oci-hook "$@"; } # IN: the cgroup it runs in
# hostile NAME TEXT [HOOK-ARGUMENT...] <state: refused with that text, at once
hostile()
{
	local name=$1 text=$2 out rc; shift 2
	[ $# != 0 ] || set -- --policy "$POLICIES/guard.rb"
	out=$(hook "$@" 2>&1); rc=$?
	if [ $rc != 0 ] && [ $rc -lt 124 ] && [[ $out == *"$text"* ]] && [ -z "$(ls "$PINS" 2>/dev/null)" ]; then pass "state: $name"
	else fail "state: $name" "status $rc, expected text: $text
$out
$(ls "$PINS")"; fi
}
live state
state "$LIVE" | hook --policy "$POLICIES/guard.rb" && pass "a state by hand" || fail "a state by hand"
check "is guarded" test "$(programs)" = 1
state "$LIVE" | hook --policy "$POLICIES/guard.rb" && pass "the same again" || fail "the same again"
check "is guarded once" test "$(programs)" = 1
kill "$LIVE"; wait "$LIVE" 2>/dev/null; rmdir "$CG"
gone "a state by hand"

live applied
"$DEVGUARD" apply "$POLICIES/guard.rb" "$CG" >/dev/null 2>&1
out=$(state "$LIVE" | hook --policy "$POLICIES/guard.rb" 2>&1); rc=$?
check "a policy of that name was applied before: refused" test $rc = 1
check "and said so" grep -q "is attached to .* already, not by a hook" <<<"$out"
check "one program, no pin" test "$(programs) $(ls "$PINS" | wc -l)" = "1 0"
"$DEVGUARD" detach "$CG" "$NAME" >/dev/null 2>&1
kill "$LIVE"; wait "$LIVE" 2>/dev/null; rmdir "$CG"
gone "an applied policy"

live flocked # a lock that a container can hold keeps no hook out
flock -o "$CG" sleep 60 & a=$!
BACKGROUND+=($a); until ! flock -n "$CG" true; do sleep 0.01; done
state "$LIVE" | timeout 10 "$DEVGUARD" oci-hook --policy "$POLICIES/guard.rb" && pass "a locked cgroup directory keeps no hook out" ||
	fail "a locked cgroup directory keeps no hook out"
kill "$LIVE"; wait "$LIVE" 2>/dev/null
for ((i = 0; i < 50; i++)); do [ -n "$(keepers)$(ls "$PINS" 2>/dev/null)" ] || break; sleep 0.1; done
check "nor its keeper" test -z "$(keepers)$(ls "$PINS" 2>/dev/null)"
kill "$a"; wait "$a" 2>/dev/null; rmdir "$CG"
gone "a locked cgroup directory"
check "no lock is left" test -z "$(ls -A /run/rucy-devguard/lock)"

CACHE=/run/rucy-devguard/cache
live cache
for ((i = 0; i < 1100; i++)); do : >"$CACHE/$i"; done
state "$LIVE" | hook --policy "$POLICIES/minor.rb" --param minor=1
check "a cache of many entries begins anew" test "$(ls "$CACHE" | wc -l)" = 1
for ((i = 2; i < 5; i++)); do state "$LIVE" | hook --policy "$POLICIES/minor.rb" --param minor=$i; done
check "a cache of some does not" test "$(ls "$CACHE" | wc -l)" = 4
kill "$LIVE"; wait "$LIVE" 2>/dev/null; rmdir "$CG"
gone "a cache of many entries"

spoilt() # spoilt NAME COMMAND: whatever is done to the cache, the guard is the policy's
{
	rm -rf "$CACHE"
	state "$LIVE" | hook --policy "$POLICIES/guard.rb"
	ENTRY=$(echo "$CACHE"/*) # its one entry
	eval "$2"
	"$DEVGUARD" detach "$CG" >/dev/null
	state "$LIVE" | hook --policy "$POLICIES/guard.rb"
	check "cache: $1" inside "$CG" sh -c '! true </dev/urandom && true </dev/zero' 2>/dev/null
}
live spoilt
spoilt "an entry cut short" 'truncate -s 100 "$ENTRY"'
spoilt "an entry with zeros at its end" 'truncate -s -2000 "$ENTRY"; truncate -s +2000 "$ENTRY"'
spoilt "the entry of another policy" 'state "$LIVE" | hook --policy "$POLICIES/minor.rb"; find "$CACHE" -type f ! -path "$ENTRY" -exec cp {} "$ENTRY" ";"'
spoilt "an entry of another user" 'printf x >"$ENTRY"; chown 1000 "$ENTRY"'
spoilt "a symbolic link for the directory" 'mv "$CACHE" "$T/cache"; ln -s "$T/cache" "$CACHE"; printf x >"$ENTRY"'
rm -rf "$CACHE"
spoilt "a directory all may write" 'chmod 777 "$CACHE"; printf x >"$ENTRY"'
rm -rf "$CACHE"
kill "$LIVE"; wait "$LIVE" 2>/dev/null; rmdir "$CG"
gone "a spoilt cache"

late_bpffs() # a guard pinned in our own bpffs is found when the host's is mounted later
{
	local own=/run/rucy-devguard/bpf
	while [ "$(stat -fc %T /sys/fs/bpf)" = bpf_fs ]; do umount -l /sys/fs/bpf || return; done
	state "$LIVE" | hook --policy "$POLICIES/guard.rb"
	check "without a bpffs: pinned in our own" test -e "$own/rucy-devguard/$(stat -c %i "$CG")"
	mount -t bpf bpf /sys/fs/bpf
	state "$LIVE" | hook --policy "$POLICIES/guard.rb"
	check "a bpffs mounted later: still guarded once" test "$(programs)" = 1
	expect "a bpffs mounted later: detach" 0 "detached" "$DEVGUARD" detach "$CG"
	umount -l "$own"
}
live late
late_bpffs
kill "$LIVE"; wait "$LIVE" 2>/dev/null; rmdir "$CG"
gone "a bpffs mounted later"

again() # containers in one cgroup, one after the other: the keeper of one spares the guard of the next
{
	local i k
	for ((i = 0; i < 10; i++)); do
		(echo "$BASHPID" >"$CG/cgroup.procs" && exec sleep 100) & LIVE=$!
		until grep -qx "$LIVE" "$CG/cgroup.procs"; do :; done
		state "$LIVE" | hook --policy "$POLICIES/guard.rb" || return
		for ((k = 0; k < 200; k++)); do [ "$(keepers | wc -l)" = 1 ] && break; sleep 0.05; done # the one before is done
		[ "$(programs)" = 1 ] || { echo "round $i: $(programs) programs"; return 1; }
		kill -9 "$LIVE"; wait "$LIVE" 2>/dev/null
	done
	rmdir "$CG"
}
scratch again
check "a cgroup that is used again at once" again
gone "a cgroup used again"

live hostile
hostile "nothing" "no valid JSON" </dev/null
state "$LIVE" | head -c 60 | hostile "truncated" "no valid JSON"
{ state "$LIVE" | head -c -1; printf ',"x":"'; head -c 100000000 /dev/zero | tr '\0' x; printf '"}'; } | hostile "100 MB" "larger than"
{ state "$LIVE" | head -c -1; printf ',"x":'; head -c 100000 /dev/zero | tr '\0' '['; } | hostile "nested 100,000 deep" "no valid JSON"
printf '[]' | hostile "a list" "no JSON object"
state 0 | hostile "pid 0" "pid 0"
state 1 | hostile "pid 1" "pid 1"
state -5 | hostile "a negative pid" "not the container's"
state '"12"' | hostile "pid as text" "no number"
state "$LIVE.0" | hostile "pid as a real number" "no number"
state 99999999999 | hostile "a large pid" "not the container's"
state 99999999999999999999999 | hostile "a pid beyond 64 bits" "no valid JSON"
state 4194304 | hostile "a pid nobody has" "has ended"
sh -c 'exit 0' & a=$!; wait $a; state "$a" | hostile "a process that has ended" "has ended"
state "$LIVE" '"id":"other"' | hostile "a key given twice" "duplicate"
state "$LIVE" | sed 's/"id":"box",//' | hostile "no id" '"id"'
state "$LIVE" | sed 's/"ociVersion":"1.0.2",//' | hostile "no version" '"ociVersion"'
state "$LIVE" | sed 's/"box"/"\\u001b[2J"/' | hostile "an id with ESC" "control"
state "$LIVE" '"annotations":{"org.example.minor":5}' | hostile "an annotation that is no text" "no text"
manifest pick <<'Y'
match:
  - name: picked
    id: "*"
    policy_from: {annotation: "org.example.pick", among: [guard, minor]}
Y
state "$LIVE" '"annotations":{"org.example.pick":"../guard"}' | hostile "../ in an annotation" "../guard" --config "$T/pick.yaml"
state "$LIVE" '"annotations":{"org.example.pick":"guard\u0000x"}' | hostile "NUL in an annotation" "no valid JSON" --config "$T/pick.yaml"
printf '{"ociVersion":"1","id":"a\0b"}' | hostile "a NUL byte" "NUL"
state "$LIVE" | hostile "an alias bomb as manifest" "" --config "$TESTS/manifest/alias-bomb.yaml"
state $$ | IN=$CG hostile "a process above the hook's cgroup" "no cgroup of its own"
state "$LIVE" | IN=$CG hostile "a process in the hook's own cgroup" "no cgroup of its own"
sh -c 'echo $$ >"$1/cgroup.procs"; exec sleep 100' - "$CG2" & a=$!
BACKGROUND+=($a); until grep -qx "$a" "$CG2/cgroup.procs"; do sleep 0.01; done
state $a | hostile "a process in the root cgroup" "no cgroup of its own"
said() # said NAME TEXT COMMAND...: the command fails with that text
{
	local out rc
	out=$("${@:3}" 2>&1); rc=$?
	if [ $rc != 0 ] && [[ $out == *"$2"* ]]; then pass "state: $1"; else fail "state: $1" "status $rc
$out"; fi
}
said "the hook itself" "not the container's" sh -c 'printf "$1" $$ >"$2"; echo $$ >"$4/cgroup.procs"; exec "$3" oci-hook --policy "$5" <"$2"' - "$(state %d)" "$T/state" "$DEVGUARD" "$CG" "$POLICIES/guard.rb"
said "the hook's parent" "not the container's" sh -c 'printf "$1" $$ >"$2"; "$3" oci-hook --policy "$5" <"$2"; exit $?' - "$(state %d)" "$T/state" "$DEVGUARD" "$CG" "$POLICIES/guard.rb"
state "$LIVE" >"$T/state"
said "a host of v1 alone" "no cgroup v2 hierarchy" unshare -m sh -c 'umount /sys/fs/cgroup && exec "$1" oci-hook --policy "$2" <"$3"' - "$DEVGUARD" "$POLICIES/guard.rb" "$T/state"
said "no permission" "CAP_" setpriv --bounding-set=-all --inh-caps=-all "$DEVGUARD" oci-hook --policy "$POLICIES/guard.rb" <"$T/state"
check "nothing was attached by any of them" test "$(programs)" = 0

BUNDLE=$T/large; mkdir "$BUNDLE"
awk 'BEGIN { printf "{\"linux\":{\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}"
	for (i = 0; i < 100000; i++) printf ",{\"allow\":true,\"type\":\"c\",\"major\":%d,\"minor\":%d,\"access\":\"rw\"}", 300 + i / 1000, i % 1000 * 3
	print "]}}}" }' >"$BUNDLE/config.json"
if state "$LIVE" | hook --policy-from-spec >"$T/out" 2>&1; then pass "100,000 device rules"; else fail "100,000 device rules" "$(cat "$T/out")"; fi
build_opener
mknod "$T/in" c 399 2997; mknod "$T/not" c 399 2996
is() { local got; got=$(inside "$CG" "$OPENER" open rw "$T/$2" 2>&1); if [ "$got" = "$3" ]; then pass "$1"; else fail "$1" "$got, expected $3"; fi; }
is "one of them is allowed" in ENXIO
is "one beside them is not" not EPERM
kill "$LIVE" "$a"; wait "$LIVE" "$a" 2>/dev/null; rmdir "$CG"
gone "100,000 device rules"

# What is no regular file is not opened: a FIFO would be waited for, a device may do something.
live inputs
mkfifo "$T/open"
{ state "$LIVE"; exec sleep 300; } >"$T/open" & WRITER=$!
timeout 60 "$DEVGUARD" oci-hook --policy "$POLICIES/guard.rb" <"$T/open" >"$T/endless" 2>&1 & ENDLESS=$!
BACKGROUND+=($WRITER $ENDLESS)
rm "$BUNDLE/config.json"
state "$LIVE" | hostile "a bundle without config.json" "No such file" --policy-from-spec
mkfifo "$BUNDLE/config.json"
state "$LIVE" | hostile "a FIFO as config.json" "config.json: error: is not a regular file" --policy-from-spec
rm "$BUNDLE/config.json"; mkdir "$BUNDLE/config.json"
state "$LIVE" | hostile "a directory as config.json" "is not a regular file" --policy-from-spec
rmdir "$BUNDLE/config.json"; ln -s /dev/zero "$BUNDLE/config.json"
state "$LIVE" | hostile "a device as config.json" "is not a regular file" --policy-from-spec
rm "$BUNDLE/config.json"; ln -s config.json "$BUNDLE/config.json"
state "$LIVE" | hostile "a link to itself as config.json" "Too many levels" --policy-from-spec
rm "$BUNDLE/config.json"; truncate -s 40M "$BUNDLE/config.json"
state "$LIVE" | hostile "a huge config.json" "larger than 32 MiB" --policy-from-spec
rm "$BUNDLE/config.json"
mkfifo "$T/fifo"
state "$LIVE" | sed "s|\"bundle\":\"[^\"]*\"|\"bundle\":\"$T/fifo\"|" | hostile "a FIFO as bundle" "Not a directory" --policy-from-spec
yes "$(state "$LIVE")" 2>/dev/null | hostile "a stream without end" "larger than"
state "$LIVE" | hostile "a FIFO as manifest" "is not a regular file" --config "$T/fifo"
state "$LIVE" | hostile "a FIFO as policy" "is not a regular file" --policy "$T/fifo"
wait "$ENDLESS"; same "a state that does not end: given up" <(echo 1) <(echo $?)
has "a state that does not end" "$T/endless" "the state did not end within 10 seconds"
kill "$LIVE" "$WRITER"; wait "$LIVE" "$WRITER" 2>/dev/null; rmdir "$CG"
gone "inputs that are no files"

# What grants nothing in the runtimes does not grant here.
live letters
for access in '"access": ""' '"access": null' '"type": "c"'; do
	printf '{"linux":{"resources":{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"major":10,%s}]}}}' "$access" >"$BUNDLE/config.json"
	state "$LIVE" | hostile "a bundle's list: an entry with $access" "no letters: nothing is granted" --policy-from-spec
done
printf '{"linux":{"resource":{"devices":[{"allow":true,"access":"rwm"}]}}}' >"$BUNDLE/config.json"
state "$LIVE" | hostile "a bundle's list: a key that is nearly resources" "did you mean resources?" --policy-from-spec
kill "$LIVE"; wait "$LIVE" 2>/dev/null; rmdir "$CG"

# ---- killed at any moment -------------------------------------------------------------------------------

dies() # the container dies at some moment while the hook runs
{
	local i
	for ((i = 0; i < 20; i++)); do
		live "dies.$i"
		state "$LIVE" >"$T/state"
		hook --policy "$POLICIES/guard.rb" <"$T/state" >"$T/out" 2>&1 & a=$!
		sleep "0.00$((RANDOM % 10))"
		kill -9 "$LIVE"; wait "$LIVE" 2>/dev/null
		wait $a || grep -qE 'ended|No such (file|device|process)|moved' "$T/out" || { cat "$T/out"; return 1; }
		rmdir "$CG" || return 1
	done
}
check "a container that dies while the hook runs" dies
gone "dead containers"

if [ -n "$CRUN" ]; then
	cat >"$T/killed" <<'H'
#!/bin/bash
exec 3<&0
"$DEVGUARD" "${@}" <&3 & p=$!
sleep "0.00$((RANDOM % 9))"
kill -9 $p 2>/dev/null
wait $p
H
	chmod 755 "$T/killed"
	bundle killed createRuntime "$FIRST" '.hooks.createRuntime[0] |= (.path = "'"$T/killed"'" | .env = ["DEVGUARD='"$DEVGUARD"'", "PATH=/bin:/usr/bin"])' --policy "$POLICIES/guard.rb"
	killed() # the hook is killed at some moment: no container, or a guarded one
	{
		local i started=0
		for ((i = 0; i < 30; i++)); do
			crun run -b "$T/b/killed" "$DGTEST_PREFIX.killed" >"$T/out" 2>&1 && started=$((started + 1))
			! grep -q 'zero opens' "$T/out" || [ "$(grep -c 'urandom: Operation not permitted' "$T/out")" = 2 ] || { cat "$T/out"; return 1; }
		done
		[ -z "${VERBOSE:-}" ] || echo "$started of 30 started"
	}
	check "a hook killed at 30 moments" killed
	bundle keeper createRuntime "$FIRST; sleep 60" . --policy "$POLICIES/guard.rb"
	crun run -d -b "$T/b/keeper" "$DGTEST_PREFIX.keeper" >"$T/out" 2>&1
	awaited "$T/out"
	guarded "the next container" 2 "$T/out"
	for ((i = 0; i < 100; i++)); do [ "$(ls "$PINS" | wc -l)" = 1 ] && break; sleep 0.05; done
	check "what killed hooks left is swept" test "$(ls "$PINS" | wc -l)" = 1
	kill -9 $(keepers)
	crun exec "$DGTEST_PREFIX.keeper" sh -c "$FIRST" >"$T/out" 2>&1
	guarded "guarded without its keeper" 2 "$T/out"
	crun delete -f "$DGTEST_PREFIX.keeper"
	check "its pin stays" test "$(ls "$PINS" | wc -l)" = 1
	bundle next createRuntime "$FIRST" . --policy "$POLICIES/guard.rb"
	crun run -b "$T/b/next" "$DGTEST_PREFIX.next" >"$T/out" 2>&1
	gone "the next hook swept the pin"

	# ---- a hundred at once -------------------------------------------------------------------------

	bundle many.@N@ createRuntime "$FIRST; sleep 60" . --policy "$POLICIES/guard.rb"
	all() # all COMMAND: for each, in parallel
	{
		local i; local -a pids=()
		for ((i = 0; i < 100; i++)); do "$1" $i & pids+=($!); done
		wait "${pids[@]}"
	}
	one()
	{
		mkdir -p "$T/b/many.$1"
		sed "s/@N@/$1/" "$T/b/many.@N@/config.json" >"$T/b/many.$1/config.json"
		crun run -d -b "$T/b/many.$1" "$DGTEST_PREFIX.many.$1" >"$T/many.$1" 2>&1
	}
	delete() { crun delete -f "$DGTEST_PREFIX.many.$1" >"$T/deleted.$1" 2>&1; }
	hundred()
	{
		local i bad=0
		all one
		for ((i = 0; i < 100; i++)); do
			awaited "$T/many.$i"
			[ "$(grep -c 'urandom: Operation not permitted' "$T/many.$i")" = 2 ] && grep -q 'zero opens' "$T/many.$i" ||
				{ echo "container $i:"; cat "$T/many.$i"; bad=1; }
		done
		[ "$(programs)" = 100 ] && [ "$(ls "$PINS" | wc -l)" = 100 ] || { echo "$(programs) programs, $(ls "$PINS" | wc -l) pins"; bad=1; }
		return $bad
	}
	check "100 containers at once, each guarded before its first action" hundred
	all delete
	gone "100 containers"
fi
# ---- doctor knows the hook ----------------------------------------------------------------------------

cat >"$T/doctor.sh" <<'D'
T=$1 DEVGUARD=$2 P=$3
for d in /etc /usr/share /usr/local; do
	mkdir -p "$T/over$d/u" "$T/over$d/w"
	mount -t overlay -o "lowerdir=$d,upperdir=$T/over$d/u,workdir=$T/over$d/w" overlay $d || exit 125
done
rm -rf /usr/share/containers/oci /etc/containers/oci /etc/rucy-devguard /etc/docker /etc/containerd
install -D "$DEVGUARD" /usr/local/bin/tool
mkdir -p /etc/rucy-devguard/policies /etc/containerd; cp "$P" /etc/rucy-devguard/policies/guard.rb
printf 'version: 1\npolicies: [/etc/rucy-devguard/policies]\ndefault: {policy: guard}\n' >/etc/rucy-devguard/guard.yaml
says() { /usr/local/bin/tool doctor >"$T/doctor" 2>&1; echo "$? $(grep -E "$1" "$T/doctor" | head -n 1)"; }
says '^[A-Z]* *hook:'
/usr/local/bin/tool install-hook >/dev/null
says '^[A-Z]* *hook:'; says "hook's program"; says "hook's manifest"
mv /usr/local/bin/tool /usr/local/bin/other; /usr/local/bin/other doctor 2>&1 | grep "hook's program"; mv /usr/local/bin/other /usr/local/bin/tool
mv /etc/rucy-devguard/policies/guard.rb /etc/rucy-devguard/guard.rb; says "hook's manifest"; mv /etc/rucy-devguard/guard.rb /etc/rucy-devguard/policies/
chmod 666 /etc/rucy-devguard/guard.yaml; says "hook's manifest"; chmod 644 /etc/rucy-devguard/guard.yaml
setpriv --reuid 1234 --regid 1234 --clear-groups /usr/local/bin/tool doctor 2>&1 | grep -E "hook's user|need no privileges"
/usr/local/bin/tool install-hook --rootless refuse --on-error allow >/dev/null 2>&1; says '^[A-Z]* *hook:'
setpriv --reuid 1234 --regid 1234 --clear-groups /usr/local/bin/tool doctor 2>&1 | grep "hook's user"
/usr/local/bin/tool install-hook --policy /etc/rucy-devguard/policies/guard.rb >/dev/null; says "hook's policy"
/usr/local/bin/tool install-hook --remove >/dev/null; says '^[A-Z]* *hook:'
echo 'base_runtime_spec = "/etc/rucy-devguard/containerd-spec.json"' >/etc/containerd/config.toml; says containerd:
echo '{"ociVersion": "1", "process": {}, "root": {}, "mounts": [], "linux": {}}' | /usr/local/bin/tool install-hook --containerd >/dev/null; says '^[A-Z]* *hook:'; says containerd:
cp "$(command -v sleep)" /usr/local/bin/containerd; /usr/local/bin/containerd 100 & touch -d '+1 hour' /etc/rucy-devguard/containerd-spec.json; says containerd:
kill $!; : >/etc/containerd/config.toml; says containerd:
/usr/local/bin/tool install-hook --containerd --remove >/dev/null; says '^[A-Z]* *hook:'
mkdir /etc/docker; echo '{"runtimes": {"guarded": {"path": "/usr/local/bin/rucy-devguard-runtime"}}, "default-runtime": "guarded"}' >/etc/docker/daemon.json; says '^[A-Z]* *hook:'
touch /usr/local/bin/rucy-devguard-runtime; says '^[A-Z]* *hook:'
D
unshare -m --propagation private bash "$T/doctor.sh" "$T" "$DEVGUARD" "$POLICIES/guard.rb" >"$T/got" 2>"$T/err"; rc=$?
if [ $rc = 125 ]; then skip "doctor and the hook" "no overlay can be mounted"
else
	sed -E 's/^[0-9]+ //; s/ +/ /g' "$T/got" >"$T/told"
	same "doctor knows the hook" - "$T/told" <<'TEXT'
OK hook: none is installed where engines look by default: containers are not guarded by one
OK hook: /usr/share/containers/oci/hooks.d/rucy-devguard.json, for every container of podman and CRI-O
OK hook's program: /usr/local/bin/tool
OK hook's manifest: /etc/rucy-devguard/guard.yaml, 0 entries; its policies are there (check compiles them)
FAIL hook's program: /usr/local/bin/tool: no such file
FAIL hook's manifest: /etc/rucy-devguard/guard.yaml: there is no policy guard in /etc/rucy-devguard/policies
FAIL hook's manifest: /etc/rucy-devguard/guard.yaml: the manifest is not trusted: /etc/rucy-devguard/guard.yaml can be written by others than root (mode 0666)
 fix: run it as root; missing here: CAP_BPF, CAP_NET_ADMIN, CAP_SYS_ADMIN; check, compile, eval and test need no privileges
WARN hook's user: containers that this user starts without root's rights start without a guard (--rootless skip)
WARN hook: /usr/share/containers/oci/hooks.d/rucy-devguard.json, for every container of podman and CRI-O: containers that cannot be guarded START WITHOUT (--on-error allow)
WARN hook's user: containers that this user starts without root's rights are refused (--rootless refuse)
OK hook's policy: /etc/rucy-devguard/policies/guard.rb
OK hook: none is installed where engines look by default: containers are not guarded by one
FAIL containerd: /etc/containerd/config.toml names /etc/rucy-devguard/containerd-spec.json, which is missing or no JSON: containerd has no CRI
OK hook: /etc/rucy-devguard/containerd-spec.json, for every container that containerd makes by CRI
OK containerd: /etc/containerd/config.toml names /etc/rucy-devguard/containerd-spec.json
WARN containerd: it was started before /etc/rucy-devguard/containerd-spec.json was written, and reads it at its start only
WARN containerd: its configuration does not name /etc/rucy-devguard/containerd-spec.json (/etc/containerd/config.toml)
OK hook: none is installed where engines look by default: containers are not guarded by one
FAIL hook: /usr/local/bin/rucy-devguard-runtime: no such file
OK hook: /etc/docker/daemon.json: runtime guarded, for every container of Docker
TEXT
	same "and nothing went wrong on the way" /dev/null "$T/err"
	if dmesg 2>/dev/null | grep -q 'rucy-devguard: container'; then has "and what was refused" "$T/doctor" "hook's log: " "rucy-devguard: container "
	else skip "doctor and refusals" "the kernel's log cannot be read"; fi
fi

check "no lock is left in the end" test -z "$(find /run/rucy-devguard/lock -type f -mmin +2 2>/dev/null)"
summary
