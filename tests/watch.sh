#!/bin/bash
# watch.sh - the handlers of a policy at work: what they are given, their limits, and that what is denied never depends on
# them. Every denial is in exactly one of the counts.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
command -v jq >/dev/null || reason="${reason:-jq is not installed}"
[ -z "$reason" ] || { skip "watch" "$reason"; summary; exit; }
build_opener

KMSG=$T/kmsg; mknod -m 666 "$KMSG" c 1 11
NULL=$T/null; mknod -m 666 "$NULL" c 1 3
[ "$("$OPENER" open r "$NULL")" = ok ] ||
	{ skip "watch" "$T is mounted nodev: set TMPDIR"; summary; exit; }

policy() # policy NAME HANDLERS: T/NAME.rb, whose handlers begin on line 4
{
	printf 'policy "%s"\ndefault :deny\nallow "c 1:3 rw"\n%s\n' "$1" "$2" >"$T/$1.rb"
}
watch() # watch NAME OPTIONS...: T/NAME.rb on CG in the background; pid in WATCHER
{
	local name=$1; shift
	"$DEVGUARD" watch "$T/$name.rb" "$CG" "$@" >"$T/$name.out" 2>"$T/$name.err" & WATCHER=$!
	BACKGROUND+=("$WATCHER")
	until_true reading || fail "watch $name begins" "$(cat "$T/$name.err")"
}
reading() { ls -l "/proc/$WATCHER/fd" 2>/dev/null | grep -q eventpoll; }
child() { pgrep -P "$WATCHER"; }
denials() # denials N: so many denied opens; "wrong 0": each was denied, and what is allowed was
{
	inside "$CG" "$OPENER" loop "$1" "$NULL" "$KMSG" </dev/null
}
denied() { [ "$(inside "$CG" "$OPENER" open r "$KMSG")" = EPERM ]; }
stop() # stop [SIGNAL]: ends it; its status in STATUS
{
	kill "-${1:-INT}" "$WATCHER" 2>/dev/null
	if timeout 60 tail --pid="$WATCHER" -f /dev/null; then wait "$WATCHER"; STATUS=$?; else STATUS=hangs; fi
}
detach() { "$DEVGUARD" detach "$CG" >/dev/null 2>&1; }
ended() { tail -n 1 "$T/$1.out" | jq "$2"; } # ended NAME FIELD: of its last object
totals() { "$DEVGUARD" stats "$CG" --json | jq "[.policies[].totals.$1] | add"; }
adds_up() # adds_up NAME WHAT: its counts, with --json, are the kernel's
{
	equal "$2: every denial is in one of the counts" "$(totals denied)" \
		"$(ended "$1" '.handled + .folded + .dropped + .lost + .not_wanted + .not_read')"
	equal "$2: what was dropped" "$(totals dropped)" "$(ended "$1" .dropped)"
	equal "$2: what was folded" "$(totals folded)" "$(ended "$1" .folded)"
}
flooding() { [ "$(totals denied)" -gt 10000 ]; }
lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }

# ---- what cannot be watched -------------------------------------------------------------------

scratch none
printf 'policy "none"\ndefault :deny\n' >"$T/none.rb"
expect "a policy without a user half" 3 "the policy has no user half" "$DEVGUARD" watch "$T/none.rb" "$CG"
policy dear 'on(:deny) { |e| }'
expect "--audit none, and on(:deny)" 64 "on(:deny) would be given nothing" "$DEVGUARD" watch "$T/dear.rb" "$CG" --audit none
policy broken 'N = nil + 1
on(:deny) { |e| }'
expect "a file that does not run" 3 "broken.rb:4" "$DEVGUARD" watch "$T/broken.rb" "$CG"
expect "an error of the words" 3 "did you mean on(:deny)" "$DEVGUARD" watch "$TESTS/errors/on-unknown.rb" "$CG"
equal "then nothing is attached" null "$("$DEVGUARD" status "$CG" --json 2>/dev/null | jq '.cgroups[0].programs[0].id')"

