#!/bin/bash
# maps.sh - the maps of a raw program in its handlers, while the kernel runs it: what is read, given and lost adds up.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
[ -z "$reason" ] || { skip "maps" "$reason"; summary; exit; }
build_opener

node() { mknod -m 666 "$T/$1" c 1 "$2"; }
node null 3; node zero 5; node full 7; node random 8; node urandom 9; node kmsg 11
[ "$("$OPENER" open r "$T/null")" = ok ] ||
	{ skip "maps" "$T is mounted nodev: set TMPDIR"; summary; exit; }

program() # program NAME MAPS STEPS HANDLERS: T/NAME.rb, whose steps are done for devices of major 1
{
	cat >"$T/$1.rb" <<RUBY
license! "GPL"
section! "cgroup/dev"
class Ctx
  attr :access_type, :u32
  attr :major, :u32
  attr :minor, :u32
end
$2
def prog(ctx)
  if ctx.major == 1
$3
  end
  return 1
end
$4
RUBY
}
watch() # watch NAME: T/NAME.rb on CG in the background; pid in WATCHER
{
	"$DEVGUARD" watch "$T/$1.rb" "$CG" >"$T/$1.out" 2>"$T/$1.err" & WATCHER=$!
	BACKGROUND+=("$WATCHER")
	until_true grep -q "attached to\|replaced" "$T/$1.err" || fail "watch $1 begins" "$(cat "$T/$1.err")"
}
stop() # ends it; its status in STATUS
{
	kill -TERM "$WATCHER" 2>/dev/null
	ended
}
ended()
{
	if timeout 60 tail --pid="$WATCHER" -f /dev/null; then wait "$WATCHER"; STATUS=$?; else STATUS=hangs; fi
}
detach() { "$DEVGUARD" detach "$CG" >/dev/null 2>&1; }
loop() { inside "$CG" "$OPENER" loop "$1" "$T/null" "$T/kmsg" </dev/null >/dev/null; } # loop N: so many opens of both
opens() { local i; for i; do inside "$CG" "$OPENER" open r "$T/$i" >/dev/null; done; }
sum() { awk -v what="$1" 'index($0, what) { for (i = 1; i < NF; i++) if ($(i+1) ~ /^(record|change)s?$/) n += $i } END { print n + 0 }' "$2"; }

# ---- each kind -----------------------------------------------------------------------------------

scratch kinds
program kinds 'COUNTS = table :minor => :u64
NAMES = table [:comm, :uid] => :u32
CELLS = array 16
BUSY = percpu :minor => :u64
HIST = histogram
EVENTS = ring minor: :u32, comm: :comm' '    COUNTS[ctx.minor] += 1
    NAMES[[comm, uid]] = ctx.minor
    CELLS[ctx.minor] += 1
    BUSY[ctx.minor] += 1
    HIST << ctx.minor
    EVENTS << {minor: ctx.minor, comm: comm}' 'on(EVENTS) { |e| puts "#{e.comm} #{e.minor}" if e.minor == 8 }
at_exit do
  puts "all the same" if [COUNTS.sum { |k, n| n }, CELLS.values.sum, BUSY.values.sum, HIST.total].uniq == [CELLS[3] + CELLS[11] + 1]
  puts "each CPU" if BUSY.each_cpu.map { |k, list| [k, list.sum] }.sort == COUNTS.sort
  p COUNTS.keys.sort, COUNTS[8], COUNTS[4], NAMES.keys, CELLS.size
  COUNTS.clear
  CELLS.clear
  CELLS[2] = 5
  BUSY.delete(3)
  p COUNTS.size, CELLS.sum { |i, n| n }, BUSY.keys.sort, COUNTS.to_h
end'
watch kinds
loop 500
opens random
until_true grep -q "opener 8" "$T/kinds.out"
stop
equal "it ends" 0 "$STATUS"
cat >"$T/want" <<'WANT'
opener 8
all the same
each CPU
[3, 8, 11]
1
nil
[["opener", 0]]
16
0
5
[8, 11]
{}
WANT
if diff "$T/want" "$T/kinds.out" >"$T/diff"; then pass "what handlers are told of maps"
else fail "what handlers are told of maps" "$(cat "$T/diff" "$T/kinds.err")"; fi
detach

# ---- what is lost ------------------------------------------------------------------------------------

scratch lost
program lost 'OPENED = table :minor => :u64, max: 2
ALL = array 1
EVENTS = ring minor: :u32, n: :u64, size: 4096' '    ALL[0] += 1
    OPENED[ctx.minor] += 1
    EVENTS << {minor: ctx.minor, n: ktime_ns}' 'seen = 0
on(EVENTS) { |e| seen += 1; 2000.times { |i| i } }
at_exit { puts seen, ALL[0], OPENED.sum { |k, n| n } }'
watch lost
loop 3000
opens zero full random urandom null zero
stop
{ read -r seen; read -r all; read -r opened; } <"$T/lost.out"
if [ "${all:-0}" -ge 6006 ]; then pass "the program was called"; else fail "the program was called" "$(cat "$T/lost.out" "$T/lost.err")"; fi
equal "every record is given or lost" "$all" $((seen + $(sum "EVENTS:" "$T/lost.err")))
equal "every count is there or lost" "$all" $((opened + $(sum "OPENED:" "$T/lost.err")))
has "a full table is told" "lost: it has 2 entries and is full" "$T/lost.err"
[ "$seen" = "$all" ] || has "a full ring is told" "lost in the kernel (its buffer was full)" "$T/lost.err"
detach

# ---- replaced, taken off, read twice --------------------------------------------------------------------

scratch again
program again 'N = array 1
EVENTS = ring minor: :u32' '    N[0] += 1
    EVENTS << {minor: ctx.minor}' 'on(EVENTS) { |e| puts "#{e.minor} #{N[0]}" }'
watch again
opens zero
until_true grep -q "5 1" "$T/again.out"
before=$("$DEVGUARD" status "$CG" 2>/dev/null | grep -o 'program [0-9]*')
expect "a second reader is refused" 1 "process $WATCHER reads these events already" "$DEVGUARD" watch "$T/again.rb" "$CG" --timeout 5
equal "and has replaced nothing" "$before" "$("$DEVGUARD" status "$CG" 2>/dev/null | grep -o 'program [0-9]*')"
"$DEVGUARD" apply "$T/again.rb" "$CG" >/dev/null
opens full
until_true grep -q "7 1" "$T/again.out"
has "it goes on with the program that took the place" "7 1" "$T/again.out"
detach
ended
equal "taken off: it ends" 4 "$STATUS"

scratch unused
program unused 'NEVER = table :pid => :u64
N = array 1' '    N[0] += 1' 'at_exit { puts NEVER.size }'
watch unused
stop
has "a map that the program does not use" "NEVER cannot be read: the program does not use it" "$T/unused.err"
has "at its line" "unused.rb:16" "$T/unused.err"
detach

summary
