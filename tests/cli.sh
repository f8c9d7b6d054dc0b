#!/bin/bash
# cli.sh - exit statuses and bad input: each ends with a message, nothing attached.
. "$(dirname "$0")/lib.sh"

P=$ROOT/policies/container-default.rb
expect "allow is 0" 0 "allow c 1:3 rw" "$DEVGUARD" eval "$P" 'c 1:3 rw'
expect "deny is 2" 2 "deny c 1:11 r" "$DEVGUARD" eval "$P" 'c 1:11 r'
expect "unknown verb" 64 "" "$DEVGUARD" aply "$P"
expect "unknown option" 64 "" "$DEVGUARD" check --nosuch "$P"
expect "version" 0 "mruby" "$DEVGUARD" --version
expect "no such file" 1 "No such file" "$DEVGUARD" check "$T/absent.rb"
expect "a directory" 1 "directory" "$DEVGUARD" check "$T"
: >"$T/empty.rb"
expect "an empty file" 3 "empty" "$DEVGUARD" check "$T/empty.rb"
printf 'allow :null\0\n' >"$T/nul.rb"
expect "a NUL byte" 3 "NUL" "$DEVGUARD" check "$T/nul.rb"
head -c 5000000 /dev/zero | tr '\0' '#' >"$T/large.rb"
expect "a file too large" 3 "" "$DEVGUARD" check "$T/large.rb"
head -c 4096 "$DEVGUARD" >"$T/elf.o"
expect "an ELF that is no object" 3 "" "$DEVGUARD" check "$T/elf.o"
printf 'while true\nend\n' >"$T/loop.rb"
expect "an endless loop" 3 "loop.rb:2: error: stopped after" env DEVGUARD_TIMEOUT=1 "$DEVGUARD" check "$T/loop.rb"
printf 'x = []\nx = [x] while true\n' >"$T/memory.rb"
expect "endless memory" 3 "MiB" "$DEVGUARD" check "$T/memory.rb"
expect "apply: no such cgroup" 1 "" "$DEVGUARD" apply "$P" "$T/nosuch"
expect "apply: a file" 1 "" "$DEVGUARD" apply "$P" "$P"
expect "apply: not a cgroup" 1 "" "$DEVGUARD" apply "$P" "$T"
expect "apply: unknown parameter" 3 "nosuch" "$DEVGUARD" apply "$P" "$T" --param nosuch=1
expect "apply: unknown mode" 64 "did you mean permissive?" "$DEVGUARD" apply "$P" "$T" --mode permisive
expect "apply: unknown audit" 64 "one of: none, denied, all" "$DEVGUARD" apply "$P" "$T" --audit 7
expect "run: unknown audit" 64 "did you mean denied?" "$DEVGUARD" run --audit denid "$P" true
expect "audit: no cgroup" 64 "no cgroup given" "$DEVGUARD" audit
expect "oci-hook: help for a person" 0 "usage: rucy-devguard oci-hook" "$DEVGUARD" oci-hook --help
expect "oci-hook: help is no guard for a runtime" 64 "with --help nothing is guarded" bash -c 'echo "{}" | "$1" oci-hook --help' - "$DEVGUARD"
expect "audit: --all and a cgroup" 64 "--all reads every cgroup" "$DEVGUARD" audit --all "$T"
expect "audit: a count of 0" 64 "not a count" "$DEVGUARD" audit "$T" --count 0
expect "audit: a count that is none" 64 "not a count" "$DEVGUARD" audit "$T" --count -1
expect "audit: no time" 64 "not a time in seconds" "$DEVGUARD" audit "$T" --timeout 1s
expect "audit: no time at all" 64 "not a time in seconds" "$DEVGUARD" audit "$T" --timeout nan
expect "audit: folding for no time" 64 "not a time in seconds" "$DEVGUARD" audit "$T" --fold 0
expect "audit: unknown option" 64 "did you mean --count?" "$DEVGUARD" audit "$T" --cuont 1
expect "audit: not a cgroup" 1 "" "$DEVGUARD" audit "$T"
expect "audit: an error as JSON" 64 '"exit": 64' "$DEVGUARD" audit --json
expect "stats: no cgroup" 64 "no cgroup given" "$DEVGUARD" stats
expect "stats: not a cgroup" 1 "" "$DEVGUARD" stats "$T"
expect "stats: two formats" 64 "exclude each other" "$DEVGUARD" stats "$T" --json --prometheus
expect "help of audit" 0 "--fold S" "$DEVGUARD" help audit
expect "help of apply" 0 "--mode MODE" "$DEVGUARD" help apply
v1=$(awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i+1) == "cgroup") { print $5; exit } }' /proc/self/mountinfo)
if [ -n "$v1" ]; then expect "apply: a v1 hierarchy" 1 "v1" "$DEVGUARD" apply "$P" "$v1"
else skip "apply: a v1 hierarchy" "this host has none"; fi
expect "compile to a full disk" 1 "" "$DEVGUARD" compile "$P" -o /dev/full
"$DEVGUARD" compile "$P" -o "$T/a.o" && "$DEVGUARD" compile "$P" -o "$T/b.o"
check "objects are reproducible" cmp "$T/a.o" "$T/b.o"
expect "an object decides as its source" 0 "allow c 1:3 rw" "$DEVGUARD" eval "$T/a.o" 'c 1:3 rw'
expect "a fact that decides must be given" 1 "uid" "$DEVGUARD" eval "$TESTS/ruby/callers.rb" 'c 1:0 r'
printf 'gpu = param :gpu, 3\nparam :slot, 2, in: 0..15\nallow :null\n' >"$T/params.rb"
expect "an unknown parameter: all are listed" 3 "gpu = 3, slot = 2 (0..15)" "$DEVGUARD" check "$T/params.rb" --param other=1
# Of several accesses that raise, the first one denied in the order m, r, w is told.
echo 'default :allow
deny { |c| c.read? ? raise("of read") : c.write? ? raise("of write") : c.mknod? ? raise("of mknod") : raise("of none") }' >"$T/raises.rb"
for pair in 'rw read' 'w write' 'wm mknod' 'rwm mknod' 'rm mknod' 'r read' '- none'; do
	expect "accesses that raise: ${pair% *}" 2 "RuntimeError: of ${pair#* } at" "$DEVGUARD" eval "$T/raises.rb" "c 1:3 ${pair% *}"
