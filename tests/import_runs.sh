#!/bin/bash
# import_runs.sh - device lists as the tools themselves take them: a container of crun, runc or
# podman is started from a list, thousands of requests are put to the kernel in its cgroup, and
# to the policy that import makes of the list. Where they differ a comment of the policy names the
# device.
. "$(dirname "$0")/containers.sh"

reason=$(need_containers)
[ -z "$reason" ] || { skip "import runs" "$reason"; summary; exit; }
build_opener
mkdir "$T/nodes" && mount -t tmpfs tmpfs "$T/nodes"
on_exit() { umount "$T/nodes"; }
"$OPENER" grid 0-30:0-9,1:0-20,5:0-5,7:70-80,8:0-20,10:195-240,90-110:0-3,136-144:0-3,188-195:0-9,195:250-260,4095:1048575 >"$T/requests"

# The rules that a comment stands before, as a policy that allows what they name, and the devices
# that not every runtime gives.
named() # named POLICY
{
	echo 'policy "named"'
	awk -F'"' '/^# .*: / { noted = 1; next } /^# and so for / { next }
	noted && /^(allow|deny) / { sub(/ [rwm]+$/, "", $2); printf "allow \"%s\"\n", $2 } { noted = 0 }' "$1"
	! grep -q 'not c 5:1' "$1" || echo 'allow "c 5:1", "c 10:200"'
	echo 'default :deny'
}
# compare NAME POLICY CGROUP
compare()
{
	local n
	rm -f "$T/nodes/"*
	"$OPENER" ask "$T/nodes" "$3/cgroup.procs" <"$T/requests" >"$T/kernel" 2>"$T/err" || { fail "$1: the kernel is asked" "$(cat "$T/err")"; return; }
	"$DEVGUARD" eval "$2" - <"$T/requests" | cut -f 1 >"$T/ours"
	n=$(wc -l <"$T/ours")
	[ "$n" = "$(wc -l <"$T/requests")" ] && [ "$n" -gt 5000 ] && grep -q '^allow' "$T/kernel" && pass "$1: $n requests" ||
		fail "$1: all requests" "$n answers"
	diff "$T/kernel" "$T/ours" | sed -n 's/^< [a-z]* //p' | sort -u >"$T/differ"
	named "$2" >"$T/named.rb"
	if [ ! -s "$T/differ" ] || "$DEVGUARD" eval "$T/named.rb" - <"$T/differ" >"$T/out" 2>&1; then pass "$1: each difference is named"
	else fail "$1: each difference is named" "$(grep -v '^allow' "$T/out")"; fi
}

# ---- crun and runc ------------------------------------------------------------------------

lists() # lists RUNTIME: what it starts with
{
	(cd "$T" && rm -f config.json && "$1" spec >/dev/null 2>&1 && mv config.json "spec.json") && echo "$T/spec.json"
	ls "$TESTS/import/"oci-*.json
}
started=0
for rt in crun runc; do
	type -P $rt >/dev/null || { skip "import runs: $rt" "it is not installed"; continue; }
	for list in $(lists $rt); do
		name=$(basename "$list" .json)
		id=$DGTEST_PREFIX.$name.$rt
		bundle "$name.$rt" createRuntime 'sleep 60' 'del(.hooks)'
		jq --slurpfile l "$list" '.linux.resources.devices = $l[0].linux.resources.devices' "$T/b/$name.$rt/config.json" >"$T/c" &&
			cat "$T/c" >"$T/b/$name.$rt/config.json"
		"$DEVGUARD" import oci --empty-is-allow "$list" -o "$T/$name.rb" 2>"$T/err" || fail "$rt $name: import" "$(cat "$T/err")"
		if $rt run -d -b "$T/b/$name.$rt" "$id" >"$T/out" 2>&1; then
			started=$((started + 1))
			# runc gives what every container has where crun gives all: the hint says so
			[ $rt = runc ] && [ $name = oci-none ] || compare "$rt $name" "$T/$name.rb" "$CG"
		elif grep -q 'runc does not start' "$T/$name.rb"; then pass "$rt $name: does not start, as a comment says"
		else fail "$rt $name: starts" "$(cat "$T/out")"; fi
		$rt delete -f "$id" >/dev/null 2>&1
	done
	# without letters: runc does not start, crun grants nothing
	for access in null '""'; do
		bundle "empty.$rt" createRuntime 'sleep 60' "del(.hooks) | .linux.resources.devices += [{allow: true, type: \"c\", major: 10, minor: 229, access: $access}]"
		if $rt run -d -b "$T/b/empty.$rt" "$DGTEST_PREFIX.empty.$rt" >"$T/out" 2>&1; then
			rm -f "$T/nodes/"*
			[ "$(echo 'c 10:229 r' | "$OPENER" ask "$T/nodes" "$CG/cgroup.procs")" = "deny c 10:229 r" ] && pass "$rt: access $access grants nothing" ||
				fail "$rt: access $access grants nothing"
			$rt delete -f "$DGTEST_PREFIX.empty.$rt" >/dev/null 2>&1
		else check "$rt: access $access: does not start" grep -q 'access at 1 field cannot be empty' "$T/out"; fi
		"$DEVGUARD" import oci "$T/b/empty.$rt/config.json" >"$T/out" 2>&1
		check "import: access $access is an error" grep -q 'devices\[1\].access: no letters' "$T/out"
	done
done
if type -P crun runc >/dev/null; then check "import runs: containers were started" test $started -gt 5; fi

# ---- podman ----------------------------------------------------------------------------------

WORDS=(--device /dev/fuse:/dev/f:r --device /dev/zero --device-cgroup-rule 'c 188:* rw' --device-cgroup-rule 'c 20:* r' --device-cgroup-rule 'c 20:3 w')
pod()
{
	timeout 30 podman --root "$T/pod/root" --runroot "$T/pod/run" --tmpdir "$T/pod/tmp" --runtime "$T/runtime" --cgroup-manager=cgroupfs \
		--events-backend=file --storage-driver=vfs "$@" </dev/null
}
podman_by() # podman_by RUNTIME
{
	printf '#!/bin/sh\n%sexec "%s" "$@"\n' "$([ $1 = runc ] || echo "export LD_PRELOAD=$T/nolimit.so; ")" "$(type -P $1)" >"$T/runtime"
	chmod 755 "$T/runtime"
	if ! pod run -d --name box --cgroup-parent "/$DGTEST_PREFIX.pod" --network none --log-driver none --pids-limit -1 \
		--ulimit nofile=20000:20000 --ulimit nproc=8000:8000 "${WORDS[@]}" --rootfs "$T/rootfs" sh -c 'sleep 60' >"$T/out" 2>&1; then
		skip "import runs: podman with $1" "$(tail -n 1 "$T/out" | cut -c 1-100)"
	else
		"$DEVGUARD" import docker -o "$T/pod.rb" -- podman run "${WORDS[@]}" --name box box >"$T/out" 2>&1 || fail "import docker -- podman run" "$(cat "$T/out")"
		compare "podman with $1" "$T/pod.rb" "$CG2$(sed -n 's/^0:://p' "/proc/$(pod inspect -f '{{.State.Pid}}' box)/cgroup")"
	fi
	pod rm -f -t 0 box >/dev/null 2>&1
	find "$CG2/$DGTEST_PREFIX.pod" -depth -type d -exec rmdir {} + 2>/dev/null
}
if ! type -P podman >/dev/null; then skip "import runs: podman" "it is not installed"
else for rt in crun runc; do ! type -P $rt >/dev/null || podman_by $rt; done; fi
summary
