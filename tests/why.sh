#!/bin/bash
# why.sh - which program denies, by which rule of which line, and what else refuses: what is told of a process is
# held against what the kernel says to that process; what would have to change is done as printed.
. "$(dirname "$0")/lib.sh"
reason=$(need_kernel)
[ -z "$reason" ] || { skip "why" "$reason"; summary; exit; }
build_opener
cp "$OPENER" "$T/opener"
$CC -O2 -o "$T/loader" "$TESTS/loader.c" -lbpf || exit 1
chmod 755 "$T" # other users look at nodes in it
on_exit() { for mount in bpf n/nodev n/readonly n; do umount "$T/$mount" 2>/dev/null; done; }
applied() { "$DEVGUARD" apply "$@" >"$T/out" 2>&1 || fail "apply $1" "$(cat "$T/out")"; }
why() { "$DEVGUARD" why "$@"; }
# ---- the rule and the line of ours ------------------------------------------------------------------

scratch rules
mkdir "$T/more"
cat >"$T/more/disks.rb" <<'X'
# another file
deny "b 8:*", label: "no disks"
X
cat >"$T/web.rb" <<'X'
policy "web"
default :deny
allow "c 1:3 rw", "c 1:5 r"
gpu = param :gpu, 1, in: 0..3
load "more/disks.rb"
deny :zero, label: "no zero"
allow "c 195:0-7" do |ctx|
  ctx.minor == ctx.gpu
end
deny("c 7:*") { |ctx| ctx.minor.fdiv(0) } if false
allow("c 9:1") { |ctx| [1, nil][ctx.minor % 2] + 1 > 0 }
allow "c 1:4", "c 1:8-9"
X
applied "$T/web.rb" "$CG" --param gpu=2
rule() { expect "why: $1 is decided by $3" "$2" "        $T/$3" "$DEVGUARD" why "$CG" $1; }
rule "c 1:3 rw" 0 'web.rb:3: allow "c 1:3 rw", "c 1:5 r"'
rule "c 1:5 rw" 2 'web.rb:6: deny :zero, label: "no zero"'
rule "c 1:5 r" 0 'web.rb:3: allow'
rule "b 8:3 r" 2 'more/disks.rb:2: deny "b 8:*", label: "no disks"'
rule "c 1:4 r" 0 'web.rb:12: allow'
rule "c 195:2 r" 0 'web.rb:7: allow "c 195:0-7" do |ctx|'
rule "c 9:1 r" 2 "web.rb:11: allow"
expect "why: a rule that raises" 2 "(error: " "$DEVGUARD" why "$CG" c 9:1 r
expect "why: the default and its line" 2 "no rule matches, and its default is deny ($T/web.rb:2)" "$DEVGUARD" why "$CG" c 195:1 r
expect "why: the label, as JSON" 2 '"label": "no zero"' "$DEVGUARD" why --json "$CG" c 1:5 w
"$DEVGUARD" compile "$T/web.rb" -o "$T/web.o" >"$T/out" 2>&1
applied "$T/web.o" "$CG"
mv "$T/web.rb" "$T/gone.rb"
rule "c 1:5 rw" 2 'web.rb:6: deny :zero'
mv "$T/gone.rb" "$T/web.rb"
applied "$T/web.rb" "$CG" --mode permissive
expect "why: permissive" 0 "web.rb:6: deny :zero, label: \"no zero\"; but its mode is permissive: that is let pass" \
	"$DEVGUARD" why "$CG" c 1:5 rw
applied "$T/web.rb" "$CG" --audit all
rule "c 1:5 rw" 2 'web.rb:6: deny :zero'
# larger than what is kept in the kernel: the rule as it is explained
{ echo 'policy "web"'; for i in $(seq 1 2500); do echo "allow \"c $((i % 4000)):$((i * 3)) r\", label: \"rule number $i\""; done; } >"$T/large.rb"
applied "$T/large.rb" "$CG"
expect "why: a policy too large to be kept" 2 "        no rule matches, and its default is deny
        to allow it: in the policy web" "$DEVGUARD" why "$CG" c 1:4 r
