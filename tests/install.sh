#!/bin/bash
# install.sh - install-hook: what it writes, replaces, removes and refuses; the runtime that
# adds the hook to a bundle; the manifest for Kubernetes, offline.
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" = 0 ] || { skip "install-hook" "not root"; summary; exit; }
chmod 755 "$T"
mkdir "$T/bin" "$T/policies" "$T/etc"
cp "$DEVGUARD" "$T/bin/rucy-devguard"
cp "$ROOT"/policies/{container-default,gpu}.rb "$T/policies"
D=$T/bin/rucy-devguard
P=$T/policies/container-default.rb
H=$T/hooks.d
hook() { "$D" install-hook --dir "$H" "$@"; }
is() { jq -e "$2" "$H/$1.json" >/dev/null 2>&1 && pass "install-hook writes $2" || fail "install-hook writes $2" "$(cat "$H/$1.json" 2>&1)"; }

expect "install-hook makes the directory" 0 "rucy-devguard.json: installed; for every container" hook --policy "$P"
[ "$(stat -c '%a %u:%g' "$H/rucy-devguard.json")" = "644 0:0" ] && pass "the hook's file is root's, 0644" ||
	fail "the hook's file is root's, 0644" "$(ls -l "$H")"
is rucy-devguard '.version == "1.0.0" and .stages == ["createRuntime"] and .when == {always: true} and .hook.timeout == 30'
is rucy-devguard ".hook.path == \"$H/rucy-devguard.sh\" and .hook.args == [\"rucy-devguard\", \"oci-hook\", \"--policy\", \"$P\"]"
expect "install-hook replaces its own" 0 "replaced; for containers with the annotation" hook --policy-from-spec \
	--annotation io.example.guard=^on$ --annotation 'a+b' --on-error allow --audit denied
is rucy-devguard '.when == {annotations: {"^io\\.example\\.guard$": "^on$", "^a\\+b$": ".*"}}'
is rucy-devguard '.hook.args[2:] == ["--policy-from-spec", "--audit", "denied", "--on-error", "allow"]'
expect "--on-error allow is loud" 0 "START WITHOUT A DEVICE GUARD" hook --print --policy-from-spec --on-error=allow
hook --print --policy "$T/policies/gpu.rb" --param gpu=3 >"$T/printed" 2>&1
check "--print is JSON" jq -e '.hook.args[4:] == ["--param", "gpu=3"]' "$T/printed"
check "--print names the tool itself" jq -e --arg d "$D" '.hook.path == $d' "$T/printed"
[ "$(ls -A "$H" | tr '\n' ' ')" = "rucy-devguard.json rucy-devguard.sh " ] && pass "nothing else is left there" ||
	fail "nothing else is left there" "$(ls -lA "$H")"
hook --print --policy "$P" --ring 64K >"$T/printed" 2>&1
check "--ring is handed on" jq -e '.hook.args[4:] == ["--ring", "65536"]' "$T/printed"
expect "--ring: no power of two" 64 "not a power of two" hook --policy "$P" --ring 96K

# Whatever install-hook takes of oci-hook's, oci-hook reads again: the last word alone is too much.
hook --print --policy "$T/policies/gpu.rb" --param gpu=3 --mode permissive --audit all --limit time=9s,memory=200m \
	--ring 64K --on-error allow --rootless refuse >"$T/printed" 2>/dev/null
mapfile -t args < <(jq -r '.hook.args[1:][]' "$T/printed")
is_one() { [[ " ${args[*]} " == *" $1 "* ]] && pass "oci-hook is given $1" || fail "oci-hook is given $1" "${args[*]}"; }
for o in $("$D" help oci-hook | sed -n 's/^  \(--[a-z-]*\) .*/\1/p'); do
	case $o in --config | --policy-from-spec) ;; *) is_one "$o" ;; esac
done
expect "oci-hook reads what install-hook writes" 64 "oci-hook takes no operand: x y" "$D" "${args[@]}" "x y"

# ---- the wrapper: what the hook names is there as long as the hook is ---------------------------

