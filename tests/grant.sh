#!/bin/bash
# grant.sh - grant, revoke and grants: what a grant opens is exactly what was granted, below programs of others and guards of
# ours; it ends when it should; whatever kills the commands leaves what was or what was asked.
. "$(dirname "$0")/lib.sh"
reason=$(need_kernel)
[ -n "$reason" ] || ! kernel_before 6.1 || reason="Linux 6.1 is needed for cgroups below"
[ -z "$reason" ] || { skip "grant" "$reason"; summary; exit; }
build_opener
$CC -O2 -o "$T/loader" "$TESTS/loader.c" -lbpf || exit 1
mkdir "$T/nodes"
host_program() { bpftool cgroup list "$CG2" | awk '$NF == "devguard_host" { print $1 }'; }
BEFORE=$(host_program) # somebody may use it
SCRATCH=$CG2/$DGTEST_PREFIX
on_exit() # a grant of a cgroup that is gone is kept for a while: these are taken back before
{
	local id
	for id in $("$DEVGUARD" grants --json 2>/dev/null | jq --arg p "${SCRATCH#"$CG2"}." '.grants[] | select(.cgroup | startswith($p)) | .id'); do
		"$DEVGUARD" revoke --id "$id" >/dev/null 2>&1
	done
	local at
	for at in pins part; do ! mountpoint -q "$T/$at" || umount "$T/$at"; done
	[ -z "${BEHIND:-}" ] || bpftool cgroup detach "$CG2" device id "$BEHIND" 2>/dev/null
}
grant() { "$DEVGUARD" grant "$@"; }
revoke() { "$DEVGUARD" revoke "$@"; }
# The number of the grant that a command printed.
number() { sed -n 's/^grant \([0-9]*\): .*/\1/p'; }
denies() { printf 'insn 183 0 0 0 0\ninsn 149 0 0 0 0\n' | "$T/loader" "$1" >/dev/null; } # a program of others: return 0
asked() { printf '%s\n' "${@:2}" | "$OPENER" ask "$T/nodes" "$1/cgroup.procs"; }
# verdicts NAME CGROUP "allow c 1:3 r"...: what the kernel says to a process there
verdicts()
{
	local name=$1 cg=$2 got; shift 2
	got=$(asked "$cg" "${@#* }")
	if [ "$got" = "$(printf '%s\n' "$@")" ]; then pass "$name"; else fail "$name" "expected:
$(printf '%s\n' "$@")
got:
$got"; fi
}
awaited() # awaited NAME COMMAND...: it succeeds, after a while
{
	local i
	for ((i = 0; i < 1000; i++)); do "${@:2}" && return; sleep 0.01; done
	fail "$1"
	return 1
}
# lives CGROUP: a process of it, as LIVE
lives()
{
	(echo "$BASHPID" >"$1/cgroup.procs" && exec sleep 600) & LIVE=$!
	BACKGROUND+=($LIVE)
	awaited "a process in $1" grep -qxF "0::${1#"$CG2"}" "/proc/$LIVE/cgroup"
}
ends() { kill "$LIVE"; wait "$LIVE" 2>/dev/null; }
json() { "$DEVGUARD" "${@:2}" --json | jq -r "$1"; }

# ---- what it opens ------------------------------------------------------------------------------------

scratch one
ONE=$CG
mkdir "$ONE/below" "$ONE/below/more"
denies "$ONE"
scratch two
TWO=$CG
denies "$TWO"
verdicts "denied before" "$ONE" "deny c 240:1 r" "deny c 240:1 m" "deny c 240:1 -"
for letters in r w m rw rm wm rwm; do
	grant "$ONE" c 240:1 $letters >"$T/out" 2>&1 || fail "grant $letters" "$(cat "$T/out")"
	want=()
	for request in m r w rw; do
		case $letters:$request in
		*r*:r | *w*:w | *m*:m | rw*:rw) want+=("allow c 240:1 $request") ;;
		*) want+=("deny c 240:1 $request") ;;
		esac
	done
	verdicts "granted $letters: no more is open" "$ONE" "${want[@]}" "allow c 240:1 -" "deny c 240:2 r" "deny c 241:1 r" "deny b 240:1 r"
