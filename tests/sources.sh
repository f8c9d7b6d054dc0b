#!/bin/bash
# sources.sh - programs of the kernel as a source: ours and those of others, explained, asked, compiled
# again. Each answer about a program of others is held against the kernel's.
. "$(dirname "$0")/containers.sh"
reason=$(need_kernel)
[ -z "$reason" ] || { skip "programs of the kernel" "$reason"; summary; exit; }
build_opener
$CC -O2 -o "$T/loader" "$TESTS/loader.c" -lbpf || exit 1
explained() { "$DEVGUARD" explain --ruby "$@" 2>&1 | sed '1{/^# What/d}'; }
told() { "$DEVGUARD" explain "$@" 2>&1; }

# ---- ours -----------------------------------------------------------------------------------------

scratch ours
list='allow :null, :zero, :full, :random, :urandom, :tty, :console, :ptmx, :tun, :pts, access: "rw"
allow "a *:*", access: "m"'
for how in "" "--audit denied" "--audit all"; do
	"$DEVGUARD" apply "$ROOT/policies/container-default.rb" "$CG" $how >"$T/out" 2>&1 || cat "$T/out"
	equal "container-default, applied ${how:-as it is}" "$list" "$(explained "prog:$(program_of "$CG")")"
done
equal "by its cgroup" "$list" "$(explained "cgroup:$CG")"
"$DEVGUARD" apply "$ROOT/policies/container-default.rb" "$CG" --mode permissive >"$T/out" 2>&1
equal "permissive: nothing is denied" "default :allow" "$(explained "cgroup:$CG")"
expect "its policy is named by the cgroup, whatever that is called by" 0 "1: ok (0 rules, default allow)" bash -c 'echo $$ >"$2/cgroup.procs"; "$1" check "effective:$$" | sed "s/^$$:/1:/"' - "$DEVGUARD" "$CG"
expect "permissive: it is said" 0 "container-default (ours, PERMISSIVE: nothing is denied by it)" "$DEVGUARD" explain "cgroup:$CG"
"$DEVGUARD" apply "$ROOT/policies/container-default.rb" "$CG" >"$T/out" 2>&1
printf 'policy "second"\ndefault :allow\ndeny :null, access: "w"\n' >"$T/second.rb"
"$DEVGUARD" apply "$T/second.rb" "$CG" >"$T/out" 2>&1
mkdir "$CG/below"
printf 'policy "third"\ndefault :allow\ndeny :zero\n' >"$T/third.rb"
"$DEVGUARD" apply "$T/third.rb" "$CG/below" >"$T/out" 2>&1
equal "what is above counts too" 'deny :zero
allow :full, :random, :urandom, :tty, :console, :ptmx, :tun, :pts, access: "rw"
allow :null, access: "r"
allow "a *:*", access: "m"' "$(explained "effective:$CG/below")"
equal "each in turn, as the kernel asks them, and together" "program $(program_of "$CG/below") on $CG/below: third (ours)
  allows all character devices but c 1:5, all block devices
  allow  rwm  a *:*  every device
  deny   rwm  c 1:5  /dev/zero     gives zero bytes