[ "$(stat -c '%a %u:%g' "$H/rucy-devguard.sh")" = "755 0:0" ] && pass "the wrapper is root's, 0755" ||
	fail "the wrapper is root's, 0755" "$(ls -l "$H")"
expect "it runs the tool with its arguments" 64 "oci-hook takes no operand: x y" "$H/rucy-devguard.sh" oci-hook "x y"
STATE='{"ociVersion": "1", "id": "i", "bundle": "/", "pid": 0}'
expect "and hands stdin and status on" 1 "pid 0: the container's cgroup cannot be found" sh -c 'echo "$1" | "$2" oci-hook --policy "$3"' - "$STATE" "$H/rucy-devguard.sh" "$P"
mv "$D" "$T/tool"
expect "the tool is gone: refused" 1 "$D is gone or no program: the container is not started" "$H/rucy-devguard.sh" oci-hook
: >"$D"; chmod 755 "$D"
expect "the tool is empty: refused" 1 "is gone or no program" "$H/rucy-devguard.sh" oci-hook
for n in 1 3 10 64 200 5000 100000; do # whatever the kernel or a shell makes of it, it is no success
	head -c $n "$T/tool" >"$D"
	if sh -c '"$1" oci-hook; exit $?' - "$H/rucy-devguard.sh" >/dev/null 2>&1 </dev/null; then fail "the tool cut to $n bytes: refused"; else pass "the tool cut to $n bytes: refused"; fi
done
printf '#!/bin/sh\nexit 0\n' >"$D"
expect "another program in its place: refused" 1 "is gone or no program" "$H/rucy-devguard.sh" oci-hook
rm "$D"; mkdir "$D"
expect "a directory in its place: refused" 1 "is gone or no program" "$H/rucy-devguard.sh" oci-hook
rmdir "$D"; mv "$T/tool" "$D"
mkdir "$T/it's"; cp "$D" "$T/it's/rucy-devguard"
check "a path with a quote" "$T/it's/rucy-devguard" install-hook --dir "$T/quoted" --policy "$P"
expect "is quoted" 64 "oci-hook takes no operand" "$T/quoted/rucy-devguard.sh" oci-hook x
for a in missing empty; do
	hook --name "$a" --policy "$P" >/dev/null
	if [ $a = missing ]; then rm "$H/$a.sh"; else : >"$H/$a.sh"; fi
done
expect "a wrapper that was changed is not ours to remove" 1 "empty.sh was not written by" hook --name empty --remove
expect "nor to replace" 1 "empty.sh was not written by" hook --name empty --policy "$P"
rm "$H/empty.sh"
for a in missing empty; do expect "--remove without the wrapper" 0 "removed" hook --name $a --remove; done

expect "--remove" 0 "removed" hook --remove
check "takes both away" test -z "$(ls -A "$H")"
expect "--remove again" 0 "not there" hook --remove
expect "--remove where there is no directory" 0 "not there" "$D" install-hook --remove --dir "$T/absent"

