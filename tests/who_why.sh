#!/bin/bash
# who_why.sh - `why`, where a file or a cgroup that a policy names is another one now: told where it could change the answer, in the
# words of `status`.
. "$(dirname "$0")/lib.sh"
reason=$(need_kernel)
[ -n "$reason" ] || [ -r /sys/kernel/btf/vmlinux ] || reason="this kernel does not tell its types"
[ -z "$reason" ] || { skip "who_why" "$reason"; summary; exit; }
# Mounts that nobody else sees.
[ -n "${WHO_WHY_APART:-}" ] || { rm -rf "$T"; trap - EXIT; WHO_WHY_APART=1 exec unshare --mount --propagation private "$BASH" "$0"; }
on_exit() { cd /; umount -l "$T/run" 2>/dev/null; }
mkdir "$T/run" && mount -t tmpfs -o mode=755 none "$T/run" && cd "$T/run" || exit 1

D=$T/run
apply() { "$DEVGUARD" apply "$@" >"$T/out" 2>&1 || fail "apply $*" "$(cat "$T/out")"; }
tool() { rm -f "$1"; cp /usr/bin/sleep "$1" && chmod 755 "$1"; }
start() # start PROGRAM: it sleeps in $CG; its pid in PID
{
	(echo "$BASHPID" >"$CG/cgroup.procs" && exec "$1" 7200) &
	PID=$!
	BACKGROUND+=($PID)
	disown $PID # the shell says nothing of its end
	until_true [ "/proc/$PID/exe" -ef "$1" ]
}
told() # told NAME STATUS LINES REQUEST...: of names `why` says these lines and no others
{
	local name=$1 status=$2 lines=$3 rc
	shift 3
	"$DEVGUARD" why "$@" >out 2>err; rc=$?
	equal "$name: status" "$status" $rc
	equal "$name" "$lines" "$(sed -n 's/^        \(\(file\|cgroup\) of line .*\)/\1/p' out)"
}

