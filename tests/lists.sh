#!/bin/bash
# lists.sh - lists of other tools as a SOURCE: each list of import/ decides as the policy that `import` writes of
# it; what decided is a line of the list; each verb that reads a meaning takes them; what is wrong with a list, and
# each hint followed.
. "$(dirname "$0")/lib.sh"
mkdir "$T/bin" && ln -s "$DEVGUARD" "$T/bin/rucy-devguard"
export PATH=$T/bin:$PATH
cd "$TESTS/import" || exit 1

# requests POLICY: some thousand about the numbers that stand in it, those beside them, and far ones
requests()
{
	grep -oE '[0-9]+' "$1" | sort -un | awk 'BEGIN { srand(7); split("r w m rw - rwm", letters, " ") }
		$1 < 1048576 { for (d = -1; d < 2; d++) if ($1 + d >= 0) n[k++] = $1 + d }
		END { n[k++] = 0; n[k++] = 4095; n[k++] = 1048575; n[k++] = 136
		      for (i = 0; i < 3000; i++) { major = n[int(rand() * k)]; if (major > 4095) major = major % 4096
			      print (rand() < 0.7 ? "c" : "b"), major ":" n[int(rand() * k)], letters[1 + int(rand() * 6)] } }'
}
verdicts() { cut -f 1; }

# The hint names a command of import: run as printed, it makes the policy that import makes.
followed() # followed LIST OPTIONS
{
	local command
	command=$(sed -n 's/^  hint: .*\(rucy-devguard import .* -o x\.rb\).*/\1/p' "$T/err" | head -n 1)
	if grep -q 'hint: did you mean' "$T/err"; then pass "source $1: a hint"; return; fi # it is misspelt
	[ -n "$command" ] || { fail "source $1: a hint with a command" "$(cat "$T/err")"; return; }
	rm -f "$T/run/x.rb"
	(cd "$T/run" && eval "$command") >"$T/out" 2>&1 || { fail "source $1: $command" "$(cat "$T/out")"; return; }
	same "source $1: the policy that the hint makes" "${1%.*}.rb" "$T/run/x.rb"
}

source_is() # source_is LIST SOURCE IMPORT...: it decides as that import
{
	local list=$1 source=$2; shift 2
	"$DEVGUARD" import "$@" >"$T/as.rb" 2>/dev/null || { fail "source $list: import" ""; return; }
	requests "$T/as.rb" >"$T/requests"
	"$DEVGUARD" eval "$source" - <"$T/requests" >"$T/got" 2>"$T/err"
	"$DEVGUARD" eval "$T/as.rb" - <"$T/requests" 2>/dev/null | verdicts >"$T/wanted"
	verdicts <"$T/got" >"$T/said"
	[ "$(wc -l <"$T/said")" = 3000 ] && same "source $list decides as what import writes of it" "$T/wanted" "$T/said" ||
		fail "source $list: 3,000 answers" "$(cat "$T/err")"
	# a place in the list, or what its tool adds; never a policy that was made of it
	cut -f 2 "$T/got" | sort -u | grep -vE '^(default|[^ ]+:[0-9]+( .*)?|[^ ]+ every (container|unit|machine) has it|docker (rule|argument) [0-9]+.*)$' >"$T/places"
	[ ! -s "$T/places" ] && pass "source $list: what decided" || fail "source $list: what decided" "$(cat "$T/places")"
}

