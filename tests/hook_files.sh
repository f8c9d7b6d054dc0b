#!/bin/bash
# hook_files.sh - files that the policy of a container names: the hook finds those of the container.
. "$(dirname "$0")/containers.sh"

reason=$(need_containers)
[ -z "$reason" ] || { skip "hook_files" "$reason"; summary; exit; }
OWNER_OF_NULL=$(stat -c %u:%g /dev/null)
RUNTIMES=
for a in crun runc; do
	if type -P "$a" >/dev/null; then RUNTIMES="$RUNTIMES $a"; else skip "hook_files: $a" "it is not installed"; fi
done

on_exit() # a grant of a cgroup that is gone is kept for a while
{
	local id
	for id in $("$DEVGUARD" grants --json 2>/dev/null | jq --arg p "/$DGTEST_PREFIX." '.grants[] | select(.cgroup | startswith($p)) | .id'); do
		"$DEVGUARD" revoke --id "$id" >/dev/null 2>&1
	done
}

# ---- a policy with files, and an image that has them ----------------------------------------------

NAME=hf$$
policy() # policy NAME PATH...: urandom is for these files alone
{
	local name=$1 paths; shift
	paths=$(printf '"%s", ' "$@")
	cat >"$T/$name.rb" <<R
policy "$NAME"
default :allow
grants :allowed
TOOLS = [${paths%, }]
allow("c 1:9 r") { |ctx| TOOLS.include?(ctx.exe) }
deny "c 1:9 rw", label: "no urandom"
R
}
# busybox takes its work from the next word where its name begins so
mkdir -p "$T/vol" "$T/rootfs/vol"
for a in bin/busybox-tool bin/busybox-copy bin/busybox-open; do cp "$T/rootfs/bin/busybox" "$T/rootfs/$a"; done
cp "$T/rootfs/bin/busybox" "$T/vol/busybox-vol"
chmod 755 "$T/rootfs" "$T/rootfs/bin" "$T/vol" "$T"/rootfs/bin/busybox* "$T/vol/busybox-vol"
chmod g+w "$T/rootfs/bin/busybox-open"
policy tool /bin/busybox-tool /vol/busybox-vol /bin/busybox-open /bin/absent
policy few /bin/busybox-tool
cat >"$T/grp.rb" <<R
policy "$NAME"
default :allow
deny("c 1:9 rw") { |ctx| ctx.euid == 0 }
R
VOL='.mounts += [{"destination": "/vol", "type": "bind", "source": "'$T'/vol", "options": ["bind", "ro"]}]'
BY() { printf '%s head -c 1 /dev/urandom >/dev/null 2>&1 && echo "%s opens" || echo "%s denied"; ' "$1" "${1##*-}" "${1##*-}"; }
ALL="$(BY /bin/busybox-tool)$(BY /vol/busybox-vol)$(BY /bin/busybox-copy)$(BY /bin/busybox-open)"
ANSWERS='tool opens
vol opens
copy denied
open denied'
gone() # gone WHAT: within some seconds nothing is left
{
	local i
	for ((i = 0; i < 50; i++)); do [ -n "$(ls "$PINS" 2>/dev/null; find "$CG2" -maxdepth 1 -name "$DGTEST_PREFIX.*")" ] || break; sleep 0.1; done
	if [ $i -lt 50 ]; then pass "$1: nothing is left"; else fail "$1: nothing is left" "$(ls "$PINS"; find "$CG2" -maxdepth 1 -name "$DGTEST_PREFIX.*")"; fi
}
runs() # runs NAME RUNTIME BUNDLE STAGE JQ: the container's answers are those
{
	bundle "$3.$2" "$4" "$ALL" "$VOL | $5" --policy "$T/tool.rb"
	"$2" run -b "$T/b/$3.$2" "$DGTEST_PREFIX.$3.$2" >"$T/out" 2>&1
	same "$2: $1" <(echo "$ANSWERS") <(grep -E '(opens|denied)$' "$T/out")
}
USERNS='.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 200000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'

