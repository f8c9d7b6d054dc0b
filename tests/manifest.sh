#!/bin/bash
# manifest.sh - guard.yaml: manifests that are wrong and exactly what is said of them
# (manifest/NAME.yaml, NAME.err); policies that are not trusted; cgroups guarded by one.
# `tests/manifest.sh --update` rewrites the .err files: review the diff.
. "$(dirname "$0")/lib.sh"

cd "$TESTS/manifest" || exit 1
for manifest in *.yaml; do
	name=${manifest%.yaml}
	"$DEVGUARD" check "$manifest" >"$T/out" 2>"$T/got"
	status=$?
	[ "${1-}" != --update ] || cp "$T/got" "$name.err"
	[ $status = 3 ] && pass "manifest $name is refused" || fail "manifest $name is refused" "status $status"
	same "manifest $name" "$name.err" "$T/got"
done
cd "$T" || exit 1
[ "${1-}" != --update ] || { summary; exit; }

# ---- hostile files -----------------------------------------------------------------------

head -c 10000000 /dev/zero | tr '\0' '[' >"$T/large.yaml"
expect "10 MB" 3 "large.yaml:1:1: error: the file is larger than 1 MiB" "$DEVGUARD" check "$T/large.yaml"
head -c 1000000 "$T/large.yaml" >"$T/brackets.yaml"
expect "a million brackets" 3 "brackets.yaml:1:17: error: nested deeper" timeout 10 "$DEVGUARD" check "$T/brackets.yaml"
{ printf 'a: '; head -c 1000000 /dev/zero | tr '\0' 'x'; } >"$T/long.yaml"
expect "a line of a million characters" 3 'unknown key "a"' timeout 10 "$DEVGUARD" check "$T/long.yaml"
{ printf 'match: ['; yes 'x,' | tr -d '\n' | head -c 900000; printf ']'; } >"$T/wide.yaml"
expect "half a million values" 3 "more than 50000 values" timeout 10 "$DEVGUARD" check "$T/wide.yaml"
yes 'a: 1' | head -n 100000 >"$T/keys.yaml"
expect "a key again and again" 3 "too many errors" timeout 10 "$DEVGUARD" check "$T/keys.yaml"
seq -f 'key%.0f: 1' 50000 >"$T/manykeys.yaml"
expect "too many keys" 3 "more than 1000 keys" timeout 10 "$DEVGUARD" check "$T/manykeys.yaml"
head -c 4096 "$DEVGUARD" >"$T/binary.yaml"
expect "a binary" 3 "this is not a text file" "$DEVGUARD" check "$T/binary.yaml"
expect "no such manifest" 1 "name a manifest" "$DEVGUARD" check "$T/absent.yaml"
expect "no such manifest to apply" 1 "No such file" "$DEVGUARD" apply --config "$T/absent.yaml"
printf 'version: 1\ndefault: none\n' >"$T/none.yaml"
expect "parameters are the manifest's" 64 "write params: in the manifest" "$DEVGUARD" check "$T/none.yaml" --param a=1
expect "apply --config takes no policy" 64 "names the policies" "$DEVGUARD" apply --config "$T/none.yaml" "$ROOT/policies/gpu.rb" /
expect "errors as JSON have line and column" 3 '"column": 5' "$DEVGUARD" check --json "$TESTS/manifest/unknown-key.yaml"

# ---- policies only root can have written ----------------------------------------------------

