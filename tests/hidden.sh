#!/bin/bash
# hidden.sh - programs whose constants the kernel blinds (net.core.bpf_jit_harden=2): read all the same, or, where
# kernel.kptr_restrict hides their instructions, the kernel itself is asked. Both settings are put back at once:
# others on the host see them.
. "$(dirname "$0")/lib.sh"
HARDEN=/proc/sys/net/core/bpf_jit_harden RESTRICT=/proc/sys/kernel/kptr_restrict
reason=$(need_kernel)
[ -n "$reason" ] || [ -w $HARDEN -a -w $RESTRICT ] || reason="these settings are not writable here"
[ -n "$reason" ] || [ "$(cat /proc/sys/net/core/bpf_jit_enable)" != 0 ] || reason="this kernel interprets programs"
[ -z "$reason" ] || { skip "hidden programs" "$reason"; summary; exit; }
was_hardened=$(cat $HARDEN) was_restricted=$(cat $RESTRICT)
on_exit() { echo "$was_hardened" >$HARDEN; echo "$was_restricted" >$RESTRICT; }
hardened() { echo 2 >$HARDEN; "$@"; local status=$?; echo "$was_hardened" >$HARDEN; return $status; }
restricted() { echo 2 >$RESTRICT; "$@"; local status=$?; echo "$was_restricted" >$RESTRICT; return $status; }
shown() { echo 1 >$RESTRICT; "$@"; local status=$?; echo "$was_restricted" >$RESTRICT; return $status; }
applied() # applied POLICY CGROUP: the number of its program, with blinded constants
{
	hardened "$DEVGUARD" apply "$1" "$2" >"$T/out" 2>&1 || cat "$T/out" >&2
	sed -n 's/.*program \([0-9]*\).*)$/\1/p' "$T/out"
}
hidden() { local name=$1 status=$2 text=$3; shift 3; echo 2 >$RESTRICT; expect "$name" "$status" "$text" "$@"; echo "$was_restricted" >$RESTRICT; }

scratch hidden
mkdir "$CG/below" "$CG/below/inner"
printf 'policy "upper"\nallow :null, :zero\nallow("b 8:*") { |c| c.uid == 7 && c.gid == 8 }\nallow("c 9:*") { |c| c.pid == 1 }\n' >"$T/upper.rb"
printf 'policy "lower"\ndefault :allow\ndeny :zero, errno: :ENOENT\n' >"$T/lower.rb"
kernel_before 6.1 && sed -i '/pid/d' "$T/upper.rb"
kernel_before 5.18 && sed -i 's/, errno.*//' "$T/lower.rb"
upper=$(applied "$T/upper.rb" "$CG") lower=$(applied "$T/lower.rb" "$CG/below")
[ -n "$upper" -a -n "$lower" ] || { fail "apply with blinded constants"; summary; exit; }
if restricted "$DEVGUARD" explain "prog:$upper" >/dev/null 2>&1; then skip "hidden programs" "this kernel shows them"; summary; exit; fi

# ---- shown, with blinded constants -----------------------------------------------------------------------

shown "$DEVGUARD" explain --json "prog:$upper" | jq .table >"$T/got" 2>&1
"$DEVGUARD" apply "$T/upper.rb" "$CG" >"$T/out" 2>&1
"$DEVGUARD" explain --json "cgroup:$CG" | jq .table >"$T/wanted" 2>&1
same "blinded constants: explained alike" "$T/wanted" "$T/got"
upper=$(applied "$T/upper.rb" "$CG")
# What maps hold is behind addresses then; and functions of the kernel are learned from blinded programs.
$CC -O2 -o "$T/loader" "$TESTS/loader.c" -lbpf || exit 1
cat >"$T/hash" <<'P'
map hash 8 64 64
entry 0300000001000000 00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001000000
insn 191 6 1 0 0
insn 97 2 6 4 0
insn 103 2 0 0 32
insn 97 3 6 8 0
insn 79 2 3 0 0
insn 123 10 2 -8 0
insn 24 1 1 0 0
insn 0 0 0 0 0
insn 191 2 10 0 0
insn 7 2 0 0 -8
insn 133 0 0 0 1
insn 21 0 0 3 0
insn 97 0 0 4 0
insn 87 0 0 0 1
insn 149 0 0 0 0
insn 183 0 0 0 1
insn 149 0 0 0 0
P
for when in before after; do
	mkdir "$CG/hash-$when"
	if [ $when = before ]; then id=$(hardened "$T/loader" "$CG/hash-$when" <"$T/hash"); else id=$("$T/loader" "$CG/hash-$when" <"$T/hash"); fi
	out=$(hardened shown "$DEVGUARD" eval "prog:$id" 'c 1:3 r' 2>&1); status=$?
	case $status:$out in
	1:*"not understood"* | 2:"deny c 1:3 r"*) pass "a look-up in a map, hardened $when: right, or not known" ;;
	*) fail "a look-up in a map, hardened $when: right, or not known" "status $status, $out" ;;
	esac