done
verdicts "in cgroups below, too" "$ONE/below/more" "allow c 240:1 rw" "allow c 240:1 m" "deny c 240:2 rw"
verdicts "not in another cgroup" "$TWO" "deny c 240:1 r" "deny c 240:1 m"
scratch parent
PARENT=$CG
mkdir "$PARENT/child" "$PARENT/child/below"
denies "$PARENT"
grant "$PARENT/child" c 240:1 >/dev/null 2>&1
verdicts "not in the cgroup above" "$PARENT" "deny c 240:1 r"
verdicts "what is denied above is opened below" "$PARENT/child/below" "allow c 240:1 rw"
grant "$ONE" c 240:1 r >/dev/null 2>&1
grant "$ONE/below" c 240:1 w >/dev/null 2>&1
verdicts "two grants are not added up" "$ONE/below" "allow c 240:1 r" "allow c 240:1 w" "deny c 240:1 rw"
revoke "$ONE/below" >"$T/out" 2>&1
grant "$ONE" "c 240:*" r >/dev/null 2>&1
verdicts "all minors" "$ONE" "allow c 240:0 r" "allow c 240:1048575 r" "allow c 240:1 r" "deny c 240:7 w" "deny c 241:0 r"
grant "$ONE" b 8,65:0-1 r >/dev/null 2>&1
verdicts "several majors and minors" "$ONE" "allow b 8:0 r" "allow b 65:1 r" "deny b 8:2 r" "deny b 66:0 r" "deny c 8:0 r"
grant "$ONE" :fuse rw "c 242:1 r" char-mem r >"$T/out" 2>&1
verdicts "several DEVICEs" "$ONE" "allow c 10:229 rw" "deny c 10:229 m" "allow c 242:1 r" "deny c 242:1 w" "allow c 1:8 r"
check "each is a grant" test "$(number <"$T/out" | wc -l)" = 3

# ---- taken back ----------------------------------------------------------------------------------------------

expect "a device of a grant that is for more: which one" 1 "is part of grant " revoke "$ONE" c 240:9
hint=$(revoke "$ONE" c 240:9 2>&1 | sed -n 's/.*hint: take that back: rucy-devguard //p')
check "that hint works" "$DEVGUARD" $hint
verdicts "and it is closed" "$ONE" "deny c 240:9 r"
expect "still open by another grant is told" 0 "is still open: grant " sh -c '"$1" grant "$2" "c 240:*" r; "$1" revoke "$2" c 240:1' - "$DEVGUARD" "$ONE"
revoke "$ONE" "c 240:*" >/dev/null 2>&1
expect "a part of a family" 0 "(b 65:1)" revoke "$ONE" b 65:1
verdicts "the rest stays" "$ONE" "allow b 65:0 r" "allow b 8:1 r" "deny b 65:1 r"
check "and is told as it is" grep -q '(b 8:0-1, b 65:0)' <<<"$("$DEVGUARD" grants "$ONE")"
revoke "$ONE" char-mem >/dev/null 2>&1
grant "$ONE" /dev/zero r >/dev/null 2>&1
inside "$ONE" sh -c 'exec 3</dev/zero; : >"$0/opened"; until [ -e "$0/closed" ]; do sleep 0.01; done; head -c 3 <&3 | wc -c >"$0/fd"; { : </dev/zero; } 2>>"$0/fd"' "$T" &
READER=$!; BACKGROUND+=($READER)
awaited "a process has it open" test -e "$T/opened"
expect "an open descriptor is told" 0 "What has the device open keeps it" revoke "$ONE" /dev/zero
: >"$T/closed"; wait "$READER"
check "it stays, and nothing is opened any more" sh -c 'head -n 1 "$1" | grep -qx 3 && grep -q "not permitted" "$1"' - "$T/fd"
expect "nothing to take back" 1 "there is no grant of c 9:9 for $ONE" revoke "$ONE" c 9:9
expect "no such number" 1 "there is no grant 4000000000" revoke --id 4000000000
expect "letters are no way to take back a part" 64 "a grant is taken back whole" revoke "$ONE" :fuse r
expect "which ones" 64 "nothing says which grants" revoke
expect "two answers to that" 64 "--id says which grants by itself" revoke --id 1 "$ONE"
revoke "$ONE" >"$T/out" 2>&1
verdicts "all of a cgroup" "$ONE" "deny c 240:1 r" "deny b 8:0 r" "deny c 10:229 rw"
verdicts "and of no other" "$PARENT/child" "allow c 240:1 rw"

# ---- what is said ---------------------------------------------------------------------------------------------

reason="for the $(printf 'backup\e[31m') job"
out=$(SUDO_USER=alice SUDO_UID=1000 grant "$ONE" /dev/null rw --for 1h30m --reason "$reason" 2>&1)
id=$(number <<<"$out")
check "what was granted, for how long" grep -q "^grant $id: /dev/null (c 1:3) rw for $ONE, for 1h30m (until 20" <<<"$out"
check "whose number it is" grep -q "the number is that of /dev/null on this host" <<<"$out"
check "how it ends" grep -q "to take it back: rucy-devguard revoke --id $id" <<<"$out"
check "what else decides" grep -q "Also asked as before: the node's mode and owner" <<<"$out"
out=$("$DEVGUARD" grants "$ONE")
check "the reason, escaped" grep -qF 'for the backup\x1B[31m job' <<<"$out"
login=$(cat /proc/self/loginuid 2>/dev/null); : "${login:=4294967295}"
[ "$login" != 4294967295 ] || check "who gave it: whom sudo names" grep -q "by alice: " <<<"$out"
check "numbers as JSON" test "$(json '.grants[0] | "\(.device) \(.numbers) \(.access) \(.cgroup) \(.seconds) \(.state) \(.node)"' grants "$ONE")" = \
	"/dev/null c 1:3 rw ${ONE#"$CG2"} 5400 active null"
