#!/bin/bash
# where.sh - a CGROUP by the name that people have for it: which one is found, and which is not.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
[ -z "$reason" ] || { skip "where" "$reason"; summary; exit; }

# found NAME DIRECTORY WORD...: the words name that cgroup, for status
found()
{
	local name=$1 want=$2 got; shift 2
	got=$("$DEVGUARD" status "$@" 2>"$T/err" | head -n 1)
	if [ "${got%%: no device program}" = "$want" ]; then pass "$name"
	else fail "$name" "$*: found '$got', expected $want
$(cat "$T/err")"; fi
}
refused() { expect "$1" 1 "$2" "$DEVGUARD" status "${@:3}"; } # refused NAME TEXT WORD...

S=$CG2/$DGTEST_PREFIX.slice U=$DGTEST_PREFIX # units of this test
ID=$(sha256sum <<<"$T" | cut -c1-64) OTHER=$(sha256sum <<<"$T other" | cut -c1-64)
mkdir -p "$S/$U-a.slice"
scratch plain
PLAIN=$CG

# ---- paths ------------------------------------------------------------------------------

found "a directory" "$PLAIN" "$PLAIN"
found "the path that audit prints" "$PLAIN" "/${PLAIN##*/}"
expect "a path that exists wins, with the way to the other" 1 "the cgroup that audit prints as $T is $CG2$T" \
	sh -c 'mkdir -p "$2$3"; "$1" status "$3"; s=$?; cd "$2"; rmdir -p ".$3"; exit $s' - "$DEVGUARD" "$CG2" "$T"
expect "a file that has a container's name" 1 "container:here" sh -c 'cd "$2"; : >here; "$1" status here' - "$DEVGUARD" "$T"
out=$(cd "$T"; "$DEVGUARD" status . 2>&1)
[[ $out == *"is a directory, but not a cgroup"* && $out != *container:* ]] && pass "a dot is no container's name" || fail "a dot is no container's name" "$out"
for word in "$(printf '%0300d' 7)" "unit:$(printf '%0300d' 7)"; do
	refused "a name longer than any file's" "there is no cgroup " "$word"
	check "which was not looked for" sh -c '! "$1" status "$2" 2>&1 | grep "not read"' - "$DEVGUARD" "$word"
done
refused "no such path" "\`rucy-devguard list\` shows the cgroups that have programs" "/$U.no"
refused "nor below the mount" "\`rucy-devguard list\` shows the cgroups that have programs" "$CG2/$U.no"
expect "no such path to attach to: how to make it" 1 "mkdir -p $CG2/$U.no" "$DEVGUARD" apply "$ROOT/policies/gpu.rb" "/$U.no"
refused "a path is no name" "there is no cgroup '$U.no/x'" "$U.no/x"
refused "a directory without its slash" "did you mean $PLAIN?" "${PLAIN##*/}"
refused "control bytes are escaped" 'a\x1Bb' $'a\eb'

# ---- units -------------------------------------------------------------------------------

mkdir "$S/$U-a.slice/$U.service" "$S/$U.scope"
found "a unit" "$S/$U-a.slice/$U.service" "$U.service"
found "a unit of that kind only" "$S/$U-a.slice/$U.service" "unit:$U"
found "--unit" "$S/$U-a.slice/$U.service" --unit "$U"
found "a scope" "$S/$U.scope" "$U.scope"
found "a slice" "$S/$U-a.slice" "$U-a.slice"
refused "a unit without its kind" "did you mean the unit $U.service?" "$U"
refused "a unit that does not run" "systemctl start $U-no.service" --unit "$U-no"
expect "a unit and a cgroup" 64 "" "$DEVGUARD" status --unit x "$PLAIN"
expect "a unit, and the caller's own" 64 "name one cgroup" "$DEVGUARD" status --unit x --self
# whoever has a cgroup can give any name in it
mkdir "$S/$U.scope/$U-in.service" "$PLAIN/$U-in.service" "$PLAIN/$U-b.slice"
refused "a unit in a scope is not the host's" "there is no cgroup of the unit" "$U-in.service"
refused "a slice in the wrong place is none" "there is no cgroup of the unit" "$U-b.slice"
mkdir "$S/$U-in.service"
found "and is not in the way of the host's" "$S/$U-in.service" "$U-in.service"
mkdir "$S/$U-a.slice/$U-in.service"
refused "two units are an error" "names more than one cgroup" "$U-in.service"
rmdir "$S/$U-a.slice/$U-in.service" "$S/$U-in.service" "$S/$U.scope/$U-in.service" "$PLAIN/$U-in.service" "$PLAIN/$U-b.slice"

