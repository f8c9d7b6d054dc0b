#!/bin/bash
# learn.sh - what cgroups and commands ask for, recorded; the policies that are written of it, replayed: no request of the
# workload is denied under its own policy, and one new device is.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
[ -n "$reason" ] || ! kernel_before 5.18 || reason="bpf_get_retval needs Linux 5.18"
command -v jq >/dev/null || reason="${reason:-jq is not installed}"
command -v python3 >/dev/null || reason="${reason:-python3 is not installed}"

equal() # equal NAME WANT GOT
{
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "$3
expected $2"; fi
}
has() # has NAME TEXT FILE
{
	if grep -qF -- "$2" "$3"; then pass "$1"; else fail "$1" "no '$2' in:
$(head -c 4000 "$3")"; fi
}
lacks() # lacks NAME TEXT FILE
{
	if grep -qF -- "$2" "$3"; then fail "$1" "'$2' in:
$(head -c 4000 "$3")"; else pass "$1"; fi
}
learn() { "$DEVGUARD" learn "$@"; }
rules() { grep -E '^ *allow' "$1"; }

# ---- what needs no kernel: recordings, damaged, added up ------------------------------------------

head_line() { printf '{"recording":"rucy-devguard/1","lines":%d,"runs":1,"by_uid":%s,"permissive":0,"lost":%d}\n' "$1" "${3:-false}" "${2:-0}"; }
request() # request TYPE MAJOR MINOR LETTERS COUNT [VERDICT] [MORE]
{
	local allowed=0 denied=0 permitted=0
	printf -v "${6:-allowed}" %d "$5"
	printf '{"type":"%s","major":%d,"minor":%d,"requested":"%s",%s"count":%d,"allowed":%d,"denied":%d,"permitted":%d,"programs":[{"comm":"sh","count":%d}],"others":0}\n' \
		"$1" "$2" "$3" "$4" "${7-}" "$5" "$allowed" "$denied" "$permitted" "$5"
}
{ head_line 2; request c 1 3 rw 4; request c 10 229 r 1; } >"$T/a.rec"
{ head_line 2; request c 1 3 r 6; request b 8 0 r 2 denied; } >"$T/b.rec"
expect "two recordings add up" 0 "10 times by sh" learn --record "$T/a.rec" --record "$T/b.rec" -o -
cat "$T/a.rec" "$T/b.rec" >"$T/ab.rec"
learn --record "$T/a.rec" --record "$T/b.rec" --name x >"$T/two.rb" 2>"$T/two.err"
learn --record "$T/ab.rec" --name x >"$T/one.rb" 2>/dev/null
same "recordings in one file are the same" "$T/two.rb" "$T/one.rb"
equal "the rules" 'allow :null, access: "rw", label: "takes everything, gives nothing"
allow :fuse, access: "r", label: "file systems in user space"' "$(rules "$T/two.rb")"
has "what was denied is a comment" '# allow :sda, access: "r"' "$T/two.rb"
has "and is told" "denied: 2, a comment in the policy; --with-denied allows them" "$T/two.err"
expect "--with-denied" 0 'allow :sda, access: "r"' learn --record "$T/b.rec" --with-denied
expect "the recording is what diff --replay takes" 0 "13 recorded requests: 0 newly allowed, 0 newly denied" "$DEVGUARD" diff "$T/two.rb" "$T/one.rb" --replay "$T/ab.rec"
{ head_line 2; request c 136 0 rw 5; request c 136 7 r 3 denied; } >"$T/k.rec"
learn --record "$T/k.rec" -o "$T/k.rb" 2>"$T/k.err"; equal "one of a family was denied: the status" 0 $?
equal "it stays denied" "allow c 136:0 rw
deny c 136:7 r" "$("$DEVGUARD" eval "$T/k.rb" 'c 136:0 rw' 'c 136:7 r' | cut -f1)"
while read -r type major minor denied rule; do
	{ head_line 3; request "$type" "$major" "$minor" rw 1; request "$type" "$major" "$denied" r 1 denied; request c 10 237 w 1; } >"$T/s.rec"
	expect "no family for $type $major:$minor" 0 "allow $rule" learn --record "$T/s.rec" -o -
