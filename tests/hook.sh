#!/bin/bash
# hook.sh - containers that real runtimes start with the hook; states no runtime gives.
#
# All of it in a mount namespace of its own, where the host is one of pure cgroup v2
# with a BPF file system that nobody else uses.
if [ -z "${DGTEST_PURE_V2-}" ] && unshare -m --propagation private true 2>/dev/null; then
	export DGTEST_PURE_V2=1
	exec unshare -m --propagation private bash -c '
		mountpoint -q /sys/fs/cgroup && { umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup; }
		mount -t cgroup2 cgroup2 /sys/fs/cgroup; mount -t bpf bpf /sys/fs/bpf; exec bash "$0"' "$0"
fi
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
[ -n "$reason" ] || [ -n "${DGTEST_PURE_V2-}" ] || reason="unshare cannot make a mount namespace"
[ -n "$reason" ] || [ "$(stat -fc %T /sys/fs/bpf)" = bpf_fs ] || reason="no BPF file system can be mounted"
[ -n "$reason" ] || [ "$CG2" = /sys/fs/cgroup ] || reason="cgroup v2 cannot be mounted at /sys/fs/cgroup"
[ -n "$reason" ] || command -v jq >/dev/null || reason="jq is not installed"
[ -n "$reason" ] || busybox=$(command -v busybox) || reason="busybox is not installed"
[ -n "$reason" ] || ! kernel_before 5.7 || reason="cgroup links need Linux 5.7"
[ -z "$reason" ] || { skip "hook" "$reason"; summary; exit; }

# ---- containers ------------------------------------------------------------------------

NAME=hk$$ # of every policy here: nobody else's programs are counted
PINS=/sys/fs/bpf/rucy-devguard
POLICIES=$T/policies
mkdir -p "$POLICIES" "$T/rootfs/"{bin,dev,proc,sys,tmp} "$T/b"
chmod 755 "$T"
cp "$busybox" "$T/rootfs/bin/busybox"
for a in sh head sleep; do ln -s busybox "$T/rootfs/bin/$a"; done
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
param :minor, 5
default :allow
deny { |ctx| ctx.char? && ctx.major == 1 && ctx.minor == param(:minor) }
RUBY

# Some machines do not let root raise limits; the container does without.
cat >"$T/nolimit.c" <<'C'
#include <sys/resource.h>
int setrlimit(__rlimit_resource_t r, const struct rlimit *l) { (void)r, (void)l; return 0; }
C
$CC -shared -fPIC -o "$T/nolimit.so" "$T/nolimit.c" 2>/dev/null
CRUN=$(command -v crun) RUNC=$(command -v runc)
crun() { LD_PRELOAD=$T/nolimit.so timeout 20 "$CRUN" --root "$T/crun" --cgroup-manager=cgroupfs "$@" </dev/null; }
runc() { timeout 20 "$RUNC" --root "$T/runc" "$@" </dev/null; }
RUNTIMES=
for a in crun runc; do
	if command -v "$a" >/dev/null; then RUNTIMES="$RUNTIMES $a"; else skip "hook: $a" "it is not installed"; fi
done

cat >"$T/base.json" <<J
{"ociVersion": "1.0.0",
 "process": {"user": {"uid": 0, "gid": 0}, "args": ["sh", "-c", ""], "env": ["PATH=/bin"], "cwd": "/", "noNewPrivileges": true,
  "capabilities": {"bounding": ["CAP_MKNOD"], "effective": ["CAP_MKNOD"], "permitted": ["CAP_MKNOD"]}},
 "root": {"path": "$T/rootfs", "readonly": true}, "hostname": "box",
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]}],
 "linux": {"resources": {"devices": [{"allow": false, "access": "rwm"}]},
  "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}]}}
J
# bundle NAME STAGE COMMAND JQ HOOK-ARGUMENT...: in $T/b/NAME, its cgroup in CG
bundle()
{
	local name=$1 stage=$2 command=$3 filter=$4 hook; shift 4
	CG=$CG2/$DGTEST_PREFIX.$name
	mkdir -p "$T/b/$name"
	hook=$(printf '%s\n' rucy-devguard oci-hook "$@" | jq -R . | jq -sc .)
	jq -c --arg cg "${CG#"$CG2"}" --arg c "$command" --arg d "$DEVGUARD" --argjson h "$hook" --arg s "$stage" \
		'.process.args[2] = $c | .linux.cgroupsPath = $cg | .hooks[$s] = [{path: $d, args: $h}] | '"${filter:-.}" \
		"$T/base.json" >"$T/b/$name/config.json"
}

keepers() # processes of ours in this mount namespace
{
	local p
	for p in /proc/[0-9]*; do
		[ "$(cat "$p/comm" 2>/dev/null)" = devguard-keeper ] || continue
		[ "$(readlink "$p/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] || echo "${p#/proc/}"
	done
}
programs() { bpftool prog show 2>/dev/null | grep -c "name $NAME "; }
left() # what there is still of containers and their guards
{
	ls "$PINS" 2>/dev/null
	keepers
	find "$CG2" -maxdepth 1 -name "$DGTEST_PREFIX*"
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
	# starts NAME COUNT: so often urandom is denied
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
}
for rt in $RUNTIMES; do refusals $rt; done
summary
