# bench.sh - what the scripts of `make bench` share: programs measured in turn, in rounds, so that
# what disturbs the machine disturbs all of them; and the median of the rounds with its quartiles.
# A measurement is a file of $T/bench, a line a round.

mkdir -p "$T/bench"

# rounds N NAME...: calls measure NAME for each, N times; each round begins with another one.
rounds()
{
	local n=$1 i k; shift
	for ((i = 0; i < n; i++)); do
		for ((k = 0; k < $#; k++)); do
			set -- "${@:2}" "$1"
			measure "$1" >>"$T/bench/$1" || { echo "bench: $1 cannot be measured" >&2; exit 1; }
		done
		set -- "${@:2}" "$1"
	done
}

# quartiles: of the first column of the standard input: "MEDIAN FIRST THIRD"
quartiles()
{
	sort -n | awk 'function at(q,  x, i) { x = 1 + (NR - 1) * q; i = int(x); return v[i] + (i < NR ? (x - i) * (v[i + 1] - v[i]) : 0) }
		{ v[NR] = $1 } END { printf "%.9g %.9g %.9g\n", at(.5), at(.25), at(.75) }'
}

median() { quartiles <"$T/bench/$1" | cut -d ' ' -f 1; }

# spread NAME [DIGITS]: "MEDIAN (FIRST to THIRD)"
spread() { quartiles <"$T/bench/$1" | awk -v d="${2:-2}" '{ f = "%." d "f"; printf f " (" f " to " f ")", $1, $2, $3 }'; }

# bar TEXT NAME: one more bar for drawn()
bar() { printf '%s\t%s\n' "$1" "$(quartiles <"$T/bench/$2" | tr ' ' '\t')" >>"$T/bars"; }

# drawn NAME TITLE UNIT: the bars as $BUILD/bench-NAME.svg
drawn()
{
	[ -s "$T/bars" ] || return 0
	awk -v title="$2" -v unit="$3" -v note="medians of $ROUNDS rounds; the lines go from the first to the third quartile" \
		-f "$TESTS/bench.d/bars.awk" "$T/bars" >"$BUILD/bench-$1.svg" && echo "drawn: $BUILD/bench-$1.svg"
}

# ratio A B [FLOOR]: (A - FLOOR) / (B - FLOOR) of the medians, and the quartiles of that of each round
ratio()
{
	local floor=${3:-}
	paste -d ' ' <(cut -d ' ' -f 1 "$T/bench/$1") <(cut -d ' ' -f 1 "$T/bench/$2") \
		<([ -z "$floor" ] || cut -d ' ' -f 1 "$T/bench/$floor") |
		awk '$2 != $3 + 0 { print ($1 - $3) / ($2 - $3) }' | quartiles |
		awk -v a="$(median "$1")" -v b="$(median "$2")" -v f="$([ -z "$floor" ] || median "$floor")" \
			'{ printf "%.2f (%.2f to %.2f)", (a - f) / (b - f), $2, $3 }'
}