scratch who
BELOW=${CG##*/}/web
cat >who.rb <<X
policy "who"
allow "c 1:3 rw"

allow("c 1:5 r") { |ctx| ctx.exe == "$D/tool" }
allow("c 1:7 w") { |ctx| ctx.under?("/$BELOW") }
allow("c 1:8 r") { |ctx| ctx.exe == "$D/other" }
allow("c 1:9 r") { |ctx| ctx.parent_exe == "$D/tool" }
allow("c 1:9 w") { |ctx| ctx.uid == 4 && ctx.exe == "$D/tool" }
X
tool tool; tool copy; tool other
mkdir "$CG/web"
apply who.rb "$CG"
start "$D/tool"; OLD=$PID
start "$D/copy"; COPY=$PID
told "all is as it was: of a cgroup" 1 "" "$CG" c 1:5 r
told "of a process" 0 "" --pid $OLD c 1:5 r
told "of another" 2 "" --pid $COPY c 1:5 r

# ---- a file that was replaced --------------------------------------------------------------------------------

tool tool.new && mv tool.new tool
CHANGED="file of line 4 is not that file any more: $D/tool was replaced; apply the policy again"
start "$D/tool"; NEW=$PID
expect "status says it in these words" 0 "    $CHANGED" "$DEVGUARD" status "$CG"
told "who asks is not known" 1 "$CHANGED" "$CG" c 1:5 r
told "it is, and it has that name" 0 "$CHANGED" "$CG" c 1:5 r "exe=$D/tool"
told "it is none that the policy knows: it may be what is there now" 2 "$CHANGED" "$CG" c 1:5 r exe=-
told "where that decides nothing" 0 "" "$CG" c 1:3 r exe=-
told "where that is the parent" 2 "$CHANGED" "$CG" c 1:9 r parent_exe=-
denied_now() # denied_now NAME YES REQUEST...: does `why` say that what has the name now is denied?
{
	local name=$1 yes=$2
	shift 2
	equal "$name" "$yes" "$("$DEVGUARD" why "$@" 2>/dev/null | grep -cx '        what has that name now is denied')"
}
denied_now "a name that the request gives: what has it now is denied" 1 "$CG" c 1:5 r "exe=$D/tool"
denied_now "of a parent" 1 "$CG" c 1:9 r "parent_exe=$D/tool"
denied_now "of who is asked about" 0 --pid $OLD c 1:5 r
denied_now "of another file" 0 "$CG" c 1:8 r "exe=$D/other"
told "the parent has that name" 0 "$CHANGED" "$CG" c 1:9 r "parent_exe=$D/tool"
told "where it decides nothing" 0 "" "$CG" c 1:3 r "exe=$D/tool"
told "where another name decides" 1 "" "$CG" c 1:8 r
told "where another fact decides, too" 1 "$CHANGED" "$CG" c 1:9 w "exe=$D/tool"
told "and that is known" 2 "" "$CG" c 1:9 w "exe=$D/tool" uid=5
told "where it may decide with that" 1 "$CHANGED" "$CG" c 1:9 w uid=4
told "a process that runs what is there now" 2 "$CHANGED" --pid $NEW c 1:5 r
told "one that runs what was there: it will be denied" 0 "$CHANGED" --pid $OLD c 1:5 r
told "one that runs another file" 2 "" --pid $COPY c 1:5 r
changes() { "$DEVGUARD" why "$@" 2>/dev/null | sed -n 's/^        to allow it: //p'; }
equal "what has to change" "apply the policy again: its files and cgroups are looked up then" "$(changes --pid $NEW c 1:5 r)"
expect "of who runs another file it is the rule" 0 "who asks decides: who.rb:4 allows it to some callers" changes --pid $COPY c 1:5 r
check "before what would have to change" [ "$("$DEVGUARD" why --pid $NEW c 1:5 r | grep -nE 'replaced|to allow it' | cut -d: -f1 | tr '\n' ' ')" = "4 5 " ]
json() { "$DEVGUARD" why --json "$@" 2>/dev/null | python3 -c 'import json, sys; print([p["names"] for p in json.load(sys.stdin)["programs"] if p["policy"] == "who"])'; }
equal "as JSON" "[[{'path': '$D/tool', 'is': 'file', 'line': 4, 'state': 'changed', 'why': None}]]" "$(json --pid $NEW c 1:5 r)"
equal "as JSON: nothing of it" "[[]]" "$(json --pid $COPY c 1:5 r)"
apply who.rb "$CG" --mode permissive
rm -f tool; tool tool
told "a permissive policy denies nothing" 0 "" --pid $NEW c 1:5 r
apply who.rb "$CG"
OLDER="file of line 4 is not the one that the process runs: $D/tool was replaced after the process was started; restart it"
told "after apply, a process that runs what was there" 2 "$OLDER" --pid $OLD c 1:5 r
equal "what has to change then" "start the process again: it runs a file that had the name before" "$(changes --pid $OLD c 1:5 r)"
told "where that decides nothing" 0 "" --pid $OLD c 1:3 r
equal "as JSON: older" "[[{'path': '$D/tool', 'is': 'file', 'line': 4, 'state': 'older', 'why': None}]]" "$(json --pid $OLD c 1:5 r)"
start "$D/tool"; NEW=$PID
told "and one that runs what is there" 0 "" --pid $NEW c 1:5 r

# ---- a file that is not taken, or is not there -----------------------------------------------------------------

chmod g+w tool
REFUSED="file of line 4 matches nothing any more: $D/tool, its group may write to it (mode 0775)"
told "others may write to it" 2 "$REFUSED" --pid $NEW c 1:5 r
told "who asks is not known" 1 "$REFUSED" "$CG" c 1:5 r
apply who.rb "$CG"
NOTHING="file of line 4 matches nothing: $D/tool, its group may write to it (mode 0775)"
told "it stands for nothing" 2 "$NOTHING" --pid $NEW c 1:5 r
told "also where the request says so" 0 "$NOTHING" "$CG" c 1:5 r "exe=$D/tool"
told "and where it says that it is none" 2 "$NOTHING" "$CG" c 1:5 r exe=-
denied_now "a file that is not taken is denied" 1 "$CG" c 1:5 r "exe=$D/tool"
chmod g-w tool
told "it came" 2 "file of line 4 matches nothing until the policy is applied again: $D/tool is there now" --pid $NEW c 1:5 r
rm other
told "it is gone" 1 "file of line 6 is not that file any more: $D/other, there is no such file" "$CG" c 1:8 r
told "of who runs another" 2 "" "$CG" c 1:8 r exe=-
denied_now "nothing is there" 0 "$CG" c 1:8 r "exe=$D/other"
apply who.rb "$CG"
told "not taken, and now it is" 0 "" --pid $NEW c 1:5 r
told "it stands for nothing, and there is none" 1 "file of line 6 matches nothing: $D/other, there is no such file" "$CG" c 1:8 r
told "of a process that runs another" 2 "" --pid $NEW c 1:8 r

# ---- cgroups ------------------------------------------------------------------------------------------------------

told "a cgroup as it was" 0 "" "$CG/web" c 1:7 w "cgroup=/$BELOW"
rmdir "$CG/web"
told "a cgroup that is gone" 1 "cgroup of line 5 is not that one any more: /$BELOW, there is no such cgroup" "$CG" c 1:7 w
mkdir "$CG/web"
ANEW="cgroup of line 5 is not that one any more: /$BELOW was made anew; apply the policy again"
told "a cgroup that was made anew" 0 "$ANEW" "$CG/web" c 1:7 w "cgroup=/$BELOW/x"
denied_now "which is denied" 1 "$CG/web" c 1:7 w "cgroup=/$BELOW/x"
told "of who is elsewhere" 2 "" "$CG/web" c 1:7 w cgroup=/other
echo $NEW >"$CG/web/cgroup.procs"
told "of a process in it" 2 "$ANEW" --pid $NEW c 1:7 w
told "of a process that is not" 2 "" --pid $COPY c 1:7 w
equal "it has to be applied again" "apply the policy again: its files and cgroups are looked up then" "$(changes --pid $NEW c 1:7 w)"
apply who.rb "$CG"
told "after apply" 0 "" --pid $NEW c 1:7 w

# ---- what cannot be told -------------------------------------------------------------------------------------------

# A policy that is larger than what is kept of it in the kernel: its names are not there.
{ cat who.rb; for i in $(seq 2500); do echo "allow \"c $((i % 4000)):$((i * 3)) r\", label: \"rule number $i\""; done; } >large.rb
apply large.rb "$CG"
expect "a policy that is not kept in the kernel" 1 "        which files and cgroups its names are cannot be told: its policy, of more than 64 KiB, does not stand in it" \
	"$DEVGUARD" why --pid $COPY c 1:5 r
equal "as JSON: null" "[None]" "$(json --pid $COPY c 1:5 r)"
expect "what it hangs on" 1 "        it depends on what is not understood of the program, such as which file exe is, whose names" "$DEVGUARD" why "$CG" c 1:8 r exe=-
expect "eval says where that is told" 1 "hint: \`rucy-devguard explain\` of the same source says what that is" "$DEVGUARD" eval "cgroup:$CG" "c 1:8 r exe=-"
expect "status --verify: it cannot be told" 1 "not verified: it hangs on which file exe is, whose names" "$DEVGUARD" status --verify "$CG"
expect "verify has the policy" 0 "equal: who on" "$DEVGUARD" verify large.rb "$CG"
summary