# ---- events -----------------------------------------------------------------------------------------

scratch events
cat >"$T/events.rb" <<'RUBY'
policy "events"
default :deny
allow "c 1:3 rw"
deny "c 1:11", label: "no kernel log"
SEEN = Hash.new(0)
def show(e) = puts("#{e.comm} wanted #{e.device} #{e.access} by #{e.rule} #{e.label}")
on(:deny) { |e| show(e) }
on(:deny) do |e|
  SEEN[e.major] += e.count
  p [e.type, e.major, e.minor, e.uid, e.gid, e.decided, e.verdict, e.count]
  puts "ids" if e.pid > 0 && e.tid > 0 && e.cgroup_id > 0 && e.time > 1_700_000_000_000_000_000
  puts e.cgroup, e.to_h.size
  print "a", 1, "\n"
  printf("%05d|%s\n", e.major, e.device)
end
at_exit { puts "first" }
at_exit { puts "end #{SEEN.inspect}" }
RUBY
watch events
has "it says where it is attached" "events: attached to $CG" "$T/events.err"
has "on(:deny) reports without a word about audit" "audit denied" "$T/events.err"
inside "$CG" "$OPENER" open rw "$KMSG" >/dev/null
until_true grep -q kmsg "$T/events.out"
stop
equal "SIGINT ends it" 0 "$STATUS"
cat >"$T/want" <<WANT
opener wanted /dev/kmsg rw by events.rb:4 no kernel log
[:char, 1, 11, 0, 0, "r", :deny, 1]
ids
${CG#"$CG2"}
18
a1
00001|/dev/kmsg
end {1=>1}
first
WANT
if kernel_before 6.1; then skip "what a handler is given" "pid, tid and comm need Linux 6.1"
else same "what a handler is given, and at_exit, the last one first" "$T/want" "$T/events.out"; fi
has "the counts at the end" "1 denied: 1 handled, 0 lost in the kernel" "$T/events.err"
has "it says that the policy stays" "'events' stays attached" "$T/events.err"
check "what was denied is denied afterwards" denied
detach

scratch object
printf 'policy "object"\ndefault :deny\nlimit = param :limit, 3\nallow "c 1:3 rw"\non(:deny) { |e| puts "limit #{limit}" }\nat_exit { puts "end" }\n' >"$T/object.rb"
check "compile handlers" "$DEVGUARD" compile "$T/object.rb" --param limit=7 -o "$T/object.o"
"$DEVGUARD" watch "$T/object.o" "$CG" >"$T/object.out" 2>"$T/object.err" & WATCHER=$!
BACKGROUND+=("$WATCHER")
until_true reading
denials 1 >/dev/null
until_true grep -q limit "$T/object.out"
stop TERM
equal "SIGTERM ends it" 0 "$STATUS"
equal "an object's handlers, with the parameters that it was compiled with" "limit 7 end" "$(xargs <"$T/object.out")"
detach

# Bytecode is mruby's own, and nobody proves it: whatever it does, it does in the room.
cat >"$T/damage.py" <<'PYTHON'
import random, sys
data, seed = bytearray(open(sys.argv[1], 'rb').read()), int(sys.argv[3])
start = data.index(b'RITE') + 32
end = data.index(b'END\0', start)
dice = random.Random(seed)
for _ in range(1 + seed % 8):
    data[dice.randrange(start, end)] = dice.randrange(256)
open(sys.argv[2], 'wb').write(data)
PYTHON
scratch damaged
bad=
for ((seed = 0; seed < 60; seed++)); do
	python3 "$T/damage.py" "$T/object.o" "$T/damaged.o" $seed
	timeout 60 "$DEVGUARD" watch "$T/damaged.o" "$CG" --timeout 0 >"$T/damaged.out" 2>&1
	status=$?
	case $status in 0 | 1 | 3) ;; *) bad="$bad
