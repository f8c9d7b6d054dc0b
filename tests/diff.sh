#!/bin/bash
# diff.sh - the verb diff: what it says and how it ends, JSON, annotations, recorded requests, bad input; programs of
# the kernel against policies.
. "$(dirname "$0")/containers.sh"
cd "$T" || exit 1
diffed() { "$DEVGUARD" diff "$@" 2>&1; }
field() { python3 -c 'import json, sys
x = json.load(sys.stdin)
for key in sys.argv[1].split("."): x = x[int(key)] if key.isdigit() else x[key]
print(json.dumps(x))' "$1"; }

# ---- what it says ----------------------------------------------------------------------------------

cat >old.rb <<'RUBY'
allow :null, access: "r"
allow :fuse, label: "user space, 100%"
RUBY
cat >new.rb <<'RUBY'
deny :fuse, label: "no: fuse"
allow :null, access: "rw"
RUBY
equal "looser and stricter" 'looser and stricter: 2 requests newly allowed, 5 newly denied

newly allowed
  allow :null, access: "w"
  such as c 1:3 w
    before: deny, default
    after:  allow, new.rb:2

newly denied
  deny :fuse
  such as c 10:229 r
    before: allow, old.rb:2 user space, 100%
    after:  deny, new.rb:1 no: fuse' "$(diffed old.rb new.rb)"
expect "different: status 2" 2 "" "$DEVGUARD" diff old.rb new.rb
expect "one direction is allowed, not the other" 2 "" "$DEVGUARD" diff old.rb new.rb --allow-looser
expect "nor this" 2 "" "$DEVGUARD" diff old.rb new.rb --allow-stricter
expect "both are allowed" 0 "looser and stricter" "$DEVGUARD" diff old.rb new.rb --allow-stricter --allow-looser
printf 'allow :null\n' >null.rb
printf 'default :allow\n' >all.rb
printf 'allow :null, :fuse\ndeny :mem\n' >more.rb
expect "looser" 2 "looser: 5 requests newly allowed" "$DEVGUARD" diff null.rb more.rb
expect "looser, which is allowed" 0 "looser" "$DEVGUARD" diff null.rb more.rb --allow-looser
expect "stricter" 2 "stricter: 5 requests newly denied" "$DEVGUARD" diff more.rb null.rb
expect "stricter, where looser is allowed" 2 "" "$DEVGUARD" diff more.rb null.rb --allow-looser
equal "equal" "equal: every request is decided alike" "$(diffed old.rb old.rb)"
printf 'allow(:fuse) { |ctx| ctx.requested != 7 && ctx.requested != 3 }\n' >never.rb
printf 'allow :fuse\n' >fuse.rb
expect "what no kernel asks is no difference" 0 "equal" "$DEVGUARD" diff never.rb fuse.rb
equal "quiet says nothing" "" "$(diffed --quiet old.rb new.rb)"
expect "quiet: the status" 2 "" "$DEVGUARD" diff --quiet old.rb new.rb
equal "a policy from stdin" "equal: every request is decided alike" "$(diffed - null.rb <null.rb)"
printf 'mode :permissive\nallow :null\n' >permissive.rb
expect "the mode is told, and no difference" 0 "before, the mode was enforce; after, it is permissive" "$DEVGUARD" diff null.rb permissive.rb
printf 'param :gpu, 3, in: 0..15\nallow("c 195:0-15 rw") { |ctx| ctx.minor == ctx.gpu }\n' >gpu.rb
printf 'allow "c 195:5 rw"\n' >five.rb
expect "a parameter as it is" 2 "looser and stricter: 4 requests newly allowed" "$DEVGUARD" diff gpu.rb five.rb
sed 's/3, in/5, in/' gpu.rb >gpu5.rb
expect "a parameter, set" 0 "equal" "$DEVGUARD" diff gpu.rb gpu5.rb --param gpu=5
printf 'allow(:kvm) { |ctx| ctx.uid < 1000 && ctx.comm == "qemu" }\n' >user.rb
printf 'allow(:kvm) { |ctx| ctx.comm == "qemu" }\n' >anybody.rb
equal "a witness has the facts that decide" "  such as c 10:232 r uid=1000 comm=qemu" "$(diffed user.rb anybody.rb | grep 'such as')"
for name in '' 'a b' 'a#b' "it's" "'\\\"" '\x01\n%%0A' 'a\tb' '\xff'; do
	printf 'allow(:kvm) { |ctx| ctx.comm == "%s" }\n' "${name//%%/%}" >named.rb
	request=$("$DEVGUARD" diff --json <(echo 'default :deny') named.rb | field allowed.witness.request | python3 -c 'import json, sys; print(json.load(sys.stdin))')
	expect "a witness is a request, whatever the name: $name" 0 "allow c 10:232 r comm=" "$DEVGUARD" eval named.rb "$request"
done
"$DEVGUARD" compile old.rb -o old.o >out 2>&1 || cat out
expect "an object and its policy" 0 "equal" "$DEVGUARD" diff old.o old.rb
printf 'allow { |ctx| (ctx.major * 7 + ctx.minor) %% 5 == 2 }\n' >sum.rb
equal "what cannot be told is bounds, and says on what it hangs" "1 1" "$(diffed null.rb sum.rb >out
	echo "$(grep -c '^looser and stricter: [0-9]* to [0-9]* requests newly allowed,' out) $(grep -c 'hangs on .*major \* 7' out)")"
