#!/bin/bash
# claims.sh - never and always as a user meets them: of a policy, in its object, in files of their own (--claims),
# and of what the kernel runs. What is refused leaves nothing behind.
. "$(dirname "$0")/lib.sh"
P=$ROOT/policies

# ---- the shipped claims: which of them each shipped policy keeps ----------------------------------------

kept() # kept POLICY: the labels, in their order; a false claim has a request that breaks it
{
	"$DEVGUARD" check --json --claims "$P/claims.rb" "$P/$1.rb" 2>&1 | python3 -c '
import json, subprocess, sys
policy = json.load(sys.stdin)["policies"][0]
for c in policy["claims"]:
    if not c["file"].endswith("/claims.rb"): # the policy has claims of its own
        continue
    if c["holds"]:
        print("+", c["label"])
    else:
        request = c["counterexample"]["request"]
        said = subprocess.run([sys.argv[1], "eval", sys.argv[2], request], capture_output=True, text=True).stdout
        print("-", c["label"], request, said.split()[0])
print(policy["exit"])' "$DEVGUARD" "$P/$1.rb"
}
all="+ no raw disks
+ no memory of the host
+ no kernel log
+ no raw input
+ nothing new made by mknod
0"
none="- no raw disks b 8:0 r allow
- no memory of the host c 1:1 r allow
- no kernel log c 1:11 r allow
- no raw input c 10:223 r allow
- nothing new made by mknod b 8:0 m allow
3"
ships() { printf '%s\n' "$2" >"$T/want"; kept "$1" >"$T/got"; same "$1 keeps" "$T/want" "$T/got"; }
for policy in audio-video gpu kvm-guest hsm deny-all; do
	ships $policy "$all"
done
for policy in allow-all readonly-disks; do # everything is readable there, on purpose
	ships $policy "$none"
done
ships container-default "$(sed 's/^+ \(nothing.*\)/- \1 b 8:0 m allow/; s/^0$/3/' <<<"$all")"
ships workstation "$(sed 's/^+ \(no raw input\)/- \1 c 10:223 r euid=1000 session=0 host_user_ns=yes allow/; s/^0$/3/' <<<"$all")"
ships backup-host "$(sed 's/^+ no raw disks/- no raw disks b 8:0 r exe=\/usr\/sbin\/bacula-fd caps=dac_read_search allow/; s/^0$/3/' <<<"$all")"
ships no-new-nodes "$(sed 's/^- \(nothing new made by mknod\).*/+ \1/' <<<"$none")"
for policy in "$P"/*.rb; do
	case $(basename "$policy" .rb) in
	claims | audio-video | gpu | kvm-guest | workstation | hsm | backup-host | deny-all | allow-all | readonly-disks | container-default | no-new-nodes) ;;
	*) fail "$policy: which claims does it keep?" ;;
	esac
done
expect "all of one file in a line" 0 "  claims: 5 of $P/claims.rb proven" "$DEVGUARD" check --claims "$P/claims.rb" "$P/gpu.rb"
expect "several files" 0 "  claims: 1 of $T/more.rb proven" bash -c 'echo "always :null, access: \"rw\"" >"$3" && "$1" check --claims "$2/claims.rb" --claims "$3" "$2/gpu.rb" "$2/kvm-guest.rb"' - "$DEVGUARD" "$P" "$T/more.rb"
expect "each of them" 0 "    line 17: never, proven: no memory of the host" "$DEVGUARD" check -v --claims "$P/claims.rb" "$P/gpu.rb"
expect "some of one file" 3 "  claims: 4 of 5 of $P/claims.rb proven" "$DEVGUARD" check --claims "$P/claims.rb" "$P/container-default.rb"
expect "the line that lets it happen" 3 "is allowed by $P/container-default.rb:11 (make any node)" "$DEVGUARD" check --claims "$P/claims.rb" "$P/container-default.rb"
expect "it is no policy" 3 "policy has claims and no rules" "$DEVGUARD" check "$P/claims.rb"
expect "it is no policy to compile" 3 "put to a policy: check --claims FILE POLICY" "$DEVGUARD" compile "$P/claims.rb" -o "$T/no.o"

# ---- claims of a policy ---------------------------------------------------------------------------------

cd "$T" || exit 1
cat >disks.rb <<'EOF'
disk = param :disk, 8
slot = param :slot, 0, in: 0..3
mode :permissive
allow :null, access: "rw"
allow("c 195:0-3 rw", label: "cards") { |ctx| ctx.minor == ctx.slot }
allow "b 7:0-7 r", label: "loops"
never "b #{disk}:*", label: "no raw disks"
never("c 195:*") { |ctx| ctx.minor != ctx.slot }
always :null, access: "rw"
EOF
expect "a policy's own" 0 "  claims: 3 proven" "$DEVGUARD" check disks.rb
check "an object" "$DEVGUARD" compile disks.rb -o disks.o
expect "are in its object" 0 "  claims: 3 proven" "$DEVGUARD" check disks.o
expect "of an object, each" 0 "    line 7: never, proven: no raw disks" "$DEVGUARD" check -v disks.o
expect "for every value of a range, whatever it is set to" 0 "  claims: 3 proven" "$DEVGUARD" check disks.o --param slot=3
for verb in "check disks.rb" "compile disks.rb -o no.o" "eval disks.rb /dev/null" "test disks.rb --cases none.cases" \
	"apply disks.rb / --dry-run" "run disks.rb true" "explain disks.rb"; do
	expect "a value that makes one false: ${verb%% *}" 3 'disks.rb:7: error: the claim "no raw disks" is false: b 7:0 r, /dev/loop0, is allowed by line 6 (loops)' \
		"$DEVGUARD" ${verb%% *} --param disk=7 ${verb#* }
done
check "nothing was compiled" test ! -e no.o
sed -i 's/^never("c 195.*/never "c 195:2"/' disks.rb
expect "a value that the range only has" 3 'this claim is false: c 195:2 r, /dev/nvidia2, is allowed by line 5 (cards), with slot=2' "$DEVGUARD" check disks.rb
expect "a mode changes nothing" 3 "with slot=2" "$DEVGUARD" apply disks.rb / --dry-run --mode permissive

