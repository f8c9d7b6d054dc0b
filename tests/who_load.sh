#!/bin/bash
# who_load.sh - which files and cgroups the names in a policy are: settled when it is applied, told when they are others.
. "$(dirname "$0")/lib.sh"
reason=$(need_kernel)
[ -n "$reason" ] || ! task_untold || reason="this kernel lets no program read the calling task"
[ -z "$reason" ] || { skip "who_load" "$reason"; summary; exit; }
# Mounts that nobody else sees.
[ -n "${WHO_LOAD_APART:-}" ] || { rm -rf "$T"; trap - EXIT; WHO_LOAD_APART=1 exec unshare --mount --propagation private "$BASH" "$0"; }
on_exit()
{
	local dir
	cd /
	for dir in "$T"/run/root "$T"/disk "$T"/run; do umount -l "$dir" 2>/dev/null; done
}
mkdir "$T/run" && mount -t tmpfs -o mode=755 none "$T/run" && cd "$T/run" || exit 1

D=$T/run
apply() { "$DEVGUARD" apply "$@" >"$T/out" 2>&1 || fail "apply $*" "$(cat "$T/out")"; }
# allowed|denied NAME CGROUP PROGRAM: reads /dev/zero
allowed() { if [ "$(inside "$2" "$3" -c 1 /dev/zero 2>&1 | tr '\0' 0)" = 0 ]; then pass "$1"; else fail "$1" "denied"; fi; }
denied()
{
	local out
	out=$(inside "$2" "$3" -c 1 /dev/zero 2>&1 | tr '\0' 0)
	if [[ $out == *"Operation not permitted"* ]]; then pass "$1"; else fail "$1" "$out"; fi
}
# says NAME TEXT CGROUP: status does; quiet NAME CGROUP: of its names it says nothing
says() { expect "$1" 0 "$2" "$DEVGUARD" status "$3"; }
quiet()
{
	local out
	out=$("$DEVGUARD" status "$2" 2>&1)
	if [[ $out == *" of line "* || $out == *"cannot be told"* ]]; then fail "$1" "$out"; else pass "$1"; fi
}
policy() # policy FILE: what it reads with
{
	printf 'policy "exe"\nallow "c 1:3 rw"\n\nallow("c 1:5 r") { |ctx| ctx.exe == "%s" }\n' "$1"
}
tool() { rm -f "$1"; cp /usr/bin/head "$1" && chmod 755 "$1"; }

# ---- a file is what it was -------------------------------------------------------------------------------

scratch who
tool "$D/tool"
tool "$D/copy"
policy "$D/tool" >exe.rb
expect "check: nothing to say of a file that is there" 0 "kernel: accepted" "$DEVGUARD" check exe.rb
check "and no line of it" [ "$("$DEVGUARD" check exe.rb | grep -c "matches nothing")" = 0 ]
apply exe.rb "$CG"
allowed "the file that is named" "$CG" "$D/tool"
denied "a copy of it" "$CG" "$D/copy"
ln "$D/tool" "$D/hard"
allowed "a hard link is the file" "$CG" "$D/hard"
quiet "status has nothing to say" "$CG"
map=$(for id in $(bpftool prog show id "$(program_of "$CG")" --json | jq '.map_ids[]'); do bpftool map show id "$id" --json; done | jq 'select(.name == "devguard_who").id')
closed=$(bpftool map update id "$map" key hex $(printf '00 %.0s' {1..24}) value hex 01 00 00 00 00 00 00 00 2>&1)
check "nobody adds a file to its map" [ "${closed#*ermitted}" != "$closed" ]
chmod g+w "$D/tool"
denied "others may write to it now: denied at once" "$CG" "$D/tool"
says "and told" "file of line 4 matches nothing any more: $D/tool, its group may write to it (mode 0775)" "$CG"
chmod g-w "$D/tool"
allowed "they may not any more" "$CG" "$D/tool"
chown 1000 "$D/tool"
denied "it belongs to somebody else" "$CG" "$D/tool"
says "and told" "file of line 4 matches nothing any more: $D/tool, it belongs to uid 1000, who can change it" "$CG"
chown 0 "$D/tool"
quiet "all is as it was" "$CG"

# ---- an upgrade --------------------------------------------------------------------------------------------