cp "$ROOT/policies/container-default.rb" default.rb
equal "lines of at most 80 columns" "" "$({ diffed old.rb new.rb; diffed null.rb default.rb; } | awk 'length > 80')"
python3 - <<'PYTHON'
import random
rules = random.Random(1)
lines = [f'{rules.choice(["allow", "deny"])} "{rules.choice("cb")} {rules.randrange(4096)}:{rules.randrange(1 << 20)} rw"' for _ in range(4000)]
open("long.rb", "w").write("\n".join(lines) + "\n")
open("longer.rb", "w").write("\n".join(lines) + '\nallow "c 77:77 rw"\n')
PYTHON
expect "4,000 scattered rules and 4,001" 2 "looser: 4 requests newly allowed" "$DEVGUARD" diff long.rb longer.rb
expect "4,000 rules and none" 2 "bytes more, all of it with --json" "$DEVGUARD" diff long.rb null.rb
# Boxes of devices and callers: more parts than a diagram has nodes for, where two such policies meet.
cat >boxes.py <<'PYTHON'
import random, sys
numbers = random.Random(int(sys.argv[1]))
def within(name, most):
    lo, hi = sorted((numbers.randrange(most), numbers.randrange(most)))
    return f"ctx.{name} >= {lo} && ctx.{name} <= {hi}"
for _ in range(int(sys.argv[2])):
    parts = [within("major", 4096), within("minor", 1 << 20), within("uid", 60000), within("gid", 60000)]
    print(f'{numbers.choice(["allow", "deny"])} {{ |ctx| {" && ".join(parts)} }}')
PYTHON
for n in 100 400; do python3 boxes.py 1 $n >x$n.rb; python3 boxes.py 2 $n >y$n.rb; done
expect "too many devices for rules: counts and a witness" 2 "(too many different devices to be told in rules)" "$DEVGUARD" diff x100.rb y100.rb
expect "too much together: no answer" 1 "x400.rb and y400.rb: error: together the two need more than 524288 nodes" "$DEVGUARD" diff x400.rb y400.rb

# ---- JSON and annotations -----------------------------------------------------------------------------

