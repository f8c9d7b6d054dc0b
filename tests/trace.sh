#!/bin/bash
# trace.sh - programs that are attached and listened to: each line of theirs, once, and no other's; what is left when
# they end, however they end.
. "$(dirname "$0")/lib.sh"

cd "$T" || exit 1
number=$((1000000000 + $$)) # of no process: who calls with it is of this test
# program NAME NUMBER TEXT...: prints the text when getpgid(2) is called with that number
program()
{
	cat >"$1.rb" <<RUBY
section! "tracepoint/syscalls/sys_enter_getpgid"
license! "GPL"
class Ctx
  attr :common, :u64
  attr :call, :s64
  attr :pid, :u64
end
def prog(ctx)
  printk($3) if ctx.pid == $2
  return 0
end
RUBY
}
program hello $number '"hello %d", ctx.pid'
program same $number '"hello %d", ctx.pid'
program other $((number + 100000)) '"hello '$number'"'
program name $number '"from\n%s\n", comm'
cat >raw.rb <<RUBY
section! "raw_tracepoint/sys_enter"
license! "GPL"
class Ctx
  attr :regs, :u64
  attr :id, :s64
end
def prog(ctx)
  printk("call %d by %s", ctx.id, comm) if comm == "dgtrace-$(($$ % 10000000))"
  return 0
end
RUBY
cat >device.rb <<'RUBY'
section! "cgroup/dev"
license! "GPL"
class Ctx
  attr :access_type, :u32
  attr :major, :u32
  attr :minor, :u32
end
def prog(ctx)
  printk("device %d:%d, access %x", ctx.major, ctx.minor, ctx.access_type) if ctx.major == 1
  return 0 if ctx.major == 1 && ctx.minor == 11
  return 1
end
RUBY
cat >kprobe.rb <<'RUBY'
section! "kprobe/tcp_connect"
license! "GPL"
def prog(ctx)
  bpf_trace_printk("tcp_connect by %s", comm)
  return 0
end
RUBY
echo 'default :allow' >policy.rb
trace() { timeout 60 "$DEVGUARD" trace "$@"; } # in the foreground, never for ever

# ---- what needs no kernel ---------------------------------------------------------------------------

expect "trace: a policy has no section" 64 "rucy-devguard apply policy.rb CGROUP attaches it" "$DEVGUARD" trace policy.rb
expect "trace: a device program is of a cgroup" 64 "hint: rucy-devguard trace device.rb CGROUP" "$DEVGUARD" trace device.rb
expect "trace: others are of none" 64 "hint: rucy-devguard trace hello.rb" "$DEVGUARD" trace hello.rb /web
expect "trace: a count" 64 "--count" "$DEVGUARD" trace hello.rb --count 0
expect "trace: three operands" 64 "more than a program and a cgroup given" "$DEVGUARD" trace hello.rb /web more

reason=$(need_kernel)
[ -n "$reason" ] || grep -q tracefs /proc/filesystems || reason="no tracefs in this kernel"
command -v jq >/dev/null || reason="${reason:-jq is not installed}"
[ -z "$reason" ] || { skip "trace" "$reason"; summary; exit; }
build_opener
CALLER=$BUILD/tests/caller
[ "$CALLER" -nt "$TESTS/caller.c" ] || $CC -D_GNU_SOURCE -O2 -o "$CALLER" "$TESTS/caller.c"

# A tracefs for this test alone to look at, in a mount namespace that holds it.
mkdir "$T/fs"
unshare -m --propagation private sh -c "mount -t tracefs none '$T/fs' && exec sleep 600" & FS=$!
BACKGROUND+=("$FS")
tracefs() { echo "/proc/$FS/root$T/fs"; }
until_true test -d "$(tracefs)/instances"
instances() { ls "$(tracefs)/instances" | grep "^rucy-devguard\.$1\."; } # instances PID
event() { [ -e "$(tracefs)/events/$1" ]; }
event bpf_trace/bpf_trace_printk && event syscalls/sys_enter_getpgid && event raw_syscalls/sys_enter ||
	{ skip "trace" "this kernel lacks the events (CONFIG_FTRACE_SYSCALLS)"; summary; exit; }