asked "$ONE" "c 1:3 r" "c 1:3 rw" "c 1:3 m" >/dev/null
check "how often it was used" test "$(json '.grants[0].used' grants "$ONE")" = 2
check "those above a cgroup are for it" test "$(json '.grants[0].id' grants "$ONE/below/more")" = "$id"
check "those of others are not" test "$(json '.grants | length' grants "$TWO")" = 0
expect "a new one takes the place" 0 "it takes the place of grant $id (/dev/null rw)" grant "$ONE" :null r
verdicts "with its own letters" "$ONE" "allow c 1:3 r" "deny c 1:3 w"
check "which one, as JSON" test "$(json '"\(.replaced | length) \(.grants | length) \(.grants[0].access)"' grant "$ONE" c 1:3)" = "1 1 rwm"
ln -s zero "/dev/$DGTEST_PREFIX" && {
	expect "a link is followed, and told" 0 "(c 1:5) rwm" grant "$ONE" "/dev/$DGTEST_PREFIX"
	expect "where it leads" 0 "a link to /dev/zero" grant "$ONE" "/dev/$DGTEST_PREFIX"
	rm "/dev/$DGTEST_PREFIX"
}
revoke "$ONE" >/dev/null 2>&1
expect "no grants of a cgroup" 0 "no grant is for this cgroup" "$DEVGUARD" grants "$ONE"

scratch parts
PARTS=$CG
grant "$PARTS" "c 4:0-9" rw >/dev/null 2>&1
expect "a number of it again, for less: told" 0 "it takes the place of a part of grant" grant "$PARTS" c 4:5 r --for 1h
expect "and that it does not come back" 0 "it does not come back when this one is over" grant "$PARTS" c 4:6 r
expect "a part taken back: told" 0 "taken back: a part of grant" revoke "$PARTS" c 4:7
expect "all of it: no part" 0 "taken back: grant" revoke "$PARTS"
expect "a unit that is not there: why" 1 "nosuch.service" revoke --unit nosuch.service
expect "a process that is not there: why" 1 "4000000" revoke --pid 4000000
first=$(grant "$PARTS" c 4:1 2>/dev/null | number)
revoke --id "$first" >/dev/null
check "a number is given once" test "$(grant "$PARTS" c 4:1 2>/dev/null | number)" -gt "$first"
deep=$PARTS/$(printf '%0200d' 1)
mkdir "$deep" && deep=$deep/$(printf '%0200d' 2) && mkdir "$deep"
grant "$deep" c 4:1 >/dev/null 2>&1
printf 'policy "shut"\nallow :null\n' >"$T/shut.rb"
"$DEVGUARD" apply "$T/shut.rb" "${deep%/*}" >/dev/null 2>&1
check "the guard in the way of a cgroup with a long path" test "$(json '.grants[] | select(.guard) | "\(.state) \(.guard)"' grants "$deep")" = "guarded shut"
"$DEVGUARD" detach "${deep%/*}" >/dev/null
rmdir "$deep"
expect "and it is found when that is gone" 0 "taken back" revoke "$deep"
revoke "$PARTS" >/dev/null 2>&1
mkdir "$PARTS/part" "$PARTS/part/low" "$T/part"
mount --bind "$PARTS/part" "$T/part"
"$DEVGUARD" apply "$T/shut.rb" "$PARTS" >/dev/null 2>&1
expect "a bind mount hides no guard above it" 1 "the guard 'shut' on $PARTS does not allow grants" grant "$T/part/low" c 4:1
"$DEVGUARD" detach "$PARTS" >/dev/null
grant "$T/part/low" c 4:1 >/dev/null 2>&1
umount "$T/part"
expect "nor the path from the root" 0 "${PARTS#"$CG2"}/part/low" "$DEVGUARD" grants "$PARTS/part/low"
revoke "$PARTS/part/low" >/dev/null 2>&1

# ---- what is no device, or too much --------------------------------------------------------------------------------

