#!/bin/bash
# import.sh - lists of other tools (import/FORMAT-NAME.*): the Ruby made of them, what is
# said of it (.warn), and its cases through every engine; bad ones (import/bad) and exactly
# what is said of them. A list may have its options in a file, .options.
# `tests/import.sh --update` rewrites the .rb, .warn and .err files: review the diff. hints.table has
# wrong lists, and what they are when the hint is followed.
. "$(dirname "$0")/lib.sh"

import_file() # import_file FILE OPTION...
{
	local file=$1 rules; shift
	[ ! -e "${file%.*}.options" ] || set -- "$@" $(cat "${file%.*}.options")
	case $file in
	docker*.rules) mapfile -t rules <"$file"; "$DEVGUARD" import "$@" docker "${rules[@]}" ;;
	*) "$DEVGUARD" import "$@" "${file%%[-.]*}" "$file" ;;
	esac
}

lists() { ls -- *.json *.rules *.service *.socket *.slice *.conf *.list *.yaml *.sh *.container 2>/dev/null; }

cd "$TESTS/import" || exit 1
for list in $(lists); do
	name=${list%.*}
	if [ $name = systemd-not-loaded ] && grep -q nvidia-uvm /proc/devices; then skip "import $list" "it is loaded here"; continue; fi
	if [ $name = slurm-gres ] && [ ! -c /dev/tty1 ]; then skip "import $list" "no /dev/tty1 here"; continue; fi
	import_file "$list" >"$T/$name.rb" 2>"$T/err" && pass "import $list" || fail "import $list" "$(cat "$T/err")"
	[ "${1-}" != --update ] || { cp "$T/$name.rb" "$name.rb"; rm -f "$name.warn"; }
	[ "${1-}" != --update ] || [ ! -s "$T/err" ] || cp "$T/err" "$name.warn"
	warned=$name.warn
	[ -e "$warned" ] || warned=/dev/null
	same "import $list says" "$warned" "$T/err"
	same "import $list makes $name.rb" "$name.rb" "$T/$name.rb"
	check "import $name.rb decides as $name.cases says" "$DEVGUARD" test "$name.rb"
done
# What was left out is a rule as soon as its # is taken off: it compiles while the device is not there.
for policy in $(grep -l '^# allow .*, missing: :skip' *.rb); do
	sed 's/^# \(allow .*, missing: :skip\)/\1/' "$policy" >"$T/later.rb"
	check "import $policy: a rule left out, without its #" "$DEVGUARD" check "$T/later.rb"
	check "import $policy: and it still decides as its cases say" "$DEVGUARD" test "$T/later.rb" --cases "${policy%.rb}.cases"
done
import_file oci-web.json --exact >"$T/exact.rb" 2>&1
expect "import --exact" 2 "deny c 1:8 r" "$DEVGUARD" eval "$T/exact.rb" 'c 1:8 r'
import_file oci-web.json --name other -o "$T/named.rb" >"$T/out" 2>&1
grep -q '^policy "other"$' "$T/named.rb" && [ ! -s "$T/out" ] && pass "import -o --name" ||
	fail "import -o --name" "$(cat "$T/out")"
expect "import from stdin" 0 'policy "imported"' sh -c '"$DEVGUARD" import v1 - <v1-web.list'
cp v1-web.list "$T/.web"
expect "import: a file whose name begins with a dot" 0 'policy ".web"' "$DEVGUARD" import v1 "$T/.web"
mkdir "$T/a\"
puts 1 #{x}" && cp v1-web.list "$T/a\"
puts 1 #{x}/devices.list"
check "import: a file's name stays a comment" sh -c '"$DEVGUARD" import v1 "$1" | "$DEVGUARD" check -' - "$T/a\"
puts 1 #{x}/devices.list"

cd bad || exit 1
for list in $(lists); do
	name=${list%.*}
	import_file "$list" -o "$T/never.rb" >"$T/out" 2>"$T/got"
	status=$?
	[ "${1-}" != --update ] || cp "$T/got" "$name.err"
	[ $status = 3 ] && [ ! -e "$T/never.rb" ] && [ ! -s "$T/out" ] && pass "import bad $list is refused" ||
		fail "import bad $list is refused" "status $status"
	same "import bad $list" "$name.err" "$T/got"
done