# tracer NAME ARGUMENTS...: in the background, attached; pid in TRACER
tracer()
{
	local name=$1; shift
	: >"$name.err"
	"$DEVGUARD" trace "$@" >"$name.out" 2>"$name.err" & TRACER=$!
	BACKGROUND+=("$TRACER")
	until_true grep -q "is attached to" "$name.err" || cat "$name.err"
}
ended() # ended PID STATUS: it ends by itself, so
{
	timeout 20 tail --pid="$1" -f /dev/null && { wait "$1"; [ $? = "$2" ]; }
}
ends() { if ended "$2" "$3"; then pass "$1"; else fail "$1" "not with status $3"; fi; } # ends NAME PID STATUS
stop() { kill -INT "$1"; ended "$1" 0; }
has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; } # has_lines FILE N

# ---- each line, once -----------------------------------------------------------------------------------

mounts=$(wc -l </proc/self/mounts)
tracer one hello.rb --count 500
pid=$("$CALLER" $number 500)
ends "--count ends it" "$TRACER" 0
equal "each line" 500 "$(grep -c "  caller\[$pid\]  *hello $number\$" one.out)"
equal "and no other" 500 "$(wc -l <one.out)"
check "it says what it waits for" grep -q "'hello' (program [0-9]*) is attached to tracepoint/syscalls/sys_enter_getpgid: waiting for what it prints; Ctrl-C ends it\$" one.err
check "and what came" grep -q "'hello': 500 lines, 0 lost" one.err
equal "nothing is left of it" "" "$(instances "$TRACER")"
equal "nothing is mounted" "$mounts" "$(wc -l </proc/self/mounts)"
expect "--timeout 0" 0 "0 lines" trace hello.rb --timeout 0
check "an object" "$DEVGUARD" compile hello.rb -o hello.o
tracer object hello.o --count 1
"$CALLER" $number 1 >/dev/null
ends "an object is traced as well" "$TRACER" 0
check "and prints the same" grep -q "hello $number\$" object.out

tracer json hello.rb --json --count 2
pid=$("$CALLER" $number 2)
ended "$TRACER" 0
equal "as JSON" "[\"rucy-devguard/1\",\"hello\",$pid,\"caller\",\"hello $number\"]" \
	"$(head -n 1 json.out | jq -c '[.schema, .program, .pid, .comm, .text]')"
check "with both clocks" jq -es 'all(.ktime > 0 and (.time | test("^20[0-9-]*T[0-9:]*\\.[0-9]{9}Z$")) and .cpu >= 0) and .[0].ktime < .[1].ktime' json.out

tracer raw raw.rb
"$CALLER" $number 3 "dgtrace-$(($$ % 10000000))" >/dev/null
until_true grep -q "call 231 by" raw.out # exit_group
stop "$TRACER"
if [ "$(uname -m)" = x86_64 ]; then equal "raw_tracepoint: three calls" 3 "$(grep -c "call 121 by dgtrace" raw.out)"
else check "raw_tracepoint" grep -q "by dgtrace" raw.out; fi

# ---- whose a line is -----------------------------------------------------------------------------------

tracer first hello.rb; first=$TRACER
tracer second hello.rb; second=$TRACER
tracer third same.rb; third=$TRACER
tracer fourth other.rb; fourth=$TRACER
"$CALLER" $number 200 >/dev/null
"$CALLER" $((number + 100000)) 70 >/dev/null # the same text, by another program
for one in first second third fourth; do until_true has_lines $one.out 70; done
for pid in $first $second $third $fourth; do stop "$pid"; done
equal "two of the same file: each its own lines" "200 200" "$(wc -l <first.out) $(wc -l <second.out)"
equal "and one of another file with the same text" 200 "$(wc -l <third.out)"
equal "and one that prints that text for other reasons" 70 "$(wc -l <fourth.out)"