# An object whose claims were taken away, or changed.
size=$(stat -c %s disks.o)
for what in 's/no raw disks/no row disks/' 's/VDGP\x04/VDGP\x03/'; do
	LC_ALL=C sed "$what" disks.o >other.o
	if cmp -s disks.o other.o || [ "$(stat -c %s other.o)" != "$size" ]; then fail "$what changes nothing"; continue; fi
	expect "an object, changed: $what" 3 "other.o: error: the object's .devguard section is damaged" "$DEVGUARD" check other.o
done

# A file that is loaded has claims of the policy, and their place is its.
mkdir -p lib && echo 'never "b *:*", label: "no disks"' >lib/org.rb
printf 'require_relative "lib/org"\nallow "b 8:* r"\n' >loads.rb
expect "in a file that is loaded" 3 'lib/org.rb:1: error: the claim "no disks" is false: b 8:0 r, /dev/sda, is allowed by loads.rb:2' "$DEVGUARD" check loads.rb
printf 'allow :null\ndef org\n  never "b *:*"\nend\n' >uncalled.rb
expect "in a method that nobody calls" 0 "warning: no rule was made in \`org\`" "$DEVGUARD" check uncalled.rb
printf 'allow :null\nnever "/dev/no-such-card", missing: :skip\n' >skip.rb
check "of a device that is not here" "$DEVGUARD" compile skip.rb -o skip.o
expect "an object says so" 0 "warning: /dev/no-such-card is left out" "$DEVGUARD" check skip.o
printf 'allow :null\nnever "c 1:3 m"\n' >null.rb
expect "as JSON" 3 '"holds": false' "$DEVGUARD" check --json null.rb
expect "as JSON, the counterexample" 3 '"request": "c 1:3 m"' "$DEVGUARD" check --json null.rb
printf 'default :deny\n' >deny.rb; for i in $(seq 1001); do echo "never \"c 9:$i\""; done >>deny.rb
expect "a thousand are enough" 3 "deny.rb:1002: error: more than 1000 claims" "$DEVGUARD" check deny.rb