expect "why: and its rule, as explained and not all of it" 0 '        allow :null, "c 2:6", ' "$DEVGUARD" why "$CG" c 7:21 r
expect "why: which ends as it does" 0 ', ..., access: "r"
allow: ' "$DEVGUARD" why "$CG" c 7:21 r

# A program whose policy says something else than it: what that policy says is not told where they differ.
printf 'policy "twin"\nallow "c 1:3 r"\nallow "c 1:5 r"\n' >"$T/a.rb"
printf 'policy "twin"\nallow "c 1:3 r"\nallow "c 1:7 r"\n' >"$T/b.rb"
(cd "$T" && for x in a b; do cp $x.rb same.rb; "$DEVGUARD" compile same.rb -o $x.o; done) >"$T/out" 2>&1
python3 - "$T/a.o" "$T/b.o" "$T/forged.o" <<'X'
import subprocess, sys
def part(path):
    for line in subprocess.run(['readelf', '-SW', path], capture_output=True, text=True).stdout.splitlines():
        if ' .rodata ' in line:
            words = line.split(']')[1].split()
            return int(words[3], 16), int(words[4], 16)
a, b = (open(p, 'rb').read() for p in sys.argv[1:3])
(at, n), (bt, m) = part(sys.argv[1]), part(sys.argv[2])
assert n == m
open(sys.argv[3], 'wb').write(a[:at] + b[bt:bt + m] + a[at + n:])
X
scratch forged
mkdir "$T/bpf" # one of its own: bpftool would mount one on /sys/fs/bpf, and leave it
if mount -t bpf bpf "$T/bpf" && bpftool prog load "$T/forged.o" "$T/bpf/forged" 2>"$T/out"; then
	bpftool cgroup attach "$CG" device pinned "$T/bpf/forged" multi
	umount "$T/bpf"
	expect "why: forged: what both say" 0 'same.rb:2: allow "c 1:3 r"' "$DEVGUARD" why "$CG" c 1:3 r
	expect "why: forged: where the program allows" 0 '        allow :null, :zero' "$DEVGUARD" why "$CG" c 1:5 r
	expect "why: forged: where it denies" 2 '        no rule matches, and its default is deny
' "$DEVGUARD" why "$CG" c 1:7 r
else
	fail "a forged program can be loaded" "$(cat "$T/out")"
fi

# ---- what would have to change, done as printed ---------------------------------------------------------

scratch change
cat >"$T/change.rb" <<'X'
policy "change"
deny "c 1:5 w"
allow "c 1:3 r"
deny "c 1:5"
deny("c 1:7") { |ctx| ctx.read? }
deny "b *:*"
X
follow() # follow REQUEST...
{
	cp "$T/change.rb" "$T/try.rb"
	applied "$T/try.rb" "$CG"
	local hint line file rule command
	hint=$(why "$CG" "$@" | sed -n 's/^        to allow it: //p')
	rule=$(sed -n 's/.* add[^:]*: \(allow .*\); then: .*/\1/p' <<<"$hint")
	line=$(sed -n 's/^before line \([0-9]*\) of .*/\1/p' <<<"$hint")
	command=$(sed -n 's/.*; then: rucy-devguard //p' <<<"$hint")
	if [ -n "$line" ]; then sed -i "${line}i $rule" "$T/try.rb"; else echo "$rule" >>"$T/try.rb"; fi
	[ -n "$rule" ] && [ -n "$command" ] || { fail "why: a hint for $*" "$hint"; return; }
	$DEVGUARD $command >"$T/out" 2>&1
	expect "why: its hint for $* works: $rule" 0 "allow: $*" "$DEVGUARD" why "$CG" "$@"
}
follow c 1:5 rw
follow c 1:5 r
printf 'policy "change"\ndeny("b *:*") { |c| c.uid != 0 }\n' >"$T/lenient.rb"
applied "$T/lenient.rb" "$CG" --mode permissive
expect "why: a permissive program, and a fact that is not given: no rule is made up" 0 "        its mode is permissive: what its rules deny is let pass" "$DEVGUARD" why "$CG" b 8:0 r
expect "why: options behind the request" 0 '"verdict": "allow"' "$DEVGUARD" why "$CG" b 8:0 r uid=1000 --json
cat >"$T/settings.rb" <<'X'
policy "change"
param :gpu, 0, in: 0..15
allow("c 195:* rw") { |ctx| ctx.minor == ctx.gpu }
X
applied "$T/settings.rb" "$CG" --param gpu=3 --audit denied
expect "why: what it was applied with is in the command" 2 "rucy-devguard apply $T/settings.rb $CG --audit denied --param gpu=3" "$DEVGUARD" why "$CG" c 195:4 rw
applied "$T/settings.rb" "$CG" --param gpu=7 --audit none
expect "why: its parameters as they are, no more" 2 "rucy-devguard apply $T/settings.rb $CG --param gpu=7
" "$DEVGUARD" why "$CG" c 195:4 rw
follow c 1:3 rw
follow c 1:7 rw
follow c 10:229 rw
follow b 8:0 m
follow c 1:5 -

