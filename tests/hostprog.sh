#!/bin/bash
# hostprog.sh - verbs that look at programs know the host program: recognised by its instructions, its grants and watchers told;
# what `why` and effective: say is what the kernel says to a process there; nothing else is changed by it.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
[ -n "$reason" ] || ! kernel_before 5.18 || reason="the host program needs Linux 5.18"
[ -n "$reason" ] || "$DEVGUARD" list --json | grep -q '"host": null' || reason="there is a host program on this host, or it cannot be told"
if [ -n "$reason" ]; then skip hostprog "$reason"; summary; exit; fi
HOSTED=$BUILD/tests/hosted
[ -x "$HOSTED" ] || { fail hostprog "not built: make $HOSTED"; summary; exit; }
build_opener || exit 1
$CC -O2 -o "$T/loader" "$TESTS/loader.c" -lbpf || exit 1
on_exit()
{
	[ -z "${BEHIND-}" ] || bpftool cgroup detach "$CG2" device id "$BEHIND" 2>/dev/null
	"$HOSTED" end
}
cd "$T" || exit 1
echo 'allow :null' >shut.rb
printf '%s\n' 'allow :null' 'grants :allowed' >open.rb
shows() # shows NAME TEXT COMMAND...: whatever its status is, its output has that text
{
	local name=$1 text=$2 out; shift 2
	out=$("$@" 2>&1 </dev/null)
	if [[ $out == *"$text"* ]]; then pass "$name"; else fail "$name" "$*
expected text: $text
$out"; fi
}
lacks() # lacks NAME TEXT COMMAND...
{
	local name=$1 text=$2 out; shift 2
	out=$("$@" 2>&1 </dev/null)
	if [[ $out != *"$text"* ]]; then pass "$name"; else fail "$name" "$*
not expected: $text
$out"; fi
}
# as_the_kernel NAME CGROUP ANSWER: what effective: is read to say is what the kernel says to a process there, this among it
as_the_kernel()
{
	ask "$2" >asked.cases
	sed 's/^[a-z]* //' asked.cases | "$DEVGUARD" eval "effective:$2" - 2>/dev/null | cut -f1 >said
	same "effective: $1: as the kernel decides" asked.cases said
	grep -q "$3" asked.cases && pass "effective: $1: $3" || fail "effective: $1: $3" "$(cat asked.cases)"
}

# ---- one that observes, and one with grants ------------------------------------------------------

scratch web; WEB=$CG
name=/$(basename "$WEB")
"$DEVGUARD" apply open.rb "$WEB" >/dev/null
"$DEVGUARD" explain "effective:$WEB" >before.txt
"$DEVGUARD" eval "effective:$WEB" 'c 1:3 rw' 'c 1:5 r' >before.eval
"$HOSTED" watch / || fail "a watcher is attached"
expect "list: observes" 0 "    host program: observes; 1 watcher (1 pinned), 0 grants" "$DEVGUARD" list
expect "list: it is ours" 0 "  devguard_host  program " "$DEVGUARD" list
lacks "list: it has no author" "by an author that is not known" "$DEVGUARD" list
expect "status: the host program" 0 "ours: the host program" "$DEVGUARD" status "$WEB"
expect "status: no grant" 0 "no grant is for this cgroup" "$DEVGUARD" status "$WEB"
expect "status: who watches" 0 "what is denied here is seen by 1 watcher" "$DEVGUARD" status "$WEB"
expect "why: allowed" 0 "        it only opens what others deny" "$DEVGUARD" why "$WEB" c 1:3 r
expect "why: it decides nothing itself" 0 "allow: c 1:3 r: the one program allows it" "$DEVGUARD" why "$WEB" c 1:3 r
expect "why: denied" 2 "        no grant covers it" "$DEVGUARD" why "$WEB" c 1:5 r
"$DEVGUARD" eval "effective:$WEB" 'c 1:3 rw' 'c 1:5 r' >after.eval
same "eval: watchers change nothing" before.eval after.eval
check "explain: all together are as before" sh -c 'tail -n 3 before.txt >want; "$1" explain "effective:$2" | tail -n 3 | diff want -' - "$DEVGUARD" "$WEB"
expect "explain: the host program is told as such" 0 "the host program (ours)" "$DEVGUARD" explain "effective:$WEB"
as_the_kernel "a watcher" "$WEB" "deny c 1:5 rw"