"$DEVGUARD" diff old.rb new.rb --json >out 2>err
equal "JSON: relation, counts" '"both" 2 2 5' "$(for key in relation allowed.least allowed.most denied.most; do field $key <out; done | paste -sd ' ')"
equal "JSON: rules" '["allow :null, access: \"w\""] ["deny :fuse"]' "$(for key in allowed.rules denied.rules; do field $key <out; done | paste -sd ' ')"
equal "JSON: a witness" '{"request": "c 10:229 r", "before": {"verdict": "allow", "by": {"default": false, "file": "old.rb", "line": 2, "label": "user space, 100%"}}, "after": {"verdict": "deny", "by": {"default": false, "file": "new.rb", "line": 1, "label": "no: fuse"}}}' \
	"$(field denied.witness <out)"
equal "JSON: an error" '1' "$(diffed old.rb gone.rb --json | field exit)"
equal "annotations, escaped" '::error file=new.rb,line=1,title=newly denied::newly denied: c 10:229 r. Before: allow, old.rb:2 user space, 100%25. After: deny, new.rb:1 no: fuse. Such requests: 5.' \
	"$(diffed old.rb new.rb --github | grep 'new.rb,line=1')"
equal "annotations: of what is allowed" "notice notice error error" "$(diffed old.rb new.rb --github --allow-looser | sed 's/^::\([a-z]*\).*/\1/' | paste -sd ' ')"
cp new.rb 'a,b:c%.rb'
equal "annotations: a name with signs of their own" "1" "$(diffed old.rb 'a,b:c%.rb' --github | grep -c 'file=a%2Cb%3Ac%25.rb,line=1,')"
equal "annotations: nothing differs" "" "$(diffed old.rb old.rb --github)"
printf 'allow :fuse, label: "a\\n::error::b \\e[31m"\n' >hostile.rb
equal "annotations: a label is no command" 0 "$(diffed null.rb hostile.rb --github | grep -c '^::error::b')"
equal "no control bytes" 0 "$(diffed null.rb hostile.rb | grep -c $'\e')"

# ---- recorded requests --------------------------------------------------------------------------------

record() { printf '{"schema":"rucy-devguard/1","type":"%s","major":%d,"minor":%d,"requested":"%s","access":"r","uid":%s,"gid":0,"pid":7,"tid":7,"comm":"%s","cgroup_id":9,"verdict":"allow","count":%d}\n' "$@"; }
{ record c 1 3 rw 0 cat 1; record c 10 229 rw 0 mount 3; record c 10 229 r 0 mount 2; record b 8 0 r 0 dd 1; record c 10 229 rw 5 fuse 4; } >records
equal "replay" '11 recorded requests: 1 newly allowed, 9 newly denied

newly allowed c 1:3 rw uid=0 gid=0 pid=7 tid=7 cgroup_id=9 comm=cat
    1 time, first in line 1
    before: deny, default
    after:  allow, new.rb:2

newly denied c 10:229 rw uid=0 gid=0 pid=7 tid=7 cgroup_id=9 comm=mount
    7 times, first in line 2
    before: allow, old.rb:2 user space, 100%
    after:  deny, new.rb:1 no: fuse

newly denied c 10:229 r uid=0 gid=0 pid=7 tid=7 cgroup_id=9 comm=mount
    2 times, first in line 3
    before: allow, old.rb:2 user space, 100%
    after:  deny, new.rb:1 no: fuse' "$(diffed old.rb new.rb --replay records)"
expect "replay: status 2" 2 "" "$DEVGUARD" diff old.rb new.rb --replay records
head -n 1 records >first
expect "replay: only looser, which is allowed" 0 "" "$DEVGUARD" diff old.rb new.rb --replay first --allow-looser
tail -n 2 records | head -n 1 >same
expect "replay: nothing changes" 0 "1 recorded request: 0 newly allowed, 0 newly denied" "$DEVGUARD" diff old.rb new.rb --replay same
equal "replay from stdin, JSON" '5 11 1 9 0' "$(diffed old.rb new.rb --replay - --json <records >out
	for key in records requests allowed denied unknown; do field replay.$key <out; done | paste -sd ' ')"