# ---- lines that come faster than they are read: shown and lost are all ---------------------------------

tracer flood hello.rb
for i in 1 2 3; do "$CALLER" $number 60000 >/dev/null & calls[i]=$!; done
for i in 1 2 3; do kill -STOP "$TRACER"; sleep 0.3; kill -CONT "$TRACER"; sleep 0.1; done
wait "${calls[@]}"
kill -STOP "$TRACER"
"$CALLER" $number 60000 >/dev/null
kill -CONT "$TRACER"
stop "$TRACER"
lost=$(sed -nE "s/.*'hello': [0-9]+ lines?, ([0-9]+) lost/\1/p" flood.err)
equal "240,000 lines: shown and lost" 240000 $(($(wc -l <flood.out) + lost))
[ "$lost" -gt 0 ] && pass "some of them were lost" || fail "some of them were lost" "$(cat flood.err)"
check "that is told" grep -qE "[0-9]+ lines were lost" flood.err

# ---- names and texts that are made up -------------------------------------------------------------------

evil=$'a]\n1 init\e[31m'
tracer text name.rb --count 1
"$CALLER" $number 1 "$evil" >/dev/null
ended "$TRACER" 0
equal "a line is one line" 1 "$(wc -l <text.out)"
check "and escaped" grep -qF 'from\x0Aa]\x0A1 init\x1B[31m' text.out
check "so is the name" grep -qF '  a]\x0A1 init\x1B[31m[' text.out
tracer evil name.rb --count 1 --json
"$CALLER" $number 1 "$evil" >/dev/null
ended "$TRACER" 0
equal "as JSON whole" "true" "$(jq --arg evil "$evil" '.text == "from\n" + $evil and .comm == $evil' evil.out)"

# ---- however it ends -------------------------------------------------------------------------------------

for signal in INT TERM HUP; do
	tracer signal hello.rb
	kill -$signal "$TRACER"
	ends "SIG$signal ends it" "$TRACER" 0
	equal "SIG$signal: nothing is left" "" "$(instances "$TRACER")"
done
mkfifo pipe
"$DEVGUARD" trace hello.rb >pipe 2>pipe.err & TRACER=$!
BACKGROUND+=("$TRACER")
{ until_true grep -q "is attached" pipe.err; "$CALLER" $number 1 >/dev/null; read -r line; } <pipe
"$CALLER" $number 1 >/dev/null
ends "a reader that goes ends it" "$TRACER" $((128 + 13))
equal "a reader that goes: nothing is left" "" "$(instances "$TRACER")"
tracer killed hello.rb
kill -9 "$TRACER"; wait "$TRACER" 2>/dev/null
[ -n "$(instances "$TRACER")" ] && pass "SIGKILL leaves an instance" || fail "SIGKILL leaves an instance"
killed=$TRACER
tracer lives hello.rb
lives=$TRACER
equal "which the next one removes" "" "$(instances "$killed")"
expect "and not one of a process that lives" 0 "0 lines" trace hello.rb --timeout 0
[ -n "$(instances "$lives")" ] && pass "its instance is there" || fail "its instance is there"
# In another PID namespace that process is not to be seen, and its instance is kept busy by it.
expect "nor, from another PID namespace" 0 "0 lines" timeout 60 unshare -p --fork --mount-proc "$DEVGUARD" trace hello.rb --timeout 0
"$CALLER" $number 5 >/dev/null
until_true has_lines lives.out 5
kill -INT "$lives"; ends "it still reads" "$lives" 0
equal "all of its lines" 5 "$(wc -l <lives.out)"

# ---- a cgroup/dev program --------------------------------------------------------------------------------