seed $seed: status $status: $(head -c 500 "$T/damaged.out")" ;; esac
	detach
done
if [ -z "$bad" ]; then pass "objects with damaged handlers"; else fail "objects with damaged handlers" "$bad"; fi

scratch loads
mkdir -p "$T/lib"
printf 'policy "loads"\ndefault :deny\nallow "c 1:3 rw"\nload "lib/said.rb"\non(:deny) { |e| said(e) }\n' >"$T/loads.rb"
printf 'def said(e) = puts("said #{e.major}")\non(:deny) { |e| raise "in the file" }\n' >"$T/lib/said.rb"
watch loads
denials 1 >/dev/null
until_true grep -q said "$T/loads.out"
stop
has "a file that the policy loads" "said 1" "$T/loads.out"
has "an exception in it has its place" "lib/said.rb:2: error: RuntimeError: in the file" "$T/loads.err"
detach

scratch all
printf 'policy "all"\ndefault :deny\nallow "c 1:3 rw"\non(:allow) { |e| puts "#{e.verdict} #{e.minor}" }\n' >"$T/all.rb"
watch all
inside "$CG" "$OPENER" open r "$NULL" >/dev/null
until_true grep -q allow "$T/all.out"
stop
has "on(:allow)" "allow 3" "$T/all.out"
detach
printf 'policy "let"\nmode :permissive\ndefault :deny\non(:deny) { |e| puts "#{e.verdict} #{e.minor}" }\n' >"$T/let.rb"
watch let
inside "$CG" "$OPENER" open r "$NULL" >/dev/null
until_true grep -q permitted "$T/let.out"
stop
has "what permissive mode lets pass" "permitted 3" "$T/let.out"
detach

# ---- timers, the end by itself ----------------------------------------------------------------------

scratch timers
policy timers 'N = [0]
every(0.125) { N[0] += 1 }
at_exit { puts "ticks #{N[0] > 2}" }'
expect "every, without on(:deny), and --timeout" 0 "ticks true" "$DEVGUARD" watch "$T/timers.rb" "$CG" --timeout 1
equal "a policy that reports nothing is watched for its timers" '"none"' \
	"$("$DEVGUARD" status "$CG" --json 2>/dev/null | jq '[.cgroups[].programs[] | select(.ours)][0].audit')"
detach
policy gone 'on(:deny) { |e| }
at_exit { puts "end" }'
watch gone --json
"$DEVGUARD" detach "$CG" gone >/dev/null
if timeout 60 tail --pid="$WATCHER" -f /dev/null; then wait "$WATCHER"; fi
equal "detached by somebody else: status 4" 4 $?
equal "at_exit runs then" end "$(jq -r 'select(.printed) | .printed' "$T/gone.out")"
equal "and that is what ended it" '"detached"' "$(ended gone .ended)"
watch gone --json
check "the policy is applied anew meanwhile" "$DEVGUARD" apply "$T/gone.rb" "$CG"
denials 20 >/dev/null
stop
equal "it is watched on" 20 "$(ended gone .handled)"
detach

# ---- what an attacker chose -----------------------------------------------------------------------------

scratch bytes
policy bytes 'on(:deny) { |e| puts "<#{e.comm}>", "\e[31mred\e[0m\ttab", "\xff\xfe", "\u202e" }'

NAMED=$T/$'\e]0;x\a\n'; cp "$OPENER" "$NAMED"
watch bytes
inside "$CG" "$NAMED" open r "$KMSG" >/dev/null
until_true grep -q tab "$T/bytes.out"
stop
equal "control bytes are escaped, also a line feed in a name; what a handler prints has tabs and line feeds" '<\x1B]0;x\x07\x0A>|\x1B[31mred\x1B[0m	tab|\xFF\xFE|\xE2\x80\xAE|' \
	"$(tr '\n' '|' <"$T/bytes.out")"