# ---- files of claims that are none ------------------------------------------------------------------------

refused() # refused NAME TEXT LINE...: in a file of claims
{
	printf '%s\n' "${@:3}" >bad.rb
	expect "a file of claims: $1" 3 "$2" "$DEVGUARD" check --claims bad.rb "$P/gpu.rb"
	expect "a file of claims: $1: nothing is compiled" 3 "$2" "$DEVGUARD" compile --claims bad.rb "$P/gpu.rb" -o no.o
	check "a file of claims: $1: no object" test ! -e no.o
}
refused "with a rule" "bad.rb:2: error: a rule in a file of claims" 'never "b *:*"' 'deny "b *:*"'
refused "with a default" "bad.rb:1: error: a default in a file of claims" 'default :deny' 'never "b *:*"'
refused "with a mode" "mode, grants or audit in a file of claims" 'mode :permissive' 'never "b *:*"'
refused "with a range" "a parameter with a range in a file of claims" 'param :gpu, 0, in: 0..3' 'never "b *:*"'
refused "with nothing" "the file has no claims" '# nothing'
refused "with a mistake" "bad.rb:1: error: never does not take acces:" 'never "b *:*", acces: "w"'
refused "that is false" "bad.rb:1: error: this claim is false: c 1:3 r, /dev/null, is allowed by $P/gpu.rb:20" 'never :null'
cp disks.o bad.o
expect "a file of claims: an object" 3 "an object is no file of claims" "$DEVGUARD" check --claims bad.o "$P/gpu.rb"
expect "a file of claims: not there" 1 "nowhere.rb" "$DEVGUARD" check --claims nowhere.rb "$P/gpu.rb"
expect "claims of a manifest" 64 "does not go with a manifest" "$DEVGUARD" check --claims "$P/claims.rb" guard.yaml
expect "a file of claims that is not there" 1 "hint: name a file with claims" "$DEVGUARD" check --claims no-such.rb "$P/gpu.rb"
expect "claims with --config" 64 "does not go with --config" "$DEVGUARD" apply --claims "$P/claims.rb" --config guard.yaml
expect "a parameter is the policy's" 0 "parameter gpu: 3" "$DEVGUARD" check --claims "$P/claims.rb" "$P/gpu.rb" --param gpu=3
printf 'major = param :major, 8\nnever "b #{major}:*"\n' >major.rb
expect "a file of claims has parameters of its own" 0 "  claims: 1 of major.rb proven" "$DEVGUARD" check --claims major.rb "$P/gpu.rb"
check "claims that hold: an object is written" "$DEVGUARD" compile --claims "$P/claims.rb" "$P/gpu.rb" -o yes.o
check "claims of a file are not in it" sh -c '! "$1" check yes.o | grep claims' - "$DEVGUARD"

printf 'c 1:3 rwm\nb 8:* r\n' >devices.list
expect "of a list of another tool" 3 '"no raw disks" is false: b 8:0 r, /dev/sda, is allowed by devices.list:2' "$DEVGUARD" check --claims "$P/claims.rb" v1:devices.list
expect "... with a hint for a list" 3 "hint: deny it in the list, or narrow the claim" "$DEVGUARD" check --claims "$P/claims.rb" v1:devices.list
printf '{"linux":{"resources":{"devices":[{"allow":true,"type":"c","major":195,"access":"rw"}]}}}' >list.json
expect "... what its tool adds has no line" 3 '"nothing new made by mknod" is false: b 8:0 m, /dev/sda, is allowed by list.json (every container has it)' "$DEVGUARD" check --claims "$P/claims.rb" oci:list.json
expect "... that is not written" 3 "is false" "$DEVGUARD" compile --claims "$P/claims.rb" v1:devices.list -o no.o
check "... no object" test ! -e no.o

# ---- what the kernel runs -------------------------------------------------------------------------------

