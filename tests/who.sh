#!/bin/bash
# who.sh - who is asking: each fact about the calling task, true and false, told by the kernel of real processes; ways to
# be taken for another program, and what each gives; every fact through all engines of `test`; policies by chance.
. "$(dirname "$0")/lib.sh"
# With WHO_DIR the programs are there, and the policy is an object that was made elsewhere (WHO_OBJECT), of the text that
# `who.sh --policy` prints: one object for several kernels.
W=${WHO_DIR:-$T}
B=$W/bin N=$T/n # programs; nodes
# One minor number a question.
policy()
{
	cat <<X
policy "who"
default :deny
deny("c 240:*") { |c| c.mknod? }
allow("c 240:1") { |c| c.euid == 0 }
allow("c 240:2") { |c| c.egid == 4242 }
allow("c 240:3") { |c| c.fsuid == 1000 }
allow("c 240:4") { |c| c.in_group?(33) }
allow("c 240:5") { |c| c.capable?(:sys_rawio) }
allow("c 240:6") { |c| c.login_uid == 4242 }
allow("c 240:7") { |c| c.login_uid.nil? && c.session.nil? }
allow("c 240:8") { |c| c.host_user_ns? }
allow("c 240:9") { |c| c.host_pid_ns? }
allow("c 240:10") { |c| c.kernel_thread? }
allow("b 7:240 m") { |c| c.kernel_thread? }
allow("c 240:11") { |c| c.under?("/$DGTEST_PREFIX.who/in") }
allow("c 240:12") { |c| c.exe == "$B/opener" }
allow("c 240:13") { |c| c.parent_exe == "$B/disguise" }
allow("c 240:14") { |c| ["$B/disguise", "$B/setuid-disguise"].include?(c.exe) }
allow("c 240:15") { |c| c.exe == "$B/sh" }
allow("c 240:16") { |c| c.exe == "$B/script" }
allow("c 240:17") { |c| c.exe == "$B/setuid" }
allow("c 240:18") { |c| c.exe == "$B/setuid" && c.euid == 0 }
allow("c 240:19") { |c| c.uid == 1000 && c.euid == 0 }
allow("c 240:20") { |c| c.session == 4000000000 }
allow("c 240:21") { |c| c.ppid == 1 }
allow("c 240:22") { |c| c.exe == "$W/merged/opener" }
allow("c 240:23") { |c| !c.in_group?(33) }
allow :null
X
}
[ "${1-}" != --policy ] || { policy; exit; }
reason=$(need_kernel)
[ -z "$reason" ] || { skip "who" "$reason"; summary; exit; }
[ -e /sys/kernel/btf/vmlinux ] || { skip "who" "this kernel has no BTF"; summary; exit; }
command -v setpriv >/dev/null && command -v unshare >/dev/null || { skip "who" "no setpriv or unshare"; summary; exit; }
[ "$(stat -f -c %T "${W%/*}")" != overlayfs ] || { skip "who" "files in $T have no identity: give TMPDIR on another file system"; summary; exit; }
build_opener
[ "$W" = "$T" ] || mkdir "$W"
mkdir "$B" "$N"
chmod 755 "$T" "$W" "$B" "$N" # other users run and open them
KDEV=$(pgrep -x kdevtmpfs)
on_exit()
{
	[ -z "$KDEV" ] || echo "$KDEV" >"$CG2/cgroup.procs"
	umount "$T/other" "$T/over/merged" 2>/dev/null
}
$CC -D_GNU_SOURCE -O2 -pthread -o "$B/disguise" "$TESTS/disguise.c" || exit 1
$CC -D_GNU_SOURCE -O2 -DPRELOAD -shared -fPIC -o "$B/disguise.so" "$TESTS/disguise.c" || exit 1
cp "$OPENER" "$B/opener"
cp "$B/opener" "$B/copy"
cp "$B/opener" "$B/setuid"
cp "$B/disguise" "$B/setuid-disguise"
cp "$(readlink -f /bin/sh)" "$B/sh"
ln "$B/opener" "$B/hard"
chmod 4755 "$B/setuid" "$B/setuid-disguise"
printf '#!%s\n: <"$1"\n' "$B/sh" >"$B/script"
chmod 755 "$B/script"
USER="setpriv --reuid 1000 --regid 1000 --clear-groups"

policy >"$T/who.rb"
for minor in $(seq 23); do mknod -m 666 "$N/$minor" c 240 "$minor"; done
scratch who
mkdir "$CG/in" "$CG/in/deep" "$CG/other"
if [ -n "${WHO_OBJECT-}" ]; then
	(cd "$T" && "$DEVGUARD" compile who.rb -o who.o) >"$T/out" 2>&1
	check "compiled here it is the same object" cmp "$T/who.o" "$WHO_OBJECT"
	echo "    $(sha256sum "$WHO_OBJECT" | cut -c 1-16): the sum of the object that is applied"
fi
"$DEVGUARD" apply "${WHO_OBJECT:-$T/who.rb}" "$CG" >"$T/out" 2>&1 || { fail "apply" "$(cat "$T/out")"; summary; exit; }

# Under lockdown groups beyond 32 are not told, and before Linux 6.1 nothing is. What is not told denies, and apply says it.
MANY=yes
if task_untold; then
	has "apply says that nothing is told" "this kernel lets no program read the calling task: where 'who' asks for it, it denies" "$T/out"
elif locked_down; then
	MANY=no
	has "apply says that many groups are not told" "where 'who' asks in_group?, callers in many groups are denied" "$T/out"
else equal "apply finds nothing that is not told" 0 "$(grep -c "this kernel" "$T/out")"; fi

# is NAME WANT MINOR COMMAND...: the command, with the node in the place of NODE, is let through (yes) or not (no), in HERE
HERE=$CG
is()
{
	local name=$1 want=$2 minor=$3 out got; shift 3
	out=$(inside "$HERE" "${@/NODE/$N/$minor}" 2>&1 </dev/null)
	case $out in
	ok | ENXIO | *"No such device"*) got=yes ;;
	EPERM | *"not permitted"*) got=no ;;
	*) got=$out ;;
	esac
	if [ "$got" = "$want" ]; then pass "$name: $want"; else fail "$name" "$want was expected, not: $got"; fi
}
O="$B/opener open r NODE"

if task_untold; then
	USER_KNOWN="setpriv --reuid 1000 --regid 4242 --groups 33"
	for minor in 1 5 8 9 12; do is "nothing is told: root, question $minor" no $minor $O; done
	for minor in 2 3 4 7 12 23; do is "nothing is told: a user, question $minor" no $minor $USER_KNOWN $O; done
	HERE=$CG/in is "nothing is told: under?" no 11 $O
	is "nothing is told: a device without a question" yes 1 sh -c ': </dev/null && echo ok'
	skip "the facts" "this kernel lets no program read the calling task"
	summary
	exit
fi

# ---- ids ----------------------------------------------------------------------------------------------

is "euid: root" yes 1 $O
is "euid: a user" no 1 $USER $O
is "euid: a setuid program of a user" yes 1 $USER "$B/setuid" open r NODE
is "euid: the same, as uid and euid" yes 19 $USER "$B/setuid" open r NODE
is "euid: access(2) of a setuid program, which looks as the user" yes 19 $USER "$B/setuid-disguise" access NODE
is "euid: root's is not the user's" no 19 $O
is "euid: a user that is root in a user namespace of his own" no 1 $USER unshare -Ur $O
is "egid" yes 2 setpriv --egid 4242 --clear-groups $O
is "egid: only the real one" no 2 setpriv --rgid 4242 --clear-groups $O
is "fsuid follows euid" yes 3 $USER $O
is "fsuid: root" no 3 $O
is "fsuid: access(2) of a setuid program" no 3 $USER "$B/setuid-disguise" access NODE

# ---- groups, capabilities ---------------------------------------------------------------------------------

# N groups with 33 or without it, before it and behind it
groups() { seq -s, "$1" "$(($1 + $2 - 1))"; }
ROOT_OF="setpriv --rgid 7 --egid 7"
is "in_group?: none" no 4 setpriv --clear-groups $O
is "in_group?: the effective gid" yes 4 setpriv --rgid 7 --egid 33 --clear-groups $O
is "in_group?: only the real gid" no 4 setpriv --rgid 33 --egid 7 --clear-groups $O
is "in_group?: 3 groups, the first" yes 4 $ROOT_OF --groups 33,44,105 $O
is "in_group?: 3 groups, the last" yes 4 $ROOT_OF --groups 2,5,33 $O
is "in_group?: 3 others" no 4 $ROOT_OF --groups 32,34,105 $O
is "in_group?: 33 groups, the first" $MANY 4 $ROOT_OF --groups "$(groups 33 33)" $O
is "in_group?: 33 groups, the last" $MANY 4 $ROOT_OF --groups "$(groups 1 33)" $O
is "in_group?: 33 others, above" no 4 $ROOT_OF --groups "$(groups 34 33)" $O
is "in_group?: 33 others, around it" no 4 $ROOT_OF --groups "$(groups 17 16),$(groups 34 17)" $O
is "in_group?: 1,000 groups" $MANY 4 $ROOT_OF --groups "$(groups 1 1000)" $O
is "in_group?: 1,000 groups, the first" $MANY 4 $ROOT_OF --groups "$(groups 33 1000)" $O
is "in_group?: 1,000 groups, the last" $MANY 4 $ROOT_OF --groups "$(seq -s, 100000 100998),33" $O
is "in_group?: 1,000 others" no 4 $ROOT_OF --groups "$(groups 1 32),$(groups 34 968)" $O
is "not in_group?: 3 others" yes 23 $ROOT_OF --groups 32,34,105 $O
is "not in_group?: 3 groups" no 23 $ROOT_OF --groups 2,5,33 $O
is "not in_group?: 33 others, around it" $MANY 23 $ROOT_OF --groups "$(groups 17 16),$(groups 34 17)" $O
is "not in_group?: 1,000 groups" no 23 $ROOT_OF --groups "$(groups 1 1000)" $O
is "in_group?: of a user, root in a user namespace of his own" no 4 $USER unshare -Ur $O
is "capable?: root" yes 5 $O
is "capable?: dropped" no 5 setpriv --bounding-set -sys_rawio --inh-caps -sys_rawio $O
is "capable?: another dropped" yes 5 setpriv --bounding-set -sys_admin --inh-caps -sys_admin $O
is "capable?: a user" no 5 $USER $O
is "capable?: a user with it alone" yes 5 $USER --inh-caps +sys_rawio --ambient-caps +sys_rawio $O
is "capable?: a setuid program" yes 5 $USER "$B/setuid" open r NODE
is "capable?: all of a user namespace" no 5 $USER unshare -Ur $O
is "capable?: root in a user namespace" no 5 unshare -U $O

# ---- who logged in, namespaces, threads of the kernel, cgroups ------------------------------------------------

logged() { sh -c 'echo "$0" >/proc/self/loginuid && exec "$@"' "$@"; } # logged UID COMMAND...
export -f logged
if (logged 4242 true) 2>/dev/null; then
	is "login_uid" yes 6 bash -c 'logged 4242 "$@"' - $O
	is "login_uid: of another" no 6 bash -c 'logged 4241 "$@"' - $O
	is "login_uid: stays with who becomes root" yes 6 bash -c 'logged 4242 "$@"' - $USER "$B/setuid" open r NODE
	is "login_uid: set" no 7 bash -c 'logged 4242 "$@"' - $O
	is "session: another number" no 20 bash -c 'logged 4242 "$@"' - $O
	# the number that the kernel gave, in a policy that asks for it
	cat >"$T/session.sh" <<-'X'
		echo 4242 >/proc/self/loginuid
		read -r session </proc/self/sessionid
		printf 'policy "session"\ndefault :allow\ndeny("c 240:20") { |c| c.session != %s }\n' "$session" >"$1"
		echo ready
		read -r go
		exec "$2" open r "$3"
	X
	mkdir "$CG2/$DGTEST_PREFIX.session"
	coproc LOGGED { exec bash "$T/session.sh" "$T/session.rb" "$B/opener" "$N/20"; }
	read -r answer <&"${LOGGED[0]}"
	"$DEVGUARD" apply "$T/session.rb" "$CG2/$DGTEST_PREFIX.session" >/dev/null 2>&1
	echo "$LOGGED_PID" >"$CG2/$DGTEST_PREFIX.session/cgroup.procs"
	echo go >&"${LOGGED[1]}"
	read -r answer <&"${LOGGED[0]}"
	equal "session: the number that the kernel gave" "ENXIO" "$answer"
	wait "$LOGGED_PID" 2>/dev/null
	HERE=$CG2/$DGTEST_PREFIX.session is "session: none is another" no 20 $O
else skip "login_uid" "this kernel lets nobody set one"; fi
is "login_uid, session: unset" yes 7 sh -c 'echo 4294967295 >/proc/self/loginuid; exec "$@"' - $O
is "login_uid: unset is no number" no 6 sh -c 'echo 4294967295 >/proc/self/loginuid; exec "$@"' - $O
is "host_user_ns?" yes 8 $O
is "host_user_ns?: in one of its own" no 8 unshare -U $O
is "host_user_ns?: a user, in one of his own" no 8 $USER unshare -Ur $O
# In a container that has one of its own, nobody is in the host's, and the numbers of processes are not the kernel's.
[ "$(readlink /proc/self/ns/pid)" = "pid:[4026531836]" ] && HOST_PIDS=yes || HOST_PIDS=no # PROC_PID_INIT_INO
is "host_pid_ns?" $HOST_PIDS 9 $O
is "host_pid_ns?: in one of its own" no 9 unshare -pf $O
is "host_pid_ns?: made, and not yet entered" $HOST_PIDS 9 unshare -p $O
is "kernel_thread?: a process" no 10 $O
is "under?: in the cgroup above" no 11 $O
HERE=$CG/in is "under?: in it" yes 11 $O
HERE=$CG/in/deep is "under?: below it" yes 11 $O
HERE=$CG/other is "under?: beside it" no 11 $O
# kdevtmpfs makes the node of a new device, in its own cgroup
if [ -n "$KDEV" ] && command -v python3 >/dev/null && [ -c /dev/loop-control ] && [ ! -e /dev/loop240 ] && echo "$KDEV" 2>/dev/null >"$CG/cgroup.procs"; then
	loop() { python3 -c 'import fcntl, os, sys; fcntl.ioctl(os.open("/dev/loop-control", os.O_RDWR), int(sys.argv[1], 0), 240)' "$1"; }
	loop 0x4c80 # LOOP_CTL_ADD
	until_true test -b /dev/loop240
	check "kernel_thread?: kdevtmpfs makes a node of /dev" test -b /dev/loop240
	loop 0x4c81 # LOOP_CTL_REMOVE
	until_true test ! -e /dev/loop240
	out=$(inside "$CG" "$B/opener" mknod b 7 240 "$T/node")
	equal "kernel_thread?: no process makes it" EPERM "$out"
	echo "$KDEV" >"$CG2/cgroup.procs"
else skip "kernel_thread?: kdevtmpfs" "it cannot be moved, or there is no loop device"; fi

# ---- which program --------------------------------------------------------------------------------------------

is "exe" yes 12 $O
is "exe: of a user" yes 12 $USER $O
is "exe: a copy of the file" no 12 "$B/copy" open r NODE
is "exe: a hard link" yes 12 "$B/hard" open r NODE
is "exe: another comm" yes 14 "$B/disguise" comm opener NODE
is "exe: with the comm of it" no 12 "$B/disguise" comm opener NODE
mkdir "$T/other"
mount --bind "$B" "$T/other"
is "exe: by a bind mount" yes 12 "$T/other/opener" open r NODE
umount "$T/other"
is "exe: another file mounted over it" no 12 unshare -m --propagation private sh -c 'mount --bind "$0/copy" "$0/opener" && exec "$@"' "$B" $O
is "exe: the same by a user in namespaces of his own" no 12 $USER unshare -Urm sh -c 'mount --bind "$0/copy" "$0/opener" && exec "$@"' "$B" $O
is "exe: a symbolic link" yes 12 sh -c 'ln -sf "$0/opener" "$0/symbolic" && exec "$0/symbolic" open r "$1"' "$B" NODE
is "exe: a script is what reads it" yes 15 "$B/script" NODE
is "exe: a script's own name" no 16 "$B/script" NODE
is "exe: a forked child" yes 14 "$B/disguise" child NODE
is "exe: a child of a child that has ended" yes 14 "$B/disguise" orphan NODE
is "exe: a thread" yes 14 "$B/disguise" thread NODE
is "exe: a setuid program" yes 18 $USER "$B/setuid" open r NODE
is "parent_exe: a child" yes 13 "$B/disguise" child NODE
is "parent_exe: started by a shell" no 13 sh -c '"$@"; true' - $O
is "parent_exe: the parent has ended" no 13 "$B/disguise" orphan NODE
is "ppid: a shell's" no 21 sh -c '"$@"; true' - $O
reaper=$(sh -c 'sh -c "sleep 0.5; ps -o ppid= -p \$\$" & exit' | tr -d ' ') # here others may take them over
if [ "$reaper,$HOST_PIDS" = 1,yes ]; then is "ppid: the parent has ended" yes 21 "$B/disguise" orphan NODE
else skip "ppid: the parent has ended" "process $reaper of this PID namespace takes over"; fi
if "$B/disguise" uring /dev/null >/dev/null 2>&1; then
	# before Linux 5.12 workers were threads of the kernel; Debian's 5.10 has the newer ones
	modern=yes; [ "$("$B/disguise" worker /dev/null)" = "the process" ] || modern=no
	kernel_before 5.12 || equal "io_uring: its workers are threads of the process" yes "$modern"
	is "io_uring: exe of its worker" $modern 14 "$B/disguise" uring NODE
	is "io_uring: exe of its polling thread" $modern 14 "$B/disguise" polled NODE
	is "io_uring: euid of a worker" $modern 1 "$B/disguise" uring NODE
	is "io_uring: euid of a user's worker" no 1 $USER "$B/disguise" uring NODE
	is "io_uring: capabilities of a user's worker" no 5 $USER "$B/disguise" uring NODE
	is "io_uring: capabilities of a user's polling thread" no 5 $USER "$B/disguise" polled NODE
	is "io_uring: euid, by a worker of before setuid(2)" no 1 "$B/disguise" dropped 1000 NODE
	is "io_uring: euid, by a polling thread of before setuid(2)" no 1 "$B/disguise" dropped-polled 1000 NODE
	is "io_uring: euid, by a worker that acts as before setuid(2)" no 1 "$B/disguise" personality 1000 NODE
	is "io_uring: capabilities, by a polling thread of before setuid(2)" no 5 "$B/disguise" dropped-polled 1000 NODE
	is "io_uring: groups, by a worker that acts as before setuid(2)" no 4 "$B/disguise" personality 1000 NODE
	is "io_uring: capabilities, by a worker of before setuid(2)" no 5 "$B/disguise" dropped 1000 NODE
	is "io_uring: groups, by a worker of before setuid(2)" no 4 setpriv --groups 33 "$B/disguise" dropped 1000 NODE
else skip "io_uring" "there is none here"; fi

# ---- overlayfs: the kernel asks as the one who mounted it, and again as the caller ------------------------------

mkdir -p "$T/over/lower" "$T/over/upper" "$T/over/work" "$T/over/merged"
for minor in 1 3 5; do mknod -m 666 "$T/over/lower/$minor" c 240 "$minor"; done
if mount -t overlay overlay -o "lowerdir=$T/over/lower,upperdir=$T/over/upper,workdir=$T/over/work" "$T/over/merged" 2>/dev/null; then
	N_HERE=$N N=$T/over/merged
	is "a node on overlayfs: euid of root" yes 1 $O
	is "a node on overlayfs: euid of a user" no 1 $USER $O
	is "a node on overlayfs: fsuid of a user" yes 3 $USER $O
	is "a node on overlayfs: capabilities of a user" no 5 $USER $O
	N=$N_HERE
	umount "$T/over/merged"
else skip "a node on overlayfs" "it cannot be mounted here"; fi

# ---- attempts to be taken for the program; SECURITY.md has the table ----------------------------------------------

LD_SO=$(LC_ALL=C ldd "$B/opener" | awk '$1 ~ /^\/.*ld/ { print $1; exit }')
is "fake: LD_PRELOAD, as the same user" yes 12 $USER env LD_PRELOAD="$B/disguise.so" DISGUISE=NODE "$B/opener" open r /nowhere
equal "fake: LD_PRELOAD of a setuid program is not loaded" ENOENT \
	"$($USER env LD_PRELOAD="$B/disguise.so" DISGUISE="$N/17" "$B/setuid" open r /nowhere)"
[ -z "$LD_SO" ] || is "fake: the dynamic loader as the program" no 12 $USER "$LD_SO" "$B/opener" open r NODE
is "fake: a copy in memory (memfd_create)" no 12 $USER "$B/disguise" memfd $O
is "fake: the same, by root" no 12 "$B/disguise" memfd $O
is "fake: another executable by prctl" no 12 $USER "$B/disguise" claim "$B/opener" NODE
is "fake: the same, in a user namespace" no 12 $USER unshare -Ur "$B/disguise" claim "$B/opener" NODE
is "fake: a setuid program's by prctl" no 17 $USER "$B/disguise" claim "$B/setuid" NODE
if [ "$(uname -m)" = x86_64 ]; then
	is "fake: ptrace, as the same user" yes 12 $USER "$B/disguise" trace NODE "$B/opener"
	is "fake: ptrace of a setuid program: its name" yes 17 $USER "$B/disguise" trace NODE "$B/setuid"
	is "fake: ptrace of a setuid program: its rights" no 18 $USER "$B/disguise" trace NODE "$B/setuid"
	is "fake: /proc/PID/mem, as the same user" yes 12 $USER "$B/disguise" write NODE "$B/opener"
fi
equal "fake: /proc/self/mem does not change the file" "the file stays" "$($USER "$B/disguise" self "$B/opener")"
is "fake: another user's process, by ptrace" no 12 $USER sh -c 'kill -0 "$0" 2>/dev/null && echo ok || echo EPERM' $$
mkdir "$W/merged"
cp "$B/opener" "$W/merged/opener"
is "exe: a file that was not there at apply" no 22 "$W/merged/opener" open r NODE

# the same path, and at last the same inode, but another file than the one that was applied
cat >"$T/tool.rb" <<X
policy "tool"
default :allow
deny("c 240:1") { |c| c.exe != "$B/tool" }
X
scratch tool
applied_tool() { "$DEVGUARD" apply "$T/tool.rb" "$CG2/$DGTEST_PREFIX.tool" >"$T/out" 2>&1 || fail "apply the tool" "$(cat "$T/out")"; }
cp "$B/opener" "$B/tool"
applied_tool
HERE=$CG
is "file: as applied" yes 1 "$B/tool" open r NODE
chmod g+w "$B/tool"
is "file: a group may write it" no 1 "$B/tool" open r NODE
chmod g-w "$B/tool"
is "file: no longer" yes 1 "$B/tool" open r NODE
chown 1000 "$B/tool"
is "file: it is a user's" no 1 "$B/tool" open r NODE
chown 0 "$B/tool"
# a process that runs the old file meanwhile: it is the one that was applied, and then it is not
coproc OLD { inside "$CG" "$B/tool" serve; }
read -r answer <&"${OLD[0]}"
old_says() { echo "$N/1 r" >&"${OLD[1]}" && read -r answer <&"${OLD[0]}" && equal "$1" "$2" "$answer"; }
cp -p "$B/tool" "$B/tool.new"
mv "$B/tool.new" "$B/tool"
is "file: replaced" no 1 "$B/tool" open r NODE
old_says "file: replaced, and asked by who runs the old one" ENXIO
applied_tool
is "file: applied again" yes 1 "$B/tool" open r NODE
old_says "file: applied again, and asked by who runs the old one" EPERM
exec {OLD[1]}>&-
wait "$OLD_PID" 2>/dev/null
inode=$(stat -c %i "$B/tool")
rm "$B/tool"
for ((i = 0; i < 200; i++)); do
	cp "$B/opener" "$B/tool"
	[ "$(stat -c %i "$B/tool")" != "$inode" ] || break
	mv "$B/tool" "$B/tool.$i"
done
if [ "$(stat -c %i "$B/tool" 2>/dev/null)" = "$inode" ]; then is "file: another one with its inode" no 1 "$B/tool" open r NODE
else skip "file: another one with its inode" "this file system gave none of 200 the number"; fi
rmdir "$CG2/$DGTEST_PREFIX.who/in/deep" "$CG2/$DGTEST_PREFIX.who/in"
mkdir "$CG2/$DGTEST_PREFIX.who/in"
HERE=$CG2/$DGTEST_PREFIX.who/in is "under?: a cgroup of that name, made later" no 11 $O

# ---- each fact through all engines ----------------------------------------------------------------------------------

# A number that no process has now. Another may get it meanwhile: then all is asked once more.
parents=()
for ((i = $(cat /proc/sys/kernel/pid_max) - 1; ${#parents[@]} < 2; i--)); do [ -e "/proc/$i" ] || parents+=("$i"); done

# engines FILE.cases: every case passes, and each was asked of the kernel but those that are marked `# not`
engines()
{
	"$DEVGUARD" test "$T/engines.rb" --cases "$1" --json >"$T/test.json" 2>"$T/err"
	python3 - "$T/test.json" "$1" <<-'X'
		import json, sys
		found = json.load(open(sys.argv[1]))["policies"][0]["results"]
		lines = open(sys.argv[2]).read().split("\n")
		for r in found:
		    marked = "# not" in lines[r["line"] - 1]
		    asked = r["got"]["kernel"] != "skipped"
		    bad = "" if r["passed"] else f": {r['got']}"
		    bad = bad or (f": the kernel {'was' if asked else 'was not'} asked" if asked == marked else "")
		    print(("not ok " if bad else "ok ") + f"engines: {r['expected']} {r['request']}{bad}")
	X
}
cat >"$T/engines.rb" <<X
policy "engines"
limit = param :limit, 5, in: 0..10
allow("c 1:*") { |c| c.euid == 1000 }
allow("c 2:*") { |c| c.egid == 1000 }
allow("c 3:*") { |c| c.fsuid == 1000 }
allow("c 4:*") { |c| c.login_uid == 1000 }
allow("c 5:*") { |c| c.session.nil? }
allow("c 6:*") { |c| c.host_user_ns? }
allow("c 7:*") { |c| c.host_pid_ns? }
allow("c 8:*") { |c| !c.kernel_thread? }
allow("c 9:*") { |c| c.ppid == ${parents[0]} }
allow("c 10:*") { |c| c.exe == "/usr/bin/qemu-system-x86_64" }
allow("c 11:*") { |c| c.parent_exe == "/usr/sbin/libvirtd" && c.exe != "/usr/bin/passwd" }
allow("c 12:*") { |c| c.in_group?(44) }
allow("c 13:*") { |c| c.capable?(:sys_rawio) }
allow("c 14:*") { |c| c.under?("/system.slice/x.service") }
allow("c 15:*") { |c| c.euid == 5 && c.uid == 6 && c.in_group?(7) && c.capable?(:mknod) && c.exe == "/a" && c.under?("/a") && c.ppid == ${parents[1]} }
X
cat >"$T/engines.cases" <<X
allow c 1:1 rw euid=1000
deny c 1:1 rw euid=0
allow c 1:1 m euid=1000
allow c 2:1 r egid=1000
deny c 2:1 r egid=1001
allow c 3:1 r fsuid=1000
deny c 3:1 r fsuid=0
allow c 4:1 r login_uid=1000
deny c 4:1 r login_uid=1001
deny c 4:1 r login_uid=none
allow c 5:1 r session=none
deny c 5:1 r session=3 # not
allow c 6:1 r host_user_ns=yes
deny c 6:1 r host_user_ns=no
deny c 6:1 m host_user_ns=no # not
allow c 7:1 r host_pid_ns=yes
deny c 7:1 r host_pid_ns=no
allow c 8:1 r kernel_thread=no
deny c 8:1 r kernel_thread=yes # not
allow c 9:1 r ppid=${parents[0]}
deny c 9:1 r ppid=${parents[1]}
deny c 9:1 r ppid=1 # not
allow c 10:1 r exe=/usr/bin/qemu-system-x86_64
deny c 10:1 r exe=/usr/bin/other
deny c 10:1 r exe=-
allow c 11:1 r exe=- parent_exe=/usr/sbin/libvirtd
deny c 11:1 r exe=/usr/bin/passwd parent_exe=/usr/sbin/libvirtd
deny c 11:1 r exe=/usr/sbin/libvirtd parent_exe=-
allow c 11:1 r exe=/usr/sbin/libvirtd parent_exe=/usr/sbin/libvirtd
allow c 12:1 r groups=44,105
allow c 12:1 r groups=5,44
deny c 12:1 r groups=43,45
deny c 12:1 r groups=none
allow c 13:1 r caps=sys_rawio
deny c 13:1 r caps=none
deny c 13:1 r caps=mknod
deny c 13:1 m caps=mknod
allow c 13:1 m caps=mknod,sys_rawio
deny c 13:1 m caps=none # not
allow c 14:1 r cgroup=/system.slice/x.service
allow c 14:1 r cgroup=/system.slice/x.service/a/b
deny c 14:1 r cgroup=/system.slice
deny c 14:1 r cgroup=/system.slice/y.service
deny c 14:1 r cgroup=/
allow c 15:1 rm euid=5 uid=6 groups=7 caps=mknod exe=/a cgroup=/a ppid=${parents[1]}
deny c 15:1 rm euid=5 uid=6 groups=8 caps=mknod exe=/a cgroup=/a ppid=${parents[1]}
deny c 15:1 rm euid=5 uid=6 groups=7 caps=mknod exe=/a cgroup=/b ppid=${parents[1]}
deny c 15:1 rm euid=5 uid=5 groups=7 caps=mknod exe=/a cgroup=/a ppid=${parents[1]}
X
[ $HOST_PIDS = yes ] || sed -i -E '/(ppid=[0-9]+|host_pid_ns=yes)$/s/$/ # not/' "$T/engines.cases"
if command -v python3 >/dev/null; then
	for round in 1 2 3; do
		engines "$T/engines.cases" >"$T/engines.out" 2>&1
		grep -q "ppid=.*: the kernel was not asked" "$T/engines.out" || break
	done
	while IFS= read -r line; do
		case $line in "ok "*) pass "${line#ok }" ;; *) fail "${line#not ok }" ;; esac
	done <"$T/engines.out"
	# a prober whose own file others can change stands for no executable
	cp "$DEVGUARD" "$B/devguard"
	chmod 775 "$B/devguard"
	expect "engines: a tool that a group may write stands for nothing" 0 "is not root's alone" \
		"$B/devguard" test "$T/engines.rb" --cases <(echo 'allow c 10:1 r exe=/usr/bin/qemu-system-x86_64')
	expect "engines: why the kernel was not asked is told, when the prober is gone, too" 0 "not put to the kernel: a process here cannot take on its capabilities" \
		setpriv --bounding-set -sys_boot --inh-caps -sys_boot "$DEVGUARD" test "$T/engines.rb" --cases <(echo 'deny c 10:1 r exe=- caps=all')
	# CALLERS=5000 SEED=1 tries more
	if out=$(timeout 3000 python3 "$TESTS/callers.py" "${SEED:-1}" "${CALLERS:-40}" 12 2>&1); then pass "callers: $out"; [ -z "${CALLERS-}" ] || echo "    $out"
	else fail "callers" "$out"; fi
else skip "engines" "no python3"; fi
summary