echo '{"version": "1.0.0", "hook": {"path": "/bin/true"}, "when": {"always": true}, "stages": ["prestart"]}' >"$H/other.json"
expect "another's hook is not replaced" 1 "other.json was not written by rucy-devguard" hook --name other --policy "$P"
expect "another's hook is not removed" 1 "other.json was not written by rucy-devguard" hook --name other --remove
ln -s "$T/elsewhere" "$H/link.json"
expect "a symbolic link is not written through" 1 "link.json was not written" hook --name link --policy "$P"
mkfifo "$H/fifo.json"
expect "a FIFO is not waited for" 1 "fifo.json was not written" timeout 5 "$D" install-hook --dir "$H" --name fifo --remove
check "these are still there" test -s "$H/other.json" -a -L "$H/link.json" -a -p "$H/fifo.json" -a ! -e "$T/elsewhere"
rm "$H"/*.json

printf 'allow :nosuch\n' >"$T/policies/bad.rb"
manifest() { printf 'version: 1\npolicies: [%s]\ndefault: {policy: %s}\n' "$T/policies" "$1" >"$T/etc/guard.yaml"; }
expect "a policy that does not compile" 3 "nosuch" hook --policy "$T/policies/bad.rb"
expect "a parameter it does not have" 3 "nosuch" hook --policy "$P" --param nosuch=1
manifest bad
expect "a manifest whose policy does not compile" 3 "guard.yaml:3:19: error: policy bad of entry" hook --config "$T/etc/guard.yaml"
manifest container-default
expect "a manifest without errors" 0 "installed" hook --config "$T/etc/guard.yaml"
is rucy-devguard ".hook.args[2:] == [\"--config\", \"$T/etc/guard.yaml\"]"
hook --remove >/dev/null
expect "--param is the manifest's" 64 "write params: in the manifest" hook --config "$T/etc/guard.yaml" --param a=1
chmod 666 "$T/etc/guard.yaml"
expect "a manifest others can write" 3 "the manifest is not trusted" hook --config "$T/etc/guard.yaml"
chmod 664 "$P"
expect "a policy others can write" 3 "can be written by" hook --policy "$P"
chmod 644 "$P"
expect "no such policy" 1 "no such file" hook --policy "$T/policies/absent.rb"
expect "a relative policy" 64 "is no absolute path" hook --policy policies/gpu.rb
chmod 775 "$T/bin/rucy-devguard"; chown 0:1000 "$T/bin/rucy-devguard"
expect "a program others can write" 3 "make install" hook --policy "$P"
chown 0:0 "$T/bin/rucy-devguard"; chmod 755 "$T/bin/rucy-devguard"
chmod 777 "$H"
expect "a directory others can write" 3 "can replace the hook" hook --policy "$P"
chmod 755 "$H"
expect "a name that leads elsewhere" 64 "no name for a file" hook --policy "$P" --name ../x
expect "a relative directory" 64 "is no absolute path" "$D" install-hook --dir x --policy "$P"
expect "a pattern that is none" 64 "regular expression" hook --policy "$P" --annotation 'a=('
expect "an annotation without key" 64 "no key" hook --policy "$P" --annotation =on
expect "an annotation twice" 64 "given twice" hook --policy "$P" --annotation a=1 --annotation a=2
expect "two policies" 64 "exclude each other" hook --policy "$P" --policy-from-spec
expect "--remove takes no --rootless" 64 "takes only --dir and --name" hook --remove --rootless skip
if unshare -Ur true 2>/dev/null; then
	expect "root of a user namespace installs no hook: it would guard nothing" 1 "where no container can be guarded" unshare -Ur "$D" install-hook --dir "$H" --policy-from-spec
else skip "install-hook in a user namespace" "none can be made"; fi
expect "--remove takes no policy" 64 "takes only --dir and --name" hook --remove --policy "$P"
expect "--rootless: another word" 64 "did you mean skip?" hook --policy "$P" --rootless skp
expect "--on-error: another word" 64 "did you mean refuse?" hook --policy "$P" --on-error refus
expect "the directory is a file" 1 "cannot" "$D" install-hook --dir "$P" --policy "$P"
check "nothing was written" test -z "$(ls -A "$H")"
mkdir "$T/noexec"
if unshare -m true 2>/dev/null; then
	expect "a directory where nothing can be executed" 1 "mounted noexec" unshare -m sh -c 'mount -t tmpfs -o noexec none "$1" && exec "$2" install-hook --dir "$1" --policy "$3"' - "$T/noexec" "$D" "$P"
	expect "a full disk" 1 "No space left" unshare -m sh -c 'mount -t tmpfs -o size=4k,nr_inodes=2 none "$1" && : >"$1/full" && exec "$2" install-hook --dir "$1" --policy "$3"' - "$T/noexec" "$D" "$P"
fi
LONG=/$(head -c 5000 /dev/zero | tr '\0' x)
expect "a path of 5,000 bytes" 1 "File name too long" "$D" install-hook --dir "$LONG" --policy "$P"
expect "a hook that cannot be written, for a limit" 1 "File too large" bash -c 'ulimit -f 0; "$@" 2>&1 | cat; exit ${PIPESTATUS[0]}' - "$D" install-hook --dir "$H" --policy "$P"
check "nothing is left of any" test -z "$(ls -A "$H")"

# ---- containerd: the specification that it begins with ----------------------------------------------

cat >"$T/ctr.json" <<'J' # the head of what `ctr oci spec` prints
{"ociVersion": "1.2.0", "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "capabilities": {"bounding": ["CAP_CHOWN"]},
 "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}], "noNewPrivileges": true}, "root": {"path": "rootfs"},
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}], "linux": {"cgroupsPath": "/default", "namespaces": [{"type": "pid"}]}}
J
S=$T/etc/spec.json
containerd() { "$D" install-hook --containerd --spec "$S" "$@"; }
from() { local file=$1; shift; "$@" <"$file" 2>&1; } # from FILE COMMAND...
# given NAME STATUS TEXT FILE COMMAND...: with FILE as stdin
given()
{
	local name=$1 status=$2 text=$3 out rc; shift 3
	out=$(from "$@"); rc=$?
	if [ "$rc" = "$status" ] && [[ $out == *"$text"* ]]; then pass "$name"; else fail "$name" "status $rc, expected $status; expected text: $text
$out"; fi
}
holds() { check "$1" jq -e --arg d "$D" --arg p "$P" "$2" "$S"; } # holds NAME FILTER: so it is in the file
given "--containerd writes it" 0 "spec.json: installed" "$T/ctr.json" containerd --policy "$P"
holds "with the hook, which names the tool itself" '.hooks == {createRuntime: [{path: $d, args: ["rucy-devguard", "oci-hook", "--policy", $p], timeout: 30}]}'
holds "without the limit of ctr oci spec" '.process | has("rlimits") | not'
same "and all else is as it was given" <(jq -S 'del(.process.rlimits)' "$T/ctr.json") <(jq -S 'del(.hooks)' "$S")
[ "$(stat -c '%a %u:%g' "$S")" = "644 0:0" ] && pass "it is root's, 0644" || fail "it is root's, 0644" "$(ls -l "$S")"
cp "$S" "$T/spec.1"
given "again" 0 "spec.json: as it was" "$T/ctr.json" containerd --policy "$P"
same "changes nothing" "$T/spec.1" "$S"
given "what it wrote can be given, too" 0 "as it was" "$T/spec.1" containerd --policy "$P"
given "with other options" 0 "replaced" "$T/ctr.json" containerd --policy-from-spec --rootless refuse
holds "there is one hook, the new one" '[.hooks.createRuntime[].args[2:]] == [["--policy-from-spec", "--rootless", "refuse"]]'
given "--remove" 0 "until it is restarted new containers are guarded" /dev/null containerd --remove
same "the file stays, without the hook: containerd does without CRI when it is missing" <(jq -S 'del(.process.rlimits)' "$T/ctr.json") <(jq -S . "$S")
given "and says so" 0 "before the file may go, take base_runtime_spec out" /dev/null containerd --remove
given "--remove again" 0 "has no hook of ours" /dev/null containerd --remove
given "installed again" 0 "replaced" "$T/ctr.json" containerd --policy "$P"
jq '.process.rlimits = [{type: "RLIMIT_NOFILE", hard: 4096, soft: 1024}, {type: "RLIMIT_CORE", hard: 0, soft: 0}] | .hooks = {createRuntime: [{path: "/x"}], poststop: [{path: "/y"}]}' "$T/ctr.json" >"$S"
cp "$S" "$T/own.json"
given "somebody's own specification is not written over" 1 "its settings would be lost" "$T/ctr.json" containerd --policy "$P"
same "it is as it was" "$T/own.json" "$S"
given "it can be given" 0 "replaced" "$T/own.json" containerd --policy "$P"
holds "then its own limits and hooks stay" '(.process.rlimits | length) == 2 and .hooks.createRuntime[0].path == "/x" and (.hooks.createRuntime | length) == 2 and .hooks.poststop == [{path: "/y"}]'
given "--remove takes out ours alone" 0 "taken out" /dev/null containerd --remove
same "and the rest is as it was" <(jq -S . "$T/own.json") <(jq -S . "$S")
rm "$S"
given "--remove of none" 0 "not there" /dev/null containerd --remove
given "nothing on stdin" 1 "ctr oci spec | rucy-devguard install-hook --containerd" /dev/null containerd --policy "$P"
for key in ociVersion process root mounts linux; do
	jq "del(.$key)" "$T/ctr.json" >"$T/less.json"
	given "a specification without $key" 1 "no whole specification: it has no \"$key\"" "$T/less.json" containerd --policy "$P"
done
head -c 200 "$T/ctr.json" >"$T/less.json"
given "one cut short" 1 "no specification" "$T/less.json" containerd --policy "$P"
mkfifo "$S"; given "a FIFO in its place" 1 "is not a regular file" "$T/ctr.json" timeout 20 "$D" install-hook --containerd --spec "$S" --policy "$P"; rm "$S"
check "nothing was written" test ! -e "$S"
given "a policy that does not compile" 3 nosuch "$T/ctr.json" containerd --policy "$T/policies/bad.rb"
chmod 777 "$T/etc"
given "a directory others can write" 3 "can replace the hook" "$T/ctr.json" containerd --policy "$P"
chmod 755 "$T/etc"
check "nothing is left there" test ! -e "$S" -a -z "$(find "$T/etc" -name 'spec.json*')"
for a in "--dir /x" "--name x" "--annotation a" --print; do
	given "--containerd takes no $a" 64 "--containerd takes neither" /dev/null containerd --policy "$P" $a
done
expect "--spec without --containerd" 64 "goes with --containerd" hook --policy "$P" --spec "$S"
expect "a relative --spec" 64 "is no absolute path" "$D" install-hook --containerd --spec x --policy "$P"

# ---- make uninstall ---------------------------------------------------------------------------------

make_() { make -s -C "$ROOT" --no-print-directory BUILD="$BUILD" DESTDIR="$T/root" PREFIX=/usr "$@"; }
if command -v make >/dev/null; then
	U=$T/root/usr/share/containers/oci/hooks.d
	check "make install" make_ install
	check "install-hook of what is installed" "$T/root/usr/bin/rucy-devguard" install-hook --dir "$U" --policy "$P"
	cp "$U/rucy-devguard.json" "$T/root.json"
	expect "make uninstall: not while a hook names it" 2 "rucy-devguard.json" make_ uninstall
	check "nothing was taken away" test -x "$T/root/usr/bin/rucy-devguard" -a -x "$T/root/usr/bin/rucy-devguard-runtime"
	check "make uninstall FORCE=1" make_ uninstall FORCE=1
	check "leaves hook and wrapper" test -s "$U/rucy-devguard.json" -a -x "$U/rucy-devguard.sh" -a ! -e "$T/root/usr/bin/rucy-devguard"
	expect "and the wrapper refuses" 1 "is gone" "$U/rucy-devguard.sh" oci-hook
	make_ install
	"$T/root/usr/bin/rucy-devguard" install-hook --dir "$U" --remove >/dev/null
	mkdir -p "$T/root/etc/containers/oci/hooks.d"
	jq --arg d /usr/bin/rucy-devguard '.hook.path = $d' "$T/root.json" >"$T/root/etc/containers/oci/hooks.d/old.json"
	expect "also a hook that names the tool itself" 2 "old.json" make_ uninstall
	rm "$T/root/etc/containers/oci/hooks.d/old.json"
	from "$T/ctr.json" "$T/root/usr/bin/rucy-devguard" install-hook --containerd --spec "$T/root/etc/rucy-devguard/containerd-spec.json" --policy "$P" >"$T/out"
	expect "also a specification of containerd" 2 "containerd-spec.json" make_ uninstall
	"$T/root/usr/bin/rucy-devguard" install-hook --containerd --spec "$T/root/etc/rucy-devguard/containerd-spec.json" --remove >"$T/out"
	check "make uninstall after --remove" make_ uninstall
	rm -rf "$T/root"
else skip "make uninstall" "no make"; fi

# ---- the runtime that adds the hook ------------------------------------------------------------

W=$ROOT/cmd/containers/rucy-devguard-runtime
B=$T/bundle
mkdir "$B"
printf '#!/bin/sh\necho "runtime: $*"\n' >"$T/bin/runtime"; chmod 755 "$T/bin/runtime"
export DEVGUARD_HOOK=$T/bin/rucy-devguard
wrap() { DEVGUARD_RUNTIME=$T/bin/runtime "$W" "$@"; }
bundle() { printf '%s\n' "$1" >"$B/config.json"; }
hooks() { expect "$1" 0 true jq -e "$2" "$B/config.json"; }
if command -v jq >/dev/null; then
	bundle '{"process": {"rlimits": [{"hard": 18446744073709551615, "soft": 9223372036854775807}]}, "hooks": {"prestart": [{"path": "/x"}]}}'
	expect "the runtime is called as this one was" 0 "runtime: --root /r create --bundle $B --pid-file p c1" \
		wrap --root /r create --bundle "$B" --pid-file p c1
	hooks "the hook is added, others stay" '.hooks.prestart == [{path: "/x"}] and
		.hooks.createRuntime == [{path: "'"$D"'", args: ["rucy-devguard", "oci-hook"], timeout: 30}]'
	grep -q '"hard":18446744073709551615,"soft":9223372036854775807' "$B/config.json" && pass "limits that are none stay" ||
		fail "limits that are none stay" "$(cat "$B/config.json")"
	wrap run "--bundle=$B" c1 >/dev/null
	hooks "it is added once" '.hooks.createRuntime | length == 1'
	bundle '{}'; expect "the current directory is the bundle" 0 "runtime: create c1" sh -c "cd '$B' && DEVGUARD_RUNTIME='$T/bin/runtime' '$W' create c1"
	hooks "it was added there" '.hooks.createRuntime | length == 1'
	bundle '{}'; wrap create -bundle "$B" c1 >/dev/null
	hooks "-bundle, as runc also knows it" '.hooks.createRuntime | length == 1'
	for a in --root --log -log --log-format --cgroup-manager; do
		bundle '{}'; (cd "$T" && wrap $a state create --bundle "$B" c1 >/dev/null)
		hooks "$a state: a value that is called as a command is none" '.hooks.createRuntime | length == 1'
	done
	bundle '{}'; expect "and create as a value is no command" 0 "runtime: --root create state c1" wrap --root create state c1
	bundle '{}'; wrap run "-b=$B" c1 >/dev/null
	hooks "-b=DIR" '.hooks.createRuntime | length == 1'
	for a in "-b$B" "--bund=$B" "-fother.json" "--config=other.json"; do
		expect "$a: nothing unguarded" 1 "the container is not created" wrap create "$a" --bundle "$B" c1
	done
	bundle '{}'
	DEVGUARD_HOOK=$T/nothing expect "no tool: nothing unguarded" 1 "there is no program $T/nothing: the container is not created" wrap create -b "$B" c1
	hooks "and nothing changed" '. == {}'
	expect "no config.json: nothing unguarded" 1 "the container is not created" wrap create --bundle "$T/bin" c1
	expect "words of a command to execute" 0 "runtime: exec c1 tool run -f" wrap exec c1 tool run -f
	bundle '{}'; wrap start c1 >/dev/null
	hooks "other commands change nothing" '. == {}'
	bundle '{"linux": {"resources": {"memory": {"limit": 9223372036854775000}}}}'
	expect "a number that jq would round" 1 "the container is not created" wrap create -b "$B" c1
	bundle '{"hooks": '
	expect "a config.json that is none" 1 "the container is not created" wrap create -b "$B" c1
	check "nothing is left beside it" test "$(ls -A "$B")" = config.json

	# The engine reads the log that it names, and nothing else.
	L=$T/log.json
	bundle '{}'
	for a in "--log $L --log-format json" "--log=$L --log-format=json" "-log $L -log-format json" "--log file:$L --log-format json"; do
		rm -f "$L"
		DEVGUARD_HOOK='/no "such\' expect "$a: refused" 1 "no program /no \"such\\: the container is not created" wrap --root /r $a create --bundle "$B" c1
		check "$a: the reason is in the log" jq -es '.[0].level == "error" and .[0].msg == "rucy-devguard-runtime: there is no program /no \"such\\: the container is not created" and (.[0].time | fromdate > 0)' "$L"
	done
	echo '{"level":"info"}' >"$L"
	DEVGUARD_HOOK=/no expect "a log that is there: refused" 1 "no program" wrap --log "$L" --log-format json create --bundle "$B" c1
	check "goes on" jq -es 'length == 2 and .[1].level == "error"' "$L"
	rm "$L"
	DEVGUARD_HOOK=/no expect "a log as text: refused" 1 "no program" wrap --log "$L" create --bundle "$B" c1
	grep -qE '^time="[-0-9T:]+Z" level=error msg="rucy-devguard-runtime: there is no program /no: the container is not created"$' "$L" &&
		pass "has the reason as text" || fail "has the reason as text" "$(cat "$L")"
	DEVGUARD_HOOK=/no expect "a log that is no file: refused" 1 "no program" wrap --log journald:box create --bundle "$B" c1
	check "no file is made of it" test ! -e journald:box
	rm "$L"; mkfifo "$L"
	DEVGUARD_HOOK=/no expect "a log that is a FIFO is not waited for" 1 "no program" timeout 20 env DEVGUARD_RUNTIME="$T/bin/runtime" "$W" --log "$L" create --bundle "$B" c1
	rm "$L"
	expect "a log that cannot be written: refused all the same" 1 "or it is no regular file" wrap --log /no/such/log create --bundle "$T/bin" c1
	wrap --log "$L" create --bundle "$B" c1 >"$T/out"
	check "nothing is logged when nothing is wrong" test ! -e "$L"

	rm "$B/config.json"; mkfifo "$B/config.json"
	expect "a FIFO as config.json is not waited for" 1 "no regular file: the container is not created" timeout 20 env DEVGUARD_RUNTIME="$T/bin/runtime" "$W" create --bundle "$B" c1
	rm "$B/config.json"; mkdir "$B/config.json"
	expect "a directory" 1 "no regular file: the container is not created" wrap create --bundle "$B" c1
	rmdir "$B/config.json"; ln -s /dev/zero "$B/config.json"
	expect "a device" 1 "no regular file: the container is not created" wrap create --bundle "$B" c1
	rm "$B/config.json"; truncate -s 33M "$B/config.json"
	expect "a huge one" 1 "larger than 32 MiB: the container is not created" wrap create --bundle "$B" c1
	rm "$B/config.json"
else skip "the runtime that adds the hook" "no jq"; fi

sed -n '/^```sh$/,/^```$/{/^```/!p}' "$ROOT/cmd/containers/containers.md" >"$T/shown"
same "containers.md shows it whole" "$W" "$T/shown"

# ---- its image: the packages of every library that the Makefile uses ----------------------------

libraries=$(sed -n 's/^PKG *:= *//p; s/.*pkg-config --libs \([a-z][a-z0-9.-]*\).*/\1/p' "$ROOT/Makefile")
for l in mruby $libraries; do
	case $l in lib*) dev=$l-dev ;; zlib) dev=zlib1g-dev ;; yaml-0.1) dev=libyaml-dev ;; *) dev=lib$l-dev ;; esac
	check "the image is built with $dev" grep -qw -- "$dev" "$ROOT/cmd/containers/Dockerfile"