[ "$(id -u)" = 0 ] || { skip "trusted policies" "not root"; summary; exit; }
DIR=$T/policies
mkdir "$DIR" && chmod 755 "$T" "$DIR"
cp "$ROOT"/policies/{gpu,container-default,deny-all}.rb "$DIR"
manifest() { # manifest NAME POLICY [LINE]...: one entry for the policy
	local name=$1 policy=$2; shift 2
	printf 'version: 1\npolicies: [%s]\nmatch:\n  - name: it\n    id: "x"\n    policy: %s\n' "$DIR" "$policy" >"$T/$name.yaml"
	[ $# = 0 ] || printf '    %s\n' "$@" >>"$T/$name.yaml"
}
refused() { # refused NAME TEXT: the manifest's policy gpu is not trusted
	expect "a policy refused: $1" 3 "$2" "$DEVGUARD" check "$T/gpu.yaml"
}
manifest gpu gpu
expect "a policy of root" 0 "it: gpu from $DIR/gpu.rb" "$DEVGUARD" check "$T/gpu.yaml"
chmod 646 "$T/gpu.yaml"
expect "a manifest that the hook will refuse" 3 "the manifest is not trusted: $T/gpu.yaml can be written by others" "$DEVGUARD" check "$T/gpu.yaml"
expect "its policies are told all the same" 3 "it: gpu from $DIR/gpu.rb" "$DEVGUARD" check "$T/gpu.yaml"
expect "in JSON, too" 3 "the manifest is not trusted" "$DEVGUARD" check --json "$T/gpu.yaml"
chmod 664 "$T/gpu.yaml"; expect "one that a group can write" 3 "by a group other than root" "$DEVGUARD" check "$T/gpu.yaml"
chmod 644 "$T/gpu.yaml"; chown 1000 "$T/gpu.yaml"; expect "another's" 3 "is owned by uid 1000" "$DEVGUARD" check "$T/gpu.yaml"
chown 0 "$T/gpu.yaml"; ln -s gpu.yaml "$T/other.yaml"; expect "a symbolic link" 3 "other.yaml is a symbolic link" "$DEVGUARD" check "$T/other.yaml"
mkdir "$T/above"; cp "$T/gpu.yaml" "$T/above"; chmod 777 "$T/above"
expect "below a directory of all" 3 "above can be written by others" "$DEVGUARD" check "$T/above/gpu.yaml"
expect "the same by a relative path" 3 "above can be written by others" sh -c 'cd "$1" && exec "$2" check gpu.yaml' - "$T/above" "$DEVGUARD"
chmod 755 "$T/above"; expect "a relative path that is root's" 0 "it: gpu" sh -c 'cd "$1" && exec "$2" check gpu.yaml' - "$T/above" "$DEVGUARD"
# what check says is what the hook says: there is one function
for a in 646 664; do
	chmod $a "$T/gpu.yaml"
	"$DEVGUARD" check "$T/gpu.yaml" 2>&1 >/dev/null | head -n 1 >"$T/said"
	"$DEVGUARD" install-hook --print --config "$T/gpu.yaml" 2>&1 | head -n 1 >"$T/hooks"
	same "check and install-hook say the same of mode $a" "$T/hooks" "$T/said"
done
chmod 644 "$T/gpu.yaml"

# ---- what can never match on an engine ------------------------------------------------------

cat >"$T/engine.yaml" <<'YAML'
version: 1
default: none
match:
  - {name: image, image: "docker.io/*", none: true}
  - {name: name, container_name: "web", none: true}
  - {name: key of crio, annotations: {io.kubernetes.cri-o.Image: "*"}, none: true}
  - {name: key of containerd, annotations: {io.kubernetes.cri.sandbox-namespace: "*"}, none: true}
  - {name: own key, annotations: {io.example.x: "*"}, none: true}
  - {name: ids, id: ["web*", "????", "*", "ab*", "[a-f]*0"], none: true}
  - {name: podman place, cgroup: "/machine.slice/libpod-*", none: true}
  - {name: docker place, cgroup: ["/docker/*", "/system.slice/docker-*.scope"], none: true}
  - {name: pod place, cgroup: "/kubepods/**", none: true}
  - {name: own place, cgroup: "/docks/*", none: true}
  - {name: users, rootless: true, none: true}
YAML
engine() # engine NAME ENTRY...: of these entries it warns, a line each time
{
	local name=$1; shift
	"$DEVGUARD" check --engine "$name" "$T/engine.yaml" 2>&1 >/dev/null | sed -n 's/.* warning: entry "\([^"]*\)".*/\1/p' >"$T/got"
	same "what can never match on $name" <(printf '%s\n' "$@") "$T/got"
}
engine docker image name "key of crio" "key of containerd" ids ids "podman place" "pod place" users
engine containerd "key of crio" "own key" "podman place" "docker place" "docker place" users
engine cri-o "key of containerd" ids ids "podman place" "docker place" "docker place" users
engine podman image name "key of crio" "key of containerd" ids ids "docker place" "docker place" "pod place" users
expect "they are warnings" 0 "id web* never matches: an id of docker is 64 hexadecimal digits" "$DEVGUARD" check --engine docker "$T/engine.yaml"
expect "with line and column" 0 "engine.yaml:4:5: warning: entry \"image\": image never matches: docker tells a hook no image of a container" "$DEVGUARD" check --engine docker "$T/engine.yaml"
"$DEVGUARD" check "$T/engine.yaml" 2>"$T/got" >/dev/null; same "without --engine there are none" /dev/null "$T/got"
expect "another engine" 64 "did you mean cri-o?" "$DEVGUARD" check --engine crio "$T/engine.yaml"
expect "--engine is for manifests" 64 "--engine does not go with a policy" "$DEVGUARD" check --engine docker "$DIR/gpu.rb"
manifest pick gpu 'params_from: {gpu: {annotation: io.podman.x, range: 0..3}}'
expect "annotations that parameters come from" 0 "annotation io.podman.x is never set by docker: it is one of podman" "$DEVGUARD" check --engine docker "$T/pick.yaml"
chmod 646 "$DIR/gpu.rb"; refused "world-writable" "gpu.rb can be written by others than root (mode 0646)"
chmod 664 "$DIR/gpu.rb"; refused "group-writable" "gpu.rb can be written by a group other than root (mode 0664)"
chmod 644 "$DIR/gpu.rb"; chown 1000 "$DIR/gpu.rb"; refused "another's" "gpu.rb is owned by uid 1000, not by root"
mv "$DIR/gpu.rb" "$DIR/real.rb"; chown 0 "$DIR/real.rb"
ln -s real.rb "$DIR/gpu.rb"; refused "a symbolic link" "gpu.rb is a symbolic link"; rm "$DIR/gpu.rb"
mkfifo "$DIR/gpu.rb"; refused "a FIFO" "gpu.rb is not a regular file"; rm "$DIR/gpu.rb"
mkdir "$DIR/gpu.rb"; refused "a directory" "gpu.rb is not a regular file"; rmdir "$DIR/gpu.rb"
refused "none" "there is no policy gpu in $DIR"
mv "$DIR/real.rb" "$DIR/gpu.rb"
chmod 1777 "$DIR"; refused "in a sticky directory" "policies can be written by others than root (mode 1777)"
chmod 755 "$DIR"; chmod 777 "$T"; refused "below a directory of all" "can be written by others than root (mode 0777)"
chmod 1777 "$T"; expect "below a sticky directory" 0 "" "$DEVGUARD" check "$T/above/gpu.yaml"
chmod 755 "$T"; chown 1000 "$T"; refused "below a directory of another" "is owned by uid 1000, not by root"; chown 0 "$T"
ln -s policies "$T/link"; sed -i "s|$DIR|$T/link|" "$T/gpu.yaml"; refused "by a linked directory" "link is a symbolic link"
sed -i "s|$T/link|$T/absent, $DIR|" "$T/gpu.yaml"
expect "a directory that is not there is passed over" 0 "from $DIR/gpu.rb" "$DEVGUARD" check "$T/gpu.yaml"
"$DEVGUARD" compile "$ROOT/policies/kvm-guest.rb" -o "$DIR/object.o" && manifest object object
expect "a compiled policy" 0 "from $DIR/object.o" "$DEVGUARD" check "$T/object.yaml"

sed -n '/^version: 1/,/^\.fi/{/^\.fi/d;s/\\-/-/;p}' "$ROOT/cmd/rucy-devguard-guard.yaml.5" | sed "s|/etc/rucy-devguard/policies|$DIR|" >"$T/man.yaml"
expect "the manifest of the man page" 0 "gpu workers: gpu from $DIR/gpu.rb, render=128 gpu=15" "$DEVGUARD" check "$T/man.yaml"

manifest params gpu 'params: {gpus: 3}'
expect "a parameter it has not, at its line" 3 "params.yaml:7:14: error: policy gpu: it has no parameter 'gpus'" "$DEVGUARD" check "$T/params.yaml"
expect "and the near one" 3 "hint: did you mean gpu?" "$DEVGUARD" check "$T/params.yaml"
manifest outside gpu 'params: {gpu: 99}'
expect "a value it does not take" 3 "outside.yaml:6:13: error: policy gpu of entry it is refused: $DIR/gpu.rb (gpu=99)" "$DEVGUARD" check "$T/outside.yaml"
manifest wide gpu 'params_from: {gpu: {annotation: x, range: 0..16}}'
expect "a range wider than the policy's" 3 "(gpu=16)" "$DEVGUARD" check "$T/wide.yaml"
"$DEVGUARD" compile "$ROOT/policies/gpu.rb" -o "$DIR/compiled.o" && manifest compiled compiled 'params: {gpu: 99}'
expect "a value that a compiled one does not take" 3 "compiled.yaml:7:14: error: policy compiled: parameter 'gpu' cannot be 99" "$DEVGUARD" check "$T/compiled.yaml"
echo 'allow :nul' >"$DIR/broken.rb"; manifest broken broken
expect "a policy that does not compile" 3 "broken.yaml:6:13: error: policy broken of entry it is refused" "$DEVGUARD" check "$T/broken.yaml"
manifest mode deny-all 'mode: permissive' 'audit: none'
expect "mode and audit are the manifest's" 0 "permissive without audit" "$DEVGUARD" check "$T/mode.yaml"

# ---- apply --config ------------------------------------------------------------------------------

reason=$(need_kernel)
[ -z "$reason" ] || { skip "apply --config" "$reason"; summary; exit; }
build_opener
P=$DGTEST_PREFIX # of the scratch cgroups, which the manifest names
scratch a; A=$CG; mkdir "$A/b" "$A/b/c" "$A/free"
scratch d; D=$CG; scratch e; E=$CG
cat >"$T/guard.yaml" <<YAML
version: 1
policies: [$DIR]
match:
  - {name: by annotation, cgroup: "/$P.*", annotations: {x: "*"}, policy: gpu}
  - {name: free, cgroup: "/$P.a/free", none: true}
  - {name: workers, cgroup: ["/$P.a/*", "/$P.a/b/**"], policy: container-default}
  - {name: dee, cgroup: "/$P.d", policy: deny-all, mode: permissive, audit: denied, ring: 32K}
YAML
attached() { "$DEVGUARD" status "$1" 2>&1 | sed -n '2,/^[^ ]/p' | grep -c "^  $2"; }
expect "apply --config --dry-run" 0 "container-default: would be attached to $A/b " \
	"$DEVGUARD" apply --config "$T/guard.yaml" --dry-run
same "a dry run attaches nothing" <(echo 0) <(attached "$A/b" container-default)
"$DEVGUARD" apply --config "$T/guard.yaml" >"$T/out" 2>"$T/err" </dev/null
same "apply --config succeeds" <(echo 0) <(echo $?)
same "and has no messages" /dev/null "$T/err"
sed -e 's/ ([0-9].*program [0-9]*/ (.../' "$T/out" >"$T/got"
same "apply --config says what it did" - "$T/got" <<TEXT
workers (line 6)
container-default: attached to $A/b (...)
$A/b/c: guarded with $A/b
free (line 5)
$A/free: left unguarded
dee (line 7)
deny-all: attached to $D (...; permissive: nothing is denied by it; audit denied)
note: entry by annotation is passed over: it asks for more than the path of a cgroup
4 cgroups: 2 guarded, 1 guarded with one above, 1 left unguarded, 0 failed
TEXT
got() { inside "$1" "$OPENER" open r "$2" 2>&1; }
same "what is guarded is denied" <(echo EPERM) <(got "$A/b/c" /dev/kmsg)
same "what is allowed opens" <(echo ok) <(got "$A/b/c" /dev/null)
same "what is left alone opens" <(echo ok) <(got "$A/free" /dev/kmsg)
same "what matches nothing opens" <(echo ok) <(got "$E" /dev/kmsg)
same "permissive denies nothing" <(echo ok) <(got "$D" /dev/kmsg)
expect "applied again it replaces" 0 "container-default: replaced program" "$DEVGUARD" apply --config "$T/guard.yaml"
same "and there is one" <(echo 1) <(attached "$A/b" container-default)
"$DEVGUARD" apply --config "$T/guard.yaml" --json >"$T/json" 2>&1
if command -v jq >/dev/null; then
	id=$(jq '.cgroups[] | select(.entry == "dee") | .program' "$T/json")
	same "its ring buffer is the manifest's" <(echo 32768) \
		<(bpftool -j map show | jq --argjson ids "$(bpftool -j prog show id "$id" | jq .map_ids)" \
			'.[] | select(.name == "devguard_events" and (.id as $i | $ids | index($i))) | .max_entries')
	same "apply --config as JSON" <(printf '%s\n' "workers guarded" "workers covered" "free unguarded" "dee guarded") \
		<(jq -r '.cgroups[] | .entry + " " + .outcome' "$T/json")
else skip "apply --config as JSON" "no jq"; fi

echo 'version: 1' >"$T/nothing.yaml"; echo 'default: refuse' >>"$T/nothing.yaml"
expect "no cgroup matches" 0 "0 cgroups" "$DEVGUARD" apply --config "$T/nothing.yaml"
sed -e 's/policy: deny-all/policy: broken/' -e 's/name: free.*none: true/name: out, cgroup: "\/'"$P"'.e", refuse: true/' "$T/guard.yaml" >"$T/half.yaml"
"$DEVGUARD" detach "$A/b" >/dev/null
expect "what fails is said" 3 "$D: not guarded" "$DEVGUARD" apply --config "$T/half.yaml"
same "and the others are guarded" <(echo 1) <(attached "$A/b" container-default)
expect "an entry that refuses cannot be applied" 3 "entry out refuses what runs in its cgroups" "$DEVGUARD" apply --config "$T/half.yaml"
# A program without flags keeps others out: one cgroup fails, the other does not.
"$DEVGUARD" detach "$A/b" >/dev/null; "$DEVGUARD" detach "$D" >/dev/null
"$DEVGUARD" compile "$DIR/container-default.rb" -o "$T/default.o"
if unshare -m --propagation private bash -c 'mkdir -p "$3/bpf" && mount -t bpf bpf "$3/bpf" &&
	bpftool prog load "$1" "$3/bpf/p" type cgroup/dev && { bpftool cgroup attach "$2" cgroup_device pinned "$3/bpf/p" ||
	bpftool cgroup attach "$2" device pinned "$3/bpf/p"; }' - "$T/default.o" "$D" "$T" >/dev/null 2>&1; then
	expect "a cgroup that fails gives 1" 1 "1 guarded, 1 guarded with one above, 1 left unguarded, 1 failed" \
		"$DEVGUARD" apply --config "$T/guard.yaml"
	same "the other is guarded" <(echo 1) <(attached "$A/b" container-default)
else skip "a cgroup that fails" "bpftool cannot attach without flags"; fi
summary