# ---- of others, by their shape ----------------------------------------------------------------------------

# A program as an author writes it: of pattern c 1:3, all else denied.
shape_of_systemd='insn 97 2 1 0 0
insn 84 2 0 0 65535
insn 97 3 1 0 0
insn 116 3 0 0 16
insn 97 4 1 4 0
insn 97 5 1 8 0
insn 85 2 0 3 2
insn 85 4 0 2 1
insn 85 5 0 1 3
insn 5 0 0 2 0
insn 183 0 0 0 0
insn 5 0 0 1 0
insn 183 0 0 0 1
insn 149 0 0 0 0'
shape() # shape WIDE: blocks with r0 and an exit: runc's with 32 bits (180), crun's and LXC's with 64 (183)
{
	printf 'insn %s\n' "97 2 1 0 0" "84 2 0 0 65535" "97 3 1 0 0" "116 3 0 0 16" "97 4 1 4 0" "97 5 1 8 0" "85 2 0 4 2" \
		"85 4 0 3 1" "85 5 0 2 3" "$1 0 0 0 1" "149 0 0 0 0" "$1 0 0 0 0" "149 0 0 0 0"
}
hinted() # hinted NAME PATH SHAPE TEXT [REQUEST]
{
	mkdir -p "$CG/$2"
	[ -n "$(bpftool cgroup list "$CG/$2")" ] || "$T/loader" "$CG/$2" <<<"$3" >"$T/out" 2>&1 || { fail "$1" "$(cat "$T/out")"; return; }
	expect "why: what would have to change: $1" 2 "to allow it: $4" "$DEVGUARD" why "$CG/$2" ${5:-c 10:229 rw}
}
scratch shapes
hinted systemd web.service "$shape_of_systemd" "systemctl set-property web.service 'DeviceAllow=/dev/char/10:229 rw'"
hinted "systemd, a scope" run-1.scope "$shape_of_systemd" "systemctl set-property run-1.scope 'DeviceAllow=/dev/zero w'" "/dev/zero w"
hinted docker docker/0123456789abcdef "$(shape 180)" "make the container again with --device-cgroup-rule 'c 10:229 rw' (docker run)"
hinted "docker, of systemd" docker-0123456789abcdef.scope "$shape_of_systemd" "make the container again with --device-cgroup-rule 'c 10:229 rw' (docker run)"
hinted podman libpod-0123456789abcdef.scope "$(shape 180)" "make the container again with --device-cgroup-rule 'c 10:229 m' (podman run)" "c 10:229 m"
hinted kubernetes kubepods/pod1/ctr "$(shape 180)" "no field of a pod names a device"
hinted runc plain "$(shape 180)" 'make the container again with this at the end of linux.resources.devices in its config.json (runc): {"allow": true, "type": "b", "major": 8, "minor": 0, "access": "rw"}' "b 8:0 rw"
hinted LXC lxc.payload.box "$(shape 183)" "in the container's configuration add: lxc.cgroup2.devices.allow = c 10:229 rw"
hinted "nobody knows whose" unknown "insn 183 0 0 0 0
insn 149 0 0 0 0" "program "
mkdir -p "$CG/web.service/below"
"$T/loader" "$CG/web.service/below" <<<"$(shape 180)" >"$T/first"
expect "why: of two that deny, the first in the kernel's order" 2 \
	"deny: c 10:229 rw: 2 of 2 programs deny it, and all must allow: program $(cat "$T/first") first" "$DEVGUARD" why "$CG/web.service/below" c 10:229 rw
