#!/bin/bash
# bundle.sh - a policy as one executable: what is in it, and what it does where there is nothing else.
. "$(dirname "$0")/lib.sh"

cd "$T" || exit 1
cat >gpu.rb <<'RUBY'
param :gpu, 0, in: 0..15
allow("c 195:0-15 rw") { |ctx| ctx.minor == ctx.gpu }
allow "c 1:3 rw", "c 1:5 rw"
RUBY
bundle() { "$DEVGUARD" bundle "$@"; }
STUB=$(dirname "$DEVGUARD")/stub

# ---- what is written -------------------------------------------------------------------------------

expect "bundle" 0 "guard: gpu in one file of" bundle gpu.rb -o guard
[ -x guard ] || { summary; exit; } # nothing else can be tried
[ "$(stat -c %a guard)" = 755 ] && pass "it can be executed" || fail "it can be executed" "$(stat -c %a guard)"
bundle gpu.rb -o again >/dev/null && same "the same input, the same bytes" guard again
"$DEVGUARD" compile gpu.rb -o gpu.o && bundle gpu.o -o from.o >/dev/null && same "of its object" guard from.o
bundle gpu.rb -o - >out 2>err && same "to stdout" guard out
bundle - -o piped <gpu.rb >/dev/null && expect "of stdin" 0 "policy stdin" ./piped explain
size=$(stat -c %s guard)
if [ "$size" -lt 3500000 ]; then pass "its size"; else fail "its size" "$size bytes"; fi
if readelf -lW guard | grep -q INTERP; then fail "it needs no library" "$(readelf -lW guard)"; else pass "it needs no library"; fi
# It is linked without -lmruby; and no word of mruby's is in it, but its name among those of interpreters.
if strings -a guard | grep -vx mruby | grep -qiE 'mruby|mrb_|RITE0|NoMethodError'; then fail "no mruby without a user half" "$(strings -a guard | grep -vx mruby | grep -iE 'mruby|mrb_|RITE0|NoMethodError' | head)"
else pass "no mruby without a user half"; fi
strings -a "$DEVGUARD" | grep -q NoMethodError && pass "(the tool has it)" || fail "(the tool has it)"
expect "--version" 0 "gpu: a policy in one file, written by rucy-devguard" ./guard --version
expect "help" 0 "./guard apply CGROUP" ./guard help
expect "help of a verb" 0 "  ./guard apply /web" ./guard help apply
expect "--help" 0 "./guard detach CGROUP" ./guard --help
expect "explain" 0 "c 195:0 " ./guard explain
expect "explain, another value" 0 "c 195:3 " ./guard explain --param gpu=3
expect "explain --ruby" 0 "allow :null, :zero, access: \"rw\"" ./guard explain --ruby
"$DEVGUARD" explain gpu.o | tail -n +2 >want && ./guard explain | tail -n +2 >got && same "explain, as the tool" want got
expect "a parameter baked in" 0 "c 195:7 " sh -c '"$1" bundle gpu.rb --param gpu=7 -o seven >/dev/null && ./seven explain' - "$DEVGUARD"
expect "a claim that is false" 3 "false" bash -c 'echo "never \"c 1:5\"" >claim.rb; exec "$1" bundle gpu.rb --claims claim.rb -o claimed' - "$DEVGUARD"
[ ! -e claimed ] && pass "and nothing is written" || fail "and nothing is written"

cat >told.rb <<'RUBY'
allow "c 1:3 rw"
on(:deny) { |e| puts "#{e.comm} wanted #{e.device}" }
at_exit { puts "the end" }
RUBY
expect "with handlers" 0 "with mruby for its handlers" bundle told.rb -o told
size=$(stat -c %s told)
if [ "$size" -lt 5000000 ]; then pass "its size with mruby"; else fail "its size with mruby" "$size bytes"; fi
strings -a told | grep -q NoMethodError && pass "mruby is in it" || fail "mruby is in it"
expect "it has watch" 0 "./told watch CGROUP" ./told help
expect "--version tells of mruby" 0 "(mruby " ./told --version
expect "one without handlers has no watch" 64 "unknown verb 'watch'" ./guard watch /web
"$DEVGUARD" compile told.rb -o told.o && bundle told.o -o fromtold >/dev/null && same "with handlers, of its object" told fromtold

