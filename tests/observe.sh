#!/bin/bash
# observe.sh - what is denied below a cgroup, whoever denies it: who, where and by which rule; exact counts beside a
# flood; observers that are two, killed, pinned, too many; cgroups and programs that go. Programs of others are loaded by
# loader.c.
. "$(dirname "$0")/lib.sh"

expect "observe: no cgroup" 64 "/ is every cgroup of this host" "$DEVGUARD" observe
expect "observe: two cgroups" 64 "more than one cgroup" "$DEVGUARD" observe / /
expect "observe: pinned and not" 64 "exclude each other" "$DEVGUARD" observe / --pin --unpin
expect "observe: a count of 0" 64 "not a count" "$DEVGUARD" observe / --count 0
expect "observe: no time" 64 "not a time in seconds" "$DEVGUARD" observe / --timeout 1s
expect "stats --observe: two cgroups" 64 "more than one cgroup" "$DEVGUARD" stats --observe / /
expect "stats --observe: --clear is of a policy" 64 "--clear is for the counts of a policy" "$DEVGUARD" stats --observe --clear
expect "stats --observe: --interval is of a policy" 64 "--interval is for the counts of a policy" "$DEVGUARD" stats --observe --interval 1
reason=$(need_kernel)
[ -z "$reason" ] || { skip "observe" "$reason"; summary; exit; }
if kernel_before 5.18; then
	expect "observe: the kernel is too old, which it names" 1 "5.18" "$DEVGUARD" observe /
	summary; exit
fi
command -v setpriv >/dev/null && expect "observe: not root" 1 "error: " setpriv --reuid 65534 --regid 65534 --clear-groups "$DEVGUARD" observe /
kernel_before 6.1 && { skip "observe" "who asks, and what is below a cgroup, are told from Linux 6.1 on"; summary; exit; }
build_opener
$CC -O2 -o "$T/loader" "$TESTS/loader.c" -lbpf || exit 1

has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; } # has_lines FILE N
listed() # listed PID: is it a watcher's process? It holds a lock on the root's cgroup.procs
{
	grep -q "OFDLCK.*WRITE" /proc/locks && ls -l "/proc/$1/fd" 2>/dev/null | grep -q 'cgroup.procs$' && ls -l "/proc/$1/fd" | grep -q eventpoll
}
observer() # observer NAME ARGUMENTS...: in the background; pid in OBSERVER
{
	local name=$1; shift
	"$DEVGUARD" observe "$@" >"$T/$name.out" 2>"$T/$name.err" & OBSERVER=$!
	BACKGROUND+=("$OBSERVER")
	until_true listed "$OBSERVER" || fail "$name: it observes" "$(cat "$T/$name.err")"
}
ended() # ended NAME PID SIGNAL: the status in STATUS
{
	kill "-$3" "$2"
	wait "$2"; STATUS=$?
}
counted() # counted PATH FIELD [KIND]: what stats has of a cgroup, of the observer of / or of another scope
{
	"$DEVGUARD" stats --observe --json | jq "[.observers[] | select(.of == \"${3:-/}\") | .counts[] | select(.cgroup == \"$1\") | .$2] | add // 0"
}
# A foreign program that denies one character device: c MAJOR:MINOR, with the errno of a denial.
deny_device() { printf 'insn 97 2 1 4 0\ninsn 97 3 1 8 0\ninsn 183 0 0 0 1\ninsn 85 2 0 2 %d\ninsn 85 3 0 1 %d\ninsn 183 0 0 0 0\ninsn 149 0 0 0 0\n' "$1" "$2"; }

# ---- who denied ------------------------------------------------------------------------------------

