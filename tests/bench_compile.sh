#!/bin/bash
# bench_compile.sh - what a policy of 20 lines costs to compile and to apply, each
# as a whole process, beside clang with the same predicate in C: the fastest of
# ROUNDS runs. Nothing is asserted.
. "$(dirname "$0")/lib.sh"

ROUNDS=${ROUNDS:-20}
$CC -D_GNU_SOURCE -O2 -o "$T/spent" "$TESTS/spent.c" && cd "$TESTS/bench.d" || exit 1
no_kernel=$(need_kernel)
[ -n "$no_kernel" ] || scratch apply
if ! command -v clang >/dev/null; then no_clang="clang is not installed"
elif clang -O2 -target bpf -c twenty.c -o "$T/c.o" 2>/dev/null; then no_clang=
else no_clang="clang has no bpf target"; fi

spent() { "$T/spent" "${@:2}" >"$T/out" && tail -n 1 "$T/out" >>"$T/$1"; } # spent NAME COMMAND...

# In turn, so that what disturbs one round disturbs all of it.
for ((i = 0; i < ROUNDS; i++)); do
	spent compile "$DEVGUARD" compile twenty.rb -o "$T/rb.o" || exit 1
	[ -n "$no_kernel" ] || spent apply "$DEVGUARD" apply twenty.rb "$CG" 2>"$T/said" || { cat "$T/said"; exit 1; }
	[ -n "$no_clang" ] || spent clang clang -O2 -target bpf -c twenty.c -o "$T/c.o" || exit 1
done

least() { sort -n "$T/$1" | head -n 1; } # "ms KiB" of the fastest
row() # row NAME OF: also as parts of what clang takes
{
	awk -v name="$1" -v of="$(least "$2")" -v clang="$([ -n "$no_clang" ] || least clang)" 'BEGIN {
		split(of, x); split(clang, c)
		printf "%-36s %8.2f %10.1f", name, x[1], x[2] / 1024
		if (clang != "") printf " %12.3f %12.3f", x[1] / c[1], x[2] / c[2]
		print "" }'
}

printf '%-36s %8s %10s %12s %12s\n' "a policy of 20 lines" "ms" "peak MiB" "ms / clang" "MiB / clang"
row "rucy-devguard compile" compile
if [ -z "$no_kernel" ]; then row "rucy-devguard apply" apply
else echo "rucy-devguard apply: skipped: $no_kernel"; fi
if [ -z "$no_clang" ]; then row "clang -O2 -target bpf -c" clang
else echo "clang -O2 -target bpf -c: skipped: $no_clang"; fi