tool "$D/tool.new"
mv "$D/tool.new" "$D/tool"
denied "an upgraded package" "$CG" "$D/tool"
allowed "what runs of the old one is the file" "$CG" "$D/hard"
says "status says why" "file of line 4 is not that file any more: $D/tool was replaced; apply the policy again" "$CG"
names=$("$DEVGUARD" status --json "$CG" 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["cgroups"][0]["programs"][0]["names"])')
verify() { expect "verify: $1" "$2" "$3" "$DEVGUARD" verify exe.rb "$CG"; } # verify NAME STATUS TEXT
verify "it differs" 2 ": file of line 4 is not that file any more: $D/tool was replaced; apply the policy again"
"$DEVGUARD" list --verify >list 2>/dev/null # its status is also about programs of others
check "list --verify" grep -qF "file of line 4 is not that file any more: $D/tool was replaced" list
check "in JSON, too" [ "$names" = "[{'path': '$D/tool', 'is': 'file', 'line': 4, 'state': 'changed', 'why': None}]" ]
apply exe.rb "$CG"
allowed "after apply" "$CG" "$D/tool"
denied "and the old one is another file" "$CG" "$D/hard"
quiet "nothing to say" "$CG"
verify "equal" 0 "equal: exe on $CG"
rm "$D/tool"
verify "it is gone" 2 "file of line 4 is not that file any more: $D/tool, there is no such file"
says "a file that is gone" "file of line 4 is not that file any more: $D/tool, there is no such file" "$CG"
expect "apply warns of it" 0 "exe.rb:4: warning: '$D/tool' matches nothing: there is no such file" "$DEVGUARD" apply exe.rb "$CG"
expect "check says it" 0 "line 4: matches nothing here: $D/tool, there is no such file" "$DEVGUARD" check exe.rb
expect "apply --json lists it" 0 '"why": "there is no such file"' "$DEVGUARD" apply exe.rb "$CG" --json
sed 's,/tool",/to*",' exe.rb >wild.rb
expect "a name with a wildcard" 0 "line 4: matches nothing here: $D/to*, there is no such file (* is no wildcard here)" "$DEVGUARD" check wild.rb
expect "what to write instead" 0 '  hint: name each file by itself: ["/usr/bin/a", "/usr/bin/b"].include?(ctx.exe)' "$DEVGUARD" run wild.rb -- true
printf 'allow("c 1:3 rw") { |ctx| ctx.under?("/devguard-no-?/x") }\n' >wild_cgroup.rb
expect "a cgroup with a wildcard" 0 "matches nothing: there is no such cgroup (? is no wildcard here)" "$DEVGUARD" run wild_cgroup.rb -- true
expect "which cgroup to write" 0 "  hint: name the cgroup above them, or each by itself" "$DEVGUARD" run wild_cgroup.rb -- true
verify "it is nothing, as it was when it was applied" 0 "equal: exe on $CG"
says "it is nothing" "file of line 4 matches nothing: $D/tool, there is no such file" "$CG"
tool "$D/tool"
denied "it came" "$CG" "$D/tool"
verify "apply would change it" 2 "file of line 4 matches nothing until the policy is applied again: $D/tool is there now"
says "that is told" "file of line 4 matches nothing until the policy is applied again: $D/tool is there now" "$CG"
expect "run settles names, too" 0 "" "$DEVGUARD" run exe.rb -- "$D/tool" -c 0 /dev/zero
expect "run: a copy is denied" 1 "Operation not permitted" "$DEVGUARD" run exe.rb -- "$D/copy" -c 0 /dev/zero
"$DEVGUARD" compile exe.rb -o exe.o
apply exe.o "$CG"
allowed "an object settles them where it is applied" "$CG" "$D/tool"
tool "$D/tool"
says "and status knows its names" "file of line 4 is not that file any more: $D/tool was replaced" "$CG"

# ---- who says which file a name is --------------------------------------------------------------------------

scratch ways
mkdir "$D/users" && chown 1000 "$D/users"
ln -s "$D/copy" "$D/users/tool"
policy "$D/users/tool" >users.rb
expect "a link of somebody else's" 0 "'$D/users/tool' matches nothing: others than root say which file it is: $D/users belongs to uid 1000" "$DEVGUARD" apply users.rb "$CG"
denied "leads nowhere" "$CG" "$D/copy"
cp "$(readlink -f /bin/sh)" "$D/sh"
ln -s "$D/sh" "$D/mytool"
policy "$D/mytool" >mytool.rb
expect "a link to a shell" 0 "'$D/mytool' leads to $D/sh, which is a shell: whatever it runs" "$DEVGUARD" apply mytool.rb "$CG"
exec 7>>"$D/copy"
policy "$D/copy" >copy.rb
expect "a file that somebody writes" 0 "'$D/copy' matches nothing: somebody has it open for writing" "$DEVGUARD" apply copy.rb "$CG"
exec 7>&-
apply copy.rb "$CG"
allowed "it is written" "$CG" "$D/copy"