scratch who
WHO=$CG
mkdir "$WHO/below"
REL=${WHO#"$CG2"}
FOREIGN=$(deny_device 1 8 | "$T/loader" "$WHO")
cat >"$T/guard.rb" <<'RUBY'
policy "guard"
deny :full, errno: :ENODEV, label: "nothing is full"
deny(:zero) { |ctx| ctx.comm == "head" }
default :allow
RUBY
check "a guard of ours is applied" "$DEVGUARD" apply "$T/guard.rb" "$WHO/below"
OURS=$("$DEVGUARD" status "$WHO/below" --json | jq '[.. | objects | select(.policy? == "guard") | .program] | .[0]')
observer text "$WHO"
TEXT=$OBSERVER
observer json / --json
JSON=$OBSERVER
for device in random full zero null; do inside "$WHO/below" head -c 1 "/dev/$device" >/dev/null 2>&1; done
check "three denials are told" until_true has_lines "$T/text.out" 3
check "to both observers" until_true has_lines "$T/json.out" 3
line() { grep -F "$1" "$T/text.out"; }
[[ $(line /dev/random) == *" $REL/below "*"head["*"uid 0"*"deny "*"read "*"(c 1:8)"*"EPERM  program $FOREIGN, a program of others, on $REL: deny \"a 1:8\"" ]] &&
	pass "a program of others: where it is, and by which rule" || fail "a program of others: where it is, and by which rule" "$(line /dev/random)"
[[ $(line /dev/full) == *"ENODEV  program $OURS, guard (ours): $T/guard.rb:2: deny :full, errno: :ENODEV, label: \"nothing is full\"" ]] &&
	pass "ours: its line, and the errno" || fail "ours: its line, and the errno" "$(line /dev/full)"
[[ $(line /dev/zero) == *"EPERM  program $OURS, guard (ours): $T/guard.rb:3: deny(:zero) { |ctx| ctx.comm == \"head\" }" ]] &&
	pass "a rule about the caller" || fail "a rule about the caller" "$(line /dev/zero)"
mine() { jq -c "select(.cgroup == \"$REL/below\" and .device == \"/dev/$1\") | $2" "$T/json.out"; }
equal "JSON: of others" "[\"deny\",\"EPERM\",\"r\",$FOREIGN,\"$REL\",null,1,null]" \
	"$(mine random '[.verdict, .errno, .requested, .denied_by.program, .denied_by.cgroup, .denied_by.policy, .denials, .grant]')"
equal "JSON: of ours" "[\"ENODEV\",\"guard\",2,\"nothing is full\",\"head\",0]" \
	"$(mine full '[.errno, .denied_by.policy, .denied_by.line, .denied_by.label, .comm, .uid]')"
equal "what is allowed is not told" "" "$(mine null .)"
inside "$WHO/below" cat /dev/zero 2>&1 | head -c 1 >/dev/null # allowed: another name
cp "$OPENER" "$T/head"
inside "$WHO/below" "$T/head" open r /dev/zero >/dev/null
check "the same rule, by another process" until_true has_lines "$T/text.out" 4
sed -i '3s/.*/deny :zero/' "$T/guard.rb"
check "the guard is replaced" "$DEVGUARD" apply "$T/guard.rb" "$WHO/below"
inside "$WHO/below" "$OPENER" open rw /dev/zero >/dev/null
check "and its next denial is told" until_true has_lines "$T/text.out" 5
[[ $(tail -n 1 "$T/text.out") == *"read, write"*"guard (ours): $T/guard.rb:3: deny :zero" ]] && pass "by the program that is there now" ||
	fail "by the program that is there now" "$(tail -n 1 "$T/text.out")"
(echo "$BASHPID" >"$WHO/below/cgroup.procs"; exec "$OPENER" mknod c 1 8 "$T/made") >/dev/null
check "making a node" until_true has_lines "$T/text.out" 6
[[ $(tail -n 1 "$T/text.out") == *" mknod "* ]] && pass "is told as that" || fail "is told as that" "$(tail -n 1 "$T/text.out")"
equal "stats counts the same for both" "6 6" "$(counted "$REL/below" denied) $(counted "$REL/below" denied "$REL")"
expect "stats --observe of a cgroup" 0 "6           6           0  $REL/below" "$DEVGUARD" stats --observe "$WHO"
if command -v promtool >/dev/null; then
	check "for Prometheus" bash -c '"$1" stats --observe --prometheus | promtool check metrics' - "$DEVGUARD"
fi
"$DEVGUARD" stats --observe --prometheus >"$T/prometheus"
check "a series of the cgroup" grep -q "^rucy_devguard_observed_requests_total{.*cgroup=\"$REL/below\".*verdict=\"deny\"} 6$" "$T/prometheus"
equal "no series twice" "" "$(grep -v '^#' "$T/prometheus" | sed 's/ [0-9]*$//' | sort | uniq -d)"
ended text "$TEXT" INT
equal "a signal ends it" 0 "$STATUS"
check "with the count of each cgroup" grep -q "$REL/below: 6 denied; 6 records, 0 lost" "$T/text.err"
ended json "$JSON" TERM
equal "and the other" 0 "$STATUS"

# ---- a cgroup that goes, one that is made anew --------------------------------------------------------

observer gone "$WHO" --json
for i in 1 2 3 4 5; do
	mkdir "$WHO/short.$i"
	id=$(deny_device 1 9 | "$T/loader" "$WHO/short.$i")
	echo "$id" >>"$T/short"
	inside "$WHO/short.$i" "$OPENER" open r /dev/urandom >/dev/null
	until_true rmdir "$WHO/short.$i"
done
check "cgroups that are removed at once: each denial is told" until_true has_lines "$T/gone.out" 5
equal "with the program that denied, which went with its cgroup, or that this is not known" "" \
	"$(jq -r '"\(.denied_by.program) \(.not_known)"' "$T/gone.out" | grep -vxE "null not known: its cgroup was removed before .*|($(paste -sd '|' "$T/short")) null")"
equal "counted, with those that are gone, of the cgroup that is observed" 5 "$("$DEVGUARD" stats --observe "$WHO" --json |
	jq "[.observers[] | select(.of == \"$REL\") | .counts[].denied] | add")"