no() { expect "$1" "$2" "$3" grant "$ONE" "${@:4}"; }
no "a symbol without its colon" 64 "did you mean :fuse?" fuse
no "a node without its path" 64 "did you mean :zero?" zero
no "a symbol with a typo" 64 "did you mean :fuse?" :fuss
no "a path that is not there" 1 "no such file" /dev/nosuch
no "a file that is no device" 64 "not below /dev" /etc/passwd
no "a number too large" 64 "major" c 5000:1
no "everything" 64 "is 4096 device numbers: a grant has at most 1024" "c *:*"
no "a range that is too long" 64 "at most 1024" "c 240:0-5000"
no "letters that are none" 64 "letters of r, w and m" :fuse rwx
no "a device named twice" 64 "or have in common, c 1:3" :null "c 1:*" "c 1:3 r"
no "no device" 64 "no device given"
for time in 30 0s 1x m 1m1h -5s 99999999999d ""; do no "--for '$time'" 64 "--for $time: not a time" :null --for "$time"; done
no "--for without a unit: the hint" 64 "--for 30s or --for 30m" :null --for 30
no "a reason that is too long" 64 "longer than 127 bytes" :null --reason "$(printf '%0128d' 7)"
no "no driver" 0 "no driver of this kernel has c 4000:7 now" c 4000:7
expect "the root" 1 "a grant there would be for every process of the host" grant "$CG2" :null
deep=$ONE/deep
for i in $(seq 1 15); do deep=$deep/$i; done
mkdir -p "$deep"
expect "a cgroup that is too deep" 1 "17 levels below the root" grant "$deep" :null
grant "${deep%/*}" c 240:1 >"$T/out" 2>&1
verdicts "the last that is not" "${deep%/*}" "allow c 240:1 rw"
check "which is told" grep -q "they are deeper than 16 levels" "$T/out"
verdicts "below it nothing is opened" "$deep" "deny c 240:1 rw"
check "nothing of all that was granted" test "$(json '[.grants[] | .numbers] | join(" ")' grants "$ONE")" = "c 4000:7"
revoke "$ONE" >/dev/null 2>&1
find "$ONE/deep" -depth -type d -exec rmdir {} +

# ---- processes and containers ----------------------------------------------------------------------------------------

lives "$ONE/below"
grant --pid "$LIVE" c 240:1 r >/dev/null 2>&1
verdicts "--pid: the cgroup of the process" "$ONE/below" "allow c 240:1 r"
verdicts "and not the one above" "$ONE" "deny c 240:1 r"
expect "--pid: a process that is gone" 1 "there is no process 999999999" grant --pid 999999999 :null
expect "--pid: no number" 64 "not the number of a process" grant --pid x :null
expect "two cgroups" 64 "name one cgroup" grant --pid 1 --container x :null
expect "its node is not there" 0 "processes there have no node /dev/ttyS191 to open" grant --pid "$LIVE" :ttyS191
revoke --pid "$LIVE" >/dev/null 2>&1
verdicts "revoke --pid" "$ONE/below" "deny c 240:1 r"
ends
ID=$(sha256sum <<<"$T" | cut -c1-64)
POD=$CG2/$DGTEST_PREFIX.pod
mkdir "$POD"
anew() { rmdir "$POD/docker-$ID.scope" 2>/dev/null; mkdir "$POD/docker-$ID.scope"; denies "$POD/docker-$ID.scope"; }
anew
grant --container "${ID:0:12}" c 240:1 rw --reason "its name" >"$T/out" 2>&1 || fail "grant --container" "$(cat "$T/out")"
verdicts "--container" "$POD/docker-$ID.scope" "allow c 240:1 rw"
anew
verdicts "a container that is new has not the grants of before" "$POD/docker-$ID.scope" "deny c 240:1 r"
check "which is told" test "$(json '.grants[] | select(.reason == "its name") | .state' grants)" = new
check "in words" grep -q "container is new" <<<"$("$DEVGUARD" grants)"

# ---- the hook: a container keeps its grants by its name ---------------------------------------------------------------