"$HOSTED" grant "$WEB" c 1 5 rw 0 debugging >/dev/null || fail "a grant is put in"
expect "list: grants" 0 "host program: observes, grants; 1 watcher (1 pinned), 1 grant" "$DEVGUARD" list
expect "status: the grant" 0 "    c 1:5 rw on $name: grant 1 of tester: debugging" "$DEVGUARD" status "$WEB"
expect "why: opened" 0 "        opened by grant 1 of tester: debugging" "$DEVGUARD" why "$WEB" c 1:5 rw
expect "why: who opens" 0 "allow: c 1:5 rw: the one program denies it, and the host program opens it" "$DEVGUARD" why "$WEB" c 1:5 rw
expect "why: other accesses" 2 "        grant 1 covers rw only, and m was asked" "$DEVGUARD" why "$WEB" c 1:5 m
expect "why: another device" 2 "        no grant covers it" "$DEVGUARD" why "$WEB" c 1:9 r
expect "eval: opened" 0 "allow c 1:5 rw" "$DEVGUARD" eval "effective:$WEB" 'c 1:5 rw'
expect "eval: the program itself" 2 "deny c 1:5 rw" "$DEVGUARD" eval "cgroup:$WEB" 'c 1:5 rw'
as_the_kernel "a grant" "$WEB" "allow c 1:5 rw"
expect "test effective: the same" 0 "0 failed" "$DEVGUARD" test "effective:$WEB" --cases asked.cases
printf '%s\n' 'allow :null' 'allow "c 1:5 rw"' >both.rb
expect "diff: exactly the programs and the grant" 0 equal "$DEVGUARD" diff "effective:$WEB" both.rb
expect "diff: what a grant opens" 2 'allow :zero, access: "rw"' "$DEVGUARD" diff "cgroup:$WEB" "effective:$WEB"
expect "explain: the grant" 0 "  c 1:5 rw on $name: grant 1 of tester: debugging" "$DEVGUARD" explain "effective:$WEB"
expect "explain: together" 0 "together (a request is allowed when the first allows it or a grant opens it)" "$DEVGUARD" explain "effective:$WEB"

# ---- cgroups below, above and beside -------------------------------------------------------------------

mkdir "$WEB/below"
scratch beside; BESIDE=$CG
"$DEVGUARD" apply open.rb "$BESIDE" >/dev/null
as_the_kernel "beside" "$BESIDE" "deny c 1:5 rw"
expect "status: nothing for another cgroup" 0 "no grant is for this cgroup" "$DEVGUARD" status "$BESIDE"
if kernel_before 6.1; then
	as_the_kernel "below" "$WEB/below" "deny c 1:5 rw"
	expect "why: below" 2 "grant 1 is for a cgroup above this one" "$DEVGUARD" why "$WEB/below" c 1:5 rw
else
	as_the_kernel "below" "$WEB/below" "allow c 1:5 rw"
	expect "why: below" 0 "opened by grant 1" "$DEVGUARD" why "$WEB/below" c 1:5 rw
	deep=$WEB/below
	for i in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do deep=$deep/$i; mkdir "$deep"; done
	as_the_kernel "16 levels" "$deep" "allow c 1:5 rw"
	mkdir "$deep/17"
	as_the_kernel "17 levels" "$deep/17" "deny c 1:5 rw"
	expect "why: too deep" 2 "grant 1 covers it, but the cgroup is 17 levels deep: grants are looked for on 16" "$DEVGUARD" why "$deep/17" c 1:5 rw
	expect "status: too deep" 0 "this cgroup is 17 levels deep: grants are looked for on 16, and open nothing here" "$DEVGUARD" status "$deep/17"
	find "$WEB/below" -mindepth 1 -depth -type d -exec rmdir {} +
fi

# ---- guards ---------------------------------------------------------------------------------------------

expect "apply: a guard that does not allow grants says what they open" 0 \
	"note: c 1:5 rw on $name: grant 1 of tester: debugging: opens nothing below this policy, which does not allow grants (\`grants :allowed\`)" \
	"$DEVGUARD" apply shut.rb "$WEB/below"
expect "apply --json: the same" 0 '"grants_open": false' "$DEVGUARD" apply --json shut.rb "$WEB/below"
as_the_kernel "below a guard that does not allow grants" "$WEB/below" "deny c 1:5 rw"
as_the_kernel "above it" "$WEB" "allow c 1:5 rw"
if ! kernel_before 6.1; then
	expect "why: the guard" 2 "grant 1 covers it, but the guard 'shut' on $WEB/below does not allow grants (\`grants :allowed\` in its policy does)" \
		"$DEVGUARD" why "$WEB/below" c 1:5 rw
	expect "status: the guard" 0 "nothing is opened here: the guard 'shut' on $WEB/below does not allow grants" "$DEVGUARD" status "$WEB/below"
fi
check "the guard goes" "$DEVGUARD" detach "$WEB/below"
expect "apply: one that allows grants" 0 "note: c 1:5 rw on $name: grant 1 of tester: debugging: opens what it denies" "$DEVGUARD" apply open.rb "$WEB"
expect "apply --json: it opens" 0 '"grants_open": true' "$DEVGUARD" apply --json open.rb "$WEB"
"$DEVGUARD" apply shut.rb "$WEB" >/dev/null
expect "apply: another guard does not" 0 "opens nothing here, since 'shut' on $WEB does not allow grants" "$DEVGUARD" apply open.rb "$WEB"
"$DEVGUARD" detach "$WEB" shut >/dev/null