# Lists are read as a stranger's directory would have them: the hints name files in it.
mkdir "$T/run" && cp -r ./* "$T/run"
for list in *.json *.service *.socket *.slice *.conf *.list *.yaml *.sh *.container; do
	name=${list%.*} format=${list%%[-.]*} part= open=
	if [ $name = systemd-not-loaded ] && grep -q nvidia-uvm /proc/devices; then skip "source $list" "it is loaded here"; continue; fi
	if [ $name = slurm-gres ] && [ ! -c /dev/tty1 ]; then skip "source $list" "no /dev/tty1 here"; continue; fi
	options=$(cat "$name.options" 2>/dev/null)
	set -- $options
	while [ $# != 0 ]; do
		case $1 in
		--service | --unit | --device) part="#$2"; shift ;;
		*) open=$1 ;;
		esac
		shift
	done
	"$DEVGUARD" import $format "$list" $options -o "$T/as.rb" 2>"$T/err" || { skip "source $list" "not imported here: $(head -n 1 "$T/err")"; continue; }
	if [ -n "$open" ]; then
		"$DEVGUARD" eval "$format:$list$part" 'c 1:3 r' >"$T/out" 2>"$T/err"; status=$?
		[ $status = 3 ] && [ ! -s "$T/out" ] && pass "source $list: left open" || fail "source $list: left open" "status $status, $(cat "$T/err")"
		followed "$list"
		continue
	fi
	source_is "$list" "$format:$list$part" $format "$list" $options
done
for list in docker*.rules; do
	while IFS= read -r rule; do source_is "docker:$rule" "docker:$rule" docker "$rule"; done <"$list"
done
source_is "docker:--device=/dev/fuse:r" docker:--device=/dev/fuse:r docker --device=/dev/fuse:r

# What decided: the line of the list.
by() # by SOURCE REQUEST PLACE
{
	local got
	got=$("$DEVGUARD" eval "$1" "$2" 2>&1 | cut -f 2)
	[ "$got" = "$3" ] && pass "$1: $2: by $3" || fail "$1: $2: by $3" "$got"
}
by oci:oci-web.json 'c 1:3 w' 'oci-web.json:13 devices[11]'
by oci:oci-web.json 'c 195:255 r' 'oci-web.json:6 devices[4] to devices[7]'
by inspect:inspect-crictl.json 'b 1:1 r' 'inspect-crictl.json:3 default'
by lxc:lxc-c1.conf 'c 10:229 rw' 'lxc-c1.conf:6'
by v1:v1-web.list 'b 8:0 r' 'v1-web.list:5 line 5 and line 6'
by docker:'c 195:* rw' 'c 195:7 r' 'docker rule 1'
by libvirt:libvirt-null.conf 'c 1:3 r' 'libvirt-null.conf:1 /dev/null here'
printf '{"ociVersion": "1.0",\n"linux": {"resources": {"devices":\n[ {"allow": false, "access": "rwm"}, {"x": [1, "]}\\""], "allow": true}]}}}' >"$T/odd.json"
expect "oci: what is wrong is told as import tells it" 3 'linux.resources.devices[1]: unknown key "x"' "$DEVGUARD" eval "oci:$T/odd.json" 'c 1:3 r'
printf '{"annotations": {"a": "x \\"linux\\": {", "b": [[{"linux": 1}]]}, "ociVersion": "1.0",\n"linux": {"resources": {"pids": {"limit": 3},\n"devices":\n[ {"allow": false, "access": "rwm"},\n\n{"allow": true, "type": "c", "major": 1, "minor": 3, "access": "r"}]}}}' >"$T/odd.json"
by "oci:$T/odd.json" 'c 1:3 r' "$T/odd.json:6 devices[1]"
by "oci:$T/odd.json" 'b 1:3 r' "$T/odd.json:4 default"
printf '[{"Name": "/x", "HostConfig": {"Privileged": false,\n"DeviceCgroupRules": [\n"c 1:3 r",\n"c 9:3 w"], "Devices": [\n{"PathOnHost": "/dev/null",\n"CgroupPermissions": "w"}]}}]' >"$T/odd.json"
by "inspect:$T/odd.json" 'c 9:3 w' "$T/odd.json:4 DeviceCgroupRules[1]"
by "inspect:$T/odd.json" 'c 1:3 w' "$T/odd.json:5 Devices[0], /dev/null here and DeviceCgroupRules[0]"

# Every verb that reads a meaning.
expect "check lxc:FILE" 0 "c1: ok" "$DEVGUARD" check lxc:lxc-c1.conf
expect "check compose:FILE#SERVICE" 0 "cam: ok" "$DEVGUARD" check compose:compose-cam.yaml#cam
expect "check: lists and policies" 0 "web: ok" "$DEVGUARD" check oci-web.rb v1:v1-web.list
expect "check: it allows everything" 0 "EVERY DEVICE IS ALLOWED" "$DEVGUARD" check inspect:inspect-privileged.json
expect "explain compose:FILE#SERVICE" 0 "c 81:*    :video" "$DEVGUARD" explain compose:compose-cam.yaml#cam
expect "eval proxmox:FILE -" 2 "deny c 195:0 r" sh -c 'echo c 195:0 r | "$DEVGUARD" eval proxmox:proxmox-101.conf -'
check "test FORMAT:FILE, its cases beside it" "$DEVGUARD" test lxc:lxc-c1.conf
check "test FORMAT:FILE --cases FILE" "$DEVGUARD" test systemd:systemd-closed.service --cases systemd-closed.cases
expect "test FORMAT:FILE: no Ruby" 0 "mruby skipped: a list has no Ruby" "$DEVGUARD" test v1:v1-web.list
expect "test docker:RULE: no cases beside it" 64 "name them with --cases FILE" "$DEVGUARD" test docker:'c 1:3 r'
expect "test: list and cases from stdin" 64 "cannot both be stdin" "$DEVGUARD" test v1:- --cases - </dev/null
for list in oci:oci-web.json lxc:lxc-c1.conf cdi:cdi-gpu.json#vendor.example/gpu=0 docker:docker-run.sh; do
	check "compile $list" "$DEVGUARD" compile "$list" -o "$T/list.o"
	"$DEVGUARD" explain "$list" >"$T/wanted" 2>/dev/null
	"$DEVGUARD" explain "$T/list.o" >"$T/got" 2>&1
	same "compile $list: the object means the same" "$T/wanted" "$T/got"
done
(cd "$T" && "$DEVGUARD" compile "v1:$TESTS/import/v1-web.list") && [ -s "$T/v1-web.o" ] && pass "compile: the object's name" ||
	fail "compile: the object's name" "$(ls "$T")"
expect "compile --emit=bytecode" 1 "a list has no bytecode" "$DEVGUARD" compile v1:v1-web.list --emit=bytecode
expect "eval --json" 2 '"file": "oci-web.json"' "$DEVGUARD" eval --json oci:oci-web.json 'c 1:3 w'
expect "a list from stdin" 0 "allow c 1:3 r" sh -c '"$DEVGUARD" eval oci:- "c 1:3 r" <oci-web.json'
expect "compose from stdin" 0 "cam: ok" sh -c '"$DEVGUARD" check compose:-#cam <compose-cam.yaml'
expect "list and requests from stdin" 64 "cannot both be stdin" "$DEVGUARD" eval oci:- - </dev/null
expect "apply takes a policy" 64 "hint: make an object of it first: rucy-devguard compile oci:oci-web.json -o x.o" "$DEVGUARD" apply oci:oci-web.json /
expect "run takes a policy" 64 "run takes a policy, no other source" "$DEVGUARD" run docker:'c 1:3 r' true
expect "no parameters" 64 "only a policy has parameters" "$DEVGUARD" eval oci:oci-web.json --param gpu=1 'c 1:3 r'

# Words before a colon.
cp oci-web.rb "$T/a:b.rb" && cp oci-web.rb "$T/oci:x.rb" && cp compose-cam.yaml "$T/a#b.yaml"
expect "a policy with a colon in its name" 0 "web-1: ok" "$DEVGUARD" check "$T/a:b.rb"
expect "a policy that is called like a source" 0 "web-1: ok" sh -c 'cd "$1" && "$DEVGUARD" check ./oci:x.rb' - "$T"
expect "an unknown word" 1 "did you mean lxc:lxc-c1.conf?" "$DEVGUARD" check lcx:lxc-c1.conf
expect "an unknown word of the kernel's" 1 "did you mean effective:/x?" "$DEVGUARD" check efective:/x
expect "no such policy, with a colon" 1 "No such file or directory" "$DEVGUARD" check nothing:at-all.rb
expect "no file behind the word" 64 "the name of the file is empty" "$DEVGUARD" check oci:
expect "a # in the file's name" 0 "cam: ok" "$DEVGUARD" check "compose:$T/a#b.yaml#cam"
expect "a # in the file's name, and no service" 3 "a#b.yaml#NAME, one of: bridge, cam" "$DEVGUARD" check "compose:$T/a#b.yaml#"

# What is wrong.
expect "two services" 3 "hint: compose:compose-cam.yaml#NAME, one of: bridge, cam" "$DEVGUARD" check compose:compose-cam.yaml
expect "no such service" 3 "there is no such service" "$DEVGUARD" check compose:compose-cam.yaml#web
expect "two units" 3 "say which one: systemd:systemd-several.service#" "$DEVGUARD" check systemd:systemd-several.service
expect "two devices of CDI" 3 "hint: cdi:cdi-gpu.json#NAME, one of: vendor.example/gpu=0" "$DEVGUARD" check cdi:cdi-gpu.json
expect "a unit by its name" 1 "hint: of a unit by its name: systemctl cat no.service | rucy-devguard check systemd:-" "$DEVGUARD" check systemd:no.service
: >"$T/empty"
head -c 3000 /dev/urandom | tr -d '\n' >"$T/binary"; printf '\0\377' >>"$T/binary"
head -c 10000000 /dev/zero | tr '\0' '#' >"$T/large"
mkdir "$T/directory"; mkfifo "$T/endless"
for format in oci docker inspect compose quadlet cdi systemd lxc proxmox libvirt slurm v1; do
	for bad in empty:3 binary:3 large:3 directory:1 nothing:1; do
		expect "$format: ${bad%:*}" ${bad#*:} "error: " timeout 60 "$DEVGUARD" eval "$format:$T/${bad%:*}" 'c 1:3 r'
	done
	yes 2>/dev/null >"$T/endless" &
	writer=$!
	expect "$format: without end" 3 "larger than 32 MiB" timeout 60 "$DEVGUARD" eval "$format:$T/endless" 'c 1:3 r'
	wait $writer 2>/dev/null
done
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --clear-groups "$DEVGUARD" --version >/dev/null 2>&1; then
	chmod 755 "$T"; install -m 600 oci-web.json "$T/secret.json"
	for format in oci inspect; do
		expect "$format: no permission" 1 "uid 65534 must be allowed to read it" \
			setpriv --reuid 65534 --clear-groups "$DEVGUARD" eval "$format:$T/secret.json" 'c 1:3 r'
	done
else skip "no permission" "not root, or others cannot run the tool"; fi
summary