# A process that is alone in the container's cgroup, and the state that a runtime gives its hook.
started() { lives "$POD/docker-$ID.scope"; }
state() { printf '{"ociVersion": "1.0.2", "id": "%s", "status": "created", "pid": %d, "bundle": "%s"}' "$1" "$LIVE" "$T"; }
hook() { state "$1" | timeout 60 "$DEVGUARD" oci-hook --policy "$T/hook.rb"; } # hook ID
printf 'policy "web"\ndefault :allow\ngrants :allowed\n' >"$T/hook.rb"
trusted=$(cd "$T" && pwd -P)
if [ -n "$(find "$T" /tmp -maxdepth 0 ! -uid 0)" ]; then skip "the hook and grants" "$trusted is not root's"; else
started
hook "$ID" >"$T/out" 2>&1 || fail "the hook" "$(cat "$T/out")"
verdicts "with the hook it has them again" "$POD/docker-$ID.scope" "allow c 240:1 rw" "deny c 240:2 r"
check "they are the same" test "$(json '.grants[] | select(.reason == "its name") | "\(.state) \(.access)"' grants)" = "active rw"
ends; anew
grant --container "$ID" c 240:1 r --for 1s >/dev/null 2>&1
for ((i = 0; i < 100; i++)); do [ "$(json '[.grants[] | select(.seconds == 1)][0].state' grants)" = active ] || break; sleep 0.1; done
anew; started
revoke "$POD/docker-$ID.scope" :zero >/dev/null 2>&1
hook "$ID" >/dev/null 2>&1
verdicts "and not those that are over" "$POD/docker-$ID.scope" "allow c 240:1 rw"
ends
revoke --container "${ID:0:12}" >/dev/null 2>&1; revoke --container "$ID" >/dev/null 2>&1
anew
grant "$POD/docker-$ID.scope" c 240:1 rw >/dev/null 2>&1 # by its path
anew; started
hook "$ID" >/dev/null 2>&1
verdicts "one that names no container stays with its cgroup" "$POD/docker-$ID.scope" "deny c 240:1 r"
ends; anew
expect "a cgroup that is new is told" 0 "its cgroup is new" "$DEVGUARD" grants "$POD/docker-$ID.scope"
grant --container "$ID" c 240:1 rw >/dev/null 2>&1
anew; started
other=$(sha256sum <<<"$T other" | cut -c1-64)
hook "$other" >/dev/null 2>&1
verdicts "a container of another name gets nothing" "$POD/docker-$ID.scope" "deny c 240:1 r"
ends; anew; started
sed -i 's/grants :allowed/deny "c 240:*"/; s/^default.*//' "$T/hook.rb"
hook "$ID" >/dev/null 2>&1
verdicts "below a guard that does not allow grants nothing is opened by them" "$POD/docker-$ID.scope" "deny c 240:1 r"
ends
fi
revoke --container "$ID" >/dev/null 2>&1
rmdir "$POD/docker-$ID.scope" 2>/dev/null
# named ID NAME COMMAND...: where docker has a container of that id and name
named()
{
	unshare -m --propagation private bash -c 'mount -t tmpfs -o mode=755 dgtest /var/lib && mkdir -p "/var/lib/docker/containers/$1" || exit 9
		printf "{\"ID\": \"%s\", \"Name\": \"/%s\"}" "$1" "$2" >"/var/lib/docker/containers/$1/config.v2.json"; shift 2; exec "$@"' - "$@"
}
NAME=web.$DGTEST_PREFIX other=$(sha256sum <<<"$T other" | cut -c1-64)
if named "$ID" "$NAME" true 2>/dev/null; then
	anew
	named "$ID" "$NAME" "$DEVGUARD" grant --container "$NAME" c 240:1 rw >"$T/out" 2>&1 || fail "grant --container, by docker's name" "$(cat "$T/out")"
	verdicts "a container by its engine's name" "$POD/docker-$ID.scope" "allow c 240:1 rw"
	rmdir "$POD/docker-$ID.scope"
	ID=$other; anew; started # docker rm web; docker run --name web
	printf 'policy "web"\ndefault :allow\ngrants :allowed\n' >"$T/hook.rb"
	state "$ID" | named "$ID" "not.$NAME" "$DEVGUARD" oci-hook --policy "$T/hook.rb" >/dev/null 2>&1
	verdicts "another one has nothing of it" "$POD/docker-$ID.scope" "deny c 240:1 r"
	ends; anew; started
	state "$ID" | named "$ID" "$NAME" "$DEVGUARD" oci-hook --policy "$T/hook.rb" >"$T/out" 2>&1 || fail "the hook, by docker's name" "$(cat "$T/out")"
	verdicts "the next one of that name has its grants" "$POD/docker-$ID.scope" "allow c 240:1 rw" "deny c 240:2 r"
	ends
	revoke --container "$NAME" >/dev/null 2>&1
	rmdir "$POD/docker-$ID.scope"
else skip "containers by their engine's name" "no mount namespace"; fi
expect "a container that is gone" 1 "there is no grant of anything for " revoke --container "$ID"

# ---- with its node ------------------------------------------------------------------------------------------------------