printf 'allow(:kvm) { |ctx| ctx.uptime < 60 }\n' >early.rb
record c 10 232 rw 0 qemu 2 >kvm
expect "replay: a fact that is not recorded" 1 "not recorded, and they decide: uptime" "$DEVGUARD" diff null.rb early.rb --replay kvm
record c 10 232 rw null qemu 2 >nobody
expect "replay: a fact that was not known" 1 "not recorded, and they decide: uid" "$DEVGUARD" diff anybody.rb user.rb --replay nobody
{ cat records; echo '{"type":"c"}'; echo '{'; echo '[]'; } >broken
expect "replay: a broken line" 1 "broken:6: error: this line is no record of a request" "$DEVGUARD" diff old.rb new.rb --replay broken
expect "replay: no JSON" 1 "broken:7: error: this line is no JSON" "$DEVGUARD" diff old.rb new.rb --replay broken
expect "replay: an array" 1 "broken:8: error:" "$DEVGUARD" diff old.rb new.rb --replay broken
for bad in '"major":-1' '"major":5000' '"major":"1"' '"requested":"x"' '"count":-1'; do
	sed "1s/${bad%%:*}:[^,}]*/$bad/" first >bad
	expect "replay: $bad" 1 "bad:1: error:" "$DEVGUARD" diff old.rb new.rb --replay bad
done
: >nothing
expect "replay: nothing" 1 "it has no records" "$DEVGUARD" diff old.rb new.rb --replay nothing
head -c 10M /dev/zero | tr '\0' x >ten
expect "replay: 10 MB in a line" 1 "ten:1: error: this line is too long for a record" "$DEVGUARD" diff old.rb new.rb --replay ten
expect "replay: no such file" 1 "gone: error: No such file" "$DEVGUARD" diff old.rb new.rb --replay gone
expect "replay: a directory" 1 "error: Is a directory" "$DEVGUARD" diff old.rb new.rb --replay .
for i in 1 2 3 4 5 6 7 8 9 10; do cat records; done >fifty
for i in 1 2 3 4 5 6 7 8 9 10; do cat fifty; done >many
equal "replay: 500 records" "1100 recorded requests: 100 newly allowed, 900 newly denied" "$(diffed old.rb new.rb --replay many | head -n 1)"
for i in {1..150}; do record c 10 $((i + 1000)) r 0 cat 2; done >different
for _ in 1 2 3 4; do
	echo '{"type":"c","major":10,"minor":229,"requested":"r","count":4611686018427387904}'
done >often
expect "replay: sums of counts do not come round to nothing" 2 '"denied": 9223372036854775807' "$DEVGUARD" diff old.rb new.rb --replay often --json
equal "replay: many changes" "300 recorded requests: 0 newly allowed, 300 newly denied 100 ... (50 more changes, with --json)" \
	"$(diffed all.rb null.rb --replay different >out; head -n 1 out) $(grep -c '^newly denied' out) $(tail -n 1 out)"
equal "replay: all of them as JSON" "150 0" "$(diffed all.rb null.rb --replay different --json | python3 -c 'import json, sys; x = json.load(sys.stdin)["replay"]; print(len(x["changes"]), x["untold"])')"

# ---- bad input ---------------------------------------------------------------------------------------

