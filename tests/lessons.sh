#!/bin/bash
# lessons.sh - policies/lessons/: every program is compiled and proven, and an object of it is loaded by bpftool alone; cases
# of device programs; every block of the page is run, and prints what stands there (lessons.py).
. "$(dirname "$0")/lib.sh"

LESSONS=$ROOT/policies/lessons
reason=$(need_kernel)
kprobes=
[ -r /sys/bus/event_source/devices/kprobe/type ] || kprobes="this kernel has no kprobes"

disk=
[ -b "$(findmnt -n -o SOURCE -T /var/tmp)" ] || disk="/var/tmp is on no disk"

# Where programs can be pinned: a file system of our own, gone with this script.
on_exit() { [ ! -d "$T/bpf" ] || umount "$T/bpf" 2>/dev/null; }
bpffs=
if [ -z "$reason" ] && command -v bpftool >/dev/null; then
	mkdir "$T/bpf"
	mount -t bpf bpf "$T/bpf" && bpffs=1
fi

# bpftool knows nothing of us: libbpf takes the object's sections, license and maps as they are.
loaded_by_bpftool() # loaded_by_bpftool NAME OBJECT
{
	if [ -n "$reason" ] || [ -z "$bpffs" ]; then
		skip "bpftool loads $1" "${reason:-no bpftool, or no bpffs}"
	elif [ -n "$newer" ]; then
		skip "bpftool loads $1" "it needs Linux $newer"
	else
		check "bpftool loads $1" bpftool prog loadall "$2" "$T/bpf/$1"
		rm -rf "${T:?}/bpf/$1"
	fi
}

too_new=
kernel_before 6.1 && too_new=11-top-denied.rb # the name of the process that was denied
for policy in "$LESSONS"/*.rb "$LESSONS"/rucy/*.rb; do
	name=${policy#"$LESSONS"/} object=$T/$(basename "$policy" .rb).o
	"$DEVGUARD" check "$policy" >"$T/out" 2>"$T/err"; status=$?
	newer=$(sed -n 's/^  needs: Linux \([0-9.]*\).*/\1/p' "$T/out") # than this kernel
	[ -z "$reason" ] && kernel_before "${newer:-0}" || newer=
	if [ -n "$newer" ]; then
		too_new="$too_new $name"
		skip "$name is proven" "it needs Linux $newer"
	elif [ $status = 0 ] && [ ! -s "$T/err" ] && grep -q 'proven equal to the' "$T/out"; then
		pass "$name is proven"
	else
		fail "$name is proven" "$(cat "$T/out" "$T/err")"
	fi
	check "$name is compiled" "$DEVGUARD" compile "$policy" -o "$object"
	section=$(sed -n 's/^section! "\([a-z_]*\).*/\1/p' "$policy")
	[ -z "$section" ] || loaded_by_bpftool "$(basename "$policy" .rb)" "$object"
	case $section in
	cgroup | dev)
		if [ ! -e "${policy%.rb}.cases" ]; then fail "$name has cases" "there is no ${name%.rb}.cases"
		elif [ -n "$newer" ]; then skip "the cases of $name" "it needs Linux $newer"
		else check "the cases of $name" timeout 60 "$DEVGUARD" test "$policy"; fi ;;
	esac
done

[ -n "$reason" ] || scratch lesson
# each lesson ends with Ctrl-C: its output is awaited, with a limit
CG=${CG-} CLOSED=$reason KPROBES=$kprobes TOO_NEW=$too_new DISK=$disk timeout 500 python3 "$TESTS/lessons.py" >"$T/lines" 2>&1 ||
	fail "lessons.py ended early" "$(tail "$T/lines")"
while IFS= read -r line; do
	case $line in
	"ok "*) pass "${line#ok }" ;;
	"skip "*) skip "${line#skip }" "here" ;;
	"not ok "*) fail "${line#not ok }" ;;
	*) printf '    %s\n' "${line#	}" ;;
	esac
done <"$T/lines"

summary