# ---- what cannot be written ------------------------------------------------------------------------

expect "no file" 64 "name it with -o" bundle gpu.rb
expect "no policy" 64 "no policy given" bundle -o x
expect "two policies" 64 "one policy at a time" bundle gpu.rb gpu.rb -o x
expect "a policy that is refused" 3 "typo.rb:1: error" bash -c 'echo "allow :nul" >typo.rb; exec "$1" bundle typo.rb -o x' - "$DEVGUARD"
expect "no policy there" 1 "No such file" bundle absent.rb -o x
expect "a source that is no policy" 64 "takes a policy" bundle docker:'c 1:3 rw' -o x
mkdir dir
expect "a directory" 1 "Is a directory" bundle gpu.rb -o dir
expect "a directory that is not there" 1 "No such file" bundle gpu.rb -o none/x
[ ! -e x ] && pass "nothing is written then" || fail "nothing is written then"
echo keep >kept
expect "a limit of file sizes" 1 "raise the limit" bash -c 'ulimit -f 100; exec "$1" bundle gpu.rb -o kept' - "$DEVGUARD"
expect "the file is as it was" 0 keep cat kept
if [ "$(id -u)" = 0 ]; then
	expect "a full disk" 1 "make room" unshare -m --propagation private sh -c 'mount -t tmpfs -o size=1m none dir && exec "$1" bundle gpu.rb -o dir/guard' - "$DEVGUARD"
	expect "a full device" 1 "cannot write /dev/full" bundle gpu.rb -o /dev/full
else skip "a full disk" "not root"; fi

# ---- the stub: the very one, or none ------------------------------------------------------------------

mkdir -p there/bin there/lib/rucy-devguard
cp "$DEVGUARD" there/bin
expect "no stub" 1 "make install" there/bin/rucy-devguard bundle gpu.rb -o x
cp "$STUB/guard" there/lib/rucy-devguard/
expect "installed" 0 "x: gpu in one file" there/bin/rucy-devguard bundle gpu.rb -o x && same "the same bytes" guard x
printf x | dd of=there/lib/rucy-devguard/guard bs=1 seek=5000 conv=notrunc status=none
rm x
expect "a damaged stub" 1 "another build, or damaged" there/bin/rucy-devguard bundle gpu.rb -o x
python3 - "$STUB/guard" there/lib/rucy-devguard/guard <<'PY'
import sys
data = open(sys.argv[1], 'rb').read()
at = data.rindex(b'devguard-place-1') + 16
open(sys.argv[2], 'wb').write(data[:at] + b'0.0.9\0' + data[at + 6:])
PY
expect "a stub of another version" 1 "guard is of rucy-devguard 0.0.9, and this is" there/bin/rucy-devguard bundle gpu.rb -o x
rm there/lib/rucy-devguard/guard; mkdir there/lib/rucy-devguard/guard
expect "a directory in its place" 1 "cannot read" there/bin/rucy-devguard bundle gpu.rb -o x
[ ! -e x ] && pass "nothing is written then, too" || fail "nothing is written then, too"
expect "the stub alone" 1 "it carries no policy" "$STUB/guard" apply /web

# ---- its command line ------------------------------------------------------------------------------------

expect "no verb" 64 "for example: ./guard apply /web" ./guard
expect "an unknown verb" 64 "did you mean apply?" ./guard aply
expect "a verb that it has not" 64 "unknown verb 'eval'" ./guard eval
expect "no cgroup" 64 "usage: ./guard apply CGROUP" ./guard apply
expect "two cgroups" 64 "one cgroup at a time" ./guard apply a b
expect "explain takes no policy" 64 "no other" ./guard explain gpu.rb
expect "an unknown option" 64 "did you mean --param?" ./guard apply --parm gpu=1 /web
expect "called by another name" 64 "usage: ./other apply CGROUP" sh -c 'ln -s guard other && ./other apply'
expect "called by no name" 64 "usage: guard VERB" bash -c 'exec -a "" ./guard'
expect "a name that would steer the terminal" 64 '\x1B[31m VERB' python3 -c 'import os; os.execv("./guard", ["\x1b[31m"])'
expect "--json" 64 '"level": "error"' ./guard apply --json
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$T"
	expect "without root" 1 "error" setpriv --reuid 65534 --regid 65534 --clear-groups ./guard apply /web
	expect "what needs no root" 0 "c 195:0 " setpriv --reuid 65534 --regid 65534 --clear-groups ./guard explain