# ---- leases, and cgroups that are made anew -----------------------------------------------------------------

"$HOSTED" grant "$WEB" c 1 9 r 2 'for a moment' >/dev/null
expect "eval: what is told is true now" 0 "warning: what is told is true now: grant 2 of tester until " "$DEVGUARD" eval "effective:$WEB" 'c 1:9 r'
until_true sh -c '! "$1" eval "effective:$2" "c 1:9 r"' - "$DEVGUARD" "$WEB"
expect "why: a lease that is over" 2 ": for a moment: it is over" "$DEVGUARD" why "$WEB" c 1:9 r
as_the_kernel "after a lease" "$WEB" "deny c 1:9 r"
shows "doctor: grants that are over" "host program's remains: 1 grant that is over" "$DEVGUARD" doctor
"$HOSTED" grant "$BESIDE" c 1 9 r 0 >/dev/null
rmdir "$BESIDE"; mkdir "$BESIDE"
"$DEVGUARD" apply open.rb "$BESIDE" >/dev/null
as_the_kernel "made anew" "$BESIDE" "deny c 1:9 r"
expect "why: made anew" 2 "was given to the cgroup that had this path before: the container is new, and the grant over" "$DEVGUARD" why "$BESIDE" c 1:9 r
shows "doctor: cgroups that are gone" "1 grant of cgroups that are gone" "$DEVGUARD" doctor

# ---- programs behind it -----------------------------------------------------------------------------------

# Denies c 3:3, for everybody: nobody has that.
BEHIND=$("$T/loader" "$CG2" <<'I'
insn 97 2 1 4 0
insn 85 2 0 4 3
insn 97 2 1 8 0
insn 85 2 0 2 3
insn 183 0 0 0 0
insn 149 0 0 0 0
insn 183 0 0 0 1
insn 149 0 0 0 0
I
) || fail "a program on the root" "$BEHIND"
"$HOSTED" grant "$WEB" c 3 3 m 0 >/dev/null
as_the_kernel "a program behind" "$WEB" "deny c 3:3 m"
expect "why: a program behind has the last word" 2 ", the host program opens it, and one behind that denies it: program $BEHIND" "$DEVGUARD" why "$WEB" c 3:3 m
expect "explain: it allows, too" 0 "it or a grant opens it, and the last allows it)" "$DEVGUARD" explain "effective:$WEB"
shows "doctor: a program behind" "1 program is attached behind it: what that denies, it does not see, and no grant opens" "$DEVGUARD" doctor
bpftool cgroup detach "$CG2" device id "$BEHIND" && BEHIND= || fail "the program behind goes"
as_the_kernel "none behind" "$WEB" "allow c 3:3 m"

# ---- who lets everything pass -----------------------------------------------------------------------------

mkfifo stop
"$HOSTED" permit "$WEB" <stop >ready & BACKGROUND+=($!)
exec 9>stop
until_true grep -q ready ready
as_the_kernel "all passes" "$WEB" "allow b 8:0 m"
expect "why: all passes" 0 "learn --permissive lets everything pass here, as long as it runs" "$DEVGUARD" why "$WEB" b 8:0 m
expect "status: all passes" 0 "PERMISSIVE: learn --permissive lets everything pass here" "$DEVGUARD" status "$WEB"
expect "eval: all passes, and how long is said" 0 "warning: what is told is true as long as learn --permissive runs" "$DEVGUARD" eval "effective:$WEB" 'b 8:0 m'
expect "eval: what shows it" 0 "hint: rucy-devguard stats --observe shows it" "$DEVGUARD" eval "effective:$WEB" 'b 8:0 m'
expect "stats --observe shows it" 0 " of $name: learn --permissive" "$DEVGUARD" stats --observe
shows "doctor: everything passes somewhere" "WARN  host program: program $("$DEVGUARD" list --json | jq .host.program) on $CG2: " "$DEVGUARD" doctor
shows "doctor: and where" "learn --permissive lets everything pass that filters deny, in $name" "$DEVGUARD" doctor
"$DEVGUARD" apply shut.rb "$WEB" >/dev/null
as_the_kernel "a guard lets nothing pass" "$WEB" "deny b 8:0 m"
expect "why: a guard lets nothing pass" 2 "learn --permissive lets everything pass, but the guard 'shut' on $WEB does not allow grants" "$DEVGUARD" why "$WEB" b 8:0 m
"$DEVGUARD" detach "$WEB" shut >/dev/null
exec 9>&-
wait "${BACKGROUND[-1]}"
shows "doctor: a watcher whose process is dead" "1 watcher whose process is dead" "$DEVGUARD" doctor