done
echo '500.times { |i| allow { |c| c.uid > i*3 && c.gid > 1500 - i*3 && c.pid > (i*7919) % 1500 && c.minor > (i*104729) % 1500 } }' >"$T/nodes.rb"
expect "a diagram beyond its budget" 3 "while building the decision diagram: more than 524288 nodes" "$DEVGUARD" check --limit time=60s,cpu=60s "$T/nodes.rb"
for name in a Z z A 0 9 azAZ09-_. -x .x; do
	expect "policy \"$name\"" 0 "$name: ok" sh -c 'echo "policy \"$1\"; allow :null" | "$2" check -' - "$name" "$DEVGUARD"
done
for name in '@' '[' '`' '{' '/' ':' ',' 'a b' 'ä' ''; do
	expect "policy \"$name\" is refused" 3 "a policy's name has" sh -c 'echo "policy \"$1\"; allow :null" | "$2" check -' - "$name" "$DEVGUARD"
done
cp "$P" "$T/Zeit@[z].rb"
expect "a name made of the file's" 0 "Zeit__z_: ok" sh -c 'grep -v "^policy" "$1" >"$2"; "$3" check "$2"' - "$P" "$T/Zeit@[z].rb" "$DEVGUARD"
# What is not seen is escaped alike everywhere: in messages, in JSON, in an object's lines.
for hidden in '\xe2\x80\x8b' '\xef\xbb\xbf'; do
	printf "allow :null, label: \"a${hidden}b\"\n" >"$T/hidden.rb"
	shown='a'$(tr a-f A-F <<<"$hidden" | sed 's/X/x/g')'b'
	expect "$shown in a verdict" 0 "$shown" "$DEVGUARD" eval "$T/hidden.rb" 'c 1:3 r'
	expect "$shown in a listing" 0 "$shown" "$DEVGUARD" compile "$T/hidden.rb" --emit=asm
done
for turns in '\xd8\x9c' '\xe2\x80\x8e' '\xe2\x80\xae' '\xe2\x81\xa6'; do
	printf "allow :null # ${turns}\n" >"$T/hidden.rb"
	expect "$turns in a policy" 3 "hidden.rb:1: error: an invisible character that changes the direction" "$DEVGUARD" check "$T/hidden.rb"
done
for value in 010 -007 00 '' + +3 ' 3' 3x 0x 0x1g 9223372036854775808 -9223372036854775809; do
	expect "--param slot=$value" 64 "--param slot=$value: the value " "$DEVGUARD" check "$T/params.rb" --param "slot=$value"