# ---- containers by their cgroup -----------------------------------------------------------

for dir in "$PLAIN/$ID" "$PLAIN/docker-$ID.scope" "$PLAIN/libpod-$ID" "$PLAIN/libpod-payload-$ID" \
	"$PLAIN/crio-$ID.scope" "$PLAIN/cri-containerd-$ID.scope"; do
	mkdir "$dir" "$PLAIN/libpod-conmon-$ID.scope"
	found "an id in ${dir##*/}" "$dir" "${ID:0:12}"
	rmdir "$dir" "$PLAIN/libpod-conmon-$ID.scope"
done
mkdir -p "$PLAIN/libpod-$ID.scope/container"
found "a directory that a container made in its own is not the container" "$PLAIN/libpod-$ID.scope" "container:${ID:0:8}"
refused "three digits are too few" "there is no cgroup" "${ID:0:3}"
mkdir -p "$PLAIN/libpod-$ID.scope/container/docker-$OTHER.scope"
refused "an id inside of a container is not the host's" "there is no cgroup" "${OTHER:0:16}"
rmdir -p "$PLAIN/libpod-$ID.scope/container/docker-$OTHER.scope" 2>/dev/null
mkdir "$PLAIN" "$PLAIN/$ID" 2>/dev/null; mkdir "$PLAIN/docker-${ID:0:63}x.scope" "$PLAIN/docker-${ID:0:32}$(tr 0-9a-f a-f0-9 <<<"${ID:32}").scope"
refused "a part of two ids" "names more than one cgroup" "${ID:0:16}"
found "a longer part" "$PLAIN/$ID" "${ID:0:33}"
rmdir "$PLAIN"/*/

mkdir -p "$PLAIN/theirs/docker-$ID.scope"; chown 65534 "$PLAIN/theirs"
refused "an id in a cgroup of another user" "it is not taken" "${ID:0:12}"
mkdir "$PLAIN/$ID"
found "which is not in the way of root's" "$PLAIN/$ID" "${ID:0:12}"
rmdir "$PLAIN/theirs/docker-$ID.scope" "$PLAIN"/*/

mkdir "$PLAIN/lxc.payload.$U" "$S/machine-${U//./\\x2e}\\x2da.scope" "$S/systemd-nspawn@$U\\x2db.service" "$S/machine-qemu\\x2d7\\x2d$U\\x2dc.scope"
found "LXC's" "$PLAIN/lxc.payload.$U" "$U"
found "a machine, unescaped" "$S/machine-${U//./\\x2e}\\x2da.scope" "$U-a"
found "a machine of nspawn's unit" "$S/systemd-nspawn@$U\\x2db.service" "container:$U-b"
mkdir -p "$PLAIN/qemu-3-$U-d.libvirt-qemu/emulator"
found "libvirt's, without systemd" "$PLAIN/qemu-3-$U-d.libvirt-qemu" "$U-d"
found "libvirt's" "$S/machine-qemu\\x2d7\\x2d$U\\x2dc.scope" "$U-c"
mkdir "$PLAIN/lxc.payload.$U-1"
found "LXC's, beside another of a like name where nothing runs" "$PLAIN/lxc.payload.$U" "$U"
inside "$PLAIN/lxc.payload.$U-1" sleep 100 & BACKGROUND+=($!)
until grep -q . "$PLAIN/lxc.payload.$U-1/cgroup.procs"; do :; done
refused "nothing runs in the one, which may be an old one of the other" "names more than one cgroup" "$U"
refused "a container that does not run" "there is no running container" "container:$U.no"