scratch trace
mknod kmsg c 1 11
if [ "$(inside "$CG" "$OPENER" open r kmsg)" != ok ]; then skip "trace: a device program" "$T is mounted nodev: set TMPDIR"
else
	on_cgroup() { "$DEVGUARD" status "$CG" --json | jq -c '[.cgroups[0].programs[]? | .policy]'; }
	tracer device device.rb "$CG"
	check "it says that it decides" grep -q "is attached to $CG and decides there until this ends" device.err
	equal "it decides" EPERM "$(inside "$CG" "$OPENER" open r kmsg)"
	until_true has_lines device.out 1
	check "and prints" grep -q "device 1:11, access 20002" device.out
	kill -INT "$TRACER"; ends "it ends" "$TRACER" 0
	equal "and is gone" ok "$(inside "$CG" "$OPENER" open r kmsg)"
	tracer device device.rb "$CG"
	kill -9 "$TRACER"; wait "$TRACER" 2>/dev/null
	until_true [ "$(inside "$CG" "$OPENER" open r kmsg)" = ok ]
	equal "killed: gone as well" ok "$(inside "$CG" "$OPENER" open r kmsg)"
	tracer removed device.rb "$CG"
	rmdir "$CG"
	ends "its cgroup is removed: status 4" "$TRACER" 4
	check "and it says so" grep -q "its cgroup was removed" removed.err
fi

# ---- handlers, and the maps of the program ------------------------------------------------------------------

program handled $number '"got %d", ctx.pid'
sed 's/^def prog/COUNTS = table :comm => :u64\nEVENTS = ring comm: :comm\n&/; s/^  printk.*/  if ctx.pid == '$number'\n    COUNTS[comm] += 1\n    EVENTS << {comm: comm}\n  end\n&/' handled.rb >maps.rb
cat >>handled.rb <<'RUBY'
on(:line) { |l| puts "#{l.comm}, #{l.pid}: #{l.text}" }
at_exit { puts "the end" }
RUBY
cat >>maps.rb <<'RUBY'
on(EVENTS) { |e| puts "event of #{e.comm}" }
at_exit { COUNTS.each { |comm, n| puts "#{comm}: #{n}" } }
RUBY
tracer handled handled.rb
pid=$("$CALLER" $number 3 named)
until_true has_lines handled.out 3
kill -INT "$TRACER"; ends "handlers: it ends" "$TRACER" 0
equal "handlers: what they are given" "$(for i in 1 2 3; do echo "named, $pid: got $number"; done; echo "the end")" "$(cat handled.out)"
tracer maps maps.rb
"$CALLER" $number 40000 >/dev/null
kill -INT "$TRACER"; ends "maps: it ends" "$TRACER" 0
equal "maps: at the end they have all" "caller: 40000" "$(tail -n 1 maps.out)"
lost=$(sed -nE 's/.*EVENTS: ([0-9]+) records? lost.*/\1/p' maps.err | awk '{ n += $1 } END { print n + 0 }')
equal "rings: handled and lost" 40000 $(($(grep -c '^event of caller$' maps.out) + lost))
equal "lines without a handler are shown" 40000 $(($(grep -c "  got $number\$" maps.out) + $(sed -nE "s/.*'maps': [0-9]+ lines?, ([0-9]+) lost/\1/p" maps.err)))
equal "nothing is left of it" "" "$(instances "$TRACER")"

# ---- where it cannot be ------------------------------------------------------------------------------------

