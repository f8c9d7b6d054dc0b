#!/bin/bash
# verify.sh - is what the kernel runs the policy? After everything that can be done to it in between.
. "$(dirname "$0")/lib.sh"
reason=$(need_kernel)
[ -z "$reason" ] || { skip "verify" "$reason"; summary; exit; }
$CC -O2 -o "$T/loader" "$TESTS/loader.c" -lbpf || exit 1
apply() { "$DEVGUARD" apply "$@" >"$T/out" 2>&1 || fail "apply $*" "$(cat "$T/out")"; }
detach() { "$DEVGUARD" detach "$@" >/dev/null 2>&1; }
cd "$T" || exit 1
scratch verify

# ---- equal -------------------------------------------------------------------------------------------

cat >web.rb <<'P'
policy "web"
param :gpu, 0, in: 0..15
allow "c 1:3,5,7-9 rw"
allow("c 195:0-15 rw") { |ctx| ctx.minor == ctx.gpu }
deny :sda, errno: :ENOENT
P
apply web.rb "$CG"
expect "equal" 0 "equal: web on $CG, program $(program_of "$CG"), tag " "$DEVGUARD" verify web.rb "$CG"
check "in one line" [ "$("$DEVGUARD" verify web.rb "$CG" | wc -l)" = 1 ]
expect "of its cgroup by name" 0 "equal: web on " "$DEVGUARD" verify web.rb "/${CG##*/}"
"$DEVGUARD" compile web.rb -o web.o
expect "an object is compared, too" 0 "equal: web on " "$DEVGUARD" verify web.o "$CG"
expect "by another name: it is not there" 2 "differs: other on $CG: it is not attached there; 1 other program is" "$DEVGUARD" verify web.rb "$CG" other
for how in "--audit denied" "--audit all" "--mode permissive" "--param gpu=7"; do
	apply web.rb "$CG" $how
	expect "$how: equal to what was applied" 0 "equal: web" "$DEVGUARD" verify web.rb "$CG" $how
	expect "$how: not to the file" 2 "differs: web" "$DEVGUARD" verify web.rb "$CG"