expect "why: the first, as JSON" 2 "\"denied_by\": $(cat "$T/first")" "$DEVGUARD" why --json "$CG/web.service/below" c 10:229 rw

# ---- of a process: what is told, and what the kernel says to it --------------------------------------------

scratch process
printf 'policy "most"\ndefault :allow\ndeny "c 1:8"\nallow("c 1:9") { |c| c.uid == 1000 }\ndeny "c 1:9"\n' >"$T/most.rb"
applied "$T/most.rb" "$CG"
mkdir -m 755 "$T/n"
mount -t tmpfs -o mode=755,dev tmpfs "$T/n"
mkdir -m 700 "$T/n/closed"
mkdir -m 777 "$T/n/open"
mkdir -m 755 "$T/n/nodev" "$T/n/readonly"
mount -t tmpfs -o mode=755,nodev tmpfs "$T/n/nodev"
mount -t tmpfs -o mode=755,dev tmpfs "$T/n/readonly"
made() { mknod -m 666 "$T/n/$1" c "$2" "$3"; [ -z "${4-}" ] || chmod "$4" "$T/n/$1"; [ -z "${5-}" ] || chown "$5" "$T/n/$1"; }
made null 1 3; made closed/null 1 3; made nodev/null 1 3; made readonly/null 1 3
mount -o remount,ro "$T/n/readonly"
made owner 1 3 600 1000:0; made group 1 3 060 0:1234; made extra 1 3 060 0:1235; made others 1 3 006 0:0
made worse 1 3 066 1000:0 # the owner has less than others
made urandom 1 9; made random 1 8; made kmsg 1 11; made tty 5 0; made absent 250 7777; made misc 10 254
ln -s null "$T/n/link"; ln -s closed/null "$T/n/far"; ln -s "$T/n" "$T/n/open/up"; ln -s ../closed "$T/n/open/there"
grep -q '^250 ' <(sed -n '/^Char/,/^$/p' /proc/devices | sed 's/^ *//') && rm "$T/n/absent" && made absent 99 1
acl() # acl NODE TAG:PERM:ID...: what setfacl writes
{
	python3 - "$T/n/$1" "${@:2}" <<'X'
import os, struct, sys
raw = struct.pack('<I', 2)
for e in sys.argv[2:]:
    tag, perm, ident = e.split(':')
    raw += struct.pack('<HHI', int(tag), int(perm), int(ident) & 0xffffffff)
os.setxattr(sys.argv[1], 'system.posix_acl_access', raw)
X
}
made named 1 3 660; acl named 1:6:-1 2:6:1000 4:0:-1 16:6:-1 32:0:-1
made masked 1 3 660; acl masked 1:6:-1 2:6:1000 4:0:-1 16:4:-1 32:6:-1
made refused 1 3 666; acl refused 1:6:-1 2:0:1000 4:6:-1 16:6:-1 32:6:-1
made grouped 1 3 660; acl grouped 1:6:-1 4:0:-1 8:6:1235 16:6:-1 32:0:-1

RUNS=$T/opener
start() # start COMMAND...: $RUNS as a process in $CG, behind the command; its pid in P, its pipes in IN and OUT
{
	rm -f "$T/in" "$T/out.pipe"
	mkfifo "$T/in" "$T/out.pipe"
	inside "$CG" setsid "$@" "$RUNS" serve <"$T/in" >"$T/out.pipe" 2>"$T/start.err" &
	BACKGROUND+=($!)
	exec 7>"$T/in" 8<"$T/out.pipe"
	read -r ready <&8 || fail "start $*" "$(cat "$T/start.err")"
	P=$(tail -n 1 "$CG/cgroup.procs")
}
stop() { exec 7>&- 8<&-; wait "${BACKGROUND[-1]}" 2>/dev/null; unset 'BACKGROUND[-1]'; }
asked() # asked WHO PATH LETTERS [TEXT]: the kernel's answer is the one that is told
{
	local got told out rc
	echo "$2 $3" >&7
	read -r got <&8
	out=$("$DEVGUARD" why --pid "$P" $([ "$3" = m ] && echo "c 1:3" || echo "$2") "$3" 2>&1)
	rc=$?
	case $rc in 0) told=ok ;; 2) told=EPERM ;; *) told="exit $rc" ;; esac
	if [[ $out =~ $'\n'"        "(E[A-Z]+)": " ]]; then # before programs are asked, or else when they allow it
		case ${BASH_REMATCH[1]} in EACCES | ENOENT) told=${BASH_REMATCH[1]} ;; *) [ $rc = 2 ] || told=${BASH_REMATCH[1]} ;; esac
	fi
	if [ "$got" = "$told" ] && [[ $out == *"${4-}"* ]]; then pass "why: $1: $2 $3: $got"
	else fail "why: $1: $2 $3" "the kernel says $got, told is $told${4+, expected text: $4}