# ---- an inode comes back --------------------------------------------------------------------------------------

scratch reused
mkdir "$T/disk"
truncate -s 16M disk.img
if command -v mkfs.ext4 >/dev/null && mkfs.ext4 -q -F disk.img && mount -o loop disk.img "$T/disk" 2>/dev/null; then
	tool "$T/disk/tool"
	policy "$T/disk/tool" >disk.rb
	apply disk.rb "$CG"
	allowed "a file on ext4" "$CG" "$T/disk/tool"
	was=$(stat -c %i "$T/disk/tool")
	for i in $(seq 50); do
		tool "$T/disk/tool"
		[ "$(stat -c %i "$T/disk/tool")" != "$was" ] || break
	done
	check "its inode came back for another file" [ "$(stat -c %i "$T/disk/tool")" = "$was" ]
	denied "which is another one" "$CG" "$T/disk/tool"
	says "and told" "file of line 4 is not that file any more: $T/disk/tool was replaced" "$CG"
	umount "$T/disk"
else
	skip "an inode that comes back" "no ext4 on a loop device here"
fi

# ---- what is refused ------------------------------------------------------------------------------------------

scratch refused
ln -s tool "$D/link"
printf 'policy "exe"\nallow("c 1:5 r") { |ctx| ctx.exe == "%s" }\nallow("c 1:7 r") { |ctx| ctx.exe == "%s" }\n' "$D/tool" "$D/link" >twice.rb
expect "two names of one file" 1 "twice.rb:3: error: '$D/tool' and '$D/link' are one file here" "$DEVGUARD" apply twice.rb "$CG"
check "nothing is attached" [ -z "$(program_of "$CG")" ]
expect "check finds it, too" 1 "are one file here" "$DEVGUARD" check twice.rb
expect "the kernel has not refused it" 1 "  kernel: not asked (see the error)" "$DEVGUARD" check twice.rb
notypes() { unshare --mount sh -c 'for at in /boot /lib/modules /usr/lib/modules; do [ ! -d $at ] || mount -t tmpfs none $at; done; mount --bind /dev/null /sys/kernel/btf/vmlinux && exec "$@"' sh "$@"; }
expect "a kernel without types" 1 "this kernel does not tell its types (BTF), by which 'exe' reads ctx.exe" notypes "$DEVGUARD" apply exe.rb "$CG"
check "nothing is attached" [ -z "$(program_of "$CG")" ]
printf 'policy "exe"\nallow("c 1:5 r") { |ctx| ctx.login_uid == 5 && ctx.capable?(:sys_rawio) }\n' >login.rb
expect "each fact is named" 1 "reads ctx.login_uid, ctx.capable?" notypes "$DEVGUARD" apply login.rb "$CG"
expect "doctor names it" 0 "facts about the calling task: " "$DEVGUARD" doctor
expect "doctor: a kernel without types" 0 "WARN  facts about the calling task: the kernel's types (BTF) are not there" notypes "$DEVGUARD" doctor
echo 'allow :null' >plain.rb
expect "a policy that asks nothing of the task needs none" 0 "attached to" notypes "$DEVGUARD" apply plain.rb "$CG"

# ---- a cgroup that is another one now ------------------------------------------------------------------------------

scratch under
service=$CG2/$DGTEST_PREFIX.service
printf 'policy "under"\nallow "c 1:3 rw"\nallow("c 1:5 r") { |ctx| ctx.under?("/%s") }\n' "${service##*/}" >under.rb
expect "a cgroup that is not there" 0 "'/${service##*/}' matches nothing: there is no such cgroup" "$DEVGUARD" apply under.rb "$CG"
mkdir "$service" "$service/below"
says "it came" "cgroup of line 3 matches nothing until the policy is applied again: /${service##*/} is there now" "$CG"
apply under.rb "$service"
allowed "in it" "$service" /usr/bin/head
allowed "below it" "$service/below" /usr/bin/head
apply under.rb "$CG"
denied "elsewhere" "$CG" /usr/bin/head
rmdir "$service/below" "$service"
mkdir "$service"
says "made anew it is another one" "cgroup of line 3 is not that one any more: /${service##*/} was made anew; apply the policy again" "$CG"
rmdir "$service"
says "and gone" "cgroup of line 3 is not that one any more: /${service##*/}, there is no such cgroup" "$CG"