sed 's/getpgid"/getpigd"/' hello.rb >typo.rb
expect "no such event" 1 "hint: did you mean syscalls/sys_enter_getpgid?" trace typo.rb
expect "with its line" 1 "typo.rb:8: error: this kernel has no event 'syscalls/sys_enter_getpigd'" trace typo.rb
sed 's/sys_enter"/sys_entre"/' raw.rb >typo.rb
expect "no such raw event" 1 "hint: did you mean sys_enter?" trace typo.rb
sed 's/attr :pid, :u64/attr :pid, :u64\n  attr :behind, :u64/; s/ctx.pid ==/ctx.behind ==/' hello.rb >far.rb
expect "a field behind the event" 1 "'prog' reads fields behind the end of the event" trace far.rb
if [ -e /sys/bus/event_source/devices/kprobe/type ]; then
	sed 's/tcp_connect"/tcp_conect"/' kprobe.rb >typo.rb
	expect "no such function" 1 "hint: did you mean tcp_connect?" trace typo.rb
	tracer kprobe kprobe.rb --count 1
	(exec 3<>/dev/tcp/127.0.0.1/1) 2>/dev/null
	ends "kprobe: a connect is seen" "$TRACER" 0
	check "kprobe: by whom" grep -q "tcp_connect by " kprobe.out
else
	expect "no kprobes in this kernel" 1 "this kernel has no kprobes: 'kprobe/tcp_connect' cannot be attached" trace kprobe.rb
	skip "kprobe: a connect is seen" "this kernel has no kprobes"
fi
chmod 755 "$T"
if setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$DEVGUARD"; then
	expect "not root" 1 "missing here: CAP_BPF, CAP_PERFMON" setpriv --reuid 65534 --regid 65534 --clear-groups timeout 60 "$DEVGUARD" trace hello.rb
else skip "not root" "the tool is where only root reads"; fi

# tracefs, mounted in ways that do not help: of one directory, read-only, under something else.
mkdir a b
for how in 'mount -t tracefs none a && mount --bind a/events b && umount a' 'mount -t tracefs -o ro none a && mount -o remount,bind,ro a' \
	'mount -t tracefs none a && mount -t tmpfs none a' 'mount -t tracefs none a'; do
	: >mounted.err
	unshare -m --propagation private sh -c "($how) && exec '$DEVGUARD' trace hello.rb --count 1" >mounted.out 2>mounted.err & TRACER=$!
	BACKGROUND+=("$TRACER")
	until_true grep -q "is attached" mounted.err
	"$CALLER" $number 1 >/dev/null
	ended "$TRACER" 0 && grep -q "hello $number" mounted.out && pass "tracefs: $how" || fail "tracefs: $how" "$(cat mounted.err)"
done

# A name is of a process as the host counts it, also where this test counts others.
unshare -p --fork --mount-proc "$DEVGUARD" trace hello.rb --count 1 --json >namespace.out 2>namespace.err & TRACER=$!
BACKGROUND+=("$TRACER")
until_true grep -q "is attached" namespace.err
pid=$("$CALLER" $number 1)
ended "$TRACER" 0
equal "another PID namespace: the host's numbers, no name of another process" true \
	"$(jq --argjson pid "$pid" '.pid == $pid and (.comm == "caller" or .comm == null)' namespace.out)"

# Where the kernel hides where programs are, lines are known by their text, and it says so.
RESTRICT=/proc/sys/kernel/kptr_restrict
was=$(cat $RESTRICT)
on_exit() { echo "$was" >$RESTRICT; }
if echo 2 >$RESTRICT 2>/dev/null; then
	tracer hidden hello.rb
	echo "$was" >$RESTRICT
	tracer hidden2 other.rb; second=$TRACER
	"$CALLER" $number 3 >/dev/null
	"$CALLER" $((number + 100000)) 4 >/dev/null
	until_true has_lines hidden.out 7
	until_true has_lines hidden2.out 4
	for pid in "${BACKGROUND[-2]}" "$second"; do stop "$pid"; done
	equal "hidden: lines that look alike are shown too" "7 4" "$(wc -l <hidden.out) $(wc -l <hidden2.out)"
	check "hidden: and it says so" grep -q "kernel.kptr_restrict hides where programs are: a line of another program that looks like one of this program is shown as well" hidden.err
else skip "lines known by their text" "kernel.kptr_restrict cannot be set"; fi
summary