fi

# ---- on a cgroup -----------------------------------------------------------------------------------------

reason=$(need_kernel)
[ -z "$reason" ] || { skip "bundle applied" "$reason"; summary; exit; }
build_opener
scratch bundle
expect "apply" 0 "gpu: attached to $CG" ./guard apply "$CG"
expect "status" 0 "gpu  program" ./guard status "$CG"
expect "status --verify" 0 "verified: its instructions amount to this" ./guard status "$CG" --verify
expect "the tool proves the same" 0 "equal" "$DEVGUARD" verify gpu.rb "$CG"
expect "applied again" 0 "gpu: replaced program" ./guard apply "$CG" --param gpu=3 --audit denied --mode enforce
expect "that parameter" 0 "equal" "$DEVGUARD" verify gpu.rb "$CG" --param gpu=3 --audit denied
expect "a parameter out of its range" 3 "must be within 0..15" ./guard apply "$CG" --param gpu=16
expect "a parameter that it has not" 3 "gpus" ./guard apply "$CG" --param gpus=1
expect "--dry-run" 0 "would replace program" ./guard apply "$CG" --dry-run
expect "apply --json" 0 '"policy": "gpu"' ./guard apply "$CG" --json
expect "detach" 0 "gpu: detached from" ./guard detach "$CG"
expect "detach again" 1 "$CG" ./guard detach "$CG"
"$DEVGUARD" apply "$ROOT/policies/container-default.rb" "$CG" >/dev/null
expect "another policy is not its own" 1 "'gpu'" ./guard detach "$CG"
expect "and stays" 0 "container-default  program" ./guard status "$CG"
"$DEVGUARD" detach "$CG" >/dev/null
expect "a name, as apply takes it" 0 "gpu: attached to $CG" ./guard apply "/${CG#"$CG2"/}"
expect "and by --json" 0 '"policy": "gpu"' ./guard detach "$CG" --json
mkdir plain
expect "a directory that is no cgroup" 1 "not a cgroup" ./guard apply plain
v1=$(awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i+1) == "cgroup") { print $5; exit } }' /proc/self/mountinfo)
if [ -n "$v1" ]; then expect "cgroup v1" 1 "cgroup v1 hierarchy" ./guard apply "$v1"; else skip "cgroup v1" "there is none here"; fi

# The policy of a cgroup decides: a device that it allows, and one that it does not.
verdicts() { echo "$(inside "$CG" "$OPENER" open rw /dev/null) $(inside "$CG" "$OPENER" open r /dev/urandom)"; }
expect "nothing is denied yet" 0 "ok ok" verdicts
./guard apply "$CG" >/dev/null
expect "denied by the bundle's policy" 0 "ok EPERM" verdicts
./guard detach "$CG" >/dev/null

