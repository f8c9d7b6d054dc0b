#!/bin/bash
# who_read.sh - a program that reads the calling task, read back from the kernel: every verb that does so says what its
# policy says.
. "$(dirname "$0")/lib.sh"
reason=$(need_kernel)
[ -n "$reason" ] || [ -r /sys/kernel/btf/vmlinux ] || reason="this kernel does not tell its types"
[ -n "$reason" ] || ! task_untold || reason="this kernel lets no program read the calling task"
[ -z "$reason" ] || { skip "who_read" "$reason"; summary; exit; }
apply() { "$DEVGUARD" apply "$@" >"$T/out" 2>&1 || fail "apply $*" "$(cat "$T/out")"; }
cd "$T" || exit 1
scratch asks

# ---- every fact and question ---------------------------------------------------------------------------

cp "$TESTS/ruby/who.rb" who.rb
apply who.rb "$CG"
ID=$(program_of "$CG")
sed 's/ *#.*//; /^$/d' "$TESTS/ruby/who.cases" >want
sed 's/^[a-z]* //' want >requests
for source in "cgroup:$CG" "prog:$ID" "effective:$CG"; do
	"$DEVGUARD" eval "$source" - <requests 2>err | sed 's/	.*//' >got
	same "eval ${source%%:*}: as the cases of the policy" want got
	expect "diff ${source%%:*}" 0 "equal: every request is decided alike" "$DEVGUARD" diff who.rb "$source"
done
[ "$(wc -l <want)" -gt 60 ] && pass "many cases" || fail "only $(wc -l <want) cases"
expect "verify" 0 "equal: who on $CG, program $ID, tag " "$DEVGUARD" verify who.rb "$CG"
expect "verify: a parameter that a question is made of" 2 "differs: who" "$DEVGUARD" verify who.rb "$CG" --param slot=45
expect "status --verify" 0 "verified: its instructions amount to this" "$DEVGUARD" status --verify "$CG"
expect "list --verify" 0 "verified: its instructions amount to this" bash -c '"$DEVGUARD" list --verify | grep -A4 "/${1##*/}\$"' - "$CG"
cat >"$T/several.rb" <<X
policy "several"
allow("b 8:0 r") { |c| c.host_user_ns? && c.in_group?(6) && c.in_group?(7) && c.uid == 5 }
X
expect "all facts that could decide are named at once" 1 "b 8:0 r: uid, host_user_ns, in_group?(6) and in_group?(7) could decide, and the request does not give them
  hint: add them, for example: b 8:0 r uid=1000 host_user_ns=yes groups=6,7" "$DEVGUARD" eval "$T/several.rb" 'b 8:0 r'
expect "those that cannot are not" 1 "uid and host_user_ns could decide" "$DEVGUARD" eval "$T/several.rb" 'b 8:0 r groups=6,7'
expect "one alone" 1 "b 8:0 r uid=5 groups=6,7: host_user_ns decides, and the request does not give it" "$DEVGUARD" eval "$T/several.rb" 'b 8:0 r uid=5 groups=6,7'
printf 'policy "named"\nallow("c 1:3 r") { |c| c.exe == "/usr/bin/head" }\n' >"$T/named.rb"
expect "a file that no rule names" 2 "warning: exe=/bin/head: no rule names that file: it is taken as exe=-
  hint: it names /usr/bin/head" "$DEVGUARD" eval "$T/named.rb" 'c 1:3 r exe=/bin/head'