for rt in $RUNTIMES; do
	runs "files of the container" $rt plain createRuntime .
	[ $rt != crun ] || check "$rt: what matches nothing is told" sh -c '
		grep -qF "/bin/absent'"'"' matches nothing: there is no such file" "$1" &&
		grep -qF "/bin/busybox-open'"'"' matches nothing: its group may write to it (mode 0775)" "$1"' - "$T/out"
	runs "the same, as a prestart hook" $rt prestart prestart .
	runs "in a user namespace, root's files" $rt userns createRuntime "$USERNS"
	mkdir -p "$T/b/relative.$rt/rootfs" && mount --bind "$T/rootfs" "$T/b/relative.$rt/rootfs"
	runs "a relative root.path" $rt relative createRuntime '.root.path = "rootfs"'
	umount "$T/b/relative.$rt/rootfs"
done
# A file of root's that is mounted with an id-mapping: root of the container could write into it.
cat >"$T/idmap.c" <<'C'
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>
static int map(int pid, const char *which)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, which);
	int fd = open(path, O_WRONLY), n = dprintf(fd, "0 200000 65536");
	return close(fd) || n < 0;
}
int main(int argc, char **argv)
{
	struct { uint64_t set, clear, propagation, userns; } attr = {0x00100000 /* MOUNT_ATTR_IDMAP */, 0, 0, 0};
	int ready[2], pid = argc == 3 && !pipe(ready) ? fork() : -1;
	char byte, path[64];
	if (!pid)
		return unshare(CLONE_NEWUSER) || write(ready[1], "x", 1) < 0 || pause();
	if (pid < 0 || read(ready[0], &byte, 1) != 1)
		return 1;
	snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
	int failed = map(pid, "uid_map") || map(pid, "gid_map"), ns = open(path, O_RDONLY);
	int tree = (int)syscall(428, AT_FDCWD, argv[1], 1 | O_CLOEXEC); /* open_tree: a clone */
	attr.userns = (uint64_t)ns;
	failed = failed || tree < 0 || syscall(442, tree, "", 0x1000 /* AT_EMPTY_PATH */, &attr, sizeof attr) || /* mount_setattr */
	         syscall(429, tree, "", AT_FDCWD, argv[2], 4); /* move_mount: from an empty path */
	kill(pid, SIGKILL);
	return failed;
}
C
cp "$T/rootfs/bin/busybox" "$T/mapped"; chmod 755 "$T/mapped"
if $CC -D_GNU_SOURCE -o "$T/idmap" "$T/idmap.c" && "$T/idmap" "$T/mapped" "$T/rootfs/bin/busybox-tool"; then
	for rt in $RUNTIMES; do
		bundle "mapped.$rt" createRuntime "$(BY /bin/busybox-tool)echo x >>/bin/busybox-tool && echo written" "$USERNS | .root.readonly = false" --policy "$T/few.rb"
		"$rt" run -b "$T/b/mapped.$rt" "$DGTEST_PREFIX.mapped.$rt" >"$T/out" 2>&1
		same "$rt: a file that root of the container can write into by its mount" <(echo tool denied; echo written) <(grep -E '^(tool|written)' "$T/out")
		[ $rt != crun ] || check "and said so" grep -qF "/bin/busybox-tool' matches nothing: it belongs to uid 200000, who can change it" "$T/out"
	done
	umount "$T/rootfs/bin/busybox-tool"
else skip "hook_files: an id-mapped mount" "none can be made"; fi
mkdir -p "$T/up" "$T/work" "$T/over"
if mount -t overlay overlay -o "lowerdir=$T/rootfs,upperdir=$T/up,workdir=$T/work" "$T/over" 2>/dev/null; then
	for rt in $RUNTIMES; do runs "on an overlay" $rt overlay createRuntime '.root.path = "'"$T/over"'"'; done
else skip "hook_files: on an overlay" "none can be mounted"; fi
[ -z "$RUNTIMES" ] || gone "ended by themselves"

# ---- what is told later ------------------------------------------------------------------------------