expect "no source" 64 "two sources are compared" "$DEVGUARD" diff
expect "one source" 64 "two sources are compared" "$DEVGUARD" diff old.rb
expect "three" 64 "two sources at a time" "$DEVGUARD" diff old.rb new.rb null.rb
expect "both from stdin" 64 "only one can be stdin" "$DEVGUARD" diff - -
expect "records and a policy from stdin" 64 "only one can be stdin" "$DEVGUARD" diff - old.rb --replay -
printf '{"linux": {"resources": {"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rw"}]}}}\n' >config.json
equal "a list, with what every container has, and a policy" "equal: every request is decided alike" "$(diffed oci:config.json default.rb)"
expect "a list and a policy with a parameter" 2 "" "$DEVGUARD" diff oci:config.json gpu.rb --param gpu=4
expect "a list from stdin, and a policy" 64 "only one can be stdin" "$DEVGUARD" diff oci:- -
expect "two ways to say it" 64 "one of --quiet, --github and --json" "$DEVGUARD" diff old.rb new.rb --quiet --json
expect "annotations of records" 64 "leave --github out" "$DEVGUARD" diff old.rb new.rb --github --replay records
expect "no such file" 1 "gone.rb: error: No such file" "$DEVGUARD" diff old.rb gone.rb
printf 'allow :nul\n' >typo.rb
expect "a policy that is refused" 3 "typo.rb:1: error:" "$DEVGUARD" diff old.rb typo.rb
expect "the first is refused" 3 "typo.rb:1: error:" "$DEVGUARD" diff typo.rb old.rb
: >empty.rb
expect "an empty policy is refused" 3 "empty.rb: error: policy is empty" "$DEVGUARD" diff null.rb empty.rb
cp ten ten.rb
expect "10 MB" 3 "ten.rb: error:" "$DEVGUARD" diff null.rb ten.rb
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 700 "$T"; cp null.rb secret.rb; chmod 600 secret.rb; chmod 755 "$T"; chmod 644 null.rb
	expect "no permission" 1 "secret.rb: error: Permission denied" setpriv --reuid 1000 --regid 1000 --clear-groups "$DEVGUARD" diff null.rb secret.rb
fi

# ---- programs of the kernel -------------------------------------------------------------------------------

reason=$(need_kernel)
[ -z "$reason" ] || { skip "programs of the kernel" "$reason"; summary; exit; }
$CC -O2 -o loader "$TESTS/loader.c" -lbpf || exit 1
# A list as runc writes it: TYPE MAJOR MINOR ACCESS a line, * is all; `unknown`: one that decides by chance.
cat >runc.py <<'PYTHON'
import sys
program = []
def insn(code, dst=0, src=0, off=0, imm=0):
    program.append(f"insn {code} {dst} {src} {off} {imm}")
for dst, off in ((2, 0), (3, 0), (4, 4), (5, 8)):
    insn(0x61, dst, 1, off)
insn(0x54, 2, imm=0xffff)
insn(0x74, 3, imm=16)
for line in sys.stdin:
    kind, major, minor, access = line.split()
    if kind == "unknown":
        insn(0xbf, 6, 2), insn(0x85, imm=7), insn(0xbf, 2, 6), insn(0x54, 0, imm=1), insn(0x95)
        continue
    bits = sum({"m": 1, "r": 2, "w": 4}[letter] for letter in access)
    tests = [(0x55, 2, 0, {"b": 1, "c": 2}[kind])]
    if bits != 7:
        tests.append(None)
    tests += [(0x55, reg, 0, int(value)) for reg, value in ((4, major), (5, minor)) if value != "*"]
    left = sum(3 if t is None else 1 for t in tests) + 2
    for t in tests:
        if t is None:
            insn(0xbc, 1, 3), insn(0x54, 1, imm=bits)
            left -= 3
            insn(0x5d, 1, 3, left)
        else:
            left -= 1
            insn(t[0], t[1], t[2], left, t[3])
    insn(0xb4, 0, imm=1), insn(0x95)
if kind != "unknown":
    insn(0xb4, 0), insn(0x95)
print("\n".join(program))
PYTHON
attach() { python3 runc.py | ./loader "$CG"; } # its number
scratch runc
ID=$(attach <<'LIST'
b * * m
c * * m
c 1 3 rwm
c 1 5 rwm
c 1 7 rwm
c 5 0 rwm
c 1 8 rwm
c 1 9 rwm
c 136 * rwm
c 5 2 rwm
LIST
)
[ -n "$ID" ] || { fail "runc's list is loaded"; summary; exit 1; }
equal "runc's list and container-default" 'looser: 6 requests newly allowed

newly allowed
  allow :console, :tun, access: "rw"' "$(diffed "prog:$ID" "$ROOT/policies/container-default.rb" | head -n 4)"