# A root directory that has the file, a hierarchy and nothing else: no library, /proc, /dev, /run or /etc.
mkdir -p empty/cg
cp guard empty/
in_empty() { unshare -m --propagation private sh -c 'mount -t cgroup2 none empty/cg && exec chroot empty /guard "$@"' - "$@"; }
HERE=/cg/${CG#"$CG2"/}
expect "an empty root: apply" 0 "gpu: attached to $HERE" in_empty apply "$HERE"
expect "an empty root: no warning of the root of the hierarchy" 0 "gpu: replaced" sh -c '! unshare -m --propagation private sh -c "mount -t cgroup2 none empty/cg && chroot empty /guard apply $1" 2>&1 | tee /dev/stderr | grep -q warning' - "$HERE"
expect "an empty root: denied" 0 "ok EPERM" verdicts
expect "an empty root: status" 0 "gpu  program" in_empty status "$HERE"
expect "an empty root: above" 0 "/cg: no device program" in_empty status "$HERE"
expect "an empty root: explain" 0 "c 195:0 " in_empty explain
expect "an empty root: no own cgroup" 1 "is /proc mounted?" in_empty status
expect "an empty root: a cgroup that is not there" 1 "there is no cgroup" in_empty apply /cg/none
expect "an empty root: detach" 0 "gpu: detached from $HERE" in_empty detach "$HERE"
expect "an empty root: allowed again" 0 "ok ok" verdicts
[ "$(find empty -mindepth 1 | sort | tr '\n' ' ')" = "empty/cg empty/guard empty/run empty/run/rucy-devguard empty/run/rucy-devguard/lock " ] &&
	pass "an empty root: nothing is left but /run" || fail "an empty root: nothing is left but /run" "$(find empty)"

in_empty_told() { unshare -m --propagation private sh -c 'mount -t cgroup2 none empty/cg && exec chroot empty /told watch "$1" --timeout 1' - "$1"; }
# What is denied there is told by the handlers, whose child is locked in the same way.
cp told empty/
watched() # watched COMMAND...: what it prints about one denial
{
	"$@" >watch.out 2>watch.err & local pid=$! i
	BACKGROUND+=($pid)
	for ((i = 0; i < 400; i++)); do
		grep -q "attached to\|replaced" watch.err && break
		kill -0 $pid 2>/dev/null || break
		sleep 0.05
	done
	verdicts >/dev/null
	for ((i = 0; i < 400; i++)); do
		grep -q wanted watch.out && break
		sleep 0.05
	done
	kill -TERM $pid 2>/dev/null
	wait $pid; local rc=$?
	cat watch.out watch.err
	return $rc
}
expect "watch" 0 "opener wanted /dev/urandom
the end" watched ./told watch "$CG"
expect "it stays attached" 0 "told  program" ./told status "$CG"
expect "as the hint says" 0 "told: detached" bash -c "$(sed -n 's/.*`\(.*\)` takes it off/\1/p' watch.err | tail -n 1)"
expect "an empty root: watch" 1 "is /proc mounted?" in_empty_told "$HERE"
# Without /proc the hierarchy is looked for where it usually is; how many counts there are is told by /sys.
mkdir -p empty/sys/fs/cgroup
expect "an empty root: watch without /sys" 1 "is /sys mounted?" unshare -m --propagation private sh -c \
	'mount -t cgroup2 none empty/sys/fs/cgroup && exec chroot empty /told watch "$1" --timeout 1' - "/${CG#"$CG2"/}"
expect "an empty root with /sys: watch" 0 "opener wanted /dev/urandom
the end" watched unshare -m --propagation private sh -c \
	'mount -t sysfs none empty/sys && mount -t cgroup2 none empty/sys/fs/cgroup && exec chroot empty /told watch "$1"' - "/${CG#"$CG2"/}"
expect "an empty root: it stays, too" 0 "told: detached" ./told detach "$CG"

# ---- a large policy ------------------------------------------------------------------------------------------

awk 'BEGIN { for (i = 0; i < 4000; i++) printf "%s \"c %d:%d rw\"\n", i % 3 ? "allow" : "deny", i % 400 + 1, i * 7 % 1000 }' >large.rb
expect "4,000 rules" 0 "large: large in one file" bundle large.rb -o large
expect "4,000 rules applied" 0 "(4000 rules" ./large apply "$CG"
expect "4,000 rules: as the tool has them" 0 "equal" "$DEVGUARD" verify large.rb "$CG"
expect "4,000 rules taken off" 0 "detached" ./large detach "$CG"

# ---- damaged ---------------------------------------------------------------------------------------------------

if command -v python3 >/dev/null; then
	out=$("$TESTS/copies.py" "$T/guard" "$CG" 2>&1) && pass "damaged copies do nothing" || fail "damaged copies do nothing" "$out"
	expect "they say so" 0 "changed-damaged=" echo "$out"
	expect "and cut ones" 0 "cut-damaged=" echo "$out"
	expect "nothing was attached by one" 0 "$CG: no device program" "$DEVGUARD" status "$CG"
else skip "damaged copies" "no python3"; fi
expect "and the whole one works" 0 "gpu: attached" ./guard apply "$CG"
./guard detach "$CG" >/dev/null
summary