# ---- processes ------------------------------------------------------------------------------

sleep 100 & pid=$!; BACKGROUND+=($pid)
scratch process
echo $pid >"$CG/cgroup.procs"
found "a pid" "$CG" "$pid"
found "a pid, said to be one" "$CG" "pid:$pid"
kill -9 $pid; wait $pid 2>/dev/null
refused "a process that ended" "has ended" "pid:$pid"
refused "pid 0" "there is no cgroup" pid:0
refused "no pid" "there is no cgroup" pid:abc
own=$(sed -n 's/^0:://p' /proc/self/cgroup)
echo 'default :allow' >"$T/open.rb"
if [ "$own" = / ] && [ ! -e "$CG2/cgroup.type" ]; then
	expect "a pid in the root is not taken" 1 "every process of the host" "$DEVGUARD" apply --dry-run "$T/open.rb" pid:$$
	expect "nor --self" 1 "every process of the host" "$DEVGUARD" apply --dry-run "$T/open.rb" --self
else skip "a pid in the root" "this is not in the root"; fi
scratch service
mkdir "$CG/.control"
expect "--self of a service of systemd" 0 "$CG (" inside "$CG/.control" "$DEVGUARD" apply --dry-run "$T/open.rb" --self
expect "apply --self" 0 "attached to $CG (" inside "$CG/.control" "$DEVGUARD" apply "$T/open.rb" --self
expect "stats --self reads that one" 1 "the policy 'open' on $CG reports nothing" inside "$CG" "$DEVGUARD" stats --self
expect "audit --self" 1 "the policy 'open' on $CG reports nothing" inside "$CG" "$DEVGUARD" audit --self open
expect "detach --self" 0 "open: detached from $CG" inside "$CG" "$DEVGUARD" detach --self open
expect "apply takes one cgroup" 64 "more than a policy and a cgroup" "$DEVGUARD" apply "$T/open.rb" "$CG" --self
expect "--config names its own" 64 "--config names" "$DEVGUARD" apply --config "$T/x.yaml" --self
expect "audit --all names none" 64 "none can be named" "$DEVGUARD" audit --all --self

# ---- containers by their engines' files, in directories of our own ---------------------------

if ! unshare -m true 2>/dev/null; then skip "engines" "no mount namespace"; summary; exit; fi
scratch pod
POD=$(sha256sum <<<"$T pod" | cut -c1-64); SCOPE=$CG/libpod-$POD.scope
mkdir -p "$PLAIN/$ID" "$SCOPE/container"
cat >"$T/engines" <<ENGINES
for dir in /etc/docker /var/lib/docker /var/lib/containers /run/containers /run/runc /run/crun /run/containerd /run/docker; do
	[ -d \$dir ] || { mkdir -p \$dir; echo \$dir >>"$T/made"; }
	mount -t tmpfs -o mode=711 dgtest \$dir