done
expect "a parameter was changed: both values" 2 "its parameter gpu is 7, the policy's 0" "$DEVGUARD" verify web.rb "$CG"
expect "and what it changes: a device with its name" 2 "it allows c 195:7 r, /dev/nvidia7, which the policy denies" "$DEVGUARD" verify web.rb "$CG"
apply web.rb "$CG" --audit denied
expect "audit differs" 2 "its audit is denied, the policy's none" "$DEVGUARD" verify web.rb "$CG"
apply web.rb "$CG" --mode permissive
expect "permissive: told with a request" 2 "its mode is permissive, the policy's enforce; its audit is denied, the policy's none; it allows " "$DEVGUARD" verify web.rb "$CG"
{ echo 'grants :allowed'; cat web.rb; } >granting.rb
apply web.rb "$CG"
expect "grants of the file, but not of the program" 2 "under it grants are refused, by the policy allowed" "$DEVGUARD" verify granting.rb "$CG"
apply granting.rb "$CG"
expect "grants of both" 0 "equal: web" "$DEVGUARD" verify granting.rb "$CG"
expect "status tells that grants are allowed" 0 "grants may open what it denies" "$DEVGUARD" status "$CG"
expect "grants of the program, but not of the file" 2 "under it grants are allowed, by the policy refused" "$DEVGUARD" verify web.rb "$CG"
expect "diff tells what verdicts do not say" 0 "before, grants were refused; after, they are allowed" "$DEVGUARD" diff web.rb granting.rb
"$DEVGUARD" compile granting.rb -o granting.o
expect "an object keeps it" 0 "grants: allowed" "$DEVGUARD" check granting.o
for policy in "$ROOT"/policies/*.rb; do
	grep -q '^\(never\|always\)' "$policy" && continue
	scratch "$(basename "$policy" .rb)"
	apply "$policy" "$CG"
	expect "$(basename "$policy"): equal" 0 "equal: " "$DEVGUARD" verify "$policy" "$CG"
	expect "$(basename "$policy"): it says itself what it does" 0 "verified: its instructions amount to this" "$DEVGUARD" status --verify "$CG"
done

# Conditions on the caller and on the whole request.
scratch callers
printf 'policy "callers"\nallow("c 1:3 rw") { |c| c.uid == 1000 }\nallow("c 1:5 rw") { |c| c.requested != 6 }\nallow { |c| c.minor * 3 < c.major }\n' >callers.rb
apply callers.rb "$CG"
expect "callers: equal" 0 "equal: callers" "$DEVGUARD" verify callers.rb "$CG"
sed 's/1000/1001/' callers.rb >others.rb
expect "callers: the witness has the caller" 2 "c 1:3 r uid=1000, /dev/null, which the policy denies" "$DEVGUARD" verify others.rb "$CG"
sed 's/!= 6/!= 4/' callers.rb >others.rb
expect "callers: the whole request" 2 "which the policy" "$DEVGUARD" verify others.rb "$CG"
sed 's/\* 3/* 4/' callers.rb >others.rb
expect "callers: a condition on two numbers" 2 "which the policy " "$DEVGUARD" verify others.rb "$CG"
check "callers: a witness is true" sh -c '
	w=$("$1" verify others.rb "$2" --json | python3 -c "import json, sys; w = json.load(sys.stdin)[\"witness\"]; print(w[\"request\"]); print(w[\"policy\"], w[\"program\"], file=sys.stderr)" 2>said)
	read -r policy program <said
	[ "$("$1" eval others.rb "$w" 2>&1 | cut -d" " -f1)" = "$policy" ] && [ "$("$1" eval "cgroup:$2" "$w" 2>&1 | cut -d" " -f1)" = "$program" ]' - "$DEVGUARD" "$CG"

# ---- what others do meanwhile ----------------------------------------------------------------------------

scratch changed
apply web.rb "$CG"
sed 's/7-9/7-10/' web.rb >more.rb
apply more.rb "$CG"
expect "another object under the same name" 2 "it allows c 1:10 r, which the policy denies" "$DEVGUARD" verify web.rb "$CG"
sed 's/ENOENT/ENXIO/' web.rb >errno.rb
apply errno.rb "$CG"
expect "another errno" 2 "its instructions are not the policy's" "$DEVGUARD" verify web.rb "$CG"
sed 's/^allow "c 1/# a comment\nallow "c 1/' web.rb >text.rb
apply text.rb "$CG"
expect "another text of the same meaning" 0 "made of another text that means the same: digest " "$DEVGUARD" verify web.rb "$CG"
detach "$CG"
expect "detached" 2 "differs: web on $CG: it is not attached there, and nothing else is" "$DEVGUARD" verify web.rb "$CG"
"$T/loader" "$CG" >"$T/id" <<'P'
insn 183 0 0 0 1
insn 149 0 0 0 0
P
expect "replaced by one of others" 2 "it is not attached there; 1 other program is" "$DEVGUARD" verify web.rb "$CG"
apply web.rb "$CG"
expect "beside one of others" 0 "equal: web" "$DEVGUARD" verify web.rb "$CG"
printf 'policy "second"\nallow :null\n' >second.rb
apply second.rb "$CG"
expect "several of ours: each" 0 "equal: second" "$DEVGUARD" verify second.rb "$CG"
expect "several of ours: the other" 0 "equal: web" "$DEVGUARD" verify web.rb "$CG"
expect "under a name that another policy has" 2 "differs: second" "$DEVGUARD" verify web.rb "$CG" second
"$T/loader" "$CG" web.o >"$T/id"
expect "twice under one name" 2 "2 programs of that name are attached there" "$DEVGUARD" verify web.rb "$CG"
rmdir "$CG"
expect "the cgroup is gone" 1 "$CG" "$DEVGUARD" verify web.rb "$CG"

# ---- one byte of the object --------------------------------------------------------------------------------

# The constant of an instruction is another: what the kernel takes all the same, and is attached, is told; or it
# means the same, as `explain` says.
scratch bytes
printf 'policy "bytes"\nallow "c 1:3 rw"\nallow "b 8:0-15 r"\n' >bytes.rb
"$DEVGUARD" compile bytes.rb -o bytes.o
rules=$("$DEVGUARD" explain --ruby bytes.rb | sed 1d)
cat >flip.py <<'P'
import struct, sys
data = bytearray(open('bytes.o', 'rb').read())
at, n = struct.unpack_from('<Q', data, 0x28)[0], struct.unpack_from('<H', data, 0x3c)[0]
heads = [struct.unpack_from('<IIQQQQ', data, at + 64 * i) for i in range(n)]
offset, size = next((h[4], h[5]) for h in heads if h[1] == 1 and h[2] & 4 and h[5])
if sys.argv[1] == 'size':
    print(size)
elif sys.argv[1] == 'wide': # the values of those of 16 bytes
    print(*(i + 4 for i in range(0, size, 8) if data[offset + i] == 0x18))
else:
    data[offset + int(sys.argv[1])] ^= int(sys.argv[2])
    open('flipped.o', 'wb').write(data)
P
told=0 same=0 wrong=
for ((i = 4; i < $(python3 flip.py size); i += 8)); do
	python3 flip.py "$i" $((1 << i / 8 % 3))
	"$T/loader" "$CG" flipped.o >"$T/id" 2>/dev/null || continue
	out=$("$DEVGUARD" verify bytes.rb "$CG" 2>&1); rc=$?
	case $rc in
	2) told=$((told + 1)) ;;
	0) same=$((same + 1)); [[ $out == *"of another compilation: tag"* && $("$DEVGUARD" explain --ruby "prog:$(cat "$T/id")" | sed 1d) == "$rules" ]] || wrong+="byte $i: $out
" ;;
	*) wrong+="byte $i: status $rc: $out
" ;;
	esac
	bpftool cgroup detach "$CG" cgroup_device id "$(cat "$T/id")"
done
if [ -z "$wrong" ] && [ $told -gt 10 ]; then pass "one byte of the object: $told differences are told, $same mean the same"
else fail "one byte of the object: $told told, $same the same" "$wrong"; fi
python3 flip.py 0 0
"$T/loader" "$CG" flipped.o >"$T/id"
expect "no byte of it" 0 "equal: bytes" "$DEVGUARD" verify bytes.rb "$CG"
plain=$(cat "$T/id")
# The kernel's tag leaves out where in a map an instruction reads: a level of audit that is read beside its place.
scratch places
mkdir places && cp flip.py places && cd places
printf 'policy "bytes"\naudit :denied\nallow "c 1:3 rw"\n' >bytes.rb
"$DEVGUARD" compile bytes.rb -o bytes.o
python3 flip.py 0 0
tag() { bpftool prog show id "$1" | sed -n 's/.* tag \([0-9a-f]*\) .*/\1/p'; }
"$T/loader" "$CG" flipped.o >"$T/id"
expect "places in maps: as they are" 0 "equal: bytes" "$DEVGUARD" verify bytes.rb "$CG"
plain_tag=$(tag "$(cat "$T/id")") told=0 wrong=
for i in $(python3 flip.py wide); do
	bpftool cgroup detach "$CG" cgroup_device id "$(cat "$T/id")"
	python3 flip.py "$i" 4
	"$T/loader" "$CG" flipped.o >"$T/id" 2>/dev/null || { python3 flip.py 0 0; "$T/loader" "$CG" flipped.o >"$T/id"; continue; }
	[ "$(tag "$(cat "$T/id")")" = "$plain_tag" ] || continue
	out=$("$DEVGUARD" verify bytes.rb "$CG" 2>&1) # of a map itself the value means nothing: then it is equal
	case $?:$out in
	2:*"reach for other places of its maps"*) told=$((told + 1)) ;;
	0:*) ;;
	*) wrong+="byte $i: $out