expect "the other way" 2 "stricter: 6 requests newly denied" "$DEVGUARD" diff "$ROOT/policies/container-default.rb" "cgroup:$CG"
sed '1i deny :console, :tun, access: "rw"' "$ROOT/policies/container-default.rb" >"$T/runc.rb"
expect "a policy that says the same" 0 "equal" "$DEVGUARD" diff "prog:$ID" runc.rb
"$DEVGUARD" explain "prog:$ID" --ruby >again.rb 2>err
expect "what explain says of it" 0 "equal" "$DEVGUARD" diff "prog:$ID" again.rb
expect "a program and itself" 0 "equal" "$DEVGUARD" diff "prog:$ID" "cgroup:$CG"
expect "parameters of programs" 64 "only a policy has parameters" "$DEVGUARD" diff "prog:$ID" "prog:$ID" --param x=1
equal "annotations name no file for a program" 0 "$(diffed runc.rb "prog:$ID" --github --allow-looser | grep -c 'file=prog')"
"$DEVGUARD" apply old.rb "$CG" >out 2>&1
expect "all programs there together" 2 "stricter: 3 requests newly denied" "$DEVGUARD" diff old.rb "effective:$CG"
scratch unknown
ID=$(printf 'c 1 3 rwm\nunknown * * m\n' | attach)
printf 'allow :null\n' >"$T/null.rb"
expect "by chance: not known" 1 "not known: 0 to " "$DEVGUARD" diff null.rb "prog:$ID"
expect "by chance: it says on what it hangs" 1 "how many, that hangs on " "$DEVGUARD" diff null.rb "prog:$ID"
expect "by chance: what is known is told" 2 "perhaps" "$DEVGUARD" diff fuse.rb "prog:$ID"
expect "by chance: itself" 0 "equal" "$DEVGUARD" diff "prog:$ID" "cgroup:$CG"
ID2=$(scratch unknown2; printf 'c 1 3 rwm\nunknown * * m\n' | attach)
expect "by chance: another that looks the same" 1 "instruction 14 (before); " "$DEVGUARD" diff "prog:$ID" "prog:$ID2"
record c 1 3 r 0 cat 1 >null.json
record c 1 5 r 0 cat 1 >zero.json
expect "by chance: a record that does not hang on it" 0 "0 newly denied" "$DEVGUARD" diff null.rb "prog:$ID" --replay null.json
expect "by chance: one that does" 1 "what is not understood" "$DEVGUARD" diff null.rb "prog:$ID" --replay zero.json

# ---- of engines ----------------------------------------------------------------------------------------------

engine() # engine NAME COMMAND FIRST LINES: its list, and two devices more, against container-default
{
	local name=$1 command=$2
	bundle "$name" createRuntime "sleep 7200" 'del(.hooks) | .linux.resources.devices += [{allow: true, type: "c", major: 10, minor: (200, 229), access: "rw"}]'
	$command run -d -b "$T/b/$name" "$DGTEST_PREFIX.$name" >"$T/out" 2>&1 || { fail "$name starts a container" "$(cat "$T/out")"; return; }
	equal "$name's list and container-default" "$3" "$(diffed "cgroup:$CG" "$ROOT/policies/container-default.rb" | grep -vE '^$|before|after|such as')"
	"$DEVGUARD" explain "cgroup:$CG" --ruby >"$T/$name.rb" 2>/dev/null
	expect "$name's list and what explain says of it" 0 "equal" "$DEVGUARD" diff "cgroup:$CG" "$T/$name.rb"
	$command delete -f "$DGTEST_PREFIX.$name" >/dev/null 2>&1
}
reason=$(need_containers)
if [ -n "$reason" ]; then skip "programs of engines" "$reason"
else
	[ -z "$CRUN" ] || engine crun crun 'stricter: 3 requests newly denied
newly denied
  deny :fuse, access: "rw"'
	[ -z "$RUNC" ] || engine runc runc 'looser and stricter: 3 requests newly allowed, 3 newly denied
newly allowed
  allow :console, access: "rw"
newly denied
  deny :fuse, access: "rw"'
fi
summary