# The Nth allocation fails: the right policy, or none and a message.
cat >"$T/nth.c" <<'C'
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
static int fails(void)
{
	static long at, n;
	const char *text = at ? NULL : getenv("FAIL_AT");
	at = text ? atol(text) : at ? at : -1;
	if (++n != at)
		return 0;
	errno = ENOMEM;
	return 1;
}
void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return fails() ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return fails() ? NULL : __libc_realloc(p, n); }
C
without_memory() # without_memory FORMAT NAME FILE: what went wrong, at which N
{
	local n status last=0
	for ((n = 1; n - last < 12 && n < 400; n++)); do
		rm -f "$T/nth.rb"
		FAIL_AT=$n LD_PRELOAD=$T/nth.so "$DEVGUARD" import "$1" "$3" -o "$T/nth.rb" >"$T/out" 2>&1; status=$?
		[ $status = 0 ] || last=$n
		if [ $status = 0 ]; then cmp -s "$T/nth.rb" "$2.rb" || echo "$n: another policy"
		elif [ $status != 1 ] || [ -e "$T/nth.rb" ] || [ ! -s "$T/out" ]; then echo "$n: status $status, $(head -1 "$T/out")"; fi
	done
	[ $last != 0 ] || echo "none fails"
}
if ldd "$DEVGUARD" | grep -q libasan || ! $CC -shared -fPIC -o "$T/nth.so" "$T/nth.c" 2>"$T/out"; then
	skip "import: the Nth allocation fails" "not with this build, or no compiler"
else
	cd ..
	for list in oci-web.json inspect-gpu.json compose-privileged.yaml lxc-c1.conf proxmox-closed.conf systemd-closed.service v1-web.list quadlet-plain.container libvirt-null.conf slurm-null.conf cdi-one.json; do
		wrong=$(without_memory "${list%%-*}" "${list%.*}" "$list")
		[ -z "$wrong" ] && pass "import $list: the Nth allocation fails" || fail "import $list: the Nth allocation fails" "$wrong"
	done
	cd bad
fi

# Hostile sizes.
bad() { expect "import: $1" 3 "$2" "$DEVGUARD" import oci "$T/big.json"; }
head -c 100000 /dev/zero | tr '\0' '[' >"$T/big.json"
bad "nested 100,000 deep" "maximum parsing depth"
head -c 100000000 /dev/zero | tr '\0' ' ' >"$T/big.json"
bad "100 MB" "larger than 32 MiB"
printf '{"ociVersion": "1", "linux": {"resources": {"devices": [{"allow": false}%s]}}}' \
	"$(seq 0 99999 | awk '{ printf ",{\"allow\":true,\"type\":\"c\",\"major\":%d,\"minor\":%d,\"access\":\"rw\"}", 200 + $1 % 1000, $1 / 1000 }')" >"$T/big.json"
check "import: 100,000 entries" timeout 20 "$DEVGUARD" import oci "$T/big.json" -o "$T/big.rb"
printf '{"ociVersion": "1.0.2", "linux": {"resources": {"devices": [{"allow": false}%s]}}}' \
	"$(seq 0 99999 | awk '{ printf ",{\"allow\":true,\"type\":\"c\",\"major\":%d,\"minor\":%d,\"access\":\"rw\"}", $1 * 37 % 4096, $1 * 7919 % 1048576 }')" >"$T/far.json"
# a build with the address sanitizer cannot be bounded so
if sh -c 'ulimit -v 163840 && "$DEVGUARD" --version' >/dev/null 2>&1; then
	check "import: 100,000 scattered entries in 160 MiB" sh -c 'ulimit -v 163840 && "$DEVGUARD" import oci "$1" -o "$2"' - "$T/far.json" "$T/far.rb"
else skip "import: 100,000 scattered entries in 160 MiB" "memory cannot be bounded"; fi
expect "import: 100,000 entries decide" 2 "deny c 1200:0 r" \
	"$DEVGUARD" eval "$T/big.rb" 'c 200:0 rw' 'c 1199:99 rw' 'c 1200:0 r'
