# containers.sh - containers of real runtimes, for a script that sources this instead of
# lib.sh: it runs in a mount namespace of its own, where the host is one of pure cgroup v2
# with a BPF file system and a /run that nobody else uses.
if [ -z "${DGTEST_PURE_V2-}" ] && unshare -m --propagation private true 2>/dev/null; then
	export DGTEST_PURE_V2=1
	exec unshare -m --propagation private bash -c '
		mountpoint -q /sys/fs/cgroup && { umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup; }
		mount -t cgroup2 cgroup2 /sys/fs/cgroup; mount -t bpf bpf /sys/fs/bpf
		mount -t tmpfs -o mode=755 tmpfs /run; exec bash "$0"' "$0"
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh" && [ -n "$T" ] || exit 1

need_containers() # the reason why none can be started, or nothing
{
	local reason; reason=$(need_kernel)
	if [ -n "$reason" ]; then echo "$reason"
	elif [ -z "${DGTEST_PURE_V2-}" ]; then echo "unshare cannot make a mount namespace"
	elif [ "$CG2" != /sys/fs/cgroup ]; then echo "cgroup v2 cannot be mounted at /sys/fs/cgroup"
	elif [ "$(stat -fc %T /sys/fs/bpf)" != bpf_fs ]; then echo "no BPF file system can be mounted"
	elif kernel_before 5.7; then echo "links to cgroups need Linux 5.7"
	elif ! command -v jq >/dev/null; then echo "jq is not installed"
	elif ! command -v busybox >/dev/null; then echo "busybox is not installed"
	fi
}

PINS=/sys/fs/bpf/rucy-devguard
mkdir -p "$T/rootfs/"{bin,dev,proc,sys,tmp} "$T/b"
chmod 755 "$T"
cp "$(command -v busybox)" "$T/rootfs/bin/busybox" 2>/dev/null
for a in sh head sleep true; do ln -s busybox "$T/rootfs/bin/$a"; done

# Some machines do not let root raise limits; the container does without.
cat >"$T/nolimit.c" <<'C'
#include <sys/resource.h>
int setrlimit(__rlimit_resource_t r, const struct rlimit *l) { (void)r, (void)l; return 0; }
C
$CC -shared -fPIC -o "$T/nolimit.so" "$T/nolimit.c" 2>/dev/null
CRUN=$(command -v crun) RUNC=$(command -v runc)
# Their standard input is given to root of a container with a user namespace: never /dev/null of the host.
crun() { LD_PRELOAD=$T/nolimit.so timeout 20 "$CRUN" --root "$T/crun" --cgroup-manager=cgroupfs "$@" < <(:); }
runc() { timeout 20 "$RUNC" --root "$T/runc" "$@" < <(:); }
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
		'.process.args[2] = $c | .linux.cgroupsPath = $cg | .hooks[$s] = [{path: $d, args: $h, env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}] | '"${filter:-.}" \
		"$T/base.json" >"$T/b/$name/config.json"
}

live() # live NAME: a process, its pid in LIVE, in a cgroup of its own, CG
{
	scratch "$1"
	(echo "$BASHPID" >"$CG/cgroup.procs" && exec sleep 7200) & LIVE=$!
	BACKGROUND+=($LIVE)
	until grep -qx "$LIVE" "$CG/cgroup.procs"; do sleep 0.01; done
}
state() # state PID [MEMBERS]: as JSON
{
	printf '{"ociVersion":"1.0.2","id":"box","status":"created","pid":%s,"bundle":"%s"%s}' "$1" "${BUNDLE:-$T}" "${2:+,$2}"
}