done
mkdir -p /var/lib/docker/containers/{$ID,$OTHER} /var/lib/containers/storage/overlay-containers /run/runc/d1 /run/crun/d2 /run/containerd/runc/default/d3
echo '{"State":{"Running":true,"Pid":170},"ID":"$ID","Path":"/bin/sleep","Name":"/web","Driver":"vfs"}' >/var/lib/docker/containers/$ID/config.v2.json
echo '{"State":{"Running":false,"Pid":0},"ID":"$OTHER","Name":"/stopped"}' >/var/lib/docker/containers/$OTHER/config.v2.json
echo '[{"id":"$ID","names":["pod"],"image":"","layer":"ad5a","metadata":"{}"},{"id":"$OTHER","names":["gone"]}]' >/var/lib/containers/storage/overlay-containers/containers.json
echo '{"id":"d1","init_process_pid":7,"cgroup_paths":{"":"$PLAIN"}}' >/run/runc/d1/state.json
echo '{"pid": 7, "cgroup-path": "${PLAIN#"$CG2"}", "scope": ""}' >/run/crun/d2/status
echo '{"id":"d3","cgroup_paths":{"":"$PLAIN"}}' >/run/containerd/runc/default/d3/state.json
ENGINES
engines() { expect "$1" "$2" "$3" unshare -m --propagation private bash -c '. "$0"; eval "$1"; shift; "$@"' "$T/engines" "$4" "$DEVGUARD" status "$5"; }
engines "docker's name" 0 "$PLAIN/$ID" : web
engines "docker's, of that kind only" 0 "$PLAIN/$ID" : container:web
engines "docker's, stopped" 1 "it does not run" : stopped
engines "podman's name" 0 "$PLAIN/$ID" : pod
engines "podman's, stopped" 1 "it does not run" : gone
for name in d1 d2 d3; do engines "a runtime's name $name" 0 "$PLAIN" : $name; done
engines "a name of nobody" 1 "there is no cgroup" : d4
kept() { echo "mkdir /run/crun/$POD; echo '{\"cgroup-path\": \"${SCOPE#"$CG2"}$1\"}' >/run/crun/$POD/status"; }
for word in "$POD" "${POD:0:12}"; do
	engines "crun's, one further down, by ${#word} digits" 0 "$SCOPE/container: no device program" "$(kept /container)" "$word"
done
engines "crun's, which has made one of that name itself" 0 "$SCOPE: no device program" "$(kept "")" "$POD"
engines "crun's, where the one further down is gone" 0 "$SCOPE: no device program" "$(kept /gone)" "$POD"
engines "what the runtime kept is of another" 0 "$SCOPE: no device program" "$(kept x/container)" "${POD:0:12}"
engines "two engines that mean one cgroup" 0 "$PLAIN" 'cp -r /run/runc/d1 /run/containerd/runc/default' d1
engines "two engines that mean two" 1 "names more than one cgroup" 'mv /run/runc/d1 /run/runc/web' web
engines "a directory that others may write" 1 "can be written by others than root" 'chmod 777 /run/runc/d1' d1
engines "a file of another user" 1 "owned by uid 65534" "chown 65534 /var/lib/docker/containers/$ID/config.v2.json" web
engines "a link in place of a file" 1 "is a symbolic link" 'mv /run/crun/d2/status /run/crun/d2/x; ln -s x /run/crun/d2/status' d2
engines "no JSON" 1 "no valid JSON" 'echo { >/run/crun/d2/status' d2
engines "a file without end" 1 "more than 4 MiB" 'head -c 5M /dev/zero >/run/crun/d2/status' d2
engines "JSON of another shape" 1 "there is no cgroup" 'echo "[[[]]]" >/run/crun/d2/status' d2
engines "a container that names its cgroup like another's" 1 "it is not taken" \
	"rm -r /var/lib/docker/containers/*; mkdir '$PLAIN/lxc.payload.x$U'; trap 'rmdir \"$PLAIN/lxc.payload.x$U\"' EXIT" "x$U"
engines "docker's directory behind a link" 0 "$PLAIN/$ID" \
	'mv /var/lib/docker/containers /run/docker/c; ln -s /run/docker/c /var/lib/docker/containers' web
engines "docker's, with a user namespace" 0 "$PLAIN/$ID" \
	'mkdir -m 710 /var/lib/docker/231072.231072; mv /var/lib/docker/containers /var/lib/docker/231072.231072/' web
engines "docker's directory elsewhere" 0 "$PLAIN/$ID" \
	'mkdir /run/docker/r; mv /var/lib/docker/containers /run/docker/r/; echo "{\"data-root\":\"/run/docker/r\"}" >/etc/docker/daemon.json' web
[ ! -e "$T/made" ] || sort -u "$T/made" | xargs rmdir

summary
