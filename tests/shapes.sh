#!/bin/bash
# shapes.sh - programs as other tools write them, and programs that are hard to read: in the kernel, explained, and the
# kernel asked. Right, or "unknown": never wrong. Sysctls that are changed are put back.
. "$(dirname "$0")/lib.sh"
reason=$(need_kernel)
[ -z "$reason" ] || { skip "shapes" "$reason"; summary; exit; }
build_opener
$CC -O2 -o "$T/loader" "$TESTS/loader.c" -lbpf && $CC -O2 -o "$T/changer" "$TESTS/changer.c" -lbpf || exit 1
explained() { "$DEVGUARD" explain --ruby "$@" 2>&1 | grep -v '^#'; }
off() { bpftool cgroup detach "$1" cgroup_device id "$2"; }

# ---- as others write them ------------------------------------------------------------------------------

scratch shape
told=0
for dump in "$TESTS"/dumps.d/*.dump; do
	# look-ups are shown as the kernel changed them: those programs are for test_shapes.c
	grep -qE '^call|^map' "$dump" && continue
	name=$(basename "$dump" .dump)
	"$T/loader" "$CG" <"$dump" >"$T/id" 2>"$T/err" || { fail "$name: it is loaded" "$(cat "$T/err")"; continue; }
	sed -n 's/^= //p' "$dump" >"$T/want"
	explained "prog:$(cat "$T/id")" >"$T/got"
	same "$name: explained" "$T/want" "$T/got"
	ask "$CG" >"$T/$name.cases"
	check "$name: the kernel says the same" "$DEVGUARD" test "prog:$(cat "$T/id")" --cases "$T/$name.cases"
	off "$CG" "$(cat "$T/id")"
	told=$((told + 1))
done
[ $told -gt 12 ] && pass "$told shapes" || fail "only $told shapes"

# ---- loaded by who lacks a capability -------------------------------------------------------------------

others_hash() # a hash of major << 32 | minor; values are type << 16 | access
{
	cat <<-'P'
	map hash 8 4 64
	entry 0300000001000000 02000600
	entry 0200000005000000 02000600
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
	insn 21 0 0 5 0
	insn 97 3 0 0 0
	insn 97 2 6 0 0
	insn 175 2 3 0 0
	insn 183 0 0 0 1
	insn 21 2 0 1 0
	insn 183 0 0 0 0
	insn 149 0 0 0 0
	P
}
others_array() # the highest major number that is allowed
{
	cat <<-'P'
	map array 4 4 3
	entry 00000000 07000000
	entry 01000000 09000000
	entry 02000000 05000000
	insn 97 6 1 4 0
	insn 97 2 1 8 0
	insn 99 10 2 -4 0
	insn 24 1 1 0 0
	insn 0 0 0 0 0
	insn 191 2 10 0 0
	insn 7 2 0 0 -4
	insn 133 0 0 0 1
	insn 21 0 0 3 0
	insn 97 1 0 0 0
	insn 183 0 0 0 1
	insn 189 6 1 1 0
	insn 183 0 0 0 0
	insn 149 0 0 0 0
	P
}
want_hash='allow(:null, :ptmx) { |ctx| ctx.requested == 6 }'
want_array='allow "a 0-5:0-2", "a 6-7:0-1", "a 8-9:1"'
weak="setpriv --bounding-set=-perfmon,-sys_admin --inh-caps=-perfmon,-sys_admin"
for how in "" "$weak"; do
	for map in hash array; do
		want=want_$map
		if id=$("others_$map" | $how "$T/loader" "$CG" 2>"$T/err"); then
			expect "$map${how:+, without CAP_PERFMON}" 0 "${!want}" "$DEVGUARD" explain --ruby "prog:$id"
			off "$CG" "$id"
		elif [ -n "$how" ]; then skip "$map, without CAP_PERFMON" "the kernel does not take it"
		else fail "$map" "$(cat "$T/err")"; fi
	done
done

# ---- constants that the kernel hides ------------------------------------------------------------------------

restore() { [ -z "${harden-}" ] || sysctl -qw "net.core.bpf_jit_harden=$harden" "kernel.kptr_restrict=$kptr"; }
on_exit() { restore; }
if harden=$(sysctl -n net.core.bpf_jit_harden 2>/dev/null) && kptr=$(sysctl -n kernel.kptr_restrict) &&
	sysctl -qw net.core.bpf_jit_harden=2 kernel.kptr_restrict=0 2>/dev/null; then
	printf 'policy "hard"\nallow :null, :zero, access: "rw"\nallow "b 8:0-15 r"\nallow("c 10:*") { |c| c.uid == 1000 }\n' >"$T/hard.rb"
	scratch hard
	"$DEVGUARD" apply "$T/hard.rb" "$CG" >"$T/out" 2>&1 || fail "hardened: apply" "$(cat "$T/out")"
	expect "hardened: verify" 0 "equal: hard" "$DEVGUARD" verify "$T/hard.rb" "$CG"
	expect "hardened: explain" 0 'allow :null, :zero, access: "rw"' "$DEVGUARD" explain --ruby "cgroup:$CG"
	sed 's/0-15/0-14/' "$T/hard.rb" >"$T/softer.rb"
	expect "hardened: a difference" 2 "it allows b 8:15 r" "$DEVGUARD" verify "$T/softer.rb" "$CG"
	hidden=$(sysctl -qw kernel.kptr_restrict=2; "$DEVGUARD" verify "$T/hard.rb" "$CG" 2>&1; echo "status $?")
	restore
	# jitted without hardening, or by an interpreter: nothing was hidden
	case $hidden in
	*"does not show its instructions"*"status 1" | "equal: hard"*"status 0") pass "hardened, and addresses hidden: it cannot be told" ;;
	*) fail "hardened, and addresses hidden: it cannot be told" "$hidden" ;;
	esac
	"$DEVGUARD" detach "$CG" >/dev/null
	for map in hash array; do # an address that is blinded is no number: right or unknown
		sysctl -qw net.core.bpf_jit_harden=2
		id=$("others_$map" | "$T/loader" "$CG")
		restore
		want=want_$map out=$(explained "prog:$id")
		if [[ $out == *"${!want}"* || $out == *"what is not understood"* ]]; then pass "hardened: $map"; else fail "hardened: $map" "$out"; fi
		off "$CG" "$id"
	done
else skip "hardened" "its sysctl cannot be set"; fi
unset harden

# ---- loops, many rules, cgroups that go -----------------------------------------------------------------------

scratch loops
id=$("$T/loader" "$CG" <<'P'
insn 97 2 1 4 0
insn 183 0 0 0 0
insn 85 2 0 1 3
insn 149 0 0 0 0
insn 7 0 0 0 1
insn 165 0 0 -2 9
insn 183 0 0 0 1
insn 149 0 0 0 0
P
)
expect "a loop: what hangs on it is not known" 1 "depends on what is not understood" "$DEVGUARD" eval "prog:$id" "c 4:3 rw"
expect "a loop: what does not is" 2 "deny c 3:3 rw" "$DEVGUARD" eval "prog:$id" "c 3:3 rw"
expect "a loop: why" 1 "unknown" "$DEVGUARD" why "$CG" c 4:3 rw
off "$CG" "$id"

scratch large
limits="--limit time=300s,cpu=200s,memory=2g"
printf 'policy "large"\n100000.times { |i| allow "c #{i %% 4000}:#{i * 7 %% 1000000} r" }\n' >"$T/large.rb"
if "$DEVGUARD" apply "$T/large.rb" "$CG" $limits >"$T/out" 2>&1; then
	expect "100,000 rules: verify" 0 "equal: large" "$DEVGUARD" verify "$T/large.rb" "$CG" $limits
	sed 's/100000.times/99999.times/' "$T/large.rb" >"$T/fewer.rb"
	expect "100,000 rules: one less" 2 "it allows c 3999:699993 r" "$DEVGUARD" verify "$T/fewer.rb" "$CG" $limits
	expect "100,000 rules: too many to be told" 1 "hint: verify POLICY CGROUP says" "$DEVGUARD" explain "cgroup:$CG" $limits
	expect "100,000 rules: too many to be asked" 1 "hint: verify POLICY CGROUP says" "$DEVGUARD" eval "cgroup:$CG" "c 1:7 r" $limits
	"$DEVGUARD" detach "$CG" >/dev/null
else fail "100,000 rules: apply" "$(cat "$T/out")"; fi

scratch goes
printf 'policy "goes"\nallow :null\n' >"$T/goes.rb"
"$DEVGUARD" compile "$T/goes.rb" -o "$T/goes.o"
(while mkdir "$CG/x" 2>/dev/null; do "$T/loader" "$CG/x" "$T/goes.o"; rmdir "$CG/x"; done) >/dev/null 2>&1 & BACKGROUND+=($!)
wrong=
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	out=$("$DEVGUARD" verify "$T/goes.rb" "$CG/x" 2>&1); rc=$?
	case $rc:$out in
	0:equal:* | 2:"differs: goes on "*" it is not attached there"* | 1:*"there is no cgroup"* | 1:*"was removed"* | 1:*"changes while"*) ;;
	*) wrong+="$rc: $out
" ;;
	esac
	out=$("$DEVGUARD" explain --ruby "cgroup:$CG/x" 2>&1); rc=$?
	case $rc:$out in
	0:*'allow :null' | 1:*) ;;
	*) wrong+="$rc: $out
" ;;
	esac
done
kill "${BACKGROUND[-1]}" && wait "${BACKGROUND[-1]}" 2>/dev/null
rmdir "$CG/x" 2>/dev/null
if [ -z "$wrong" ]; then pass "a cgroup that is made and removed meanwhile"; else fail "a cgroup that is made and removed meanwhile" "$wrong"; fi

# ---- a map that changes while it is read ------------------------------------------------------------------------

# Entries become 1, and 0 again, in ascending order: what is said of them changes at one place, or it is not known.
scratch changes
"$T/changer" "$CG" 5 >"$T/changing" & BACKGROUND+=($!)
until [ -s "$T/changing" ]; do sleep 0.01; done
states=0 wrong=
for ((i = 0; i < 40; i++)); do
	out=$("$DEVGUARD" eval "prog:$(cat "$T/changing")" "c 1:0 r" "c 2:0 r" "c 3:0 r" "c 4:0 r" "c 5:0 r" --limit time=120s,cpu=60s 2>&1); rc=$?
	said=$(cut -c1 <<<"$out" | tr -d '\n')
	case $rc:$said in
	1:*) [[ $out == *"not understood"* ]] || wrong+="$out
" ;;
	*) [[ $said =~ ^(a*d*|d*a*)$ ]] && states=$((states + 1)) || wrong+="$rc: $out
" ;;
	esac
done
kill "${BACKGROUND[-1]}" && wait "${BACKGROUND[-1]}" 2>/dev/null
if [ -z "$wrong" ]; then pass "a map that changes: a state that it had, or not known"; else fail "a map that changes ($states states)" "$wrong"; fi
out=$("$DEVGUARD" eval "prog:$(cat "$T/changing")" "c 1:0 r" "c 2:0 r" 2>&1)
[[ $out != *"not understood"* ]] && pass "and when nobody writes, it is known" || fail "and when nobody writes, it is known" "$out"
off "$CG" "$(cat "$T/changing")"
summary