reason=$(need_kernel)
[ -z "$reason" ] || { skip "claims of what the kernel runs" "$reason"; summary; exit; }
scratch claims
expect "a false claim: nothing is attached" 3 "is false" "$DEVGUARD" apply loads.rb "$CG"
expect "a false claim of a file: nothing is attached" 3 "is false" "$DEVGUARD" apply --claims "$P/claims.rb" "$P/container-default.rb" "$CG"
check "nothing is attached" sh -c '! "$1" status "$2" | grep -E "loads|container-default"' - "$DEVGUARD" "$CG"
check "claims that hold: attached" "$DEVGUARD" apply --claims "$P/claims.rb" "$P/gpu.rb" "$CG"
expect "what is attached keeps them" 0 "  claims: 5 of $P/claims.rb proven" "$DEVGUARD" check --claims "$P/claims.rb" "effective:$CG"
expect "... by its cgroup" 0 "  claims: 5 of $P/claims.rb proven" "$DEVGUARD" check --claims "$P/claims.rb" "cgroup:$CG"
check "another one in its place" "$DEVGUARD" apply "$P/container-default.rb" "$CG"
"$DEVGUARD" detach "$CG" gpu >"$T/out" 2>&1
expect "what is attached breaks one" 3 'the claim "nothing new made by mknod" is false: b 8:0 m, /dev/sda, is allowed by' "$DEVGUARD" check --claims "$P/claims.rb" "effective:$CG"
check "one below it, that forbids to make nodes" sh -c 'mkdir "$3/low" && "$1" apply "$2/no-new-nodes.rb" "$3/low"' - "$DEVGUARD" "$P" "$CG"
expect "... with a hint for programs" 3 "hint: apply a policy that denies it to the cgroup as well" "$DEVGUARD" check --claims "$P/claims.rb" "effective:$CG"
expect "together they keep what neither does alone" 0 "  claims: 5 of $P/claims.rb proven" "$DEVGUARD" check --claims "$P/claims.rb" "effective:$CG/low"
expect "alone it does not" 3 "  claims: 1 of 5 of $P/claims.rb proven" "$DEVGUARD" check --claims "$P/claims.rb" "cgroup:$CG/low"

# A program that counts in a map and denies by the count, but for major 3: what hangs on the count cannot be told.
$CC -O2 -o "$T/loader" "$TESTS/loader.c" -lbpf || exit 1
scratch counts
id=$("$T/loader" "$CG" <<'P'
map array 4 8 1
insn 97 6 1 4 0
insn 98 10 0 -4 0
insn 24 1 1 0 0
insn 0 0 0 0 0
insn 191 2 10 0 0
insn 7 2 0 0 -4
insn 133 0 0 0 1
insn 21 0 0 6 0
insn 121 3 0 0 0
insn 183 2 0 0 1
insn 219 0 2 0 0
insn 183 0 0 0 1
insn 21 6 0 1 3
insn 37 3 0 1 100
insn 149 0 0 0 0
insn 183 0 0 0 0
insn 149 0 0 0 0
P
)
unknown() # unknown NAME STATUS TEXT CLAIM
{
	echo "$4" >one.rb
	expect "of what is not understood: $1" "$2" "$3" "$DEVGUARD" check --claims one.rb "prog:$id"
}
unknown "never" 1 "one.rb:1: error: cannot tell whether this claim holds: it hangs on what is not understood of prog:$id" 'never "c 1:3"'
unknown "always" 1 "cannot tell whether this claim holds" 'always "c 1:3"'
unknown "what does not hang on it holds" 0 "  claims: 1 of one.rb proven" 'always "c 3:*"'
unknown "what does not hang on it is false" 3 "is false: c 3:0 r" 'never "c 3:*"'
unknown "what is false in one place of it" 3 "is false: c 3:0 r" 'never "c 2-3:*"'
expect "JSON: it is neither" 1 '"holds": null' "$DEVGUARD" check --json --claims <(echo 'never "c 1:3"') "prog:$id"
summary