done

# ---- Kubernetes, offline -----------------------------------------------------------------------

K=$ROOT/cmd/containers/kubernetes.yaml
if ! python3 -c 'import yaml' 2>/dev/null; then skip "kubernetes.yaml" "no python3-yaml"; summary; exit; fi
mkdir "$T/config"
check "kubernetes.yaml has what Kubernetes asks for" python3 "$TESTS/kubernetes.py" "$K" "$T/config"
check "its script is one" sh -n "$T/config/install.sh"
# The script in a root directory that is like the image, its host another one.
cat >"$T/node.sh" <<'NODE'
set -eu
T=$1 C=$1/image
for r in "$C" "$C/host"; do
	mkdir -p "$r/usr" "$r/etc" "$r/dev" "$r/proc" "$r/tmp"
	mount --bind /usr "$r/usr" && mount -t tmpfs none "$r/usr/local" && mount --bind /proc "$r/proc" && mount --bind /dev "$r/dev"
	mkdir "$r/usr/local/bin"
	for l in bin lib lib64 sbin; do [ ! -L "/$l" ] || ln -sfn "$(readlink "/$l")" "$r/$l"; done
done
mount -t tmpfs none "$C/host/usr/share/containers" 2>/dev/null || mount -t tmpfs none "$C/host/usr/share"
mkdir -p "$C/config" "$C/usr/local/share/rucy-devguard" "$C/host/run/crio"
mount --bind "$T/config" "$C/config"
cp "$T/bin/rucy-devguard" "$C/usr/local/bin/"
cp -r "$3" "$C/usr/local/share/rucy-devguard/policies"
cp "$T/ctr.json" "$C/host/usr/local/ctr.json"
printf '#!/bin/sh\n[ "$*" = "oci spec" ] && cat /usr/local/ctr.json\n' >"$C/host/usr/local/bin/ctr"
chmod 755 "$C/host/usr/local/bin/ctr"
ENGINE=$2 PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin chroot "$C" sh /config/install.sh
cat "$C/host/usr/share/containers/oci/hooks.d/rucy-devguard.json" 2>/dev/null >"$T/hook.json" || :
cat "$C/host/usr/share/containers/oci/hooks.d/rucy-devguard.sh" 2>/dev/null >"$T/hook.sh" || :
[ -z "${GONE-}" ] || rm -r "$C/host/opt/rucy-devguard"
cp "$C/host/etc/rucy-devguard/containerd-spec.json" "$T/spec.json" 2>/dev/null || :
ENGINE=$2 ACTION=remove PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin chroot "$C" sh /config/install.sh
[ -z "$(ls -A "$C/host/usr/share/containers/oci/hooks.d" 2>/dev/null)" ]
NODE
node() { unshare -m --propagation private bash "$T/node.sh" "$T" "$1" "$ROOT/policies"; }
if [ -L /bin ] && command -v jq >/dev/null && unshare -m true 2>/dev/null; then
	expect "it installs on a CRI-O node, and takes the hook out" 0 "removed" node crio
	check "the hook is the node's" jq -e '.hook.path == "/usr/share/containers/oci/hooks.d/rucy-devguard.sh"' "$T/hook.json"
	check "and its wrapper runs the node's tool" grep -qx "tool='/opt/rucy-devguard/bin/rucy-devguard'" "$T/hook.sh"
	GONE=1 expect "it takes the hook out of a node that has no tool any more" 0 "removed" node crio
	expect "it installs on a containerd node" 0 "container-default" node containerd
	check "the base spec has the hook" jq -e '.hooks.createRuntime[0] == {path: "/opt/rucy-devguard/bin/rucy-devguard", args: ["rucy-devguard", "oci-hook"], timeout: 30}' "$T/spec.json"
	same "and is as containerd's own, but for its limit" <(jq -S 'del(.process.rlimits)' "$T/ctr.json") <(jq -S 'del(.hooks)' "$T/spec.json")
	same "later the file is still there, without the hook" <(jq -S 'del(.process.rlimits)' "$T/ctr.json") \
		<(jq -S . "$T/image/host/etc/rucy-devguard/containerd-spec.json")
	GONE=1 expect "it takes the hook out of a containerd node that has no tool any more" 0 "taken out" node containerd
	rm -rf "$T/image"; echo 'allow :nosuch' >"$T/config/container-default.rb"
	expect "a policy that does not compile does not get to the node" 3 "nosuch" node crio
	check "the node has nothing of it" test ! -e "$T/image/host/etc/rucy-devguard" -a ! -e "$T/image/host/opt"
else skip "kubernetes.yaml's script" "no jq, or no mount namespace can be made"; fi
summary