later() # later RUNTIME ROOT
{
	local rt=$1 root=$2 id=$DGTEST_PREFIX.later.$1 pid
	status() { "$DEVGUARD" status "$CG" 2>&1; }
	asks() { "$rt" exec "$id" "/bin/busybox-$1" head -c 1 /dev/urandom 2>/dev/null | wc -c; }
	cp "$root/bin/busybox" "$root/bin/busybox-tool"
	bundle "later.$rt" createRuntime "sleep 60" '.root.path = "'"$root"'"' --policy "$T/few.rb"
	"$rt" run -d -b "$T/b/later.$rt" "$id" >"$T/out" 2>&1 || fail "$rt: run -d" "$(cat "$T/out")"
	pid=$(head -n 1 "$CG/cgroup.procs")
	check "$rt: status is quiet" sh -c '! grep -E "is not that|matches nothing|cannot be told" <<E
$1
E' - "$(status)"
	expect "$rt: verify" 0 "equal: $NAME on" "$DEVGUARD" verify "$T/few.rb" "$CG"
	same "$rt: exec: the tool opens, a copy does not" <(echo 1 0) <(echo "$(asks tool) $(asks copy)")
	expect "$rt: why knows the file of the process" 2 "no urandom" "$DEVGUARD" why --pid "$pid" "c 1:9 r"
	cp "$root/bin/busybox" "$root/bin/new" && mv "$root/bin/new" "$root/bin/busybox-tool"
	expect "$rt: another file has the name: told" 0 "/bin/busybox-tool below /proc/$pid/root was replaced; apply the policy again with --exe-root /proc/$pid/root" \
		"$DEVGUARD" status "$CG"
	expect "$rt: verify tells, too" 2 "/bin/busybox-tool below /proc/$pid/root was replaced" "$DEVGUARD" verify "$T/few.rb" "$CG"
	same "$rt: and it opens nothing" <(echo 0) <(asks tool)
	for a in "--dry-run" ""; do
		expect "$rt: apply without --exe-root is told: $a" 0 "to take the container's: --exe-root /proc/$pid/root" "$DEVGUARD" apply "$T/few.rb" "$CG" $a
	done
	same "$rt: and closes the rule" <(echo 0 0) <(echo "$(asks tool) $(asks copy)")
	expect "$rt: apply --exe-root over the hook's guard" 0 "replaced program" "$DEVGUARD" apply "$T/few.rb" "$CG" --exe-root "/proc/$pid/root"
	same "$rt: it is the container's file again" <(echo 1 0) <(echo "$(asks tool) $(asks copy)")
	expect "$rt: verify after it" 0 "equal: $NAME on" "$DEVGUARD" verify "$T/few.rb" "$CG"
	if ! kernel_before 6.1; then
		"$DEVGUARD" grant "$CG" "c 1:9 r" >"$T/out" 2>&1 || fail "$rt: grant" "$(cat "$T/out")"
		same "$rt: a grant opens to all" <(echo 1 1) <(echo "$(asks tool) $(asks copy)")
		"$DEVGUARD" revoke "$CG" "c 1:9" >"$T/out" 2>&1 || fail "$rt: revoke" "$(cat "$T/out")"
		same "$rt: and taken back leaves the file" <(echo 1 0) <(echo "$(asks tool) $(asks copy)")
	fi
	check "$rt: one guard, pinned" test "$(bpftool prog show | grep -c "name $NAME ") $(ls "$PINS" | wc -l)" = "1 1"
	expect "$rt: detach" 0 "detached" "$DEVGUARD" detach "$CG"
	same "$rt: then nothing guards" <(echo 1 1) <(echo "$(asks tool) $(asks copy)")
	"$rt" delete -f "$id"
}
for rt in $RUNTIMES; do later $rt "$T/rootfs"; done
if mountpoint -q "$T/over"; then for rt in $RUNTIMES; do later $rt "$T/over"; done; umount "$T/over"; fi
[ -z "$RUNTIMES" ] || gone "deleted"

# ---- what cannot be told ----------------------------------------------------------------------------