(echo "$BASHPID" >"$ONE/below/cgroup.procs" && exec unshare -m --propagation private sh -c 'mount -t tmpfs -o mode=755 dgtest /dev && : >/dev/ready && exec sleep 600') & LIVE=$!
BACKGROUND+=($LIVE)
if awaited "a process with its own /dev" test -e "/proc/$LIVE/root/dev/ready"; then
	expect "--node of several devices" 64 "makes the node of one device" grant --pid "$LIVE" :fuse :null --node
	expect "--node of a family" 64 "makes the node of one device" grant --pid "$LIVE" "c 136:*" --node
	grant --pid "$LIVE" c 1:7 r --node=/dev/filled >"$T/out" 2>&1 || fail "grant --node" "$(cat "$T/out")"
	check "the node is there" test "$(stat -c '%t:%T' "/proc/$LIVE/root/dev/filled")" = 1:7
	check "and is told" test "$(json '.grants[0].node.path' grants "$ONE/below")" = /dev/filled
	check "it opens" inside "$ONE/below" nsenter --target "$LIVE" --mount sh -c 'test "$(head -c 1 /dev/filled | wc -c)" = 1'
	grant --pid "$LIVE" c 1:7 r >"$T/out" 2>&1
	check "a grant that takes its place keeps the node" test "$(json '.grants[0].node.path' grants "$ONE/below")" = /dev/filled
	expect "another node of it" 1 "has made a node of this device at /dev/filled" grant --pid "$LIVE" c 1:7 r --node=/dev/other
	revoke --pid "$LIVE" >"$T/out" 2>&1 || fail "revoke, with a node" "$(cat "$T/out")"
	check "revoke removes it" test ! -e "/proc/$LIVE/root/dev/filled"
	grant --pid "$LIVE" c 1:7 r --node=/dev/filled --for 1s >/dev/null 2>&1
	for ((i = 0; i < 100; i++)); do [ "$(json '.grants[0].state' grants "$ONE/below")" = active ] || break; sleep 0.1; done
	grant "$TWO" c 240:1 >/dev/null 2>&1
	check "when its time has passed, the next command removes it" test ! -e "/proc/$LIVE/root/dev/filled"
	revoke "$TWO" >/dev/null 2>&1
	expect "a path that cannot be" 1 "nothing" sh -c '"$1" grant --pid "$2" c 1:7 r --node=/dev/ready/x || { echo nothing; exit 1; }' - "$DEVGUARD" "$LIVE"
	verdicts "without its node nothing is granted" "$ONE/below" "deny c 1:7 r"
	check "nor kept" test "$(json '.grants | length' grants "$ONE/below")" = 0
fi
ends

# ---- its end ---------------------------------------------------------------------------------------------------------

grant "$ONE" c 240:1 rw --for 2s >/dev/null 2>&1
verdicts "a lease" "$ONE" "allow c 240:1 rw"
check "nothing of ours runs" sh -c '! pgrep -x rucy-devguard'
for ((i = 0; i < 100; i++)); do [ "$(asked "$ONE" "c 240:1 r")" = "allow c 240:1 r" ] || break; sleep 0.1; done
verdicts "it ends by itself" "$ONE" "deny c 240:1 rw"
check "and is over" test "$(json '.grants[0].state' grants "$ONE")" = over
revoke "$ONE" >/dev/null 2>&1
mkdir "$ONE/gone"
grant "$ONE/gone" c 240:1 >/dev/null 2>&1
rmdir "$ONE/gone"
expect "a cgroup that is gone" 0 "its cgroup is gone" "$DEVGUARD" grants
expect "its grants are taken back by its path" 0 "taken back: grant " revoke "$ONE/gone"

# ---- guards of ours ----------------------------------------------------------------------------------------------------

apply() { "$DEVGUARD" apply "$@" >"$T/out" 2>&1 || fail "apply $*" "$(cat "$T/out")"; }
scratch guard
GUARD=$CG
mkdir "$GUARD/below" "$GUARD/below/more"
printf 'policy "web"\nallow :null\n' >"$T/web.rb"
apply "$T/web.rb" "$GUARD"
expect "below a guard: refused, with its name" 1 "the guard 'web' on $GUARD does not allow grants" grant "$GUARD/below" c 240:1
check "and nothing is granted" test "$(json '.grants | length' grants "$GUARD/below")" = 0
hint=$(grant "$GUARD" c 240:1 2>&1 | sed -n 's/.*apply it again: rucy-devguard apply POLICY \([^;]*\);.*/\1/p')
echo 'grants :allowed' >>"$T/web.rb"
apply "$T/web.rb" "$hint"
grant "$GUARD" c 240:1 r >"$T/out" 2>&1 || fail "its hint works" "$(cat "$T/out")"
verdicts "a guard that allows grants" "$GUARD/below/more" "allow c 240:1 r" "deny c 240:1 w" "allow c 1:3 rw" "deny c 1:5 r"
printf 'policy "web"\nallow :null\n' >"$T/web.rb"
apply "$T/web.rb" "$GUARD"
verdicts "one that does not, after the grant" "$GUARD/below" "deny c 240:1 r" "allow c 1:3 rw"
check "is told" grep -q "guard 'web' does not allow grants" <<<"$("$DEVGUARD" grants "$GUARD")"
check "and as JSON" test "$(json '.grants[0] | "\(.state) \(.guard)"' grants "$GUARD")" = "guarded web"
"$DEVGUARD" detach "$GUARD" >/dev/null
denies "$GUARD"
verdicts "detached: the grant opens again" "$GUARD/below" "allow c 240:1 r"
apply "$T/web.rb" "$GUARD/below"
verdicts "a guard between the grant and the process" "$GUARD/below/more" "deny c 240:1 r"
verdicts "and beside it" "$GUARD" "allow c 240:1 r"
"$DEVGUARD" detach "$GUARD/below" >/dev/null
printf 'policy "web"\ngrants :allowed\ndeny "c 240:*", errno: :ENODEV\n' >"$T/errno.rb"
if "$DEVGUARD" check "$T/errno.rb" >/dev/null 2>&1; then
	apply "$T/errno.rb" "$GUARD/below"
	verdicts "another errno is a denial, too" "$GUARD/below" "allow c 240:1 r"
	"$DEVGUARD" detach "$GUARD/below" >/dev/null