ended gone "$OBSERVER" INT
observer removed "$WHO/below"
until_true rmdir "$WHO/below"
wait "$OBSERVER"; STATUS=$?
equal "the cgroup that is observed is removed" 4 "$STATUS"
check "which is said" grep -q "$WHO/below was removed" "$T/removed.err"

# ---- a flood beside another ----------------------------------------------------------------------------

scratch loud
LOUD=${CG#"$CG2"}
deny_device 1 8 | "$T/loader" "$CG" >/dev/null
FLOOD=$CG
scratch quiet
QUIET=${CG#"$CG2"}
deny_device 1 8 | "$T/loader" "$CG" >/dev/null
mkfifo "$T/lines"
awk '{ n[$3]++ } END { for (name in n) print name, n[name] }' <"$T/lines" >"$T/told" & AWK=$!
"$DEVGUARD" observe / >"$T/lines" 2>"$T/flood.err" & OBSERVER=$!
BACKGROUND+=("$OBSERVER" "$AWK")
until_true listed "$OBSERVER"
inside "$FLOOD" "$OPENER" loop 1000000 /dev/null /dev/random </dev/null >"$T/loop" & LOOP=$!
inside "$CG" "$OPENER" loop 100 /dev/null /dev/random </dev/null >/dev/null
wait "$LOOP"
equal "a million denials" "rounds 1000000 wrong 0" "$(cat "$T/loop")"
ended flood "$OBSERVER" INT
wait "$AWK"
told() { awk -v name="$1" '$1 == name { print $2 }' "$T/told"; }
of() { sed -n "s|.*note: $1: \([0-9]*\) denied; \([0-9]*\) records*, \([0-9]*\) lost\$|\\$2|p" "$T/flood.err"; } # of PATH FIELD
equal "all of the flood are counted" 1000000 "$(of "$LOUD" 1)"
equal "and all of the other" 100 "$(of "$QUIET" 1)"
equal "each is a record or lost" "1000000 100" "$(($(of "$LOUD" 2) + $(of "$LOUD" 3))) $(($(of "$QUIET" 2) + $(of "$QUIET" 3)))"
equal "each record is a line" "$(of "$LOUD" 2) $(of "$QUIET" 2)" "$(told "$LOUD") $(told "$QUIET")"
check "what is lost is said by cgroup" bash -c '[ "$1" = 0 ] || grep -q "$2: .*lost: the reader was slower" "$3"' - "$(of "$LOUD" 3)" "$LOUD" "$T/flood.err"

# ---- pinned ---------------------------------------------------------------------------------------------

check "pinned" "$DEVGUARD" observe "$CG" --pin --timeout 0
inside "$CG" "$OPENER" open r /dev/random >/dev/null
equal "it counts with nobody there" 1 "$(counted "$QUIET" denied "$QUIET")"
expect "the next one reads what it kept" 0 "(c 1:8)" "$DEVGUARD" observe "$CG" --count 1
check "pinned again: the same one" "$DEVGUARD" observe "$CG" --pin --timeout 0
expect "of another kind" 1 "end it first" "$DEVGUARD" observe "$CG" --pin --all-requests --timeout 0
observer reader "$CG"
expect "one reads it at a time" 1 "process $OBSERVER reads" "$DEVGUARD" observe "$CG" --pin --timeout 0
expect "beside it another observer" 0 "0 cgroups: nothing" "$DEVGUARD" observe "$CG" --timeout 0
ended reader "$OBSERVER" INT
inside "$CG" "$OPENER" loop 100 /dev/null /dev/random </dev/null >/dev/null
equal "--count of a pinned one: as many" 3 "$("$DEVGUARD" observe "$CG" --count 3 2>/dev/null | wc -l)"
exec {nobody}> >(exec true)
wait $!
"$DEVGUARD" observe "$CG" --timeout 20 >&"$nobody" 2>/dev/null; STATUS=$?
exec {nobody}>&-
equal "nobody reads: as by SIGPIPE" 141 "$STATUS"
equal "the next one has the rest, each once" 97 "$("$DEVGUARD" observe "$CG" --timeout 0 2>/dev/null | wc -l)"
expect "unpinned, with its counts" 0 "$QUIET: 101 denied" "$DEVGUARD" observe "$CG" --unpin
expect "unpinned twice" 1 "no observer of $CG is pinned" "$DEVGUARD" observe "$CG" --unpin

# ---- all requests; a count; a reader that goes -------------------------------------------------------------

observer all "$CG" --all-requests --json
inside "$CG" "$OPENER" open r /dev/null >/dev/null
inside "$CG" "$OPENER" open r /dev/random >/dev/null
check "all requests" until_true has_lines "$T/all.out" 2
equal "what was allowed, too" "allow null null" "$(jq -r 'select(.device == "/dev/null") | "\(.verdict) \(.errno) \(.denied_by)"' "$T/all.out" | head -n 1)"
ended all "$OBSERVER" INT
"$DEVGUARD" observe "$CG" --count 2 >"$T/count.out" 2>"$T/count.err" & OBSERVER=$!
until_true listed "$OBSERVER"
for i in 1 2 3; do inside "$CG" "$OPENER" open r /dev/random >/dev/null; done
wait "$OBSERVER"; STATUS=$?
equal "it ends after so many records" "0 2" "$STATUS $(wc -l <"$T/count.out")"
mkfifo "$T/pipe"
head -n 1 <"$T/pipe" >/dev/null &
"$DEVGUARD" observe "$CG" >"$T/pipe" 2>"$T/pipe.err" & OBSERVER=$!
until_true listed "$OBSERVER"
for i in 1 2 3; do
	inside "$CG" "$OPENER" open r /dev/random >/dev/null
	sleep 0.3
done
wait "$OBSERVER"; STATUS=$?
equal "its reader goes: as by SIGPIPE" 141 "$STATUS"

# ---- killed; too many ------------------------------------------------------------------------------------------

observers() { "$DEVGUARD" stats --observe --json 2>/dev/null | jq '.observers | length'; }
before=$(observers)
observer killed "$CG"
asker=$(pgrep -P "$OBSERVER")
kill -9 "$OBSERVER"; wait "$OBSERVER" 2>/dev/null
check "killed: the process that finds out ends with it" until_true bash -c '! kill -0 "$1" 2>/dev/null' - "$asker"
check "the next command takes its place away" "$DEVGUARD" observe "$CG" --timeout 0
equal "nothing of it is left" "${before:-0}" "$(o=$(observers); echo "${o:-0}")"
observer asked "$CG"
kill -9 "$(pgrep -P "$OBSERVER")"
inside "$CG" "$OPENER" open r /dev/random >/dev/null
check "the process that finds out is killed: the denial is told" until_true has_lines "$T/asked.out" 1
ended asked "$OBSERVER" INT
equal "and it ends as it should" 0 "$STATUS"
many=()
for ((i = $(o=$(observers); echo "${o:-0}"); i < 8; i++)); do
	observer many "$CG"
	many+=("$OBSERVER")
done
expect "a ninth" 1 "as many as can be: processes" "$DEVGUARD" observe "$CG"
kill -9 "${many[@]}"; wait "${many[@]}" 2>/dev/null
check "when they are killed there is room again" "$DEVGUARD" observe "$CG" --timeout 0

# ---- texts that are made up; containers ------------------------------------------------------------------------

odd=$CG/$'x\t\e[31my'
mkdir "$odd"
cp "$OPENER" "$T/"$'a\eb\nc'
observer odd "$CG"
inside "$odd" "$T/"$'a\eb\nc' open r /dev/random >/dev/null
check "odd names" until_true has_lines "$T/odd.out" 1
equal "are one line" 1 "$(wc -l <"$T/odd.out")"
check "without control bytes" bash -c '! grep -q "[[:cntrl:]]" "$1"' - "$T/odd.out"
check "the cgroup's name, escaped" grep -qF '/x \x1B[31my' "$T/odd.out"
check "the process's name, escaped" grep -qF 'a\x1Bb\x0Ac[' "$T/odd.out"
ended odd "$OBSERVER" INT
check "in the summary, too" grep -qF '/x \x1B[31my: 1 denied' "$T/odd.err"

if unshare -m true 2>/dev/null; then
	ID=$(sha256sum <<<"$T" | cut -c1-64)
	POD=kubepods-besteffort-pod11111111_2222_3333_4444_555555555555.slice
	mkdir "$CG/docker-$ID.scope" "$CG/run" "$CG/lxc.payload.box" "$CG/$POD" "$CG/$POD/cri-containerd-$ID.scope" "$CG/theirs" "$CG/theirs/docker-$ID.scope"
	chown 65534 "$CG/theirs"
	cat >"$T/engines" <<ENGINES
for dir in /etc/docker /var/lib/docker /var/lib/containers /run/containers /run/crun /run/containerd; do
	[ -d \$dir ] || { mkdir -p \$dir; echo \$dir >>"$T/made"; }
	mount -t tmpfs -o mode=711 dgtest \$dir
done
mkdir -p /var/lib/docker/containers/$ID /run/crun/job /run/containerd/io.containerd.runtime.v2.task/k8s.io/$ID
echo '{"ID":"$ID","Name":"/web"}' >/var/lib/docker/containers/$ID/config.v2.json
echo '{"pid": 7, "cgroup-path": "$QUIET/run"}' >/run/crun/job/status
echo '{"annotations":{"io.kubernetes.cri.container-name":"app","io.kubernetes.cri.sandbox-name":"shop-1","io.kubernetes.cri.sandbox-namespace":"prod"}}' \
	>/run/containerd/io.containerd.runtime.v2.task/k8s.io/$ID/config.json
ENGINES
	unshare -m --propagation private bash -c '. "$1"; exec "$2" observe "$3" --json' - "$T/engines" "$DEVGUARD" "$CG" >"$T/engines.out" 2>"$T/engines.err" & OBSERVER=$!
	BACKGROUND+=("$OBSERVER")
	until_true listed "$OBSERVER"
	for dir in "docker-$ID.scope" run lxc.payload.box "$POD/cri-containerd-$ID.scope" "theirs/docker-$ID.scope"; do
		inside "$CG/$dir" "$OPENER" open r /dev/random >/dev/null
	done
	check "denials in containers" until_true has_lines "$T/engines.out" 5
	ended engines "$OBSERVER" INT
	container() { jq -c "select(.cgroup == \"$QUIET/$1\") | .container | [.engine, .id, .name, .pod]" "$T/engines.out"; }
	equal "docker's, by the id in its cgroup's name" "[\"docker\",\"$ID\",\"web\",null]" "$(container "docker-$ID.scope")"
	equal "crun's, by its state" '["crun",null,"job",null]' "$(container run)"
	equal "LXC's" '["LXC",null,"box",null]' "$(container lxc.payload.box)"
	equal "a pod's" "[\"containerd\",\"$ID\",\"web\",\"prod/shop-1\"]" "$(container "$POD/cri-containerd-$ID.scope")"
	equal "a name that another user could give is not believed" 'null' "$(jq -c "select(.cgroup == \"$QUIET/theirs/docker-$ID.scope\") | .container" "$T/engines.out")"
	[ ! -e "$T/made" ] || sort -u "$T/made" | xargs rmdir
	expect "in a cgroup namespace" 1 "the root of a cgroup namespace" unshare -m --propagation private bash -c \
		'echo $$ >"$1/run/cgroup.procs"; exec unshare -C bash -c "umount -R \"\$2\"; mount -t cgroup2 cgroup2 \"\$2\" && exec \"\$1\" observe / --timeout 5" - "$2" "$3"' - "$CG" "$DEVGUARD" "$CG2"
else skip "containers by their engines' files" "no mount namespace"; fi

# ---- what a grant opens -----------------------------------------------------------------------------------------

if "$DEVGUARD" help --options | grep -q '^grant '; then
	joins() { "$DEVGUARD" stats --observe --json | jq -e ".observers[] | select(.kind == \"what grants open\" and .of == \"$1\")"; } # joins PATH: does an audit?
	scratch granted
	GRANTED=${CG#"$CG2"}
	printf 'policy "open"\ngrants :allowed\nallow :null\n' >"$T/open.rb"
	check "a guard that allows grants" "$DEVGUARD" apply "$T/open.rb" "$CG" --audit denied
	check "a grant" "$DEVGUARD" grant "$CG" "c 1:8" r --reason "a test"
	observer granted "$CG"
	SEEN=$OBSERVER
	"$DEVGUARD" audit "$CG" >"$T/audit.out" 2>"$T/audit.err" & OBSERVER=$!
	BACKGROUND+=("$OBSERVER")
	until_true joins "$GRANTED"
	equal "it opens" ok "$(inside "$CG" "$OPENER" open r /dev/random)"
	equal "and nothing else" EPERM "$(inside "$CG" "$OPENER" open r /dev/zero)"
	check "audit tells the denial, what became of it, and the other" until_true has_lines "$T/audit.out" 3
	equal "what it opened, with the policy that had denied it" 1 \
		"$(grep -cE "$GRANTED +opener.* granted +read +/dev/random \(c 1:8\) +by grant [0-9]+ of [a-z0-9]+: a test; default of open had denied it$" "$T/audit.out")"
	ended granted "$OBSERVER" INT
	"$DEVGUARD" audit "$CG" --json --count 2 >"$T/audit.json" 2>"$T/audit.err" & OBSERVER=$!
	BACKGROUND+=("$OBSERVER")
	until_true joins "$GRANTED"
	inside "$CG" "$OPENER" open r /dev/random >/dev/null
	wait "$OBSERVER"
	equal "as JSON" "deny null null
granted true a test" "$(jq -r '"\(.verdict) \(if .grant then true else null end) \(.grant_reason)"' "$T/audit.json")"
	equal "with the rule of the denial" 1 "$(jq '[.policy, .rule, .label, .device]' -c "$T/audit.json" | sort -u | wc -l)"
	check "observe tells both" until_true has_lines "$T/granted.out" 3
	equal "what it opened, and who had denied it" 2 \
		"$(grep -cE ' granted +read +/dev/random \(c 1:8\) +by grant [0-9]+ of [a-z0-9]+: a test; denied before: EPERM  program [0-9]+, open \(ours\)' "$T/granted.out")"
	ended granted "$SEEN" INT
	check "counted" grep -q "$GRANTED: 1 denied, 2 opened by grants; 3 records, 0 lost" "$T/granted.err"
	expect "stats of the policy counts it" 0 "opened by grants: 2" "$DEVGUARD" stats "$CG"
	expect "stats --observe, too" 0 "2  $GRANTED" "$DEVGUARD" stats --observe "$CG"
	observer younger "$CG"
	for i in 1 2 3; do
		"$DEVGUARD" grant "$CG" "c 1:9" r --reason "young $i" >/dev/null
		inside "$CG" "$OPENER" open r /dev/urandom >/dev/null
		check "a grant that is younger than the last one that was told: $i" until_true grep -qE "by grant [0-9]+ of [a-z0-9]+: young $i; denied" "$T/younger.out"
		"$DEVGUARD" revoke "$CG" "c 1:9" >/dev/null
	done
	ended younger "$OBSERVER" INT
	"$DEVGUARD" audit "$CG" >"$T/many.out" 2>"$T/many.err" & OBSERVER=$!
	BACKGROUND+=("$OBSERVER")
	until_true joins "$GRANTED"
	kill -STOP "$OBSERVER"
	inside "$CG" "$OPENER" loop 20000 /dev/null /dev/random </dev/null >/dev/null
	kill -CONT "$OBSERVER"
	ended many "$OBSERVER" INT
	missed=$(sed -n 's/.*note: \([0-9]*\) of what grants opened .* not told.*/\1/p' "$T/many.err")
	check "a flood that it is too slow for: some are missed" [ "${missed:-0}" -gt 0 ]
	equal "what is told as opened, and what is missed, is all" 20000 "$(($(grep -c ' granted ' "$T/many.out") + ${missed:-0}))"
	"$DEVGUARD" revoke "$CG" "c 1:8" >/dev/null
	equal "revoked" EPERM "$(inside "$CG" "$OPENER" open r /dev/random)"
else skip "what a grant opens" "this program has no verb grant"; fi

# ---- taken off by somebody else ---------------------------------------------------------------------------------

if "$DEVGUARD" stats --observe >/dev/null 2>&1; then skip "the host program is taken off" "others on this host need it"
else
	observer detached /
	bpftool cgroup detach "$CG2" cgroup_device id "$("$DEVGUARD" stats --observe --json | jq .program)" 2>/dev/null ||
		bpftool cgroup detach "$CG2" device id "$("$DEVGUARD" stats --observe --json | jq .program)"
	wait "$OBSERVER"; STATUS=$?
	equal "the host program is taken off by somebody else" 4 "$STATUS"
	check "which is said" grep -q "was taken off" "$T/detached.err"
	expect "nothing of it is left" 1 "nobody observes" "$DEVGUARD" stats --observe
fi
summary