detach
watch bytes --json
inside "$CG" "$NAMED" open r "$KMSG" >/dev/null
until_true grep -q tab "$T/bytes.out"
stop
check "with --json each line is an object" jq -e . "$T/bytes.out"
equal "an object for each line" 4 "$(jq -s '[.[] | select(has("printed"))] | length' "$T/bytes.out")"
detach

# ---- more than handlers can take ---------------------------------------------------------------------------

scratch flood
policy flood 'N = [0, 0]
on(:deny) { |e| N[0] += 1; N[1] += e.count }
at_exit { puts "#{N[0]} #{N[1]}" }'
watch flood --json
flood=$(denials 600000)
stop
equal "600,000 denials: each was denied" "rounds 600000 wrong 0" "$flood"
equal "the kernel counted them" 600000 "$(ended flood .denied)"
adds_up flood "a flood"
equal "handlers were given what was handled" "$(ended flood .handled)" "$(jq -r 'select(.printed) | .printed' "$T/flood.out" | cut -d' ' -f1)"
detach
watch flood --json --fold 1
denials 200000 >/dev/null
stop
adds_up flood "a flood, folded"
equal "folded, none is lost" 0 "$(ended flood .dropped)"
if [ "$(ended flood .handled)" -lt 1000 ]; then pass "a folded flood is few events"
else fail "a folded flood is few events" "$(ended flood .handled)"; fi
detach
watch flood --json
mkfifo "$T/on"
inside "$CG" "$OPENER" loop 1 "$NULL" "$KMSG" <"$T/on" >"$T/during" & LOOP=$!
exec 9>"$T/on" # it goes on until this is closed
until_true flooding
stop
equal "ended in the middle of a flood" 0 "$STATUS"
equal "its counts add up then" "$(ended flood '.handled + .folded + .dropped + .lost + .not_wanted + .not_read')" \
	"$(ended flood '.before + .folded + .dropped + (.handled + .not_wanted + .lost + .not_read - .before)')"
exec 9>&-
wait "$LOOP"
has "and what is denied stays denied" "wrong 0" "$T/during"
detach

# ---- handlers that misbehave: told, bounded, and what is denied is denied ------------------------------------

misbehaves() # misbehaves NAME TEXT HANDLERS: it is told with that text
{
	scratch "$1"
	policy "$1" "$3"
	watch "$1" --json
	local first second
	first=$(denials 3)
	until_true grep -qF "$2" "$T/$1.err"
	second=$(denials 2)
	until_true denied
	stop
	has "$1: is told, with its place" "$T/$1.rb:4: error: $2" "$T/$1.err"
	equal "$1: what is denied is denied" "rounds 3 wrong 0 rounds 2 wrong 0" "$first $second"
	adds_up "$1" "$1"
	equal "$1: watch ends well" 0 "$STATUS"
	check "$1: denied afterwards" denied
	detach
}
misbehaves endless "a handler was stopped after 1 s of CPU time" 'on(:deny) { |e| loop { } }'
if [ "$(ended endless .lost)" -gt 0 ]; then pass "endless: what it was doing is lost"; else fail "endless: what it was doing is lost"; fi
misbehaves greedy "a handler was stopped at 64 MiB of memory" 'on(:deny) { |e| a = []; loop { a << "x" * 1000 } }'
misbehaves loud "a handler was stopped: it printed more than 1 MiB in one call" 'on(:deny) { |e| loop { puts "y" * 1000 } }'
misbehaves raises "RuntimeError: no" 'on(:deny) { |e| raise "no" }'
equal "raises: each time is counted" "$(ended raises .handled)" "$(ended raises .errors)"
equal "raises: it is not started again" 0 "$(ended raises .restarts)"
misbehaves exits "NoMethodError: undefined method 'exit'" 'on(:deny) { |e| exit }'
misbehaves deep "SystemStackError: stack level too deep" 'def deep(e) = deep(e)
on(:deny) { |e| deep(e) }'
misbehaves misspelt "NoMethodError: undefined method 'devce'" 'on(:deny) { |e| e.devce }'
has "misspelt: with a hint" "did you mean \`device\`?" "$T/misspelt.err"
misbehaves forges "NoMethodError: undefined method" 'on(:deny) { |e| e.class.allocate.comm }' # an object without bytes