# ---- scratch cgroups ----------------------------------------------------------------------------------------

# A grant for all of the host, of a device that nobody has.
"$HOSTED" grant "$CG2" c 3 3 rwm 0 >/dev/null
printf '%s\n' 'deny c 3:3 m' 'deny c 3:3 rw' 'allow c 1:3 rw' >scratch.cases
expect "test: grants open nothing in a scratch cgroup" 0 "3 cases, 4 engines, 0 failed" "$DEVGUARD" test shut.rb --cases scratch.cases
expect "test: nor where the policy allows grants" 0 "3 cases, 4 engines, 0 failed" "$DEVGUARD" test open.rb --cases scratch.cases
expect "run: a policy that does not allow grants" 1 EPERM "$DEVGUARD" run shut.rb -- sh -c '[ "$("$1" mknod c 3 3 "$2" | tee /dev/stderr)" = ok ]' - "$OPENER" "$T/node"
expect "run: one that does" 0 ok "$DEVGUARD" run open.rb -- sh -c '[ "$("$1" mknod c 3 3 "$2" | tee /dev/stderr)" = ok ]' - "$OPENER" "$T/node"
expect "explain cgroup:/ is what the root's programs decide" 1 "has no device program" "$DEVGUARD" explain "cgroup:$CG2"

# ---- other verbs ----------------------------------------------------------------------------------------------

id=$("$DEVGUARD" list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["host"]["program"])')
expect "explain prog: the host program" 1 "prog:$id is the host program: by itself it decides nothing" "$DEVGUARD" explain "prog:$id"
expect "detach: what takes it off" 1 "hint: the host program goes with its last grant and watcher: rucy-devguard revoke --all" "$DEVGUARD" detach "$CG2"
shows "doctor: the host program" "OK    host program: program $id on $CG2: " "$DEVGUARD" doctor
python3 - "$TESTS" "$WEB" >json.out 2>&1 <<'P'
import sys
sys.path.insert(0, sys.argv[1])
import json_fields as j
rows, web = j.table(), sys.argv[2]
j.check_verb(rows, 'json: list', 0, ['list', '--json'])
j.check_verb(rows, 'json: status', 0, ['status', '--json', web])
j.check_verb(rows, 'json: why, opened', 0, ['why', '--json', web, 'c', '1:5', 'rw'])
j.check_verb(rows, 'json: explain', 0, ['explain', '--json', f'effective:{web}'])
P
while IFS= read -r line; do
	case $line in
	"ok "*) pass "${line#ok }" ;;
	*) fail "json of a host program" "$line" ;;
	esac
done <json.out

# ---- one that is not genuine --------------------------------------------------------------------------------------

"$HOSTED" end; "$HOSTED" other || fail "a false one is attached"
false=$("$DEVGUARD" list --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["host"]["program"])')
said="program $false has the maps of a host program, and other instructions than rucy-devguard "
expect "list: it is not believed" 1 "    NOT BELIEVED: $said" "$DEVGUARD" list
expect "status: it is not believed" 1 "error: $said" "$DEVGUARD" status "$WEB"
expect "why: what it opens is unknown" 1 "unknown: c 1:5 rw: 1 of 2 programs denies it, and whether another opens it is not known" "$DEVGUARD" why "$WEB" c 1:5 rw
expect "eval effective: it is not believed" 1 "$said" "$DEVGUARD" eval "effective:$WEB" 'c 1:5 rw'
expect "explain effective: it is not believed" 1 "$said" "$DEVGUARD" explain "effective:$WEB"
expect "test: the kernel is not asked" 1 "the kernel cannot be asked: $said" "$DEVGUARD" test shut.rb --cases scratch.cases
expect "doctor: it is not believed" 1 "FAIL  host program: $said" "$DEVGUARD" doctor
expect "explain prog: as a program of anybody's" 1 "lets pass what other programs deny (bpf_set_retval(0))" "$DEVGUARD" explain "prog:$false"
hint=$("$DEVGUARD" list 2>&1 | sed -n 's/.* taken off by: //p')
check "its hint takes it off" bash -c "$hint"
expect "and then there is none" 0 '"host": null' "$DEVGUARD" list --json

# Another tool's program that opens what others deny: neither denied nor opened is claimed.
turner=$("$T/loader" "$WEB" <<'I'
insn 183 1 0 0 0
insn 133 0 0 0 187
insn 183 0 0 0 1
insn 149 0 0 0 0
I
) || fail "a program that turns denials" "$turner"
expect "why: one that turns denials" 1 "and whether another opens it is not known" "$DEVGUARD" why "$WEB" c 1:5 rw
expect "explain: one that turns denials" 1 "lets pass what other programs deny" "$DEVGUARD" explain "effective:$WEB"
summary