fi
apply "$T/web.rb" "$GUARD/below" --mode permissive
expect "a permissive guard that does not allow grants" 1 "does not allow grants" grant "$GUARD/below" c 240:1
verdicts "opens none of others' denials" "$GUARD/below" "deny c 240:1 r"
echo 'grants :allowed' >>"$T/web.rb"
apply "$T/web.rb" "$GUARD/below" --mode permissive
verdicts "one that does" "$GUARD/below" "allow c 240:1 r" "deny c 240:2 r"
"$DEVGUARD" detach "$GUARD/below" >/dev/null
# A guard that comes and goes otherwise than by this version of the tool.
printf 'policy "web"\nallow :null\n' >"$T/web.rb"
mkdir "$T/pins"
mount -t bpf bpf "$T/pins"
"$DEVGUARD" compile "$T/web.rb" -o "$T/web.o" && bpftool prog load "$T/web.o" "$T/pins/web" 2>/dev/null
bpftool cgroup attach "$GUARD/below" device pinned "$T/pins/web" multi
grant "$GUARD/below" c 240:3 >/dev/null 2>&1 && fail "below a guard that bpftool attached: refused"
verdicts "then the host program knows it" "$GUARD/below/more" "deny c 240:1 r"
bpftool cgroup detach "$GUARD/below" device pinned "$T/pins/web"
check "and forgets it, when somebody looks" test "$(json '.grants[0].state' grants "$GUARD")" = active
grant "$GUARD/below" c 240:3 r >/dev/null 2>&1 || fail "where it was, grants are given again"
verdicts "and open" "$GUARD/below/more" "allow c 240:1 r" "allow c 240:3 r"
umount "$T/pins"
revoke "$GUARD" >/dev/null 2>&1
revoke "$GUARD/below" >/dev/null 2>&1

# ---- what denies behind it -----------------------------------------------------------------------------------------------

grant "$ONE" c 240:1 r >/dev/null 2>&1
BEHIND=$(printf 'insn 183 0 0 0 1\ninsn 149 0 0 0 0\n' | "$T/loader" "$CG2") # it allows all
expect "a program behind ours on the root" 0 "1 program on the root of the hierarchy runs after ours" grant "$ONE" c 240:1 r
bpftool cgroup detach "$CG2" device id "$BEHIND" && BEHIND=
V1=$(awk '$3 == "cgroup" && $4 ~ /(^|,)devices(,|$)/ { print $2; exit }' /proc/mounts)
if [ -n "$V1" ] && mkdir "$V1/$DGTEST_PREFIX" 2>/dev/null; then
	echo 'c 240:1 rwm' >"$V1/$DGTEST_PREFIX/devices.deny"
	lives "$TWO"
	echo "$LIVE" >"$V1/$DGTEST_PREFIX/cgroup.procs"
	grep -q '^a ' "$V1/$DGTEST_PREFIX/devices.list" && echo a >"$V1/$DGTEST_PREFIX/devices.deny"
	expect "cgroup v1 beside it" 0 "the devices controller denies c 240:1 to process $LIVE" grant "$TWO" c 240:1 r
	revoke "$TWO" >/dev/null 2>&1
	ends; rmdir "$V1/$DGTEST_PREFIX"
else skip "cgroup v1 beside it" "no devices controller"; fi

# ---- killed ----------------------------------------------------------------------------------------------------------------

# killed WORD OTHER COMMAND...: SIGKILL before system calls all over the command; then the kernel says either, as
# `grants` does, and the next command works.
killed()
{
	local name=$1 calls bpf n points got wrong=0 done=0; shift
	"$SETUP" >/dev/null 2>&1
	strace -o "$T/trace" -e trace=all "$DEVGUARD" "$@" >/dev/null 2>&1
	calls=$(wc -l <"$T/trace")
	bpf=$(grep -c '^bpf(' "$T/trace")
	points=$(for ((n = 1; n <= calls; n += calls / 50 + 1)); do echo "all $n"; done; for ((n = 1; n <= bpf; n += bpf / 40 + 1)); do echo "bpf $n"; done)
	while read -r which n; do
		"$SETUP" >/dev/null 2>&1
		{ strace -o "$T/trace" -e inject=$which:signal=KILL:when=$n "$DEVGUARD" "$@"; } >/dev/null 2>&1
		got=$(asked "$ONE" "c 240:1 r" "c 240:1 w" "c 240:2 r" | tr '\n' ' ')
		case $(json '[.grants[] | select(.state == "active") | .numbers] | join(" ")' grants "$ONE"):$got in
		"c 240:1:allow c 240:1 r deny c 240:1 w deny c 240:2 r ") done=$((done + 1)) ;;
		":deny c 240:1 r deny c 240:1 w deny c 240:2 r ") done=$((done + 1)) ;;
		*) fail "$name killed before call $n of $which" "$got