$out"; fi
}
all_of() # all_of WHO: each node, each way
{
	local node letters
	for node in null link far closed/null open/up/null open/../link open/there/null open/up/open/up/far nodev/null readonly/null owner group extra others worse urandom random kmsg tty absent misc \
		named masked refused grouped; do
		for letters in r w rw; do asked "$1" "$T/n/$node" $letters; done
	done
	asked "$1" "$T/n/open/made" m
}
if command -v setpriv >/dev/null; then
	start setpriv --reuid 1000 --regid 1234 --groups 1235,7
	all_of "a user with groups"
	asked "a user" "$T/n/closed/null" r "$T/n/closed: mode 0700, owner 0, group 0: uid 1000 may not pass through it"
	stop
	start setpriv --reuid 1001 --regid 1001 --clear-groups
	all_of "another user"
	asked "another user" "$T/n/owner" rw "; but the node's mode denies it (EACCES)"
	stop
	start setpriv --reuid 1000 --clear-groups --inh-caps +dac_override,+mknod,+syslog --ambient-caps +dac_override,+mknod,+syslog
	all_of "a user with capabilities"
	stop
	start setpriv --reuid 1000 --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search
	all_of "a user who may read"
	stop
	start setpriv --inh-caps -all --bounding-set -all
	all_of "root without capabilities"
	stop
else
	skip "why: of a user" "no setpriv"
fi
start env
all_of root
asked root "$T/n/nodev/null" r "its file system is mounted nodev"
asked root "$T/n/absent" r "; but no driver has it (ENXIO)"
stop

# A user namespace of its own: its capabilities are none on the host.
if unshare -Urm true 2>/dev/null; then
	start unshare -Urm sh -c 'mount -t tmpfs -o mode=755 tmpfs /mnt && exec "$@"' sh
	mknod -m 666 "/proc/$P/root/mnt/null" c 1 3
	for node in null owner named random kmsg closed/null; do asked "in a user namespace" "$T/n/$node" rw; done
	asked "in a user namespace" "$T/n/open/made" m "the process is in a user namespace of its own: no node can be made from there"
	asked "in a user namespace" "$T/n/null" r ", in a user namespace of its own (uid 0 there)"
	asked "in a user namespace" /dev/null rw
	echo "/mnt/null r" >&7
	read -r got <&8
	expect "why: a mount of the user namespace: $got" 0 "perhaps EACCES: its file system is not mounted here" \
		"$DEVGUARD" why --pid "$P" /mnt/null r
	[ "$got" = EACCES ] && pass "the kernel refuses it" || fail "the kernel refuses it" "$got"
	stop
else
	skip "why: in a user namespace" "there are none"