done
for value in 0 -0 0xf 15; do check "--param slot=$value" "$DEVGUARD" check "$T/params.rb" --param "slot=$value"; done
expect "an unknown parameter: a near one" 3 "did you mean --param gpu=" "$DEVGUARD" check "$T/params.rb" --param gpus=1
printf 'allow { |ctx| ctx.read? && ctx.write? }\nallow :null\n' >"$T/never.rb"
expect "a first rule that never matches" 0 "never matches" "$DEVGUARD" check "$T/never.rb"
printf 'allow :zero\nallow "c 1:* rw"\nallow "c 1:3 r"\n' >"$T/shadow.rb"
expect "a rule in the shadow of another" 0 "line 2 before decides every request it matches" "$DEVGUARD" check "$T/shadow.rb"
printf '1000.times { |i| allow { |ctx| n = 0; n += 1 while n < 900_000; ctx.minor == n + i } }\n' >"$T/slow.rb"
expect "a block that takes too long has its line" 3 "slow.rb:1: error: stopped " env DEVGUARD_TIMEOUT=1 "$DEVGUARD" check "$T/slow.rb"
yes 'c 1:3 rw' | head -100000 >"$T/requests"
[ "$("$DEVGUARD" eval "$P" - <"$T/requests" | sort -u | cut -f1)" = "allow c 1:3 rw" ] &&
	pass "100,000 requests from stdin" || fail "100,000 requests from stdin" "wrong answers"
at=$(grep -obUaP '\xb7\x00\x00\x00\x01\x00\x00\x00\x95' "$T/a.o" | head -n 1 | cut -d: -f1) # r0 = 1; exit
cp "$T/a.o" "$T/changed.o"
printf '\0' | dd of="$T/changed.o" bs=1 seek=$((at + 4)) conv=notrunc 2>/dev/null
expect "an object whose instructions were changed" 3 \
	"changed.o: error: the program does not mean what the policy means: for c 1:3 r the program denies and the policy allows" \
	"$DEVGUARD" check "$T/changed.o"
expect "apply: the operands swapped" 64 "the policy comes first" "$DEVGUARD" apply "$T" "$P"
expect "an empty name" 64 "name of the policy is empty" "$DEVGUARD" check ""
expect "an option before the verb" 64 "options come after the verb" "$DEVGUARD" --json check "$P"
expect "a directory: the hint has one slash" 1 "name a file in it: $T/NAME.rb" "$DEVGUARD" check "$T/"
# A request that is none: of the command line 64, of stdin 1. What the host does not tell is 1.
expect "a request's hint is a hint" 64 "
  hint: write any of r, w and m after the device, or - for none: c 1:3 r" "$DEVGUARD" eval "$P" 'c 1:3'
expect "the same by a path" 64 "
  hint: write any of r, w and m after the device, or - for none: /dev/null r" "$DEVGUARD" eval "$P" /dev/null
expect "the same from stdin" 1 "stdin:1: error: missing access letters
    /dev/null
  hint: write any of r, w and m after the device, or - for none: /dev/null r" bash -c 'echo /dev/null | "$1" eval "$2" -' - "$DEVGUARD" "$P"
expect "a request after one that is none" 64 "allow c 1:3 r" "$DEVGUARD" eval "$P" 'c 1:3' 'c 1:3 r' 'b 8:0 r'
expect "a device that is not there" 1 'no such file: "/dev/nul"' "$DEVGUARD" eval "$P" '/dev/nul r'
expect "no device, and no request" 64 'unknown access letter' "$DEVGUARD" eval "$P" '/dev/nul r' 'c 1:3 x'
expect "also in JSON" 64 '"hint": "numbers are decimal, from 0 to 4095"' "$DEVGUARD" eval --json "$P" 'c 4096:0 r'
expect "an empty request is seen in its message" 64 "error: '': no request" "$DEVGUARD" eval "$P" ''
expect "bytecode where no rule has a block" 0 "no rule has a block" "$DEVGUARD" compile "$P" --emit=bytecode
if links=$(mktemp -d /dev/shm/dgtest.XXXXXX 2>/dev/null); then
	ln -s loop "$links/loop" && ln -s b "$links/a" && ln -s a "$links/b"
	expect "a link to itself" 1 "cannot look at \"$links/loop\": Too many levels of symbolic links" "$DEVGUARD" eval "$P" "$links/loop r"
	expect "links to each other" 1 "Too many levels of symbolic links" "$DEVGUARD" eval "$P" "$links/a r"
	rm -r "$links"
else skip "links without end" "no /dev/shm"; fi
if [ "$(id -u)" = 0 ] && links=$(mktemp -d /dev/dgtest.XXXXXX 2>/dev/null); then
	ln -s loop "$links/loop"
	echo "allow '$links/loop r'" >"$T/loop.rb"
	expect "a policy's link to itself" 3 "Too many levels of symbolic links" timeout 20 "$DEVGUARD" check "$T/loop.rb"
	ln -s ../null "$links/near" && ln -s near "$links/far"
	echo "allow '$links/far r'" >"$T/far.rb"
	expect "a policy's link to a link" 0 "$links/far r is c 1:3 r" "$DEVGUARD" check "$T/far.rb"
	rm -r "$links"