# A process of its own in $CG, the last of BACKGROUND: to be killed by that number.
live() { (echo "$BASHPID" >"$CG/cgroup.procs" && exec "$@") & BACKGROUND+=($!); }
# Waits until N processes are in $CG and each is the sleep that it was started for: before, it has the root directory of who
# started it.
asleep() # asleep N
{
	local pids pid
	for i in $(seq 200); do
		mapfile -t pids <"$CG/cgroup.procs"
		[ "${#pids[@]}" != "$1" ] || for pid in "${pids[@]}" end; do
			[ "$pid" != end ] || return 0
			[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = sleep ] || break
		done
		sleep 0.05
	done
	fail "$1 processes sleep in $CG" "$(ps -o pid,args "${pids[@]}" 2>&1)"
}

# ---- the root directory of a container ------------------------------------------------------------------------------

scratch btrfs
truncate -s 120M disk
if command -v mkfs.btrfs >/dev/null && mkfs.btrfs -q disk >/dev/null 2>&1 && mkdir mnt && mount -o loop disk mnt 2>/dev/null; then
	# a snapshot has a file with the same number and generation
	btrfs -q subvolume create mnt/one && tool mnt/one/tool && btrfs -q subvolume snapshot mnt/one mnt/two
	policy "$D/mnt/one/tool" >one.rb
	apply one.rb "$CG"
	if ! grep -q "on btrfs, and this kernel does not tell" "$T/out"; then
		allowed "is taken" "$CG" "$D/mnt/one/tool"
		denied "its snapshot is another file" "$CG" "$D/mnt/two/tool"
		tool mnt/one/copy
		denied "a copy, too" "$CG" "$D/mnt/one/copy"
		quiet "status finds it again" "$CG"
		expect "its program is understood" 0 "$D/mnt/one/tool" "$DEVGUARD" explain "cgroup:$CG"
		mv mnt/two/tool mnt/two/kept && mv mnt/one/copy mnt/one/tool
		says "replaced" "file of line 4 is not that file any more: $D/mnt/one/tool was replaced" "$CG"
		denied "it is denied" "$CG" "$D/mnt/one/tool"
	else
		denied "untold it matches nothing" "$CG" "$D/mnt/one/tool"
	fi
	umount mnt
else
	skip "a file on btrfs" "no btrfs on a loop device here"
fi

scratch box
mkdir low up work root low/bin low/dev
tool low/bin/tool
for lib in $(ldd /usr/bin/head | grep -o '/[^ ]*'); do mkdir -p "low/${lib%/*}" && cp "$lib" "low/$lib"; done
cp "$(command -v busybox || echo /usr/bin/sleep)" low/bin/sleep
for lib in $(ldd low/bin/sleep 2>/dev/null | grep -o '/[^ ]*'); do mkdir -p "low/${lib%/*}" && cp "$lib" "low/$lib"; done
if mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work root 2>/dev/null && mknod root/dev/zero c 1 5; then
	policy "$D/root/bin/tool" >outside.rb
	policy /bin/tool >box.rb
	expect "a file on an overlay is not taken" 0 "'$D/root/bin/tool' matches nothing: it is on an overlay" "$DEVGUARD" apply outside.rb "$CG"
	denied "and matches nothing" "$CG" "$D/root/bin/tool"
	expect "a root directory of nobody there" 1 "--exe-root $D/root is the root directory of no process in" "$DEVGUARD" apply box.rb "$CG" --exe-root "$D/root"
	live chroot root /bin/sleep 600
	asleep 1
	guest=$(cat "$CG/cgroup.procs")
	apply box.rb "$CG" --exe-root "$D/root"
	allowed "in the container" "$CG" "$D/root/bin/tool"
	check "as its root directory shows it" [ "$(inside "$CG" chroot root /bin/tool -c 1 /dev/zero 2>&1 | tr '\0' 0)" = 0 ]
	quiet "status looks there, too" "$CG"
	apply box.rb "$CG" --exe-root "/proc/$guest/root"
	quiet "by its process" "$CG"
	check "files of the container again: no word of the host's" sh -c '! grep -q "this host" "$1"' - "$T/out"
	cp root/bin/tool root/bin/tool.new && mv root/bin/tool.new root/bin/tool
	says "another file has the name there" "file of line 4 is not that file any more: /bin/tool below /proc/$guest/root was replaced; apply the policy again with --exe-root /proc/$guest/root" "$CG"
	expect "verify looks there, too" 2 "/bin/tool below /proc/$guest/root was replaced" "$DEVGUARD" verify box.rb "$CG"
	apply box.rb "$CG" --exe-root "$D/root"
	expect "verify: it is applied again" 0 "equal: exe on" "$DEVGUARD" verify box.rb "$CG"
	chmod g+w root/bin/tool
	says "a reason is of the file there" "file of line 4 matches nothing any more: /bin/tool below /proc/$guest/root, its group may write to it (mode 0775)" "$CG"
	chmod g-w root/bin/tool
	# a user's own mounts below the same directory do not hide it, nor another root directory that he has
	cp root/bin/tool root/bin/tool.old
	mkdir jail && mount --bind root jail
	live unshare --mount chroot jail /bin/sleep 600
	asleep 2
	quiet "of two that have it, the one in whose mounts it was" "$CG"
	kill "$guest" && wait "$guest" 2>/dev/null
	asleep 1
	says "nobody has it any more" "which files and cgroups its names are cannot be told: its files were looked for in a root directory that no process there has any more" "$CG"
	expect "verify cannot tell" 1 "cannot be told: its files were looked for in a root directory that no process there has any more" "$DEVGUARD" verify box.rb "$CG"
	kill "${BACKGROUND[-1]}" && wait "${BACKGROUND[-1]}" 2>/dev/null
	umount jail
	BACKGROUND=()
	live chroot root /bin/sleep 600
	asleep 1
	guest=$(cat "$CG/cgroup.procs")
	apply box.rb "$CG" --exe-root "$D/root"
	mkdir apart && mount -t tmpfs -o mode=755 none apart && cp -a low/. apart/
	live chroot apart /bin/sleep 600
	asleep 2
	expect "another root directory there is told" 0 " in '$CG' has another root directory than $D/root" "$DEVGUARD" apply box.rb "$CG" --exe-root "$D/root"
	kill "${BACKGROUND[-1]}" && wait "${BACKGROUND[-1]}" 2>/dev/null
	unset 'BACKGROUND[-1]'
	umount -l apart
	expect "the host's root directory" 1 "--exe-root / is the root directory of this host" "$DEVGUARD" apply box.rb "$CG" --exe-root /
	live sleep 600
	asleep 2
	expect "somebody there has the host's" 1 "has the root directory of this host" "$DEVGUARD" apply box.rb "$CG" --exe-root "$D/root"
	expect "not for a manifest" 64 "--exe-root does not go with --config" "$DEVGUARD" apply --config guard.yaml --exe-root /
	kill "${BACKGROUND[@]}" && wait "${BACKGROUND[@]}" 2>/dev/null
	BACKGROUND=()