fi
# The path as the process sees it: another root directory.
mkdir -p "$T/n/root/dev"
mknod -m 600 "$T/n/root/dev/zero" c 1 3
(echo "$BASHPID" >"$CG/cgroup.procs" && exec unshare -m sh -c 'mount --bind "$1/dev/zero" /dev/zero && exec sleep 7200' sh "$T/n/root") & BACKGROUND+=($!)
until [ "$(cat "/proc/$!/comm" 2>/dev/null)" = sleep ]; do sleep 0.01; done
expect "why: the device that the process has at that path" 0 "node    /dev/zero  mode 0600" "$DEVGUARD" why --pid "$!" /dev/zero r
expect "why: which is another than here" 0 "node    /dev/zero  mode 0666" "$DEVGUARD" why "$CG" /dev/zero r
id=$(printf '%064d' 7)
mkdir "$CG/docker-$id.scope"
echo "$!" >"$CG/docker-$id.scope/cgroup.procs"
expect "why: in a container" 0 "node    /dev/zero  mode 0600" "$DEVGUARD" why --container "$id" /dev/zero r
expect "why: in a container no facts are assumed" 1 "it depends on uid" "$DEVGUARD" why --container "$id" c 1:9 r
# The devices controller of cgroup v1, where there is one.
v1=$(awk '$3 == "cgroup" && ("," $4 ",") ~ /,devices,/ { print $2; exit }' /proc/mounts)
if [ -n "$v1" ] && mkdir "$v1/$DGTEST_PREFIX" 2>/dev/null; then
	echo a >"$v1/$DGTEST_PREFIX/devices.deny"
	for line in "c 1:3 rwm" "c 1:9 r" "c 1:9 w" "c *:* m"; do echo "$line" >"$v1/$DGTEST_PREFIX/devices.allow"; done
	start sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$v1/$DGTEST_PREFIX"
	for letters in r w rw; do
		asked "of cgroup v1" "$T/n/null" $letters
		asked "of cgroup v1" "$T/n/worse" $letters
		asked "of cgroup v1" "$T/n/random" $letters
		asked "of cgroup v1" "$T/n/urandom" $letters
		asked "of cgroup v1" /dev/zero $letters "; but the devices controller of cgroup v1 denies it (EPERM)"
	done
	asked "of cgroup v1" "$T/n/open/made" m
	stop
	rmdir "$v1/$DGTEST_PREFIX"
else
	skip "why: cgroup v1" "it has no devices controller here"
fi

# ---- facts that programs read of the calling task: the kernel says the same to the process -------------------

scratch task
if [ -e /sys/kernel/btf/vmlinux ] && command -v setpriv >/dev/null && [ "$(stat -f -c %T "$T")" != overlayfs ]; then
	mkdir -m 755 "$T/b" "$T/n/t"
	cp "$T/opener" "$T/b/named"; cp "$T/opener" "$T/b/loose"; chmod 775 "$T/b/loose"
	mkdir "$CG/in" "$CG/in/deep"
	cat >"$T/task.rb" <<X
