#!/bin/bash
# list.sh - what a policy amounts to in a line, and every device program of a host.
. "$(dirname "$0")/lib.sh"

# ---- the line, of objects ------------------------------------------------------------------

# means NAME LINE [--param K=V]... <<policy
means()
{
	local name=$1 want=$2 got; shift 2
	cat >"$T/means.rb"
	if ! "$DEVGUARD" compile "$@" "$T/means.rb" -o "$T/means.o" >"$T/means.out" 2>&1; then fail "$name" "$(cat "$T/means.out")"; return; fi
	got=$(strings -n 6 "$T/means.o" | grep -E '^(allows|opens|reads|writes|makes|denies) ' | head -n 1)
	if [ "$got" = "$want" ]; then pass "means: $name"; else fail "means: $name" "got:      $got
expected: $want"; fi
}

means nothing "allows nothing" <<<'default :deny'
means everything "allows everything" <<<'default :allow'
means "a device" "opens c 1:3, no block device; makes nothing" <<<'allow "c 1:3 rw"'
means "a device for all accesses" "allows c 1:3, no block device" <<<'allow "c 1:3"'
means "two" "opens c 1:3 and c 5:0-2, no block device; makes nothing" <<<'allow "c 1:3 rw", "c 5:0-2 rw"'
means "many" "opens 5 character devices and c 136:*, no block device; makes nothing" <<<'allow "c 1:3,5,7-9 rw", "c 136:* rw"'
means "majors" "opens c 136:* and c 140-142:*, no block device; makes nothing" <<<'allow "c 136:* rw", "c 140-142:* rw"'
means "many majors" "opens all of 4 character majors, no block device; makes nothing" <<<'allow "c 1,3,5,7:* rw"'
means "all of a type" "opens all character devices, no block device; makes nothing" <<<'allow "c *:* rw"'
means "a minor of every major" "opens no character device, b *:0; makes nothing" <<<'allow "b *:0 rw"'
means "reading alone" "reads c 1:3, no block device; writes and makes nothing" <<<'allow "c 1:3 r"'
means "three accesses, three sets" "reads c 1:3, no block device; writes no character device, b 8:0; makes everything" <<<'allow "a *:* m"; allow "c 1:3 r"; allow "b 8:0 w"'
means "all but some" "allows all character devices, all block devices but b 8:0 and b 8:16" <<<'default :allow; deny "b 8:0", "b 8:16"'
means "all but many" "allows all character devices but 96 character devices and c 2:*, all block devices" <<<'default :allow; deny "c 1:0-31", "c 2:*", "c 3:0-63"'
means "an empty overlap" "allows nothing" <<<'deny "c 1:3"; allow "c 1:3"'
means "the caller" "allows nothing; more by uid" <<<'allow("c 1:3") { |ctx| ctx.uid == 0 }'
means "the caller beside others" "opens c 1:3, no block device; makes nothing; more by uid, comm" <<<'allow "c 1:3 rw"; allow("c 1:5 rw") { |ctx| ctx.uid == 0 && ctx.comm == "x" }'
means "a caller that is denied" "allows all character devices but c 1:3, all block devices; more by gid" <<<'default :allow; deny("c 1:3") { |ctx| ctx.gid != 5 }'
means "callers who all may" "allows c 1:3, no block device" <<<'allow("c 1:3") { |ctx| ctx.uid == 0 }; allow("c 1:3") { |ctx| ctx.uid != 0 }'
means "the whole request" "reads and makes nothing; writes c 1:3, no block device; more by requested" <<<'allow("c 1:3 rw") { |ctx| ctx.requested != 2 }'
means "a raise" "allows all character devices but c 1:0-5, all block devices" <<<'default :allow; deny("c 1:*") { |ctx| 10 / (ctx.minor - 5) < 0 }'
means "a calculation" "allows nothing; more by major, minor" <<<'allow { |ctx| ctx.major * 3 > ctx.minor }'
means "a block about the device" "allows c 10:200-65535, no block device" <<<'allow("c 10:0-65535") { |ctx| ctx.minor >= 200 }'
means "one that is no list" "allows nothing; more by minor" <<<'allow("c 10:*") { |ctx| ctx.minor % 2 == 1 }'
means "a parameter" "allows c 195:0, no block device" <<<'param :gpu, 0, in: 0..15; allow("c 195:0-15") { |ctx| ctx.minor == ctx.gpu }'
means "its other value" "allows c 195:3, no block device" --param gpu=3 <<<'param :gpu, 0, in: 0..15; allow("c 195:0-15") { |ctx| ctx.minor == ctx.gpu }'
means "permissive, the rules" "allows c 1:3, no block device" <<<'mode :permissive; allow "c 1:3"'