BUNDLE=$T/b/states
mkdir -p "$BUNDLE"
spec() { printf '%s' "$1" >"$BUNDLE/config.json"; }
apart() # apart NAME [COMMAND...]: as live, with mounts of its own
{
	local name=$1; shift
	scratch "$name"
	(echo "$BASHPID" >"$CG/cgroup.procs" && exec unshare -m "$@" sleep 7200) & LIVE=$!
	BACKGROUND+=($LIVE)
	until [ "$(tr '\0' ' ' <"/proc/$LIVE/cmdline")" = "sleep 7200 " ]; do sleep 0.01; done
}
ends() { kill "$LIVE"; wait "$LIVE" 2>/dev/null; rmdir "$CG"; }
joins() { (echo "$BASHPID" >"$CG/cgroup.procs" && exec "$@") & a=$!; BACKGROUND+=($a); } # joins COMMAND...: in CG, its pid in a
# told NAME STATUS TEXT [POLICY]
told()
{
	local out rc
	out=$(state "$LIVE" | timeout 60 "$DEVGUARD" oci-hook --policy "$T/${4:-few}.rb" 2>&1); rc=$?
	if [ $rc = "$2" ] && [[ $out == *"$3"* ]] && { [ $rc = 0 ] || [ -z "$(ls "$PINS")" ]; }; then pass "told: $1"
	else fail "told: $1" "status $rc, expected: $2 $3
$out
$(ls "$PINS")"; fi
}
spec '{"root": {"path": "'"$T/rootfs"'"}}'
live same
told "no mount namespace of its own" 1 "has no mount namespace of its own"
told "but where no file is named, nothing is looked for" 0 "" grp
ends
apart states
told "one that has" 0 ""
"$DEVGUARD" detach "$CG" >/dev/null
rm "$BUNDLE/config.json"
told "no config.json" 1 "$BUNDLE/config.json: error: No such file or directory"
told "not missed where no file is named" 0 "" grp
"$DEVGUARD" detach "$CG" >/dev/null
spec '{"root": '; told "no JSON" 1 "config.json: error: it is no valid JSON"
for a in '{}' '[]' '{"root": 5}' '{"root": {}}' '{"root": {"path": ""}}' '{"root": {"path": 7}}'; do
	spec "$a"; told "no root.path: $a" 1 "there is no root.path"
done
spec '{"root": {"path": "a", "path": "b"}}'; told "a root.path given twice" 1 "duplicate object key"
spec '{"root": {"path": "'"$T/none"'"}}'; told "a root that is not there" 1 "cannot look at the container's root directory $T/none: No such file or directory"
spec '{"root": {"path": "'"$T/few.rb"'"}}'; told "a root that is no directory" 1 "$T/few.rb: Not a directory"
ln -s "$T/rootfs" "$T/link"
spec '{"root": {"path": "'"$T/link"'"}}'; told "a link to it" 0 ""
expect "as long as nobody lives there, it cannot be told what is there" 0 \
	"cannot be told: its files were looked for in a root directory that no process there has any more; apply it again with --exe-root" "$DEVGUARD" status "$CG"
"$DEVGUARD" detach "$CG" >/dev/null
spec '{"root": {"path": "/"}}'; told "this host's own root" 0 "warning: the container's root directory is that of this host"
"$DEVGUARD" detach "$CG" >/dev/null
spec '{"root": {"path": "'"$T/rootfs"'"}}'
BUNDLE=b/states told "a bundle that is no absolute path" 1 "is no absolute path"
joins sleep 7200
until grep -qx "$a" "$CG/cgroup.procs"; do sleep 0.01; done
told "somebody else there, in this host's root" 1 "process $a in '$CG' has the root directory of this host"
kill $a; wait $a 2>/dev/null
mkdir "$T/jail" && mount -t tmpfs -o mode=755 none "$T/jail" && cp -a "$T/rootfs/." "$T/jail/"
joins chroot "$T/jail" /bin/sleep 7200
until [ "$(readlink "/proc/$a/root")" = "$T/jail" ]; do sleep 0.01; done
told "somebody else there, in another root" 0 "warning: process $a in '$CG' has another root directory than $T/rootfs"
"$DEVGUARD" detach "$CG" >/dev/null
kill $a; wait $a 2>/dev/null; umount -l "$T/jail"
ends
mkdir -p "$T/rootfs/proc"
rm "$BUNDLE/config.json"
apart pivoted chroot "$T/rootfs"
check "the root directory that it has" sh -c '[ "$(readlink /proc/$1/root)" = "$2" ]' - "$LIVE" "$T/rootfs"
told "a process that is there already (LXC): no config.json is needed" 0 ""
expect "and its files are found again" 0 "equal: $NAME on" "$DEVGUARD" verify "$T/few.rb" "$CG"
[ -e "$T/rootfs/dev/urandom" ] || mknod -m 666 "$T/rootfs/dev/urandom" c 1 9
asks() { inside "$CG" chroot "$T/rootfs" "/bin/busybox-$1" head -c 1 /dev/urandom 2>/dev/null | wc -c; }
same "its file opens, a copy does not" <(echo 1 0) <(echo "$(asks tool) $(asks copy)")
ends
gone "states"