else
	skip "--exe-root" "no overlay here"
fi

# Two file systems below an overlay can have one number for two files, and then the overlay has it for both.
scratch layers
mkdir lower upper both
layered() { umount -l both 2>/dev/null; mount -t overlay overlay -o "lowerdir=lower/l,upperdir=upper/u,workdir=upper/w$1" both 2>/dev/null; }
if mount -t tmpfs -o mode=755 none lower && mount -t tmpfs -o mode=755 none upper && mkdir lower/l upper/u upper/w && layered ""; then
	umount both
	cp -a low/. lower/l && mkdir -p upper/u/bin && tool lower/l/bin/tool
	wanted=$(stat -c %i lower/l/bin/tool) number=0
	for ((i = 0; i < 1000 && number < wanted - 1; i++)); do : >"upper/$i" && number=$(stat -c %i "upper/$i"); done
	tool upper/u/bin/other
	number=$(stat -c %i upper/u/bin/other)
	check "two files have one number" [ "$number" = "$wanted" ]
	policy /bin/tool >box.rb
	several() # several OPTION: a process lives there, and the policy is applied
	{
		layered "$1"
		live chroot both /bin/sleep 600
		asleep 1
		apply box.rb "$CG" --exe-root "$D/both"
	}
	several ""
	expect "an overlay of several file systems is told" 0 "it is on an overlay of several file systems" cat "$T/out"
	denied "the file that is named is not taken" "$CG" "$D/both/bin/tool"
	denied "nor one that has its number" "$CG" "$D/both/bin/other"
	says "status tells why" "it is on an overlay of several file systems" "$CG"
	kill "${BACKGROUND[@]}" && wait "${BACKGROUND[@]}" 2>/dev/null
	BACKGROUND=()
	several ",xino=on"
	allowed "xino=on tells the two apart" "$CG" "$D/both/bin/tool"
	denied "and the other is another" "$CG" "$D/both/bin/other"
	kill "${BACKGROUND[@]}" && wait "${BACKGROUND[@]}" 2>/dev/null
	BACKGROUND=()
	umount -l both
else
	skip "an overlay of several file systems" "none can be mounted"
fi
umount -l lower upper 2>/dev/null
cd /
summary