# Every hint, followed, works.
followed() # followed FORMAT HINT WRONG RIGHT OPTIONS
{
	printf '%b\n' "$3" >"$T/wrong"; printf '%b\n' "$4" >"$T/right"
	! "$DEVGUARD" import $1 "$T/wrong" >"$T/out" 2>&1 || { fail "import $1: $2: it is wrong" "$(cat "$T/out")"; return; }
	sed -n 's/^  hint: //p' "$T/out" | grep -qF -- "$2" || { fail "import $1: $2: the hint" "$(cat "$T/out")"; return; }
	check "import $1: $2: followed" "$DEVGUARD" import $1 "$T/right" $5 -o "$T/followed.rb"
	check "import $1: $2: it compiles" "$DEVGUARD" check "$T/followed.rb"
}
while IFS='|' read -r format hint wrong right option; do
	[[ $format == \#* ]] || followed $format "$hint" "$wrong" "$right" "$option" </dev/null
done <../hints.table

# Of every format: nothing, no text, what has no end, more than is read.
: >"$T/empty"
head -c 3000 /dev/urandom | tr -d '\n' >"$T/binary"; printf '\0\377' >>"$T/binary"
head -c 40000000 /dev/zero | tr '\0' '#' >"$T/large"
ln -s loop "$T/loop"
for format in oci docker inspect compose quadlet cdi systemd lxc proxmox libvirt slurm v1; do
	for bad in empty binary large loop .; do
		timeout 20 "$DEVGUARD" import $format "$T/$bad" -o "$T/never.rb" >"$T/out" 2>&1; status=$?
		[ \( $status = 3 -o $status = 1 \) -a ! -e "$T/never.rb" ] && grep -q 'error: ' "$T/out" && pass "import $format: $bad" ||
			fail "import $format: $bad" "status $status, $(cat "$T/out")"
	done
	expect "import $format: /dev/zero" 3 "error: " timeout 20 "$DEVGUARD" import $format /dev/zero
done
expect "import compose: an empty file" 3 "start with: services:" "$DEVGUARD" import compose "$T/empty"
expect "import cdi: an empty file" 3 "start with: cdiVersion: 0.6.0" "$DEVGUARD" import cdi "$T/empty"
printf 'a: &a [x, x]\nb: &b [*a, *a]\nservices: {x: {devices: *b}}\n' >"$T/bomb.yaml"
expect "import compose: anchors" 3 "bomb.yaml:1" "$DEVGUARD" import compose "$T/bomb.yaml"
{ printf 'a: '; head -c 20000 /dev/zero | tr '\0' '['; } >"$T/deep.yaml"
expect "import compose: nested deep" 3 "nested deeper than" "$DEVGUARD" import compose "$T/deep.yaml"
expect "import cdi: nested deep" 3 "nested deeper than" "$DEVGUARD" import cdi "$T/deep.yaml"
yes 'x: [1, 2, 3]' | head -n 200000 >"$T/large.yaml"
expect "import compose: more than 1 MiB" 3 "leave out the other services" "$DEVGUARD" import compose "$T/large.yaml"
# Work that grows with the text alone: none of these takes a second, by the square they would take hours.
yes '\' | head -n 2000000 >"$T/slashes"
expect "import systemd: lines that go on" 3 "no section can have" timeout 60 "$DEVGUARD" import systemd "$T/slashes"
{ yes 'lxc.cgroup2.devices.deny = c 1:3 rw' | head -n 300000; yes 'lxc.cgroup2.devices.allow =' | head -n 300000; } >"$T/resets"
expect "import lxc: resets" 0 "300000 entries" sh -c 'timeout 60 "$DEVGUARD" import lxc "$1" | head -n 1' - "$T/resets"
seq 400000 | sed 's|.*|# /etc/systemd/system/u&.service\n[Service]\n|' >"$T/units"
expect "import systemd: many units" 3 "u12.service ..." timeout 60 "$DEVGUARD" import systemd --unit x.service "$T/units"
mkdir "$T/inc"
for ((i = 0; i < 14; i++)); do yes "lxc.include = $T/inc/$((i + 1)).conf" | head -n 4 >"$T/inc/$i.conf"; done
echo 'lxc.cgroup2.devices.deny = a' >"$T/inc/14.conf"
expect "import lxc: files that include many" 3 "more than 1024 files are included" timeout 60 "$DEVGUARD" import lxc "$T/inc/0.conf"
printf 'lxc.include = %s/inc/loop.conf\n' "$T" >"$T/inc/loop.conf"
expect "import lxc: a file that includes itself" 3 "the files include each other" "$DEVGUARD" import lxc "$T/inc/loop.conf"
mkfifo "$T/fifo"; echo "lxc.include = $T/fifo" >"$T/inc/fifo.conf"
expect "import lxc: a FIFO included" 3 "it is no regular file" timeout 20 "$DEVGUARD" import lxc "$T/inc/fifo.conf"
printf 'services:\n  a:\n    devices: [%s/dev/pts]\n' "$(yes '/dev/pts,' | head -n 5000 | tr -d '\n')" >"$T/many.yaml"
expect "import compose: a directory again and again" 3 "more than 4096 devices" timeout 60 "$DEVGUARD" import compose "$T/many.yaml"
printf 'services:\n  a:\n    devices: [%s]\n' "$(yes 'v.example/gpu=0,' | head -n 1100 | tr -d '\n')" >"$T/many.yaml"
expect "import compose: many devices of CDI" 3 "more than 1024 devices of CDI" "$DEVGUARD" import compose "$T/many.yaml"

expect "import lxc knows a file of Proxmox" 0 'allow "c 226:128 rwm"' "$DEVGUARD" import lxc ../proxmox-101.conf
expect "import compose: another service of the file" 0 'allow "c 188:* rwm"' "$DEVGUARD" import compose ../compose-cam.yaml --service bridge --skip-missing
expect "import compose: no service said" 3 "--service NAME, one of: bridge, cam" "$DEVGUARD" import compose ../compose-cam.yaml
expect "import compose: no such service" 3 "there is no such service" "$DEVGUARD" import compose ../compose-cam.yaml --service web
expect "import: --service of another format" 64 "--service is for import compose" "$DEVGUARD" import v1 --service x ../v1-web.list
expect "import: two units on stdin" 3 "[Socket] beside [Service]" \
	sh -c 'printf "[Service]\nDevicePolicy=closed\n[Socket]\nDeviceAllow=/dev/fuse\n" | "$DEVGUARD" import systemd -'
mkdir -p "$T/camera.socket.d"
printf '[Service]\nDevicePolicy=closed\n' >"$T/camera.socket.d/more.conf"
expect "import: a drop-in is of its directory's type" 3 "DevicePolicy stands in [Service]" "$DEVGUARD" import systemd "$T/camera.socket.d/more.conf"
expect "import: what is not there, by default" 3 "compose-cam.yaml:5: error: no such file" "$DEVGUARD" import compose ../compose-cam.yaml --service bridge
expect "import: --unit of another format" 64 "--unit is for import systemd" "$DEVGUARD" import v1 --unit x.service ../v1-web.list
expect "import docker: options" 0 'allow "c 10:229 r" # argument 1, /dev/fuse here' "$DEVGUARD" import docker --device /dev/fuse:/dev/x:r
expect "import docker: options and rules" 0 'allow "c 81:* rw" # rule 2' "$DEVGUARD" import docker --device /dev/fuse 'c 81:* rw'
expect "import docker: privileged" 0 "EVERY DEVICE IS ALLOWED" "$DEVGUARD" import docker --privileged
expect "import docker: a command as words" 0 'allow "c 10:229 rwm" # argument 5, /dev/fuse here' \
	"$DEVGUARD" import docker -- docker run -it --device /dev/fuse alpine --privileged
expect "import docker: a command's errors" 3 "argument 3: unknown option" "$DEVGUARD" import docker -- docker run --no-such alpine
expect "import docker: a CDI device" 3 'argument 1: no specification in /etc/cdi or /var/run/cdi has the device "vendor.example/gpu=0"' \
	"$DEVGUARD" import docker --device vendor.example/gpu=0
expect "import: --cdi-spec-dir of another format" 64 "--cdi-spec-dir is for" "$DEVGUARD" import v1 --cdi-spec-dir /etc/cdi ../v1-web.list

# Devices of CDI by name, in the specifications of directories that only root can write.
spec() # spec DIRECTORY FILE DEVICE MINOR
{
	mkdir -p -m 755 "$T/cdi/$1"
	printf '{"cdiVersion": "0.5.0", "kind": "vendor.example/gpu", "devices": [\n{"name": "%s", "containerEdits": {"deviceNodes": [{"path": "/dev/gpu", "type": "c", "major": 195, "minor": %s, "permissions": "rw"}]}}],\n"containerEdits": {"deviceNodes": [{"path": "/dev/ctl", "type": "c", "major": 195, "minor": 255}]}}\n' \
		"$3" "$4" >"$T/cdi/$1/$2"
	chmod 644 "$T/cdi/$1/$2"
}
cdi() # cdi NAME STATUS TEXT WORD...: import docker with both directories
{
	local name=$1 status=$2 text=$3; shift 3
	expect "import: CDI: $name" "$status" "$text" "$DEVGUARD" import docker --cdi-spec-dir "$T/cdi/etc" --cdi-spec-dir "$T/cdi/run" "$@"
}
if [ "$(id -u)" != 0 ]; then skip "import: CDI" "not root"
else
	chmod 755 "$T"; mkdir -m 755 "$T/cdi"
	spec etc a.json 0 1; spec etc b.yaml 1 2; spec run a.json 0 7
	cdi "a name" 0 "allow \"c 195:2 rw\" # argument 1, vendor.example/gpu=1 of $T/cdi/etc/b.yaml:2" --device vendor.example/gpu=1
	cdi "what comes with each device" 0 "allow \"c 195:255 rwm\" # argument 1, vendor.example/gpu=1 of $T/cdi/etc/b.yaml:3" --device vendor.example/gpu=1
	cdi "the last directory wins" 0 "allow \"c 195:7 rw\" # argument 1" --device vendor.example/gpu=0
	cdi "no such device" 3 "hint: $T/cdi/etc/a.json has vendor.example/gpu=0, or make" --device vendor.example/gpu=5
	cdi "a misspelt kind" 3 "hint: did you mean vendor.example/gpu=1?" --device vendor.example/gpus=1
	cdi "no such device, left out" 0 '# "vendor.example/gpu=5" # argument 1: no specification in' --skip-missing --device vendor.example/gpu=5
	cdi "privileged" 0 "EVERY DEVICE IS ALLOWED" --privileged --device vendor.example/gpu=5
	expect "import: CDI: quadlet" 0 'allow "c 195:7 rw" # line 2, vendor.example/gpu=0 of' \
		sh -c 'printf "[Container]\nAddDevice=vendor.example/gpu=0\n" | "$DEVGUARD" import quadlet --cdi-spec-dir "$1" -' - "$T/cdi/run"
	printf 'services:\n  web:\n    devices:\n    - vendor.example/gpu=1\n    deploy: {resources: {reservations: {devices: [{driver: cdi, device_ids: [vendor.example/gpu=0]}]}}}\n' >"$T/cdi.yaml"
	expect "import: CDI: compose, by path and by driver" 0 \
		"allow \"c 195:1-2 rw\" # 2 entries, line 4, vendor.example/gpu=1 of $T/cdi/etc/b.yaml:2 to line 5, vendor.example/gpu=0 of $T/cdi/etc/a.json:2" \
		"$DEVGUARD" import compose --cdi-spec-dir "$T/cdi/etc" "$T/cdi.yaml"
	echo '[{"HostConfig": {"DeviceRequests": [{"Driver": "cdi", "DeviceIDs": ["vendor.example/gpu=0"]}]}}]' >"$T/cdi.json"
	expect "import: CDI: inspect" 0 'allow "c 195:7 rw" # DeviceRequests[0], vendor.example/gpu=0 of' "$DEVGUARD" import inspect --cdi-spec-dir "$T/cdi/run" "$T/cdi.json"
	expect "import: CDI: inspect, nowhere" 3 "HostConfig.DeviceRequests[0]: no specification" "$DEVGUARD" import inspect --cdi-spec-dir "$T/cdi/none" "$T/cdi.json"
	expect "import: CDI: compose, no names" 3 "driver: cdi without device_ids" sh -c 'sed "s/, device_ids.*0\]//" "$1" | "$DEVGUARD" import compose -' - "$T/cdi.yaml"
	spec etc c.json 1 3
	cdi "in two files" 3 "c.json: error: the device vendor.example/gpu=1 is in $T/cdi/etc/b.yaml, too" --device vendor.example/gpu=1
	chmod 666 "$T/cdi/etc/c.json"
	cdi "a file that others can write" 3 "can be written by others than root" --device vendor.example/gpu=0
	rm "$T/cdi/etc/c.json"; ln -s b.yaml "$T/cdi/etc/c.json"
	cdi "a symbolic link" 3 "is a symbolic link" --device vendor.example/gpu=0
	rm "$T/cdi/etc/c.json"; mkfifo "$T/cdi/etc/c.json"
	cdi "a FIFO" 3 "is not a regular file" --device vendor.example/gpu=0
	rm "$T/cdi/etc/c.json"; echo '{"kind": ' >"$T/cdi/etc/c.json"
	cdi "a file cut short" 3 "c.json:" --device vendor.example/gpu=0
	truncate -s 5M "$T/cdi/etc/c.json"
	cdi "a large file" 3 "it is larger than 4 MiB" --device vendor.example/gpu=0
fi
expect "import: --device of another format" 64 "--device is for import docker" "$DEVGUARD" import v1 --device /dev/fuse ../v1-web.list
expect "import: no format" 64 "no format given" "$DEVGUARD" import
expect "import: another format" 64 "did you mean docker?" "$DEVGUARD" import dcoker x
expect "import: no file" 64 "no file given" "$DEVGUARD" import oci
expect "import: no rule" 64 "no rule given" "$DEVGUARD" import docker
expect "import: a name that is none" 64 "--name a b" "$DEVGUARD" import v1 ../v1-web.list --name 'a b'
expect "import: a unit by its name" 1 "systemctl cat no.service |" "$DEVGUARD" import systemd no.service
summary