done <<'FAMILIES'
b 7 2 3 :loop2, access: "rw"
c 13 64 66 :event0, access: "rw"
c 166 1 2 :ttyACM1, access: "rw"
c 189 1 9 "c 189:1 rw"
FAMILIES
expect "--with-denied names the family" 0 'allow :pts, access: "rw"' learn --record "$T/k.rec" --with-denied
printf 'allow :null\n' >"$T/k0.rb"
expect "nor does a patch open it" 0 '+allow "c 136:0 rw"' learn --record "$T/k.rec" --update "$T/k0.rb"
{ head_line 3; request c 1 3 r 1; request c 1 3 w 1; request c 1 3 rw 1 denied; } >"$T/parts.rec"
expect "accesses that were let pass one by one" 0 "is allowed now, as each of its accesses was let pass: c 1:3 rw" learn --record "$T/parts.rec"
head -c -20 "$T/a.rec" >"$T/cut.rec"
expect "a recording that is cut" 1 "its last line is cut off" learn --record "$T/cut.rec"
head -n 2 "$T/a.rec" >"$T/short.rec"
expect "one that lacks a line" 1 "lines are missing at its end" learn --record "$T/short.rec"
sed 's/"count":4/"count":5/' "$T/a.rec" >"$T/changed.rec"
expect "one whose counts are no sums" 1 "this line is no whole request" learn --record "$T/changed.rec"
echo 'allow :null' >"$T/policy.rb"
expect "a file of another kind" 1 "policy.rb:1: error: this is no recording" learn --record "$T/policy.rb"
: >"$T/empty.rec"
expect "an empty file" 1 "it is empty" learn --record "$T/empty.rec"
{ head_line 0; } >"$T/nothing.rec"
expect "an empty recording" 0 "no device was asked for: the policy denies every device" learn --record "$T/nothing.rec"
{ head_line 1 7; request c 1 3 r 1; } >"$T/lost.rec"
expect "one that is not complete" 1 "NOT COMPLETE: 7 requests were lost" learn --record "$T/lost.rec"
expect "and the policy says so" 1 "# INCOMPLETE: 7 more requests were not recorded." learn --record "$T/lost.rec"
{ head_line 1 0 true; request c 1 5 r 2 allowed '"uid":33,'; } >"$T/uid.rec"
expect "--by uid" 0 'allow(:zero, access: "r", label: "gives zero bytes") { |ctx| ctx.uid == 33 }' learn --by uid --record "$T/uid.rec"
exe_head() { printf '{"recording":"rucy-devguard/1","lines":%d,"runs":1,"by_uid":false,"by_exe":true,"permissive":0,"lost":0}\n' "$1"; }
{ exe_head 4; request c 1 5 r 2 allowed '"exe":"/usr/bin/b",'; request c 1 5 r 3 allowed '"exe":"/usr/bin/a",'; request c 1 3 r 4 allowed '"gone":1,'; request c 1 7 r 5 denied '"exe":"/usr/bin/a",'; } >"$T/exe.rec"
learn --by exe --record "$T/exe.rec" -o "$T/exe.rb" 2>"$T/exe.err"; equal "--by exe" 0 $?
equal "rules by program, those for all last" 'allow(:zero, access: "r", label: "gives zero bytes") { |ctx| ["/usr/bin/a", "/usr/bin/b"].include?(ctx.exe) }
allow :null, access: "r", label: "takes everything, gives nothing"' "$(rules "$T/exe.rb")"
has "it is proven" "proven: the policy allows all that was let pass (3 different requests)" "$T/exe.err"
has "programs that were gone are told" "the program of 1 request had ended before its file could be looked at: the rules for them are for every program" "$T/exe.err"
has "so are those that no rule may name" "3 requests were made by programs whose files no rule can name" "$T/exe.err"
equal "it is for these programs" "allow c 1:5 r exe=/usr/bin/b
deny c 1:5 r exe=/usr/bin/c
deny c 1:7 r exe=/usr/bin/a
allow c 1:3 r exe=-" "$("$DEVGUARD" eval "$T/exe.rb" 'c 1:5 r exe=/usr/bin/b' 'c 1:5 r exe=/usr/bin/c' 'c 1:7 r exe=/usr/bin/a' 'c 1:3 r exe=-' | cut -f1)"
expect "without --by exe programs are added up" 0 'allow :null, :zero, access: "r"' learn --record "$T/exe.rec"
expect "programs that were not recorded" 1 "hint: record again, with --by exe, into a new file" learn --by exe --record "$T/a.rec"
{ exe_head 1; request c 1 5 r 3 denied '"gone":2,'; } >"$T/exe3.rec"
learn --by exe --record "$T/exe3.rec" -o "$T/exe3.rb" 2>"$T/exe3.err"
has "denied to programs that had ended" "the programs of 2 denied requests had ended before their files could be looked at: the comment about them names no file" "$T/exe3.err"
equal "then no rule is for every program" 0 "$(grep -c 'for every program' "$T/exe3.err")"
{ exe_head 3; request c 1 5 r 2 allowed '"exe":"/usr/bin/dash",'; request c 1 3 r 3 allowed '"exe":"/usr/bin/dash",'; request c 1 7 r 3 denied '"exe":"/usr/bin/python3",'; } >"$T/shell.rec"
learn --by exe --record "$T/shell.rec" -o "$T/shell.rb" 2>"$T/shell.err"
equal "a rule for a shell is warned of, once" 1 "$(grep -c '/usr/bin/dash is a shell: its rules allow the devices to whatever it is told to run' "$T/shell.err")"
equal "what has no rule is not" 0 "$(grep -c python3 "$T/shell.err")"
{ exe_head 2; request c 1 5 r 2 allowed '"gone":2,'; request c 1 5 r 3 denied '"exe":"/usr/bin/a",'; } >"$T/exe2.rec"
expect "denied to one, let pass to one that was gone" 0 "of this program or of one that is not known: c 1:5 r exe=/usr/bin/a" learn --by exe --record "$T/exe2.rec"
printf 'allow(:zero) { |ctx| ctx.exe == "/usr/bin/a" }\nallow :null\n' >"$T/e.rb"
(cd "$T" && learn --by exe --record exe.rec --update e.rb >e.patch 2>e.err); equal "--update by program" 0 $?
equal "it adds the program that was missing" '+allow(:zero, access: "r", label: "gives zero bytes") { |ctx| ctx.exe == "/usr/bin/b" }' "$(grep '^+allow' "$T/e.patch")"
check "the patch with a program applies" patch -s -d "$T" -p0 -i e.patch
equal "then nothing is missing" "" "$(cd "$T" && learn --by exe --record exe.rec --update e.rb 2>/dev/null)"
expect "a program that decides and was not recorded" 1 "hint: record it with --by exe" learn --record "$T/exe.rec" --update "$T/exe.rb"
expect "diff --replay knows the program" 0 " 0 newly denied" "$DEVGUARD" diff docker:'a *:* rwm' "$T/exe.rb" --replay <(exe_head 1; request c 1 5 r 2 allowed '"exe":"/usr/bin/b",')
expect "users that were not recorded" 1 "hint: record again, with --by uid, into a new file" learn --by uid --record "$T/a.rec"
expect "access(F_OK) alone" 0 '{ |ctx| ctx.requested == 0 }' learn --record <(head_line 1; request c 10 229 - 1)
python3 - "$T/many.rec" <<'PY'
import sys
n = 100000
with open(sys.argv[1], 'w') as f:
    f.write('{"recording":"rucy-devguard/1","lines":%d,"runs":1,"by_uid":false,"permissive":0,"lost":0}\n' % n)
    for i in range(n):
        f.write('{"type":"%s","major":%d,"minor":%d,"requested":"%s","count":1,"allowed":1,"denied":0,"permitted":0,"programs":[{"comm":"sh","count":1}],"others":0}\n'
                % ('cb'[i % 2], 500 + i // 2 % 10, i // 40, 'rw'[i // 20 % 2]))
PY
expect "100,000 different requests" 0 "proven: the policy allows all that was let pass (100000 different requests)" learn --record "$T/many.rec" -o "$T/many.rb"
mkdir "$T/full" && : >"$T/full/x"
expect "a place that cannot be written" 1 "cannot write" learn --record "$T/a.rec" -o "$T/absent/x.rb"
expect "what cannot be complete any more: the hint" 1 "hint: record it again, into a new file" learn --record "$T/lost.rec" --record "$T/a.rec"
expect "only denied: the policy" 0 "# No device was let pass." learn --record <(head_line 1; request c 1 11 r 4 denied)
expect "--with-denied is not what was let pass" 0 "denied: 2, which the policy allows (--with-denied)" learn --record "$T/b.rec" --with-denied -o -
expect "nothing is given" 64 "no cgroup and no command given" learn
expect "two files, and a command" 64 "one file at a time is recorded into" learn --record a --record b -- true
expect "a cgroup and a command" 64 "a cgroup and a command" learn / -- true
expect "two cgroups" 64 "more than one cgroup given (a command stands behind --)" learn /a /b
expect "--by something else" 64 "--by comm: unknown value" learn --by comm -- true

# ---- patches -------------------------------------------------------------------------------------------

cat >"$T/p.rb" <<'RUBY'
policy "p" do
  allow :null,
        access: "w"
  deny "c 10:229", label: "no fuse"

  # the rest
  deny "a *:*"
end
RUBY
{ head_line 4; request c 1 3 rw 4; request c 10 229 r 1; request c 1 8 r 3; request c 136 4 rw 1; } >"$T/p.rec"
cp "$T/p.rb" "$T/q.rb"
(cd "$T" && learn --record p.rec --update q.rb >q.patch 2>q.err); equal "--update, when a rule denies on purpose" 2 $?
has "it says which" 'q.rb:4: warning: a rule denies it (no fuse), and is not added: c 10:229 r' "$T/q.err"
check "the patch applies" patch -d "$T" -p0 -i q.patch
equal "what it adds, before what denies everything" '  allow :random, access: "r", label: "random numbers"
  allow :pts, access: "rw", label: "pseudo terminals"
  # the rest' "$(grep -E '^  allow :(null, access: "rw"|random|pts)|the rest' "$T/q.rb" | grep -v null)"
equal "after it only that is denied" "allow c 1:3 rw
allow c 1:8 r
allow c 136:9 rw
deny c 10:229 r
deny c 1:5 r" "$("$DEVGUARD" eval "$T/q.rb" 'c 1:3 rw' 'c 1:8 r' 'c 136:9 rw' 'c 10:229 r' 'c 1:5 r' | cut -f1)"
printf 'allow :null, access: "w"\nnever "c 1:*", access: "r", label: "no memory"' >"$T/n.rb"
(cd "$T" && learn --record p.rec --update n.rb >n.patch 2>n.err); equal "--update, when a claim forbids" 2 $?
has "that is said" "a claim of the policy (never) forbids it, and is not added: c 1:8 r" "$T/n.err"
check "the patch of a file without a last newline applies" patch -d "$T" -p0 -i n.patch
expect "and the claim holds" 0 "claims: 1 proven" "$DEVGUARD" check "$T/n.rb"
equal "the rest is there" "allow c 136:9 rw
deny c 1:8 r" "$("$DEVGUARD" eval "$T/n.rb" 'c 136:9 rw' 'c 1:8 r' | cut -f1)"
mkdir "$T/my dir"
for into in "$T/my dir/my q.rb" "./my dir/r.rb"; do
	(cd "$T" && echo 'allow :zero' >"$into" && learn --record a.rec --update "$into" -o "my dir/x.patch" 2>apply.err
	bash -c "$(sed -n 's/.*to apply it: //p' apply.err)" >/dev/null; learn --record a.rec --update "$into" 2>&1) >"$T/applied"
	has "the patch of $into is applied as the note says" "nothing is missing" "$T/applied"
done
printf 'allow :null\nnever "c 136:9"\n' >"$T/fam.rb"
{ head_line 1; request c 136 0 rw 5; } >"$T/pts.rec"
(cd "$T" && learn --record pts.rec --update fam.rb >fam.patch 2>fam.err); equal "--update, when a claim forbids only others of the family" 0 $?
has "its number is added" '+allow "c 136:0 rw"' "$T/fam.patch"
printf 'default :allow\n' >"$T/d.rb"
expect "default :allow" 0 "its default is :allow, so what no rule denies is allowed already" learn --record "$T/p.rec" --update "$T/d.rb"
printf '[:null].each do |d|\n  allow d, access: "rw"\nend\n' >"$T/loop.rb"
(cd "$T" && learn --record a.rec --update loop.rb >loop.patch 2>/dev/null && patch -s -p0 -i loop.patch)
equal "a policy whose rules a loop makes: behind the loop" "end" "$(sed -n 3p "$T/loop.rb")"
equal "nothing is missing" "" "$(cd "$T" && learn --record a.rec --update loop.rb 2>/dev/null)"
printf 'allow(:null) { |ctx| ctx.uid == 7 }\n' >"$T/f.rb"
expect "a fact that was not recorded" 1 "uid decides, and was not recorded" learn --record "$T/a.rec" --update "$T/f.rb"
printf 'allow :nul\n' >"$T/typo.rb"
expect "a policy that is refused" 3 "unknown device :nul" learn --record "$T/a.rec" --update "$T/typo.rb"
"$DEVGUARD" compile "$T/d.rb" -o "$T/d.o"
expect "an object" 1 "--update changes the text of a policy: this is an object" learn --record "$T/a.rec" --update "$T/d.o"

[ -z "$reason" ] || { skip "learn: cgroups and commands" "$reason"; summary; exit; }

# ---- a command -----------------------------------------------------------------------------------------

build_opener
nodes() # device nodes, wherever this host has them
{
	mknod -m 666 "$T/null" c 1 3; mknod -m 666 "$T/zero" c 1 5; mknod -m 666 "$T/fuse" c 10 229; mknod -m 666 "$T/random" c 1 8
	mknod -m 666 "$T/control" c 10 237; mknod -m 666 "$T/loop" b 7 200; mknod -m 666 "$T/tty" c 5 0; mknod -m 666 "$T/odd" c 511 77
}
nodes
[ "$("$OPENER" open r "$T/null")" = ok ] || { skip "learn" "$T is mounted nodev: set TMPDIR"; summary; exit; }
cat >"$T/work.py" <<'PY'
import os, sys
T = sys.argv[1]
def touch(path, flags):
    try:
        os.close(os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY))
    except OSError as e:
        if e.errno == 1: # EPERM
            print('denied', path)
touch(T + '/null', os.O_RDWR); touch(T + '/random', os.O_RDONLY); touch(T + '/fuse', os.O_RDWR)
touch(T + '/control', os.O_RDWR); touch(T + '/loop', os.O_RDWR); touch(T + '/tty', os.O_RDWR); touch(T + '/odd', os.O_RDONLY)
os.access(T + '/zero', os.F_OK, effective_ids=True)
pairs = [os.openpty() for _ in range(3)]
for _, slave in pairs:
    touch(os.ttyname(slave), os.O_RDWR)
os.mknod(T + '/made', 0o20600, os.makedev(1, 7)); os.unlink(T + '/made')
if len(sys.argv) > 2:
    touch(T + '/zero', os.O_RDONLY)
sys.exit(5)
PY
learn --record "$T/w.rec" -o "$T/w.rb" --name w -- python3 "$T/work.py" "$T" >"$T/w.out" 2>"$T/w.err"; equal "the status is the command's" 5 $?
equal "nothing is denied while it is recorded" "" "$(cat "$T/w.out")"
has "it is proven" "proven: the policy allows all that was let pass" "$T/w.err"
has "and compared" "it denies 171" "$T/w.err"
has "terminals are a family" ":pts, access: \"rw\"" "$T/w.rb"
has "so are loop devices that were handed out" ":loop" "$T/w.rb"
has "what was made" 'allow :full, access: "m"' "$T/w.rb"
has "what was only looked for" "{ |ctx| ctx.requested == 0 }" "$T/w.rb"
has "what has no name" '"c 511:77 r"' "$T/w.rb"
has "who it was" "by python3" "$T/w.rb"
check "the policy is one" "$DEVGUARD" check "$T/w.rb"
"$DEVGUARD" run "$T/w.rb" -- python3 "$T/work.py" "$T" >"$T/again.out" 2>&1; equal "replayed under it: the status" 5 $?
equal "replayed under it: nothing is denied" "" "$(cat "$T/again.out")"
equal "one new device is denied" "denied $T/zero" "$("$DEVGUARD" run "$T/w.rb" -- python3 "$T/work.py" "$T" more 2>&1)"
expect "diff with what engines give" 2 "newly denied" "$DEVGUARD" diff docker:'c 1:3 r' "$T/w.rb"
expect "nothing that was recorded is denied by it" 0 " 0 newly denied" "$DEVGUARD" diff docker:'a *:* rwm' "$T/w.rb" --replay "$T/w.rec"
before=$(jq -s '.[1:] | map(.count) | add' "$T/w.rec")
learn --record "$T/w.rec" -o "$T/w2.rb" -- python3 "$T/work.py" "$T" more >/dev/null 2>&1
equal "a second recording adds up" true "$(jq -s --argjson n "$before" '.[0].runs == 2 and (.[1:] | map(.count) | add) > 2 * $n' "$T/w.rec")"
expect "a command that is not there" 127 "cannot run ./absent" learn --record "$T/none.rec" -o "$T/none.rb" -- ./absent
[ ! -e "$T/none.rec" ] && [ ! -e "$T/none.rb" ] && pass "then nothing is written" || fail "then nothing is written"
expect "-o that cannot be written: the command does not run" 1 "cannot write $T/absent/x.rb" learn -o "$T/absent/x.rb" -- touch "$T/ran"
expect "nor when it is --record" 1 "cannot write $T/absent/x.rec" learn --record "$T/absent/x.rec" -- touch "$T/ran"
[ ! -e "$T/ran" ] && pass "it did not run" || fail "it did not run"
expect "what a command leaves is told" 0 "processes of the command still ran when it ended" learn -o /dev/null -- sh -c 'setsid sleep 1000 & exit 0'
learn -o /dev/null -- true >/dev/null 2>"$T/left.err"; lacks "what leaves nothing is not" "still ran" "$T/left.err"
expect "a command killed" 143 "1 recording" learn -- sh -c 'kill -TERM $$'
expect "--for ends a command" 143 "1 recording" learn --for 0.3 -- sleep 1000
expect "--for takes minutes and seconds too" 143 "1 recording" learn --for 1s -- sleep 1000
expect "a time that is none" 64 "--for 3x: not a time" learn --for 3x -- true
expect "a file that is no recording" 1 "this is no recording" learn --record "$T/policy.rb" -- true
equal "it stays as it was" "allow :null" "$(cat "$T/policy.rb")"

# Hostile names.
cat >"$T/names.py" <<'PY'
import ctypes, os
libc = ctypes.CDLL(None)
for name in (b'"); allow :mem#', b'#{exit 1}', b'\nallow :mem\n', b'\xff\xfe\x80', b'\\', b'=begin', b'\n__END__\n', b'\xe2\x80\xa8allow', b''):
    libc.prctl(15, name, 0, 0, 0)
    os.close(os.open('/dev/null', os.O_RDONLY))
PY
learn --record "$T/h.rec" -o "$T/h.rb" -- python3 "$T/names.py" 2>/dev/null; equal "names of processes that are Ruby" 0 $?
equal "one rule, and no line of theirs" "policy \"python3\"
default :deny" "$(grep -vE '^#|^$|^allow :(null|urandom|tty)' "$T/h.rb")"
check "the recording is read back" learn --record "$T/h.rec" -o /dev/null
if ! kernel_before 6.1; then has "they are escaped" '"\\x0Aallow :mem\\x0A"' "$T/h.rec"; fi

# ---- a cgroup ----------------------------------------------------------------------------------------------

watcher() # watcher OPTIONS...: learn on CG in the background, begun; its pid in WATCHER
{
	"$DEVGUARD" learn "$CG" "$@" >"$T/cg.out" 2>"$T/cg.err" & WATCHER=$!
	BACKGROUND+=("$WATCHER")
	local i
	for ((i = 0; i < 400; i++)); do ls -l "/proc/$WATCHER/fd" 2>/dev/null | grep -q signalfd && ls -l "/proc/$WATCHER/fd" | grep -q eventpoll && return; sleep 0.05; done
	fail "learn begins" "$(cat "$T/cg.err")"
}
ended() { wait "$WATCHER"; STATUS=$?; } # its status
scratch learned
mkdir "$CG/below"
watcher --record "$T/c.rec"
inside "$CG" "$OPENER" open r "$T/zero" >/dev/null
kernel_before 6.1 || inside "$CG/below" "$OPENER" open w "$T/null" >/dev/null
kill -INT "$WATCHER"; ended; equal "Ctrl-C ends it well" 0 $STATUS
has "and the policy is written" 'allow :zero, access: "r"' "$T/cg.out"
kernel_before 6.1 || has "with what is below" 'allow :null, access: "w"' "$T/cg.out"
equal "the recording, too" 1 "$(jq -s '.[0].runs' "$T/c.rec")"
watcher; rmdir "$CG/below" "$CG"; ended; equal "the end of the cgroup ends it" 0 $STATUS
has "which is said" "was removed: the recording ends" "$T/cg.err"

# Not complete: it is stopped, while there is more than its ring has room for.
scratch flood
watcher --record "$T/f.rec"
kill -STOP "$WATCHER"
ROUNDS=250000
mknod -m 666 "$T/none" c 511 78
printf 'policy "flood"\nallow "c 1:3"\n' >"$T/flood.rb"; "$DEVGUARD" apply "$T/flood.rb" "$CG" >/dev/null
inside "$CG" "$OPENER" loop "$ROUNDS" "$T/null" "$T/none" </dev/null >"$T/rounds"
kill -CONT "$WATCHER"; kill -INT "$WATCHER"; ended; equal "lost requests: the status" 1 $STATUS
has "it is said" "NOT COMPLETE" "$T/cg.err"
has "also in the policy" "# INCOMPLETE" "$T/cg.out"
equal "recorded and lost are all there were" "$((2 * $(awk '{ print $2 }' "$T/rounds")))" "$(jq -s '.[0].lost + (.[1:] | map(.count) | add)' "$T/f.rec")"
"$DEVGUARD" detach "$CG" >/dev/null

# What filters deny is let pass.
printf 'policy "open"\ngrants :allowed\nallow "c 1:3"\n' >"$T/open.rb"
"$DEVGUARD" apply "$T/open.rb" "$CG" >/dev/null
watcher --permissive
equal "--permissive: a denied request passes" ok "$(inside "$CG" "$OPENER" open r "$T/zero")"
kill -INT "$WATCHER"; ended; equal "--permissive ends" 0 $STATUS
has "it is loud when it begins" "warning: --permissive: whatever filters deny" "$T/cg.err"
has "and when it ends" "--permissive has ended: filters deny again" "$T/cg.err"
has "the policy allows it" "filters denied it 1 time" "$T/cg.out"
has "it is looser than what filters" "such as c 1:5 r" "$T/cg.err"
equal "then it is denied again" EPERM "$(inside "$CG" "$OPENER" open r "$T/zero")"
watcher --permissive
equal "once more" ok "$(inside "$CG" "$OPENER" open r "$T/zero")"
kill -STOP "$WATCHER"
closed() { [ "$(inside "$CG" "$OPENER" open r "$T/zero")" = EPERM ]; }
until_closed() { local i; for ((i = 0; i < 200; i++)); do closed && break; sleep 0.1; done; }
until_closed
kill -INT "$WATCHER"; kill -CONT "$WATCHER"; ended; equal "stopped, so its lease was over: it ends well" 0 $STATUS
has "what stayed denied is told" "1 request was denied while --permissive" "$T/cg.err"
grep -qE '/dev/zero.* filters denied it ([0-9]+) times?$' "$T/cg.out" && equal "the comment counts all that was denied" \
	"$(sed -n 's/.*zero *\([0-9]*\) time.*/\1/p' "$T/cg.out")" "$(sed -n 's/.*zero.*denied it \([0-9]*\) time.*/\1/p' "$T/cg.out")" || fail "the comment counts" "$(cat "$T/cg.out")"
watcher --permissive
equal "and again" ok "$(inside "$CG" "$OPENER" open r "$T/zero")"
kill -KILL "$WATCHER"; wait "$WATCHER" 2>/dev/null
until_closed
equal "killed: enforcement comes back alone" EPERM "$(inside "$CG" "$OPENER" open r "$T/zero")"
"$DEVGUARD" detach "$CG" >/dev/null
printf 'policy "shut"\nallow "c 1:3"\n' >"$T/shut.rb"
"$DEVGUARD" apply "$T/shut.rb" "$CG" >/dev/null
expect "below a policy that allows no grants it is refused" 1 "--permissive opens nothing below the policy 'shut'" learn "$CG" --permissive --for 1
watcher
equal "without it, denied is denied" EPERM "$(inside "$CG" "$OPENER" open r "$T/zero")"
kill -INT "$WATCHER"; ended; equal "and recorded" 0 $STATUS
has "as a comment" '# allow :zero, access: "r"' "$T/cg.out"
"$DEVGUARD" detach "$CG" >/dev/null

# Users.
chmod 755 "$T" "$OPENER" 2>/dev/null
watcher --by uid
inside "$CG" "$OPENER" open r "$T/zero" >/dev/null
inside "$CG" setpriv --reuid 33 --regid 33 --clear-groups "$OPENER" open r "$T/zero" >/dev/null
inside "$CG" setpriv --reuid 34 --regid 34 --clear-groups "$OPENER" open w "$T/null" >/dev/null
kill -TERM "$WATCHER"; ended; equal "--by uid" 0 $STATUS
has "two users" '[0, 33].include?(ctx.uid)' "$T/cg.out"
has "one user" 'ctx.uid == 34' "$T/cg.out"

# Programs.
if ! kernel_before 6.1; then
	slow='open(A, "<", $ARGV[0]); sleep 2' # so that it is there when it is looked at
	PERL=$(readlink -f "$(command -v perl)")
	install -m 755 "$PERL" "$T/mine"; chown 12345 "$T/mine"
	mkdir "$T/open"; install -m 755 "$PERL" "$T/open/root"; chmod 777 "$T/open"
	watcher --by exe --record "$T/prog.rec"
	slowly=()
	for pair in "$PERL $T/zero" "$T/mine $T/random" "$T/open/root $T/fuse"; do inside "$CG" "${pair% *}" -e "$slow" "${pair#* }" & slowly+=($!); done
	for i in $(seq 100); do [ "$(wc -l <"$CG/cgroup.procs")" -ge 3 ] && break; sleep 0.05; done; sleep 0.5
	kill -TERM "$WATCHER"; ended; equal "--by exe" 0 $STATUS
	has "a program" "ctx.exe == \"$PERL\"" "$T/cg.out"
	has "one that is not root's" "$T/mine is owned by uid 12345, not by root" "$T/cg.err"
	has "one in a directory of others" "no rule can name the program $T/open/root" "$T/cg.err"
	check "the recording has them" jq -se --arg perl "$PERL" '[.[1:][] | select(.major == 1 and .minor == 5) | .exe] == [$perl] and
		[.[1:][] | select(.minor == 8 or .minor == 229) | [.exe, .gone]] == [[null, 0], [null, 0]]' "$T/prog.rec"
	wait "${slowly[@]}"
	check "its policy is one" "$DEVGUARD" check "$T/cg.out"
fi

summary