program $(program_of "$CG") on $CG: container-default (ours)
  opens 9 character devices and c 136:*, no block device; makes everything
  allow  rw   c 5:1     /dev/console  the system console
  allow  rw   c 10:200  /dev/net/tun  makes network interfaces tun and tap
  allow  rw   c 1:3     /dev/null     takes everything, gives nothing
  allow  rw   c 1:5     /dev/zero     gives zero bytes
  allow  rw   c 1:7     /dev/full     gives zero bytes, is always full
  allow  rw   c 1:8     /dev/random   random numbers
  allow  rw   c 1:9     /dev/urandom  random numbers
  allow  rw   c 5:0     /dev/tty      the terminal of the process itself
  allow  rw   c 5:2     /dev/ptmx     makes pseudo terminals
  allow  rw   c 136:*   /dev/pts/*    pseudo terminals
  allow  m    a *:*     every device  making its node (mknod)
  everything else is denied

program $(bpftool cgroup list "$CG" | awk '$2 ~ /device/ { print $1 }' | sed -n 2p) on $CG: second (ours)
  reads and makes everything; writes all character devices but c 1:3, all block
  devices
  allow  rwm  a *:*  every device
  deny   w    c 1:3  /dev/null     takes everything, gives nothing

together (a request is allowed when all 3 allow it)
  reads 8 character devices and c 136:*, no block device; writes 7 character
  devices and c 136:*, no block device; makes all character devices but c 1:5,
  all block devices
  allow  rw   c 5:1     /dev/console  the system console
  allow  rw   c 10:200  /dev/net/tun  makes network interfaces tun and tap
  allow  r    c 1:3     /dev/null     takes everything, gives nothing
  allow  rw   c 1:7     /dev/full     gives zero bytes, is always full
  allow  rw   c 1:8     /dev/random   random numbers
  allow  rw   c 1:9     /dev/urandom  random numbers
  allow  rw   c 5:0     /dev/tty      the terminal of the process itself
  allow  rw   c 5:2     /dev/ptmx     makes pseudo terminals
  allow  rw   c 136:*   /dev/pts/*    pseudo terminals
  allow  m    a *:*     every device  making its node (mknod)
  deny   m    c 1:5     /dev/zero     gives zero bytes
  everything else is denied" "$(told "effective:$CG/below")"
equal "an order of the kernel" "$(bpftool cgroup list "$CG/below" effective | awk '$2 ~ /device/ { print $1 }' | paste -sd ' ')" \
	"$(told "effective:$CG/below" | sed -n 's/^program \([0-9]*\).*/\1/p' | paste -sd ' ')"
equal "one child for all of them" 1 "$(strace -f -e trace=clone,clone3,fork,vfork "$DEVGUARD" explain "effective:$CG/below" 2>&1 | grep -E "(clone3?|v?fork)\\(" | grep -vc CLONE_UNTRACED)" # which a sanitizer makes
"$DEVGUARD" explain --json "effective:$CG/below" >"$T/json"
equal "as JSON: rules with their devices" "[[1,1]] [[3,3]] r c null /dev/null standard" \
	"$(jq -r '.table[] | select(.access == "r") | "\(.majors|tostring) \(.minors|tostring) \(.access) \(.type) \(.when) \(.devices[0].name) \(.devices[0].kind)"' "$T/json")"
equal "as JSON: whose they are" "third $CG/below 2 deny" "$(jq -r '.programs[0] | "\(.policy) \(.cgroup) \(.table | length) \(.table[0].verdict)"' "$T/json")"
expect "why: who denies" 2 "deny    $CG  program $(program_of "$CG"), container-default (ours)
        no rule matches, and its default is deny" "$DEVGUARD" why "$CG/below" /dev/kmsg r
expect "why: by which rule" 2 "        $T/third.rb:3: deny :zero" "$DEVGUARD" why "$CG/below" c 1:5 r
expect "why: how many" 2 "deny: c 1:3 w: 1 of 3 programs denies it" "$DEVGUARD" why "$CG/below" c 1:3 w
expect "why: all allow" 0 "allow: c 1:3 r: all programs allow it" "$DEVGUARD" why "$CG/below" c 1:3 r
deep=$CG/below
audited="--audit all" # its program counts and reports: none of that decides
for level in 3 4 5 6 7 8; do
	deep=$deep/$level
	mkdir "$deep"
	"$DEVGUARD" apply "$ROOT/policies/container-default.rb" "$deep" $audited >"$T/out" 2>&1 || cat "$T/out"
done
expect "why: eight levels deep" 2 "1 of 9 programs denies it" "$DEVGUARD" why "$deep" c 1:3 w
equal "explain: eight levels deep" "9 programs, together, 0 not understood" "$(told "effective:$deep" | grep -c '^program') programs, $(
	told "effective:$deep" | grep -o ^together), $(told "effective:$deep" | grep -c 'not understood') not understood"