scratch gigabyte
policy gigabyte 'LINE = "z" * 1023
on(:deny) { |e| 1000.times { puts LINE } }'
watch gigabyte
denials 1500 >/dev/null # 1.5 GB, if it were shown
stop
size=$(stat -c %s "$T/gigabyte.out")
if [ "$size" -le $((64 << 20)) ]; then pass "what is printed is bounded"; else fail "what is printed is bounded" "$size bytes"; fi
has "what is left out is told" "that handlers printed are left out" "$T/gigabyte.err"
detach

scratch timer
policy timer 'every(0.25) { loop { } }
at_exit { puts "end" }'
watch=$("$DEVGUARD" watch "$T/timer.rb" "$CG" --timeout 3 2>&1 >/dev/null)
if [[ $watch == *"timer.rb:4: error: a handler of every was stopped after 1 s of CPU time"* ]]; then pass "a timer without end"
else fail "a timer without end" "$watch"; fi
detach
policy exiting 'on(:deny) { |e| }
at_exit { loop { } }'
watch exiting
stop
equal "at_exit without end is ended" 0 "$STATUS"
has "and told" "a handler of at_exit was stopped" "$T/exiting.err"
detach

# ---- killed --------------------------------------------------------------------------------------------------

scratch killed
policy killed 'on(:deny) { |e| puts "seen" }
at_exit { puts "end" }'
watch killed --json
until_true child
kill -9 "$(child)"
until_true grep -q "killed from outside" "$T/killed.err"
until_true child
denials 2 >/dev/null
until_true lines "$T/killed.out" 3
stop
has "its child is killed: told" "a handler was killed from outside" "$T/killed.err"
equal "and started again" "1 2" "$(ended killed .restarts) $(ended killed .handled)"
equal "at_exit of the new one" '"end"' "$(jq -s '[.[] | select(has("printed"))] | last | .printed' "$T/killed.out")"
watch killed
orphan=$(child)
kill -9 "$WATCHER"
wait "$WATCHER" 2>/dev/null
until_true test ! -e "/proc/$orphan"
check "watch is killed: its child goes too" test ! -e "/proc/$orphan"
check "and what is denied is denied" denied
watch killed
pass "another watch may read then"

# ---- two ------------------------------------------------------------------------------------------------------

before=$("$DEVGUARD" status "$CG" --json 2>/dev/null | jq '[.cgroups[].programs[] | select(.ours)][0].id')
expect "a second watch is refused" 1 "process $WATCHER reads these events already" "$DEVGUARD" watch "$T/killed.rb" "$CG"
equal "and has replaced nothing" "$before" "$("$DEVGUARD" status "$CG" --json 2>/dev/null | jq '[.cgroups[].programs[] | select(.ours)][0].id')"
first=$WATCHER
policy other 'on(:deny) { |e| puts "other" }'
watch other
denials 1 >/dev/null
until_true grep -q other "$T/other.out"
stop
has "two policies of one cgroup, a watch each" other "$T/other.out"
WATCHER=$first
stop
equal "the first goes on" 0 "$STATUS"
detach

# ---- where it prints ---------------------------------------------------------------------------------------

scratch full
policy full 'on(:deny) { |e| puts "text" }'
"$DEVGUARD" watch "$T/full.rb" "$CG" >/dev/full 2>"$T/full.err" & WATCHER=$!
BACKGROUND+=("$WATCHER")
until_true reading
denials 1 >/dev/null
if timeout 60 tail --pid="$WATCHER" -f /dev/null; then wait "$WATCHER"; fi
equal "a full disk ends it" 1 $?
has "and is told" "cannot write to stdout: No space left on device" "$T/full.err"
check "what is denied is denied" denied
detach

summary