" ;;
	esac
done
[ $told -gt 0 ] && [ -z "$wrong" ] && pass "places in maps: others with the same tag are told" ||
	fail "places in maps: others with the same tag: $told told" "$wrong"
cd "$T"
CG=$CG2/$DGTEST_PREFIX.bytes

# ---- without the policy's file ---------------------------------------------------------------------------

expect "status --verify" 0 "verified: its instructions amount to this" "$DEVGUARD" status --verify "$CG"
check "list --verify" sh -c '"$1" list --verify --json | python3 -c "
import json, sys
[g] = [g for g in json.load(sys.stdin)[\"cgroups\"] if g[\"directory\"] == sys.argv[1]]
assert g[\"programs\"][0][\"verified\"] is True and g[\"programs\"][0][\"amounts_to\"] == g[\"programs\"][0][\"meaning\"], g
" "$2"' - "$DEVGUARD" "$CG"
bpftool cgroup detach "$CG" cgroup_device id "$plain"
sed 's/reads c 1:3/reads c 1:5/' bytes.o >flipped.o
"$T/loader" "$CG" flipped.o >"$T/id"
expect "status --verify: its line is not what it does" 2 "DIFFERS: its instructions amount to something else: " "$DEVGUARD" status --verify "$CG"
check "the same in JSON" sh -c '"$1" status --verify --json "$2" | grep -q "\"verified\": false"' - "$DEVGUARD" "$CG"
expect "list --verify: likewise" 2 "DIFFERS: " "$DEVGUARD" list --verify
bpftool cgroup detach "$CG" cgroup_device id "$(cat "$T/id")"
# A line counts devices where there are many: another device in the place of one has the same line, and is told.
scratch lines
mkdir lines && cp flip.py lines && cd lines
"$DEVGUARD" compile "$ROOT/policies/container-default.rb" -o bytes.o
rules=$("$DEVGUARD" explain --ruby bytes.o | sed 1d) line=$("$DEVGUARD" explain bytes.o | sed -n 2,3p) alike=0 wrong=
for ((i = 4; i < $(python3 flip.py size); i += 8)); do
	python3 flip.py "$i" 1
	"$T/loader" "$CG" flipped.o >"$T/id" 2>/dev/null || continue
	now=$("$DEVGUARD" explain --ruby "prog:$(cat "$T/id")" 2>&1 | sed 1d) out=$("$DEVGUARD" status --verify "$CG" 2>&1); rc=$?
	if [ "$now" = "$rules" ] && [[ $rc:$out == 0:*verified* ]]; then :
	elif [[ $rc:$out == 2:*"DIFFERS: "*"which its policy "* ]]; then # rules leave out m with r or w, which no kernel asks
		[ "$now" = "$rules" ] || [ "$("$DEVGUARD" explain "prog:$(cat "$T/id")" | sed -n 2,3p)" != "$line" ] || alike=$((alike + 1))
	else wrong+="byte $i: $rc: $out
"; fi
	bpftool cgroup detach "$CG" cgroup_device id "$(cat "$T/id")"
done
[ $alike -gt 0 ] && [ -z "$wrong" ] && pass "status --verify: $alike other policies with the same line" ||
	fail "status --verify: $alike other policies with the same line" "$wrong"
cd "$T"
CG=$CG2/$DGTEST_PREFIX.bytes
apply bytes.rb "$CG" --mode permissive
expect "status --verify: permissive" 1 "not verified: it is permissive" "$DEVGUARD" status --verify "$CG"
detach "$CG"

# ---- the command line ----------------------------------------------------------------------------------------

expect "no cgroup" 64 "no cgroup given" "$DEVGUARD" verify web.rb
expect "what runs is no policy" 64 "is what runs" "$DEVGUARD" verify "cgroup:$CG" "$CG"
expect "a policy that is refused" 3 "" sh -c 'echo "allow :nul" | "$1" verify - "$2"' - "$DEVGUARD" "$CG"
summary