mkdir "$T/nodev" && mount -t tmpfs -o nodev tmpfs "$T/nodev" 2>/dev/null && {
	mknod -m 600 "$T/nodev/full" c 1 7
	expect "why: a mount without devices" 0 "mounted nodev" "$DEVGUARD" why "$CG/below" "$T/nodev/full" r
	umount "$T/nodev"
}
mknod -m 600 "$T/full" c 1 7
expect "why: the mode of the node" 0 "mode 0600, owner 0, group 0: uid 1000 has not these bits" "$DEVGUARD" why "$CG/below" "$T/full" r uid=1000
(echo "$BASHPID" >"$CG/below/cgroup.procs" && exec setpriv --reuid 1000 --clear-groups sleep 7200) & BACKGROUND+=($!)
until grep -qx "$!" "$CG/below/cgroup.procs" && grep -q '^Uid:.1000' "/proc/$!/status"; do sleep 0.01; done
expect "why: facts of a process" 0 "uid 1000 has not these bits" "$DEVGUARD" why "$!" "$T/full" r
printf 'policy "third"\ndefault :allow\ndeny(:zero) { |c| c.uid == 1000 && c.comm == "sleep" }\n' >"$T/third.rb"
"$DEVGUARD" apply "$T/third.rb" "$CG/below" >"$T/out" 2>&1
expect "why: a rule about the caller" 2 "deny: c 1:5 r" "$DEVGUARD" why "$!" c 1:5 r
expect "why: without the facts" 1 "it depends on uid, which the request does not give" "$DEVGUARD" why "$CG/below" c 1:5 r
printf 'policy "third"\ndefault :allow\ndeny :zero\n' >"$T/third.rb"
"$DEVGUARD" apply "$T/third.rb" "$CG/below" >"$T/out" 2>&1
expect "eval of a cgroup" 2 "deny c 1:3 rw" "$DEVGUARD" eval "effective:$CG/below" "c 1:3 rw"
expect "eval of one program" 0 "allow c 1:3 rw" "$DEVGUARD" eval "prog:$(program_of "$CG")" "c 1:3 rw"
printf 'allow c 1:3 r\ndeny c 1:3 w\ndeny c 1:5 r\nallow b 8:0 m\n' >"$T/list.cases"
check "test of a cgroup, with cases" "$DEVGUARD" test "effective:$CG/below" --cases "$T/list.cases"
grep -v 'c 1:5' "$T/list.cases" >"$T/own.cases"
check "test of a cgroup's own programs" "$DEVGUARD" test "cgroup:$CG" --cases "$T/own.cases"
check "compile of a cgroup" "$DEVGUARD" compile "effective:$CG/below" -o "$T/again.o"
equal "the object means the same" "$(explained "effective:$CG/below")" "$(explained "$T/again.o")"
scratch copied
check "the object applied" "$DEVGUARD" apply "$T/again.o" "$CG"
equal "what the kernel runs then means the same" "$(explained "$T/again.o")" "$(explained "cgroup:$CG")"
CG=$CG2/$DGTEST_PREFIX.ours
check "the same as Ruby" "$DEVGUARD" test --cases "$T/list.cases" <(explained "effective:$CG/below" --ruby)
printf 'policy "here"\nallow "c 10:230 rw"\n' >"$T/here.rb" # misc has that number everywhere, and no device
scratch here
"$DEVGUARD" apply "$T/here.rb" "$CG" >"$T/out" 2>&1 || cat "$T/out"
equal "explain: numbers of this host have its names" "  opens c 10:230, no block device; makes nothing
  allow  rw   c 10:230  driver misc (here)
  everything else is denied
  (here): so this host calls it" "$(told "cgroup:$CG" | sed 1d)"
equal "explain: numbers in a policy have not" "  allow  rw   c 10:230" "$(told "$T/here.rb" | grep 10:230 | tail -n 1)"

# One that hangs on more than can be told: the other is told all the same.
unknowns="$(for ((i = 0; i < 17; i++)); do echo "insn 133 0 0 0 7
insn 37 0 0 2 100
insn 183 0 0 0 0
insn 149 0 0 0 0"; done)
insn 183 0 0 0 1
insn 149 0 0 0 0"
bad=$("$T/loader" "$CG" <<<"$unknowns")
expect "explain: one that cannot be read" 1 "  it cannot be told: " "$DEVGUARD" explain "cgroup:$CG"
expect "explain: the other one is" 1 "driver misc (here)" "$DEVGUARD" explain "cgroup:$CG"
"$DEVGUARD" explain --json "cgroup:$CG" >"$T/json"
equal "as JSON: what cannot be told" "here=null $bad=string together=string" "$(jq -r '"here=\(.programs[] | select(.policy == "here") | .cannot_tell)",
	"\(.programs[] | select(.policy == null) | "\(.program)=\(.cannot_tell | type)")", "together=\(.cannot_tell | type)"' "$T/json" | paste -sd ' ')"