done

# ---- hidden: who only reads -------------------------------------------------------------------------------

for verb in explain check compile; do
	hidden "$verb: it cannot be read" 1 "program $upper cannot be read: the kernel does not show its instructions" "$DEVGUARD" $verb "prog:$upper"
done
hint=$(restricted "$DEVGUARD" explain "prog:$upper" 2>&1 | sed -n 's/.*as root: sysctl \(kernel.*\)$/\1/p')
[ "$hint" = kernel.kptr_restrict=1 ] && shown "$DEVGUARD" explain "prog:$upper" >"$T/out" 2>&1 && pass "the hint, followed" ||
	fail "the hint, followed" "$hint $(cat "$T/out")"

# ---- hidden: who asks ---------------------------------------------------------------------------------------

asked="the kernel itself, which was asked"
hidden "eval prog:ID" 0 "allow c 1:3 rw	$asked" "$DEVGUARD" eval "prog:$upper" 'c 1:3 rw'
hidden "eval prog:ID: denied" 2 "deny c 1:8 r	$asked" "$DEVGUARD" eval "prog:$upper" 'c 1:8 r'
hidden "eval says so" 0 "warning: the kernel does not show its instructions: it is asked itself" "$DEVGUARD" eval "prog:$upper" 'c 1:3 rw'
hidden "eval: uid and gid are taken on" 0 "allow b 8:0 r uid=7 gid=8" "$DEVGUARD" eval "prog:$upper" 'b 8:0 r uid=7 gid=8'
hidden "eval: without them it is root that asks" 2 "deny b 8:0 r" "$DEVGUARD" eval "prog:$upper" 'b 8:0 r'
hidden "eval: what a process cannot take on" 1 "c 9:1 r pid=1: the kernel cannot be asked that: a process cannot choose its pid" "$DEVGUARD" eval "prog:$upper" 'c 9:1 r pid=1'
hidden "eval cgroup:CGROUP: those there alone" 0 "allow c 1:8 r" "$DEVGUARD" eval "cgroup:$CG/below" 'c 1:8 r'
hidden "eval: a denial with another errno" 2 "deny c 1:5 r" "$DEVGUARD" eval "cgroup:$CG/below" 'c 1:5 r'
hidden "eval effective:CGROUP: those above too" 2 "deny c 1:8 r" "$DEVGUARD" eval "effective:$CG/below" 'c 1:8 r'
hidden "eval effective:CGROUP -" 2 "deny c 1:5 m" sh -c 'printf "c 1:3 rw\n# x\nc 1:5 m\n" | "$DEVGUARD" eval "effective:$1" -' - "$CG/below"
hidden "eval --json" 2 '"label": "the kernel itself, which was asked"' "$DEVGUARD" eval --json "prog:$upper" 'c 1:8 r'
printf 'allow c 1:3 rw\ndeny c 1:5 m\nallow b 8:0 r uid=7 gid=8\ndeny b 8:0-3 w\n' >"$T/list.cases"
hidden "test effective:CGROUP" 0 "7 cases, 1 engine, 0 failed" "$DEVGUARD" test "effective:$CG/below" --cases "$T/list.cases"
hidden "test: a case that fails" 2 "c 1:5 m: expected deny, got allow from $asked" "$DEVGUARD" test "prog:$upper" --cases "$T/list.cases"
printf 'deny c 1:3 rw pid=1\n' >"$T/odd.cases"
hidden "test: a case that nobody can be asked" 2 "the kernel cannot be asked that" "$DEVGUARD" test "prog:$upper" --cases "$T/odd.cases"
hidden "why" 2 "deny: c 1:5 m: 1 of 2 programs denies it" "$DEVGUARD" why "$CG/below" c 1:5 m
hidden "why: who says so" 2 "$asked, because it does not show the instructions" "$DEVGUARD" why "$CG/below" c 1:5 m
hidden "why: what it cannot be asked" 1 "cannot be asked: a process cannot choose its pid" "$DEVGUARD" why "$CG" c 1:5 m pid=1
sleep 7200 & BACKGROUND+=($!)
echo $! >"$CG/below/inner/cgroup.procs"
hidden "why PID: by a process of its uid, gid and comm" 2 "by a process of another number" "$DEVGUARD" why "$!" c 1:5 r
kill $! && wait $! 2>/dev/null
# What decides by the cgroup: alone each is asked in another one, and that must not be told of this one.
scratch place
mkdir "$CG/in"
place() # place DIRECTORY: a policy on $CG by which c 1:5 is for processes of that cgroup alone
{
	printf 'policy "place"\nallow "c 1:3 rw"\nallow("c 1:5") { |c| c.cgroup_id == %d }\n' "$(stat -c %i "$1")" >"$T/place.rb"
	applied "$T/place.rb" "$CG" >"$T/id"
}
place "$CG"
hidden "why: the only program, by the cgroup: allowed there" 0 "allow: c 1:5 r: the one program allows it" "$DEVGUARD" why "$CG" c 1:5 r
hidden "why: who asked" 0 "$asked, because it does not show the instructions; as uid 0 gid 0 comm rucy-devguard
" "$DEVGUARD" why "$CG" c 1:5 r
hidden "why: denied in another cgroup" 2 "deny: c 1:5 r: the one program denies it" "$DEVGUARD" why "$CG/in" c 1:5 r
printf 'policy "wide"\ndefault :allow\n' >"$T/wide.rb"
applied "$T/wide.rb" "$CG/in" >"$T/id"
place "$CG/in"
hidden "why: of two, by the cgroup: allowed there" 0 "allow: c 1:5 r: all programs allow it" "$DEVGUARD" why "$CG/in" c 1:5 r
place "$CG2"
hidden "why: of two, denied" 2 "; in a cgroup of its own" "$DEVGUARD" why "$CG/in" c 1:5 r
hidden "eval cgroup: asks from another cgroup, and says so" 2 "does not say who, from a cgroup of its own" "$DEVGUARD" eval "cgroup:$CG" 'c 1:5 r'
if [ -w "$CG/cgroup.freeze" ]; then
	echo 1 >"$CG/cgroup.freeze"
	hidden "why: a frozen cgroup" 1 "what it says in this cgroup is not known: the kernel does not show" "$DEVGUARD" why "$CG" c 1:5 r
	echo 0 >"$CG/cgroup.freeze"
