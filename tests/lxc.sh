#!/bin/bash
# lxc.sh - rucy-devguard-lxc, called as LXC calls its start-host hook, with a process in a cgroup;
# by the very lines that containers.md shows. Whatever fails must fail the hook.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
[ -z "$reason" ] || { skip "rucy-devguard-lxc" "$reason"; summary; exit; }
build_opener
chmod 755 "$T"
mkdir "$T/bin" "$T/policies" "$T/dev"
cp "$DEVGUARD" "$T/bin/rucy-devguard"
D=$T/bin/rucy-devguard
P=$T/policies/web.rb
SCRIPT=$ROOT/cmd/containers/rucy-devguard-lxc
export DEVGUARD_HOOK=$D
printf 'policy "web"\nallow :null\n' >"$P"
mknod -m 666 "$T/dev/zero" c 1 5
mknod -m 666 "$T/dev/null" c 1 3
scratch lxc
sleep 1000 &
PID=$!
BACKGROUND+=($PID)
echo $PID >"$CG/cgroup.procs"

verdict() { inside "$CG" "$OPENER" open r "$T/dev/$1"; }
is() { [ "$(verdict zero)" = "$2" ] && [ "$(verdict null)" = ok ] && pass "$1" || fail "$1" "$(verdict zero) $(verdict null)"; }
free() { "$D" detach "$CG" >/dev/null 2>&1; is "detached again" ok; }
hook() { LXC_NAME=web LXC_PID=$PID "$SCRIPT" "$@"; }

is "before" ok
expect "the hook" 0 "" hook --policy "$P" web lxc start-host
is "guards the container" EPERM
free
LXC_HOOK_TYPE=start-host LXC_HOOK_SECTION=lxc expect "lxc.hook.version = 1" 0 "" hook --policy "$P"
is "guards it, too" EPERM
free
expect "options of oci-hook" 0 "" hook --policy "$P" --mode permissive --audit denied web lxc start-host
is "are handed on" ok
"$D" status "$CG" 2>/dev/null | grep -q PERMISSIVE && pass "as they are" || fail "as they are" "$("$D" status "$CG")"
"$D" detach "$CG" >/dev/null 2>&1
printf 'version: 1\npolicies: [%s]\nmatch:\n  - {name: one, id: web, policy: web}\ndefault: refuse\n' "$T/policies" >"$T/guard.yaml"
expect "a manifest chooses by the name" 0 "" hook --config "$T/guard.yaml" web lxc start-host
is "and guards it" EPERM
free
LXC_NAME=other LXC_PID=$PID expect "and refuses another" 1 "container other is refused: no entry of" "$SCRIPT" --config "$T/guard.yaml" other lxc start-host

# ---- the lines of containers.md, run by a shell with what LXC puts behind them ----------------------

n=0
while IFS= read -r line; do
	n=$((n + 1))
	line=${line//\/usr\/local\/bin\/rucy-devguard-lxc/$SCRIPT}
	line=${line//\/etc\/rucy-devguard\/policies\/*.rb/$P}
	[[ $line == *--policy* ]] || line="$line --config $T/guard.yaml"
	LXC_NAME=web LXC_PID=$PID expect "containers.md, line $n" 0 "" sh -c "$line web lxc start-host"
	is "containers.md, line $n: guarded" EPERM
	free
done < <(grep -ho "lxc.hook.start-host = [^'\`]*" "$ROOT/cmd/containers/containers.md" | sed 's/^[^=]*= //' | sort -u)
[ "$n" -ge 2 ] && pass "containers.md has lines for LXC" || fail "containers.md has lines for LXC" "$n"

# ---- refused: the status is not 0, the reason is said, nothing is attached ---------------------------

refused() # refused NAME TEXT COMMAND...
{
	expect "$1: refused" 1 "$2" "${@:3}"
	is "$1: nothing is attached" ok
}
usual=(hook --policy "$P" web lxc start-host)
refused "no hook at all" "was run as a command" "$SCRIPT"
refused "another hook" "was run as pre-start" hook --policy "$P" web lxc pre-start
LXC_HOOK_TYPE=stop refused "another hook, version 1" "was run as stop" hook --policy "$P"
refused "only our own arguments" "was run as $P" hook --policy "$P"
for name in "" 'a"b' 'x", "pid": "1' 'a b' 'a\' '../a' $'a\nb' 'ä'; do
	LXC_NAME=$name LXC_PID=$PID refused "the name '$name'" "LXC_NAME has other characters" "$SCRIPT" --policy "$P" "$name" lxc start-host
done
for pid in "" 0 01 -1 1x "1 2" 99999999; do
	LXC_NAME=web LXC_PID=$pid refused "the pid '$pid'" "the container web is not started" "$SCRIPT" --policy "$P" web lxc start-host
done
refused "an option that there is not" "unknown option --policies" hook --policies "$P" web lxc start-host
refused "no such policy" "no such file" hook --policy "$T/policies/absent.rb" web lxc start-host
echo 'allow :nul' >"$T/policies/bad.rb"
refused "a policy with a mistake" "bad.rb:1: error: unknown device :nul" hook --policy "$T/policies/bad.rb" web lxc start-host
chmod 666 "$P"
refused "a policy that others can write" "can be written by others than root" "${usual[@]}"
chmod 644 "$P"
refused "help is no guard" "the container web is not started" "${usual[@]/--policy/--help}"
mv "$D" "$T/tool"
refused "the tool is gone" "the container web is not started: $D is gone or no program" "${usual[@]}"
: >"$D"
chmod 755 "$D"
refused "the tool is empty" "is gone or no program" "${usual[@]}"
for size in 1 3 64 5000 100000; do
	head -c $size "$T/tool" >"$D"
	refused "the tool cut to $size bytes" "the container web is not started" "${usual[@]}"
done
printf '#!/bin/sh\nexit 0\n' >"$D"
refused "a script in its place" "is gone or no program" "${usual[@]}"
mv "$T/tool" "$D"
# Also of the hook itself: only its first line alone would be a success that guards nothing.
size=$(stat -c %s "$SCRIPT") bad=
for ((n = 12; n < size - 1; n += n > size - 60 ? 1 : 41)); do
	head -c $n "$SCRIPT" >"$T/bin/cut"
	! LXC_NAME=web LXC_PID=$PID sh "$T/bin/cut" --policy "$P" web lxc start-host >/dev/null 2>&1 || bad="$bad $n"
done
[ -z "$bad" ] && pass "the hook cut short: refused" || fail "the hook cut short: refused" "cut to$bad bytes"
is "the hook cut short: nothing is attached" ok
expect "all is well again" 0 "" "${usual[@]}"
is "and guarded" EPERM
summary