scratch empty
expect "a cgroup without a program" 1 "no device program" "$DEVGUARD" explain "cgroup:$CG"
expect "no such program" 1 "there is none with that number" "$DEVGUARD" explain prog:4294967295
expect "no number" 64 "named by its number" "$DEVGUARD" explain prog:web
expect "no such cgroup" 1 "" "$DEVGUARD" explain "cgroup:$CG2/$DGTEST_PREFIX.none"

# ---- others' ---------------------------------------------------------------------------------------

others() # others NAME RULES: the program on stdin, explained; and as the kernel decides
{
	scratch "$1"
	"$T/loader" "$CG" >"$T/id" 2>"$T/err" || { fail "$1: it is loaded" "$(cat "$T/err")"; return; }
	equal "$1" "$2" "$(explained "prog:$(cat "$T/id")")"
	ask "$CG" >"$T/$1.cases"
	check "$1: the kernel says the same" "$DEVGUARD" test "prog:$(cat "$T/id")" --cases "$T/$1.cases"
}

# A hash whose keys are major << 32 | minor, -1 for any minor: values are type << 16 | access.
others hash 'allow :vcs
allow :null, :ptmx, access: "rw"
allow :psaux, access: "r"' <<'P'
map hash 8 4 64
entry 0300000001000000 06000200
entry 0200000005000000 06000200
entry 010000000a000000 02000200
entry ffffffff07000000 07000200
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
insn 85 0 0 8 0
insn 98 10 0 -8 -1
insn 24 1 1 0 0
insn 0 0 0 0 0
insn 191 2 10 0 0
insn 7 2 0 0 -8
insn 133 0 0 0 1
insn 85 0 0 1 0
insn 149 0 0 0 0
insn 97 3 0 0 0
insn 97 2 6 0 0
insn 191 4 2 0 0
insn 84 4 0 0 65535
insn 191 5 3 0 0
insn 119 5 0 0 16
insn 93 4 5 6 0
insn 119 2 0 0 16
insn 87 3 0 0 7
insn 167 3 0 0 7
insn 77 2 3 2 0
insn 183 0 0 0 1
insn 149 0 0 0 0
insn 183 0 0 0 0
insn 149 0 0 0 0
P

# An array with a word: the highest major number that is allowed.
others array 'allow "a 0-7:*"' <<'P'
map array 4 4 1
entry 00000000 07000000
insn 97 6 1 4 0
insn 98 10 0 -4 0
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

# One that counts in a map, and denies by the count: told, and not guessed.
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
expect "what it counts is not known" 1 "depends on what is not understood" "$DEVGUARD" eval "prog:$id" "c 1:3 rw"
expect "why: what is not known" 1 "it depends on what is not understood of the program" "$DEVGUARD" why "$CG" c 1:3 rw
expect "what does not hang on it is" 0 "allow c 3:3 rw" "$DEVGUARD" eval "prog:$id" "c 3:3 rw"
equal "explain: what it hangs on" "program $id on $CG: by an author that is not known
  allows c 3:*, b 3:*; more by what is not understood
  not understood: what a map holds at instruction 14
  unknown  rwm  a *:*  every device  hangs on what a map holds at instruction 14
  allow    rwm  a 3:*" "$(told "cgroup:$CG")"
expect "it is not compiled" 1 "cannot be compiled" "$DEVGUARD" compile "prog:$id" -o "$T/none.o"

# ---- in the shape of engines ------------------------------------------------------------------------