$("$DEVGUARD" grants)"; wrong=1 ;;
		esac
		"$DEVGUARD" grant "$ONE" c 240:3 r >"$T/out" 2>&1 && "$DEVGUARD" revoke "$ONE" >>"$T/out" 2>&1 ||
			{ fail "the next command after $name was killed before call $n of $which" "$(cat "$T/out")"; wrong=1; }
		[ "$(asked "$ONE" "c 240:1 r" "c 240:3 r" | sort -u | tr '\n' ' ')" = "deny c 240:1 r deny c 240:3 r " ] || { fail "closed after $name was killed"; wrong=1; }
	done <<<"$points"
	[ $wrong = 1 ] || pass "$name, killed before $done of its system calls: what was, or what was asked"
	[ "$done" -ge 50 ] && pass "$name: enough of them" || fail "$name: enough of them" "$done"
}
nothing() { "$DEVGUARD" revoke "$ONE"; }
granted() { "$DEVGUARD" grant "$ONE" c 240:1 r; }
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	SETUP=nothing killed grant grant "$ONE" c 240:1 r
	SETUP=granted killed revoke revoke "$ONE" c 240:1
else skip "killed commands" "no strace"; fi
check "no lock is left" test -z "$(ls -A /run/rucy-devguard/lock)"

# ---- many --------------------------------------------------------------------------------------------------------------------

# 10,000 grants on 100 cgroups, given and taken back, while two processes try devices all the time. What a command says is so
# when it has returned: a process in the cgroup asks for each device.
scratch many
MANY=$CG
denies "$MANY"
grant "$MANY" /dev/zero r >/dev/null 2>&1
mkfifo "$T/pipe"
exec 7<>"$T/pipe"
for i in 1 2; do
	inside "$MANY" "$OPENER" loop 1000 /dev/zero /dev/full <"$T/pipe" >"$T/loop.$i" & BACKGROUND+=($!)
	LOOPS[i]=$!
done
for ((i = 0; i < 100; i++)); do mkdir "$MANY/$i"; done
devices=() open=() closed=()
for ((i = 0; i < 100; i++)); do devices+=("c 240:$i r"); open+=("allow c 240:$i r"); closed+=("deny c 240:$i r"); done
wrong=0
for ((i = 0; i < 100; i++)); do
	grant "$MANY/$i" "${devices[@]}" >"$T/out" 2>&1 || { fail "100 grants" "$(cat "$T/out")"; break; }
	[ "$(asked "$MANY/$i" "${devices[@]}")" = "$(printf '%s\n' "${open[@]}")" ] || wrong=$((wrong + 1))
done
check "10,000 grants: no wrong verdict after the command" test $wrong = 0
check "there are as many" test "$("$DEVGUARD" grants --json | jq --arg p "${MANY#"$CG2"}/" '[.grants[] | select(.cgroup | startswith($p))] | length')" = 10000
for ((i = 0; i < 100; i++)); do
	revoke "$MANY/$i" "${devices[@]% r}" >"$T/out" 2>&1 || { fail "100 revokes" "$(cat "$T/out")"; break; }
	[ "$(asked "$MANY/$i" "${devices[@]}")" = "$(printf '%s\n' "${closed[@]}")" ] || wrong=$((wrong + 1))
done
check "10,000 revokes: no wrong verdict after the command" test $wrong = 0
echo end >&7
for i in 1 2; do
	wait "${LOOPS[i]}"
	check "process $i, all the time: $(cat "$T/loop.$i")" grep -q 'wrong 0$' "$T/loop.$i"
done
# two at once
AT_ONCE=()
for i in 1 2 3 4; do grant "$MANY" c 241:$i r >/dev/null 2>&1 & AT_ONCE+=($!); done
BACKGROUND+=("${AT_ONCE[@]}")
wait "${AT_ONCE[@]}"
verdicts "commands at the same time" "$MANY" "allow c 241:1 r" "allow c 241:2 r" "allow c 241:3 r" "allow c 241:4 r"

# ---- nothing is left -----------------------------------------------------------------------------------------------------------

on_exit
check "without grants the root's program is gone" test "$(host_program)" = "$BEFORE"
summary