policy "task"
deny("c 240:*") { |c| c.mknod? }
allow("c 240:1") { |c| c.euid == 1000 }
allow("c 240:2") { |c| c.egid == 1234 }
allow("c 240:3") { |c| c.fsuid == 1000 }
allow("c 240:4") { |c| c.in_group?(1235) }
allow("c 240:5") { |c| c.in_group?(1234) && !c.in_group?(99) }
allow("c 240:6") { |c| c.capable?(:sys_rawio) }
allow("c 240:7") { |c| c.login_uid == nil }
allow("c 240:8") { |c| c.session == nil }
allow("c 240:9") { |c| c.host_user_ns? }
allow("c 240:10") { |c| c.host_pid_ns? }
allow("c 240:11") { |c| c.kernel_thread? }
allow("c 240:12") { |c| c.ppid == $$ }
allow("c 240:13") { |c| c.exe == "$T/b/named" }
allow("c 240:14") { |c| c.parent_exe == "$(readlink -f /proc/$$/exe)" }
allow("c 240:15") { |c| c.under?("${CG#"$CG2"}") }
allow("c 240:16") { |c| c.under?("${CG#"$CG2"}/in") }
allow("c 240:17") { |c| c.exe == "$T/b/loose" }
allow("c 240:18") { |c| c.login_uid == 4242 }
X
	for minor in $(seq 18); do mknod -m 666 "$T/n/t/$minor" c 240 "$minor"; done
	applied "$T/task.rb" "$CG"
	facts_of() # facts_of WHO BELOW PROGRAM COMMAND...: what the kernel and why say of each fact of a process
	{
		local who=$1 kept=$CG minor
		CG=$CG$2 RUNS=$3
		start "${@:4}"
		CG=$kept RUNS=$T/opener
		for minor in $(seq 18); do asked "$who: $(sed -n "$((minor + 2))s/.*{ |c| \(.*\) }/\1/p" "$T/task.rb")" "$T/n/t/$minor" r; done
	}
	facts_of "a user" /in "$T/b/named" setpriv --reuid 1000 --regid 1234 --groups 1235,7
	stop
	facts_of root "" "$T/b/loose" env
	expect "why: what the request says counts more" 0 "allow: c 240:4 r groups=1235" "$DEVGUARD" why --pid "$P" c 240:4 r groups=1235
	expect "why: a name that the request gives" 0 "allow: c 240:13 r exe=$T/b/named" "$DEVGUARD" why --pid "$P" c 240:13 r "exe=$T/b/named"
	stop
	facts_of "a user namespace" /in/deep "$T/opener" unshare -Ur
	stop
	facts_of "effective ids" /in "$T/b/named" setpriv --euid 1000 --egid 1234 --clear-groups
	stop
	facts_of "very many groups" "" "$T/b/named" setpriv --reuid 1000 --regid 7 --groups "$(seq -s , 2000 2039),1235"
	stop
	facts_of "logged in" "" "$T/b/named" sh -c 'echo 4242 >/proc/self/loginuid; exec "$@"' sh
	stop
	facts_of "a pid namespace" "" "$T/b/named" unshare -p
	stop
	# Without a process: each is named as the policy names it, with the word to add.
	expect "why: a group, not given" 1 "it depends on in_group?(1235), which the request does not give: add groups=1235" "$DEVGUARD" why "$CG" c 240:4 r
	expect "why: a capability, not given" 1 "it depends on capable?(:sys_rawio), which the request does not give: add caps=sys_rawio" "$DEVGUARD" why "$CG" c 240:6 r
	expect "why: a cgroup, not given" 1 "which the request does not give: add cgroup=${CG#"$CG2"}/in" "$DEVGUARD" why "$CG" c 240:16 r
	expect "why: a login, not given" 1 "it depends on login_uid, which the request does not give: add login_uid=1000" "$DEVGUARD" why "$CG" c 240:7 r
	expect "why: a program, not given" 1 "it depends on exe, which the request does not give: add exe=$T/b/" "$DEVGUARD" why "$CG" c 240:13 r
	# Some callers are let through: a rule without their condition is for everybody, and is not proposed.
	printf 'policy "task"\nallow("c 10:232 rw") { |c| c.exe == "%s" }\n' "$T/b/named" >"$T/kvm.rb"
	applied "$T/kvm.rb" "$CG"
	expect "why: another program is let through" 2 "to allow it: who asks decides: $T/kvm.rb:2 allows it to some callers: allow(\"c 10:232 rw\")" "$DEVGUARD" why "$CG" c 10:232 rw exe=-
	check "why: no rule for everybody is proposed" [ -z "$("$DEVGUARD" why "$CG" c 10:232 rw exe=- | grep 'add: allow')" ]
	expect "why: of a device that nobody gets a rule is" 2 'add: allow "c 10:233 rw"' "$DEVGUARD" why "$CG" c 10:233 rw exe=-
	printf 'policy "task"\ndefault :allow\ndeny("c 10:232 rw") { |c| !c.in_group?(36) }\ndeny "c 10:233"\n' >"$T/kvm.rb"
	applied "$T/kvm.rb" "$CG"
	expect "why: a rule that denies some" 2 "to allow it: who asks decides: $T/kvm.rb:3 denies it to some callers; change that condition" "$DEVGUARD" why "$CG" c 10:232 rw groups=7
	expect "why: one that denies all" 2 "before line 4 of $T/kvm.rb add: allow \"c 10:233 rw\"" "$DEVGUARD" why "$CG" c 10:233 rw groups=7
else
	skip "why: facts about the calling task" "no BTF, no setpriv, or $T is on an overlay"
fi

# ---- what changes meanwhile ----------------------------------------------------------------------------------