# shape RETURN TYPE:MAJOR:MINOR:ACCESS...: a test for each part that is not "any", then RETURN 1
shape()
{
	local code=$1 type major minor access tests
	shift
	echo "insn 97 2 1 0 0
insn 84 2 0 0 65535
insn 97 3 1 0 0
insn 116 3 0 0 16
insn 97 4 1 4 0
insn 97 5 1 8 0"
	for rule in "$@"; do
		IFS=: read -r type major minor access <<<"$rule"
		tests=("insn 85 2 0 OFF $type")
		[ "$access" = 7 ] || tests+=("insn 188 1 3 0 0" "insn 84 1 0 0 $access" "insn 93 1 3 OFF 0")
		[ "$major" = any ] || tests+=("insn 85 4 0 OFF $major")
		[ "$minor" = any ] || tests+=("insn 85 5 0 OFF $minor")
		for ((i = 0; i < ${#tests[@]}; i++)); do echo "${tests[i]/OFF/$((${#tests[@]} - i + 1))}"; done
		echo "insn $code 0 0 0 1
insn 149 0 0 0 0"
	done
	echo "insn $code 0 0 0 0
insn 149 0 0 0 0"
}

# listed NAME TOLD: the program on the stdin, as it is told for people, its first line without its number
listed()
{
	scratch "$1"
	"$T/loader" "$CG" >"$T/id" 2>"$T/err" || { fail "$1: it is loaded" "$(cat "$T/err")"; return; }
	equal "$1" "$2" "$(told "prog:$(cat "$T/id")" | sed '1s/^program [0-9]*/program/')"
	ask "$CG" >"$T/$1.cases"
	check "$1: the kernel says the same" "$DEVGUARD" test "prog:$(cat "$T/id")" --cases "$T/$1.cases"
}

# What runc 1.1 allows every container: the devices that the runtime specification names, and tun.
shape 180 1:any:any:1 2:any:any:1 2:1:3:7 2:1:8:7 2:1:7:7 2:5:0:7 2:1:5:7 2:1:9:7 2:136:any:7 2:5:2:7 2:10:200:7 | listed runc-default \
'program: as runc writes them
  opens 8 character devices and c 136:*, no block device; makes everything
  allow  rw   c 10:200  /dev/net/tun  makes network interfaces tun and tap
  allow  rw   c 1:3     /dev/null     takes everything, gives nothing
  allow  rw   c 1:5     /dev/zero     gives zero bytes
  allow  rw   c 1:7     /dev/full     gives zero bytes, is always full
  allow  rw   c 1:8     /dev/random   random numbers
  allow  rw   c 1:9     /dev/urandom  random numbers
  allow  rw   c 5:0     /dev/tty      the terminal of the process itself
  allow  rw   c 5:2     /dev/ptmx     makes pseudo terminals
  allow  rw   c 136:*   /dev/pts/*    pseudo terminals
  allow  m    a *:*     every device  making its node (mknod)
  everything else is denied'
# crun 1.8: the console too, and not tun.
shape 183 2:5:2:7 2:136:any:7 2:5:1:7 2:1:9:7 2:1:5:7 2:5:0:7 2:1:7:7 2:1:8:7 2:1:3:7 1:any:any:1 2:any:any:1 | listed crun-default \
'program: as crun writes them
  opens 8 character devices and c 136:*, no block device; makes everything
  allow  rw   c 5:1    /dev/console  the system console
  allow  rw   c 1:3    /dev/null     takes everything, gives nothing
  allow  rw   c 1:5    /dev/zero     gives zero bytes
  allow  rw   c 1:7    /dev/full     gives zero bytes, is always full
  allow  rw   c 1:8    /dev/random   random numbers
  allow  rw   c 1:9    /dev/urandom  random numbers
  allow  rw   c 5:0    /dev/tty      the terminal of the process itself
  allow  rw   c 5:2    /dev/ptmx     makes pseudo terminals
  allow  rw   c 136:*  /dev/pts/*    pseudo terminals
  allow  m    a *:*    every device  making its node (mknod)
  everything else is denied'

# ---- of engines -------------------------------------------------------------------------------------

engine() # engine NAME COMMAND RULES; newer cruns allow tun by themselves
{
	local name=$1 command=$2
	bundle "$name" createRuntime "sleep 7200" 'del(.hooks) | .linux.resources.devices += [{allow: true, type: "c", major: 10, minor: (200, 229), access: "rw"}]'
	$command run -d -b "$T/b/$name" "$DGTEST_PREFIX.$name" >"$T/out" 2>&1 || { fail "$name starts a container" "$(cat "$T/out")"; return; }
	equal "$name's list" "$3" "$(explained "cgroup:$CG")"
	$command delete -f "$DGTEST_PREFIX.$name" >/dev/null 2>&1
}
reason=$(need_containers)
if [ -n "$reason" ]; then skip "programs of engines" "$reason"
else
	[ -z "$CRUN" ] || engine crun crun 'allow :null, :zero, :full, :random, :urandom, :tty, :console, :ptmx, :tun, :fuse, :pts, access: "rw"
allow "a *:*", access: "m"'
	[ -z "$RUNC" ] || engine runc runc 'allow :null, :zero, :full, :random, :urandom, :tty, :ptmx, :tun, :fuse, :pts, access: "rw"
allow "a *:*", access: "m"'
fi
summary