# ---- the host ---------------------------------------------------------------------------------

reason=$(need_kernel)
[ -z "$reason" ] || { skip "list" "$reason"; summary; exit; }
list() { "$DEVGUARD" list 2>/dev/null; }
# shown NAME LINES <<text: the lines behind the cgroup's
shown()
{
	local name=$1 got
	cat >"$T/want"
	got=$(list | sed -n "\|^/${CG##*/}\$|,\$p" | sed -n "1,$2p" | sed 's/program [0-9]*/program N/; s/link [0-9]*/link N/')
	if [ "$got" = "$(cat "$T/want")" ]; then pass "$name"; else fail "$name" "$got"; fi
}

scratch list
check "apply" "$DEVGUARD" apply "$ROOT/policies/no-new-nodes.rb" "$CG"
check "apply a second, that reports" "$DEVGUARD" apply "$ROOT/policies/container-default.rb" "$CG" --audit denied
n=$("$DEVGUARD" status "$CG" 2>/dev/null | sed -n 's/^    4 rules, \([0-9]*\) .*/\1/p')
shown "ours, with what they amount to" 5 <<LIST
/${CG##*/}
  no-new-nodes  program N, ours, $("$DEVGUARD" status "$CG" 2>/dev/null | sed -n 's/^    1 rule, \([0-9]*\) .*/\1/p') instructions
    opens everything; makes nothing
  container-default  program N, ours, audit denied, $n instructions
    opens 9 character devices and c 136:*, no block device; makes everything
LIST
expect "status says it too" 0 "    opens everything; makes nothing" "$DEVGUARD" status "$CG"
expect "bpftool says it" 0 "opens everything; makes nothing" bpftool prog show id "$(bpftool cgroup show "$CG" 2>/dev/null | awk '/device/ { print $1; exit }')"
check "JSON" sh -c '"$1" list --json | python3 -c "
import json, sys
o = json.load(sys.stdin)
[g] = [g for g in o[\"cgroups\"] if g[\"directory\"] == sys.argv[1]]
assert [p[\"policy\"] for p in g[\"programs\"]] == [\"no-new-nodes\", \"container-default\"], g
assert g[\"programs\"][0][\"meaning\"] == \"opens everything; makes nothing\" and g[\"programs\"][1][\"audit\"] == \"denied\", g
assert o[\"cgroups_seen\"] >= 2 and \"programs_beyond\" in o, o
" "$2"' - "$DEVGUARD" "$CG"
expect "list takes no cgroup" 64 "status CGROUP" "$DEVGUARD" list "$CG"
check "detach" "$DEVGUARD" detach "$CG" no-new-nodes
check "detach the second" "$DEVGUARD" detach "$CG"
list | grep -q "^/${CG##*/}\$" && fail "a cgroup without programs is not shown" || pass "a cgroup without programs is not shown"

# ---- policies beside and above ----------------------------------------------------------------

scratch beside
mkdir -p "$CG/low/er"
expect "apply alone has no note" 0 "" "$DEVGUARD" apply "$ROOT/policies/allow-all.rb" "$CG"
expect "a policy above is told" 0 "note: 'allow-all' is on $CG above it: what is asked here must be allowed by both" \
	"$DEVGUARD" apply "$ROOT/policies/deny-all.rb" "$CG/low" --dry-run
check "apply below" "$DEVGUARD" apply "$ROOT/policies/no-new-nodes.rb" "$CG/low" --mode permissive
expect "one on this cgroup is told" 0 "note: 'no-new-nodes' is on this cgroup, too: permissive, it denies nothing" \
	"$DEVGUARD" apply "$ROOT/policies/deny-all.rb" "$CG/low" --dry-run
check "but not the one that is replaced" sh -c '! "$1" apply "$2" "$3" --mode permissive | grep "this cgroup, too"' - "$DEVGUARD" "$ROOT/policies/no-new-nodes.rb" "$CG/low"
check "in JSON" sh -c '"$1" apply "$2" "$3/low" --dry-run --json | python3 -c "
import json, sys
also = json.load(sys.stdin)[\"also\"]
assert also == [{\"policy\": \"no-new-nodes\", \"cgroup\": sys.argv[1] + \"/low\", \"mode\": \"permissive\"},
    {\"policy\": \"allow-all\", \"cgroup\": sys.argv[1], \"mode\": \"enforce\"}], also
" "$3"' - "$DEVGUARD" "$ROOT/policies/deny-all.rb" "$CG"
expect "detach names the place above" 1 "'no-new-nodes' is on a cgroup above, and decides here too: rucy-devguard detach $CG/low no-new-nodes" "$DEVGUARD" detach "$CG/low/er"
expect "that of the name" 1 "rucy-devguard detach $CG allow-all" "$DEVGUARD" detach "$CG/low/er" allow-all
expect "and the place below" 1 "'no-new-nodes' is on a cgroup below: rucy-devguard detach $CG/low no-new-nodes" "$DEVGUARD" detach "$CG" no-new-nodes
mkdir "$CG/low/er/x'y" && "$DEVGUARD" apply "$ROOT/policies/no-new-nodes.rb" "$CG/low/er/x'y" >/dev/null
check "the command of the hint works" sh -c 'eval "$1 $("$1" detach "$2" no-new-nodes 2>&1 | sed -n "s/.*: rucy-devguard //p")"' - "$DEVGUARD" "$CG/low/er"
check "it is off there" sh -c '! "$1" status "$2" 2>/dev/null | grep -q no-new-nodes' - "$DEVGUARD" "$CG/low"
expect "others below are counted" 1 "(and on 1 more: rucy-devguard list)" sh -c '"$1" apply "$2" "$3/low/er" >/dev/null && "$1" detach "$3" no-new-nodes' - "$DEVGUARD" "$ROOT/policies/no-new-nodes.rb" "$CG"
for dir in "$CG/low/er/x'y" "$CG/low/er" "$CG/low"; do "$DEVGUARD" detach "$dir" >/dev/null 2>&1; done
check "detach the one above" "$DEVGUARD" detach "$CG"
rmdir "$CG/low/er/x'y" "$CG/low/er" "$CG/low"
scratch others

# others' programs, as bpftool attaches them; cc1 of clang is not needed for eight bytes
if [ -n "$(command -v clang)" ]; then
	printf 'int devices(void *x) __attribute__((section("cgroup/dev"))); int devices(void *x) { return 1; } char l[] __attribute__((section("license"))) = "GPL";' |
		clang -O2 -target bpf -x c -c -o "$T/other.o" - 2>/dev/null
	if unshare -m --propagation private sh -c 'mkdir "$1"; mount -t bpf bpf "$1" && bpftool prog load "$2" "$1/p" && bpftool cgroup attach "$3" cgroup_device pinned "$1/p" multi' - "$T/bpffs" "$T/other.o" "$CG" >/dev/null 2>&1; then
		shown "a program of nobody we know" 3 <<-LIST
		/${CG##*/}
		  devices  program N, not ours, 2 instructions
		    by an author that is not known
		LIST
	else skip "others' programs" "bpftool cannot load"; fi
else skip "others' programs" "no clang"; fi

if setpriv --version >/dev/null 2>&1; then
	check "apply for those who may not look" "$DEVGUARD" apply "$ROOT/policies/allow-all.rb" "$CG"
	expect "without CAP_SYS_ADMIN what it does cannot be told" 1 "it cannot be told what" setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$DEVGUARD" list
	cp "$DEVGUARD" "$T/tool" && chmod 755 "$T" "$T/tool"
	expect "who is not root may not ask" 1 "run it as root" setpriv --reuid 65534 --clear-groups "$T/tool" list
	expect "nor read what engines keep, and is told" 1 "there is no cgroup 'no-such'" setpriv --reuid 65534 --clear-groups "$T/tool" status no-such
	"$DEVGUARD" detach "$CG" allow-all >/dev/null
fi
if unshare -C true 2>/dev/null; then
	scratch outer
	check "apply above a namespace" "$DEVGUARD" apply "$ROOT/policies/allow-all.rb" "$CG"
	mkdir "$CG/inner"
	out=$(inside "$CG/inner" unshare -m -C --propagation private sh -c 'umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && "$1" list' - "$DEVGUARD" 2>&1)
	if [[ $out == *"above what can be seen here"* && $out == *" of 1 cgroup below /sys/fs/cgroup"* ]]; then pass "in a cgroup namespace, what is beyond is counted"
	else fail "in a cgroup namespace, what is beyond is counted" "$out"; fi
else skip "a cgroup namespace" "unshare -C fails"; fi

summary