equal "that is said once" 1 "$(printf 'c 1:3 r exe=/bin/head\nc 1:3 r exe=/bin/cat\n' | "$DEVGUARD" eval "$T/named.rb" - 2>&1 | grep -c "no rule names")"
equal "and not of one that a rule names" "" "$("$DEVGUARD" eval "$T/named.rb" 'c 1:3 r exe=/usr/bin/head' 'c 1:3 r exe=-' 2>&1 >/dev/null)"
cat >"$T/part.rb" <<X
policy "part"
allow("b 8:0 r") { |c| c.in_group?(6) && !c.in_group?(7) }
allow("b 8:1 r") { |c| c.capable?(:sys_admin) && !c.capable?(:sys_rawio) }
X
expect "a part of the groups" 0 "allow b 8:0 r groups=6,-7" "$DEVGUARD" eval "$T/part.rb" 'b 8:0 r groups=6,-7'
expect "one of them is not known" 1 "in_group?(6) decides, and the request does not give it" "$DEVGUARD" eval "$T/part.rb" 'b 8:0 r groups=-7'
expect "what it is in, and no more is known" 1 "in_group?(7) decides" "$DEVGUARD" eval "$T/part.rb" 'b 8:0 r groups=6,-8'
expect "all of the groups" 0 "allow b 8:0 r groups=6" "$DEVGUARD" eval "$T/part.rb" 'b 8:0 r groups=6'
expect "a part of the capabilities" 0 "allow b 8:1 r caps=sys_admin,-sys_rawio" "$DEVGUARD" eval "$T/part.rb" 'b 8:1 r caps=sys_admin,-sys_rawio'
expect "one of those is not known" 1 "capable?(:sys_admin) decides" "$DEVGUARD" eval "$T/part.rb" 'b 8:1 r caps=-sys_rawio'
expect "in it and not in it" 64 "groups= has 6 and -6" "$DEVGUARD" eval "$T/part.rb" 'b 8:0 r groups=6,-6'
expect "with it and without it" 64 "caps= has sys_admin and -sys_admin" "$DEVGUARD" eval "$T/part.rb" 'b 8:1 r caps=-sys_admin,sys_admin'
expect "a minus alone is no group" 64 "groups=-" "$DEVGUARD" eval "$T/part.rb" 'b 8:0 r groups=-'
expect "the case is put to all engines" 0 "part: 2 cases, 4 engines, 0 failed" "$DEVGUARD" test "$T/part.rb" --cases <(printf 'allow b 8:0 r groups=6,-7\ndeny b 8:1 r caps=-sys_admin,-sys_rawio\n')
expect "test names them, too" 2 "uid, host_user_ns, in_group?(6) and in_group?(7) could decide" "$DEVGUARD" test "$T/several.rb" --cases <(echo 'allow b 8:0 r')
expect "a fact that decides and is not given" 1 "exe decides, and the request does not give it" "$DEVGUARD" eval "cgroup:$CG" 'c 2:0 r'
expect "why: the line that allows" 0 "who.rb:9: allow" "$DEVGUARD" why "$CG" 'c 2:0 r exe=/usr/bin/a'
expect "why: no line allows" 2 "no rule matches" "$DEVGUARD" why "$CG" 'c 2:0 r exe=/usr/bin/b'
"$DEVGUARD" explain "cgroup:$CG" >explained 2>&1
check "explain: all of it is understood" [ "$(grep -c "not understood" explained)" = 0 ]
for words in 'executable is /usr/bin/a' 'in group 44' CAP_SYS_RAWIO 'below /system.slice' 'login uid is unset' 'euid is 0'; do
	check "explain: $words" grep -qF "$words" explained
done

# ---- another policy than the one that is there ----------------------------------------------------------

differs() # differs NAME POLICY REQUEST: told with a request that shows it
{
	printf '%s\n' "$2" >other.rb
	expect "verify: $1" 2 "$3" "$DEVGUARD" verify other.rb "$CG"
}
scratch other
cat >other.rb <<'P'
policy "other"
allow("c 1:3 rw") { |ctx| ctx.euid == 1000 && ctx.in_group?(44) }
allow("c 1:5 r") { |ctx| ctx.exe == "/usr/bin/a" && !ctx.under?("/web.slice") }
P
OTHER=$CG
apply other.rb "$CG"
expect "verify: equal" 0 "equal: other" "$DEVGUARD" verify other.rb "$CG"
A='policy "other"
allow("c 1:3 rw") { |ctx| ctx.euid == 1000 && ctx.in_group?(44) }'
B='allow("c 1:5 r") { |ctx| ctx.exe == "/usr/bin/a" && !ctx.under?("/web.slice") }'
differs "another id" "${A/1000/1001}"$'\n'"$B" "euid=100"
differs "another fact" "${A/euid/egid}"$'\n'"$B" "=1000"
differs "another group" "${A/44/45}"$'\n'"$B" "c 1:3 r"
differs "another file" "$A"$'\n'"${B/bin\/a/bin\/b}" "c 1:5 r"
differs "the parent's file" "$A"$'\n'"${B/exe/parent_exe}" "c 1:5 r"
differs "another cgroup" "$A"$'\n'"${B/web/app}" "c 1:5 r"
differs "a capability for a group" "${A/in_group?(44)/capable?(:sys_rawio)}"$'\n'"$B" "c 1:3 r"

# Facts, and files by name, as rules again.
scratch facts
grep -vE 'in_group|capable|under\?' who.rb | sed 's/^SLOT.*//' >facts.rb
apply facts.rb "$CG"
for source in "cgroup:$CG" "prog:$(program_of "$CG")" "effective:$CG"; do
	expect "diff ${source%%:*}" 0 "equal: every request is decided alike" "$DEVGUARD" diff facts.rb "$source"
done
sed 's|/usr/bin/b|/usr/bin/c|' facts.rb >facts2.rb
expect "diff: another file" 2 "such as c " "$DEVGUARD" diff facts2.rb "cgroup:$CG"

# ---- by itself, and with others -----------------------------------------------------------------------

CG=$OTHER
mkdir "$CG/below"
printf 'policy "below"\nallow("c 1:3 rw") { |ctx| ctx.in_group?(44) && ctx.capable?(:sys_admin) }\n' >below.rb
apply below.rb "$CG/below"
expect "effective: what both ask" 0 "allow c 1:3 r euid=1000 groups=44 caps=sys_admin" "$DEVGUARD" eval "effective:$CG/below" 'c 1:3 r euid=1000 groups=44 caps=sys_admin'
expect "effective: what one of them asks" 2 "deny c 1:3 r euid=0 groups=44 caps=sys_admin" "$DEVGUARD" eval "effective:$CG/below" 'c 1:3 r euid=0 groups=44 caps=sys_admin'
expect "effective: and the other" 2 "deny c 1:3 r euid=1000 groups=44 caps=none" "$DEVGUARD" eval "effective:$CG/below" 'c 1:3 r euid=1000 groups=44 caps=none'
summary