# ---- podman ---------------------------------------------------------------------------------------------

podman_runs() # podman_runs RUNTIME ROOTFS ARGUMENT...
{
	local root=$2
	printf '#!/bin/sh\n%sexec "%s" "$@"\n' "$([ $1 = runc ] || echo "export LD_PRELOAD=$T/nolimit.so; ")" "$(type -P $1)" >"$T/runtime"
	chmod 755 "$T/runtime"; shift 2
	timeout 60 podman --root "$T/pod/root" --runroot "$T/pod/run" --tmpdir "$T/pod/tmp" --runtime "$T/runtime" \
		--cgroup-manager=cgroupfs --events-backend=file --storage-driver=vfs --hooks-dir "$T/hooks.d" \
		run -i --rm --cgroup-parent "/$DGTEST_PREFIX.pod" --annotation org.example.guard=yes --network none \
		--log-driver none --pids-limit -1 --ulimit nofile=20000:20000 --ulimit nproc=8000:8000 -v "$T/vol:/vol:ro" "$@" \
		--rootfs "$root" sh -c "$ALL" >"$T/out" 2>&1 < <(:)
}
mkdir -p "$T/hooks.d"
if ! command -v podman >/dev/null || [ -z "$RUNTIMES" ]; then skip "hook_files: podman" "it is not installed, or no runtime"
else
	for rt in $RUNTIMES; do
		podman_runs $rt "$T/rootfs"
		if grep -qE 'controller .* is not available|memory\.events' "$T/out"; then skip "podman with $rt" "$(head -n 1 "$T/out" | cut -c 1-120)"; continue; fi
		jq -nc --arg d "$DEVGUARD" --arg p "$T/tool.rb" '{version: "1.0.0", hook: {path: $d, env: ["PATH=/usr/bin:/bin"],
			args: ["rucy-devguard", "oci-hook", "--policy", $p]}, when: {annotations: {"^org.example.guard$": "^yes$"}}, stages: ["createRuntime"]}' >"$T/hooks.d/guard.json"
		podman_runs $rt "$T/rootfs"
		same "podman with $rt: files of the container" <(echo "$ANSWERS") <(grep -E '(opens|denied)$' "$T/out")
		podman_runs $rt "$T/rootfs" --uidmap 0:200000:65536 --gidmap 0:200000:65536
		same "podman with $rt, in a user namespace" <(echo "$ANSWERS") <(grep -E '(opens|denied)$' "$T/out")
		if podman_runs $rt "$T/rootfs:O" && grep -q . "$T/out"; then
			same "podman with $rt: on its overlay" <(echo "$ANSWERS") <(grep -E '(opens|denied)$' "$T/out")
		else skip "podman with $rt: on its overlay" "$(head -n 1 "$T/out" | cut -c 1-120)"; fi
		rm -f "$T/hooks.d/"*
	done
	for ((i = 0; i < 50; i++)); do
		find "$CG2/$DGTEST_PREFIX.pod" -depth -type d -exec rmdir {} + 2>/dev/null
		[ -d "$CG2/$DGTEST_PREFIX.pod" ] || break
		sleep 0.1
	done
	gone "podman"
fi
equal "/dev/null belongs to whom it belonged" "$OWNER_OF_NULL" "$(stat -c %u:%g /dev/null)"
summary
