#!/bin/bash
# bench_compile.sh - what a policy of 20 lines costs to compile and to apply, each
# as a whole process, beside clang with the same predicate in C. Then what large policies
# cost, once each: processor time and peak memory, and whether the policy is refused.
# Run by bench. Nothing is asserted.
. "$(dirname "$0")/lib.sh"
. "$TESTS/bench.sh"

ROUNDS=${ROUNDS:-40}
$CC -D_GNU_SOURCE -O2 -o "$T/spent" "$TESTS/spent.c" && cd "$TESTS/bench.d" || exit 1
no_kernel=$(need_kernel)
[ -n "$no_kernel" ] || scratch apply
if ! command -v clang >/dev/null; then no_clang="clang is not installed"
elif clang -O2 -target bpf -c twenty.c -o "$T/c.o" 2>/dev/null; then no_clang=
else no_clang="clang has no bpf target"; fi

measure() # "ms KiB" of a whole process
{
	case $1 in
	compile) "$T/spent" "$DEVGUARD" compile twenty.rb -o "$T/rb.o" ;;
	apply) "$T/spent" "$DEVGUARD" apply twenty.rb "$CG" ;;
	clang) "$T/spent" clang -O2 -target bpf -c twenty.c -o "$T/c.o" ;;
	esac 2>&1 >"$T/out" && tail -n 1 "$T/out"
}
rounds "$ROUNDS" compile $([ -n "$no_kernel" ] || echo apply) $([ -n "$no_clang" ] || echo clang)

peak() { cut -d ' ' -f 2 "$T/bench/$1" | quartiles | awk '{ printf "%.1f", $1 / 1024 }'; } # hardly any spread
row() # row TEXT NAME
{
	printf '%-36s %24s %10s %24s\n' "$1" "$(spread "$2")" "$(peak "$2")" "$([ -n "$no_clang" ] || ratio "$2" clang)"
	bar "$1" "$2"
}
printf '%-36s %24s %10s %24s\n' "a policy of 20 lines" "ms (quartiles)" "peak MiB" "ms / clang"
row "rucy-devguard compile" compile
if [ -z "$no_kernel" ]; then row "rucy-devguard apply" apply
else echo "rucy-devguard apply: skipped: $no_kernel"; fi
if [ -z "$no_clang" ]; then row "clang -O2 -target bpf -c" clang
else echo "clang -O2 -target bpf -c: skipped: $no_clang"; fi
drawn compile "A policy of 20 lines" "ms of the whole process"
echo "$ROUNDS rounds"

# ---- large policies ------------------------------------------------------------------

lines() # lines N AWK: N lines; in AWK are i, and x and y, numbers below 4096 and 1048576 without order
{
	awk -v n="$1" "BEGIN { for (i = 0; i < n; i++) { x = i * 2654435761 % 4096; y = i * 40503 * 17 % 1048573; $2 } }"
}

large() # large NAME ARG...: of rucy-devguard
{
	"$T/spent" sh -c '"$@" >"$0.out" 2>"$0.said"; [ $? = 0 ] || [ $? = 3 ] || grep -q error: "$0.said"' "$T/large" "$DEVGUARD" "${@:2}" |
		awk -v name="$1" '{ printf "%-52s %8.2f %8.1f", name, $3 / 1e3, $2 / 1024 }'
	said=$(sed -n 's/.*error: //p' "$T/large.said" | head -n 1)
	echo "${said:+  refused: $said}"
}

policy() # policy NAME: compiled; its text from the standard input
{
	cat >"$T/large.rb"
	large "$1" compile --limit time=60s "$T/large.rb" -o "$T/large.o"
}

printf '\n%-52s %8s %8s\n' "large policies" "cpu s" "MiB"
{
	echo '{"ociVersion":"1.0.2","linux":{"resources":{"devices":[{"allow":false,"access":"rwm"}'
	lines 100000 'printf ",{\"allow\":true,\"type\":\"%s\",\"major\":%d,\"minor\":%d,\"access\":\"%s\"}\n", i % 2 ? "c" : "b", x, y, i % 3 ? "rw" : "r"'
	echo ']}}}'
} >"$T/large.json"
large "import oci, 100,000 scattered devices" import oci "$T/large.json"
cp "$T/large.out" "$T/devices.rb"
large "compile of that" compile --limit time=60s "$T/devices.rb" -o "$T/large.o"
echo '100000.times { |i| allow "c #{i % 4000}:#{i * 7 % 1000000} r" }' | policy "100,000 rules by a loop"
lines 20000 'printf "allow \"c %d:%d rw\"\n", x, y' | policy "20,000 lines with a device"
lines 20000 'printf "allow { |c| c.major == %d && c.minor == %d }\n", x, y' | policy "20,000 lines with a block"
{ echo "T = {"; lines 5000 'printf "%d => [%d, %d],\n", y, x, i % 4096'; echo "}"
  echo "allow { |c| (T[c.minor] || []).include?(c.major) }"; } | policy "a hash of 5,000 arrays"
{ echo "T = ["; lines 5000 'printf "[%d, %d],\n", y, x'; echo "]"
  echo "allow { |c| T.any? { |m, n| c.minor == m && c.major == n } }"; } | policy "any? over 5,000 pairs"
lines 75 'printf "allow { |c| c.major == %d && c.uid == %d }\ndeny { |c| c.major == %d && c.gid < %d }\n" \
	"allow { |c| c.major == %d && c.comm == \"x%d\" }\ndeny { |c| c.major == %d && c.pid > %d }\n", x, i, x, i, x, i, x, i' |
	policy "300 rules of a device and one of uid, gid, comm, pid"
lines 300 'printf "%s { |c| c.uid %s %d && c.gid != %d && c.comm != \"x%d\" && c.minor < %d }\n", i % 3 ? "allow" : "deny", i % 2 ? ">" : "<", y % 3000, x, i % 20, x' |
	policy "300 rules over all of them"
echo '64.times { |i| allow { |c| (c.minor ^ c.uid) & (1 << (i % 20)) != 0 && (c.major * i) % 7 == 3 } }' | policy "64 rules with inputs compared to each other"
{ echo "audit :denied"; lines 1500 'printf "allow \"c %d:%d %s\"\n", x, y, i % 2 ? "rw" : "r"'; } | policy "1,500 scattered rules with audit"