fi
CG=$CG2/$DGTEST_PREFIX.hidden
# Thousands of requests, as the policy decides them.
awk 'BEGIN { srand(3); split("r w m rw -", l, " "); for (i = 0; i < 3000; i++) print (rand() < .5 ? "c" : "b"), int(rand() * 10) ":" int(1 + rand() * 8), l[1 + int(rand() * 5)], "uid=" int(6 + rand() * 3), "gid=8" }' |
	grep -v '^c 9:' >"$T/requests" # those it decides by the pid
"$DEVGUARD" eval "$T/upper.rb" - <"$T/requests" 2>&1 | cut -f 1 >"$T/wanted"
restricted "$DEVGUARD" eval "prog:$upper" - <"$T/requests" 2>/dev/null | cut -f 1 >"$T/got"
same "3,000 requests, as the policy decides them" "$T/wanted" "$T/got"
if [ -w "$CG/below/cgroup.freeze" ]; then
	echo 1 >"$CG/below/cgroup.freeze"
	hidden "a frozen cgroup" 1 "is frozen: no process in it can ask the kernel" "$DEVGUARD" eval "effective:$CG/below" 'c 1:3 rw'
	echo 0 >"$CG/below/cgroup.freeze"
fi
controller=$(tr ' ' '\n' <"$CG/cgroup.controllers" | head -n 1)
if [ -n "$controller" ] && echo "+$controller" >"$CG/cgroup.subtree_control" 2>/dev/null && echo "+$controller" >"$CG/below/cgroup.subtree_control"; then
	hidden "a cgroup that takes no processes" 2 "deny c 1:8 r" "$DEVGUARD" eval "effective:$CG/below" 'c 1:8 r'
else skip "a cgroup that takes no processes" "no controller here"; fi
[ -z "$(find "$CG" "$CG2" -maxdepth 3 -name "devguard-probe.*")" ] && pass "nothing is left behind" ||
	fail "nothing is left behind" "$(find "$CG" "$CG2" -maxdepth 3 -name "devguard-probe.*")"
hidden "without the right to ask" 1 "the kernel cannot be asked: root without CAP_MKNOD" \
	setpriv --bounding-set -mknod --inh-caps -mknod "$DEVGUARD" eval "prog:$upper" 'c 1:3 r'
hidden "no such program" 1 "there is none with that number" "$DEVGUARD" eval prog:4294967295 'c 1:3 r'
on_exit
[ "$(cat $HARDEN) $(cat $RESTRICT)" = "$was_hardened $was_restricted" ] && pass "the settings are as they were" || fail "the settings are as they were"
summary