else skip "a policy's links" "not root, or /dev cannot be written"; fi
mkdir "$T/gone"
expect "a current directory that was removed" 1 "the current directory was removed" \
	sh -c 'cd "$1/gone" && rmdir ../gone && exec "$2" status .' - "$T" "$DEVGUARD"
# Where the kernel cannot be asked, check and test say so and do the rest.
if unshare -Ur true 2>/dev/null; then
	expect "check as root of a user namespace" 0 "not asked (root of a user namespace" unshare -Ur "$DEVGUARD" check "$P"
	expect "test as root of a user namespace" 0 "3 engines, 0 failed (kernel skipped: root of a user namespace" \
		unshare -Ur "$DEVGUARD" test "$P"
else skip "root of a user namespace" "none can be made"; fi
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	expect "test without a cgroup v2 hierarchy" 0 "kernel skipped: " unshare -m --propagation private sh -c \
		'umount -R /sys/fs/cgroup || umount -l /sys/fs/cgroup; exec "$1" test "$2"' - "$DEVGUARD" "$P"
	expect "test without CAP_SYS_ADMIN" 0 "kernel skipped: root without CAP_SYS_ADMIN" \
		setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$DEVGUARD" test "$P"
else skip "test where the kernel cannot be asked" "not root"; fi
# devices: the names, by name, description, number and path; what is near when there is none.
expect "devices: all" 0 ":null                     c 1:3 " "$DEVGUARD" devices
expect "devices: by a number" 0 ":ttyUSB0 to :ttyUSB255    c 188:0-255 " "$DEVGUARD" devices 'c 188:0'
expect "devices: by a number without a type" 0 ":loop " "$DEVGUARD" devices 7:3
expect "devices: by a major number" 0 ":kvm " "$DEVGUARD" devices 10
expect "devices: by a path" 0 ":zero " "$DEVGUARD" devices /dev/zero
expect "devices: by a description" 0 ":fuse " "$DEVGUARD" devices 'File systems in user'
expect "devices: by a name with a number" 0 ":sdaa3                    b 65:163 " "$DEVGUARD" devices :sdaa3
expect "devices: one that is not here" 0 ":hidraw91                 -                       absent " "$DEVGUARD" devices hidraw91
expect "devices: the nodes" 0 "    c 1:3  /dev/null" "$DEVGUARD" devices null
expect "devices: a driver of this host" 0 '"char-mem"                c 1:* ' "$DEVGUARD" devices char-mem
expect "devices: nothing" 1 "did you mean :null?" "$DEVGUARD" devices nulll
expect "devices: a number that nothing has" 1 "lists every name" "$DEVGUARD" devices 'c 4000:1'
expect "devices: two words" 64 'put "c 1:3" in quotes' "$DEVGUARD" devices c 1:3
expect "devices: JSON" 0 '"name": ":full"' "$DEVGUARD" devices full --json
expect "devices: nothing, as JSON" 1 '"exit": 1' "$DEVGUARD" devices nulll --json
"$DEVGUARD" devices >"$T/devices"
check "devices: 180 names and more" [ "$(wc -l <"$T/devices")" -ge 180 ]
check "devices: no name twice" [ -z "$(cut -c1-24 "$T/devices" | sort | uniq -d)" ]
# missing: :skip leaves out what is not here, aloud; a rule of which nothing is here matches nothing.
cat >"$T/absent.rb" <<'RUBY'
default :allow
deny "/dev/ttyUSB9* r", :hidraw91, "char-nosuch", "/dev/sdx", missing: :skip
deny("/dev/sdy", missing: :skip) { |ctx| ctx.minor - 100 == 1 }
deny "/dev/nul?", "/dev/sdy w", missing: :skip
RUBY
expect "missing: told by check" 0 "absent.rb:2: warning: /dev/ttyUSB9* r is left out: no device is at" "$DEVGUARD" check "$T/absent.rb"
expect "missing: a symbol" 0 ":hidraw91 is left out: device :hidraw91 is not on this host" "$DEVGUARD" check "$T/absent.rb"
expect "missing: a driver" 0 "char-nosuch is left out: no character device group" "$DEVGUARD" check "$T/absent.rb"
expect "missing: what matches a path with wildcards" 0 "line 4: /dev/null is c 1:3 rwm" "$DEVGUARD" check "$T/absent.rb"
check "missing: no rule is said to be dead" [ "$("$DEVGUARD" check "$T/absent.rb" 2>&1 | grep -c never)" = 0 ]
expect "missing: the rest decides" 2 "deny c 1:3 r" "$DEVGUARD" eval "$T/absent.rb" 'c 1:3 r'
expect "missing: what is left out decides nothing" 0 "allow b 65:128 w" "$DEVGUARD" eval "$T/absent.rb" 'b 65:128 w' 'c 0:0 r' 'b 0:0 rwm'
"$DEVGUARD" compile "$T/absent.rb" -o "$T/absent.o" 2>/dev/null
expect "missing: an object tells it too" 0 "char-nosuch is left out: it was not there when this was compiled" "$DEVGUARD" check "$T/absent.o"
echo 'deny c 1:3 r' >"$T/absent.cases"
expect "missing: every engine" 0 "0 failed" "$DEVGUARD" test "$T/absent.rb" --cases "$T/absent.cases"
# Another way to the same hardware stays open: said under default :allow only, once for each.
beside() # beside NAME COUNT RULES: so many warnings of it
{
	printf 'default :allow\n%b\n' "$3" >"$T/beside.rb"
	local said
	said=$("$DEVGUARD" check "$T/beside.rb" 2>&1 | grep -c 'devices are denied, and .* are allowed by default')
	if [ "$said" = "$2" ]; then pass "beside: $1"; else fail "beside: $1" "$said warnings, expected $2"; fi
}
beside "the TPM" 1 'deny :tpm'
beside "the TPM by its number" 1 'deny "c 10:224 rw"\ndeny :tpm0'
beside "its resource manager too" 0 'deny :tpm, "/dev/tpmrm*", missing: :skip'
beside "disks" 1 'deny :sda'
beside "disks and sg" 0 'deny :sd, :sg'
beside "disks, and sg allowed on purpose" 0 'allow "c 21:0"\ndeny :sd'
beside "disks, and a log" 1 'deny :sd, :kmsg'
beside "disks, and nodes of all" 1 'deny "a *:* m"\ndeny :sd'
beside "input" 1 'deny :event3'
beside "input and hidraw" 0 'deny :input, "char-hidraw", missing: :skip'
beside "NVIDIA" 1 'deny "c 195:*"'
beside "NVIDIA with its parts" 0 'deny :nvidia, "/dev/nvidia-caps/*", missing: :skip'
beside "three of them" 3 'deny :tpm, :sd, :input'
beside "making nodes only" 0 'deny :sd, access: "m"'
beside "every block device" 1 'deny "b *:*"'
beside "writing to every block device" 1 'deny "b *:* w"'
beside "every block device and sg" 0 'deny "b *:*", :sg'
beside "every device" 0 'deny "a *:*"'
beside "making nodes of every block device" 0 'deny "b *:* m"'
beside "every device of one type: hidraw may be among them" 0 'deny "c *:*"'
expect "a device that is not there: its number" 3 'this host does not have it: write "c 188:200' "$DEVGUARD" check <(echo 'allow "/dev/ttyUSB200 r"')
expect "a device that is not there: or without it" 3 '; with missing: :skip the rule goes on without it' "$DEVGUARD" check <(echo 'allow "/dev/ttyUSB200 r"')
check "the hint followed" "$DEVGUARD" check <(echo 'allow "c 188:200 r"')
check "the other hint followed" "$DEVGUARD" check <(echo 'allow "/dev/ttyUSB200 r", missing: :skip')
check "a deny is not told to go on without its device" \
	sh -c '! echo "deny \"/dev/ttyUSB200 r\"" | "$DEVGUARD" check - 2>&1 | grep "missing: :skip"'
expect "a family without a number" 3 'write which one, :hidraw0, or "char-hidraw" for all' "$DEVGUARD" check <(echo 'allow :hidraw')
beside "a block that may deny anything" 0 'deny :sd\ndeny { |ctx| ctx.major == 21 }'
printf 'deny :tpm\nallow :null\n' >"$T/beside.rb"
check "beside: nothing is said when the default denies" [ "$("$DEVGUARD" check "$T/beside.rb" 2>&1 | grep -c 'allowed by default')" = 0 ]
expect "beside: what to write" 0 'write deny "char-hidraw", missing: :skip' "$DEVGUARD" check <(printf 'default :allow\ndeny :input\n')
expect "eval --json tells a device by name" 0 '"device": "/dev/null"' "$DEVGUARD" eval "$P" --json 'c 1:3 r'
expect "eval --json of one that is not here" 2 '"device": null' "$DEVGUARD" eval "$P" --json 'c 4001:9 r'
summary