true & gone=$!
wait "$gone"
expect "why: a process that ended" 1 "there is no process $gone, or it has ended" "$DEVGUARD" why --pid "$gone" c 1:3 r
expect "why: two names" 64 "--self, --unit, --pid and --container name a cgroup each" "$DEVGUARD" why --pid 1 --self c 1:3 r
expect "why: a pid that is none" 64 "--pid x" "$DEVGUARD" why --pid x c 1:3 r
scratch moving
mkdir "$CG/a" "$CG/b"
printf 'policy "closed"\ndefault :deny\n' >"$T/closed.rb"; printf 'policy "open"\ndefault :allow\n' >"$T/open.rb"
applied "$T/closed.rb" "$CG/a"; applied "$T/open.rb" "$CG/b"
(echo "$BASHPID" >"$CG/a/cgroup.procs" && exec sleep 7200) & P=$!; BACKGROUND+=($P)
until grep -qx "$P" "$CG/a/cgroup.procs"; do sleep 0.01; done
(while :; do echo "$P" >"$CG/a/cgroup.procs"; echo "$P" >"$CG/b/cgroup.procs"; done) & mover=$!; BACKGROUND+=($mover)
wrong='' answers=' '
for i in $(seq 60); do
	out=$(why --pid "$P" c 10:229 r 2>&1); rc=$?
	answers="$answers$rc "
	case $rc in
	0) [[ $out == *"$CG/b  program"*open* && $out != *"$CG/a"* ]] || wrong=$out ;;
	2) [[ $out == *"$CG/a  program"*closed* && $out != *"$CG/b  "* ]] || wrong=$out ;;
	1) [[ $out == *"meanwhile"* ]] || wrong=$out ;;
	*) wrong=$out ;;
	esac
done
kill "$mover"; wait "$mover" 2>/dev/null
[ -z "$wrong" ] && pass "why: a process that moves" || fail "why: a process that moves" "$answers
$wrong"
# A file of that name is another cgroup: an option names no file.
echo "$P" >"$CG/a/cgroup.procs"
mkdir "$T/links"
ln -s "$CG/b" "$T/links/pid:$P"
expect "why --pid: no file of that name is looked at" 2 "deny    $CG/a  program" sh -c 'cd "$1" && "$DEVGUARD" why --pid "$2" c 10:229 r' - "$T/links" "$P"
expect "why --pid: nor is the process forgotten" 2 "process $P, sleep" sh -c 'cd "$1" && "$DEVGUARD" why --pid "$2" c 10:229 r' - "$T/links" "$P"
ln -s "$CG/b" "$T/links/container:$id"
expect "why --container: no file of that name is looked at" 0 ", most (ours)" sh -c 'cd "$1" && "$DEVGUARD" why --container "$2" /dev/zero r' - "$T/links" "$id"
scratch replaced
printf 'policy "p"\ndeny "c 1:7"\n' >"$T/one.rb"; printf 'policy "p"\nallow "c 1:7"\n' >"$T/two.rb"
applied "$T/one.rb" "$CG"
(while :; do "$DEVGUARD" apply "$T/two.rb" "$CG"; "$DEVGUARD" apply "$T/one.rb" "$CG"; done >"$T/out" 2>&1) & replacer=$!; BACKGROUND+=($replacer)
wrong='' answers=' '
for i in $(seq 60); do
	out=$(why "$CG" c 1:7 r 2>&1); rc=$?
	answers="$answers$rc "
	case $rc in
	0) [[ $out == *"two.rb:2: allow"* && $out != *one.rb* ]] || wrong=$out ;;
	2) [[ $out == *"one.rb:2: deny"* && $out != *two.rb:* ]] || wrong=$out ;;
	1) [[ $out == *"again and again"* || $out == *"not known"* ]] || wrong=$out ;;
	*) wrong=$out ;;
	esac
done
kill "$replacer"; wait "$replacer" 2>/dev/null
[ -z "$wrong" ] && pass "why: a program that is replaced meanwhile" || fail "why: a program that is replaced meanwhile" "$answers
$wrong"
scratch removed
(while :; do mkdir "$CG/x"; rmdir "$CG/x"; done 2>/dev/null) & remover=$!; BACKGROUND+=($remover)
wrong=''
for i in $(seq 60); do
	out=$(why "$CG/x" c 1:7 r 2>&1); rc=$?
	case $rc in 0 | 1) ;; *) wrong=$out ;; esac
done
kill "$remover"; wait "$remover" 2>/dev/null
[ -z "$wrong" ] && pass "why: a cgroup that is removed meanwhile" || fail "why: a cgroup that is removed meanwhile" "$wrong"

summary
